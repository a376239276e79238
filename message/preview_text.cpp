#include "message/preview_text.h"

#include "message/header.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

namespace posthorn::message {
namespace {

// Of a line more than this is not kept. What says who wrote a quotation is shorter.
constexpr std::size_t max_line = 300;
constexpr std::size_t max_attribution_lines = 3;
// How much shorter a preview may become for the sake of a whole word.
constexpr std::size_t max_word = 30;

// Beside Unicode's white space, what shows as nothing but takes room. Most text is ASCII, and Unicode's
// tables are slow to ask.
bool is_blank(UChar32 c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(c) || c == 0x115f || c == 0x1160 || c == 0x2800 || c == 0x3164 || c == 0xffa0;
}

// Controls, and what would change the direction of text that it does not belong to.
bool is_unwanted(UChar32 c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x180e || c == 0x200b ||
         (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb);
}

// Means something between two letters or emoji only.
bool is_joiner(UChar32 c) { return (c >= 0x200c && c <= 0x200f) || c == 0x61c; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `text` begins or ends with, or contains, one of a list.
template <std::size_t Size>
bool begins_with_one_of(const std::array<std::string_view, Size>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](std::string_view each) { return text.starts_with(each); });
}
template <std::size_t Size>
bool ends_with_one_of(const std::array<std::string_view, Size>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](std::string_view each) { return text.ends_with(each); });
}
template <std::size_t Size>
bool contains_one_of(const std::array<std::string_view, Size>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](std::string_view each) { return text.contains(each); });
}

constexpr auto attribution_ends = std::to_array<std::string_view>(
    {"wrote:", "writes:", "schrieb:",
     "a \xc3\xa9"
     "crit :",
     "a \xc3\xa9"
     "crit:",
     "escribi\xc3\xb3:", "ha scritto:", "skrev:", "schreef:", "escreveu:", "napisa\xc5\x82:",
     "napisa\xc5\x82"
     "a:",
     "napsal:", "napsala:", "kirjoitti:", "\xd0\xbf\xd0\xb8\xd1\x88\xd0\xb5\xd1\x82:",
     "\xd0\xbd\xd0\xb0\xd0\xbf\xd0\xb8\xd1\x81\xd0\xb0\xd0\xbb:",
     "\xd0\xbd\xd0\xb0\xd0\xbf\xd0\xb8\xd1\x81\xd0\xb0\xd0\xbb\xd0\xb0:"});

constexpr auto attribution_beginnings =
    std::to_array<std::string_view>({"On ", "Am ", "Le ", "El ", "Il ", "Em ", "Op ", "Den ", "P\xc3\xa5 ",
                                     "Dne ", "Dnia ", "W dniu ", "In article ", "At "});

// In lower case; between two rows of "-".
constexpr auto forwarding_words =
    std::to_array<std::string_view>({"original", "origine", "urspr", "oorspronkelijk", "forwarded",
                                     "weitergeleitet", "transf", "reenviad", "inoltrat"});

// What Outlook writes below a rule, before the letter that is replied to.
constexpr auto outlook_fields = std::to_array<std::string_view>(
    {"From: ", "Von: ", "De: ", "De : ", "Da: ", "Van: ", "Fr\xc3\xa5n: ", "Fra: ", "Od: "});

// "2024" or "09:30".
bool has_date(std::string_view text) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && digits > 0 && i + 2 < text.size() && is_digit(text[i + 1]) && is_digit(text[i + 2]))
      return true;
    digits = is_digit(text[i]) ? digits + 1 : 0;
    if (digits == 4) return true;
  }
  return false;
}

bool has_date_or_address(std::string_view text) { return text.contains('@') || has_date(text); }

bool is_rule(std::string_view text) {
  constexpr std::string_view marks = "-_=*#";
  return text.size() >= 3 && marks.contains(text.front()) &&
         text.find_first_not_of(text.front()) == std::string_view::npos;
}

bool opens_forwarded(std::string_view text) {
  if (text == "Begin forwarded message:") return true;
  return text.starts_with("----") && text.ends_with("----") &&
         contains_one_of(forwarding_words, to_lower_ascii(text));
}

// Takes the character at the start of `utf8`, which is valid.
UChar32 take_character(std::string_view& utf8) {
  const auto first = static_cast<unsigned char>(utf8.front());
  const std::size_t size = std::min(utf8.size(), static_cast<std::size_t>(1 + U8_COUNT_TRAIL_BYTES(first)));
  UChar32 character = size == 1 ? first : first & (0x7f >> size);
  for (const char c : utf8.substr(1, size - 1)) character = character << 6 | (c & 0x3f);
  utf8.remove_prefix(size);
  return character;
}

std::size_t characters_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return !U8_IS_TRAIL(c); }));
}

// How many octets the first `characters` of `utf8` take.
std::size_t octets_of(std::string_view utf8, std::size_t characters) {
  std::size_t at = 0;
  for (; at < utf8.size(); ++at) {
    if (U8_IS_TRAIL(utf8[at])) continue;
    if (characters == 0) break;
    --characters;
  }
  return at;
}

// The last border at or before `at` between what a person sees as characters (UAX #29); 0 if there is none.
std::size_t border_before(std::string_view utf8, std::size_t at) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UText, decltype(&utext_close)> text(
      utext_openUTF8(nullptr, utf8.data(), static_cast<std::int64_t>(utf8.size()), &status), utext_close);
  const std::unique_ptr<icu::BreakIterator> borders(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) return at;
  borders->setText(text.get(), status);
  if (U_FAILURE(status)) return at;
  const auto place = static_cast<std::int32_t>(at);
  if (borders->isBoundary(place)) return at;
  const auto border = borders->preceding(place);
  return border > 0 ? static_cast<std::size_t>(border) : 0;
}

std::string cut(std::string text) {
  const auto most = octets_of(text, preview_characters);
  if (most == text.size()) return text;
  auto end = text.rfind(' ', most);
  if (end == std::string::npos || characters_of(std::string_view(text).substr(end, most - end)) > max_word) {
    end = border_before(text, most);
    if (end == 0) end = most;  // one letter under a tower of accents
  }
  text.resize(end);
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

// Enough for the cut to know what follows it, however many of the last lines prove to be an attribution.
bool PreviewText::Passage::full() const {
  std::size_t sure = characters;
  const auto unsure = std::min(lines.size(), max_attribution_lines);
  for (std::size_t i = 1; i <= unsure; ++i) sure -= lines[lines.size() - i].characters;
  return sure >= 2 * preview_characters;
}

void PreviewText::Passage::add(Line line) {
  if (full()) return;
  characters += line.characters;
  lines.push_back(std::move(line));
}

void PreviewText::feed(std::string_view valid_utf8) {
  while (!valid_utf8.empty()) {
    const auto character = take_character(valid_utf8);
    take(character);
    if (character == '\n' && full()) return;
  }
}

void PreviewText::take(std::int32_t character) {
  if (character == '\n') {
    end_line();
  } else if (is_blank(character)) {
    space_ = true;
    joiner_ = 0;
  } else if (is_unwanted(character)) {
    return;
  } else if (is_joiner(character)) {
    if (!space_ && line_.characters > 0) joiner_ = character;
  } else {
    if (space_ && line_.characters > 0) put(' ');
    if (joiner_ != 0) put(joiner_);
    space_ = false;
    joiner_ = 0;
    put(character);
  }
}

void PreviewText::put(std::int32_t character) {
  if (line_.characters >= max_line) return;
  std::array<char, U8_MAX_LENGTH> octets{};
  std::size_t size = 0;
  U8_APPEND_UNSAFE(octets, size, character);
  line_.text.append(octets.data(), size);
  ++line_.characters;
}

void PreviewText::end_line() {
  space_ = false;
  joiner_ = 0;
  if (line_.text.empty()) {
    after_blank_ = true;
    if (place_ == Place::armor_header) place_ = Place::own;
    return;
  }
  if (line_.text.ends_with(' ')) {  // where it was cut off
    line_.text.pop_back();
    --line_.characters;
  }
  line_.after_blank = std::exchange(after_blank_, false);
  take_line(std::exchange(line_, {}));
}

void PreviewText::take_line(Line line) {
  const bool after_rule = std::exchange(after_rule_, false);
  if (place_ == Place::nothing || place_ == Place::armor_header) return;
  if (line.text == "-----BEGIN PGP MESSAGE-----" || line.text == "-----BEGIN PGP SIGNATURE-----") {
    place_ = Place::nothing;
  } else if (line.text == "-----BEGIN PGP SIGNED MESSAGE-----") {
    place_ = Place::armor_header;
  } else if (opens_forwarded(line.text)) {
    place_ = Place::other;
  } else if (is_rule(line.text)) {
    after_rule_ = line.text.starts_with("__________");
  } else if (place_ == Place::other) {
    add_other(std::move(line));
  } else if (line.text == "--" || (after_rule && begins_with_one_of(outlook_fields, line.text))) {
    place_ = Place::other;
    if (after_rule) add_other(std::move(line));
  } else if (line.text.starts_with('>') && !line.text.starts_with(">From ")) {
    drop_attribution();
    add_other(std::move(line));
  } else {
    own_.add(std::move(line));
  }
}

void PreviewText::add_other(Line line) {
  line.text.erase(0, std::min(line.text.find_first_not_of("> "), line.text.size()));
  line.characters = characters_of(line.text);
  if (!line.text.empty()) other_.add(std::move(line));
}

// The lines before a quotation that say whose it is. Who introduces it in words of his own keeps them.
void PreviewText::drop_attribution() {
  auto& lines = own_.lines;
  if (lines.empty() || !lines.back().text.ends_with(':')) return;
  std::size_t count = 0;
  const auto most = std::min(lines.size(), max_attribution_lines);
  for (std::size_t i = 1; i <= most; ++i) {
    const Line& line = lines[lines.size() - i];
    // One that was cut off is text, as full() says; the cut may have left a space, which is gone.
    if (line.characters + 1 >= max_line) break;
    const bool begins = begins_with_one_of(attribution_beginnings, line.text);
    const bool dated = has_date_or_address(line.text);
    if ((i == 1 && (dated || ends_with_one_of(attribution_ends, line.text))) || (begins && dated)) count = i;
    if (line.after_blank || begins) break;
  }
  for (auto line = lines.end() - static_cast<std::ptrdiff_t>(count); line != lines.end(); ++line) {
    own_.characters -= line->characters;
    other_.add(std::move(*line));
  }
  lines.resize(lines.size() - count);
}

bool PreviewText::full() const {
  switch (place_) {
    case Place::own:
      // A line that long is text, whatever comes.
      return own_.full() || (line_.characters >= max_line && !after_rule_ && !line_.text.starts_with('>'));
    case Place::armor_header: return false;
    case Place::other: return !own_.lines.empty() || other_.full();
    case Place::nothing: return true;
  }
  return true;
}

std::string PreviewText::finish() {
  end_line();
  const Passage& shown = own_.lines.empty() ? other_ : own_;
  std::string text;
  for (const auto& line : shown.lines) {
    if (!text.empty()) text += ' ';
    text += line.text;
  }
  return cut(std::move(text));
}

}  // namespace posthorn::message

#include "protocols/imap/cursor.h"

#include "protocols/imap/calendar.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/mailbox_name.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace posthorn::imap {

namespace {

constexpr std::array<bool, 256> make_atom_chars() {
  std::array<bool, 256> is_one{};
  for (std::size_t c = 0x21; c < 0x7f; ++c) is_one[c] = true;
  for (const char c : std::string_view("(){%*\"\\]")) is_one[static_cast<unsigned char>(c)] = false;
  return is_one;
}
constexpr std::array<bool, 256> atom_chars = make_atom_chars();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

bool is_word_char(char c) { return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '.'; }

// The number that the digits make, or the largest value where it is beyond.
std::uint64_t saturated(std::string_view digits) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return most;
    value = value * 10 + digit;
  }
  return value;
}

std::string expected(std::string_view what) { return std::string(what) + " expected"; }

}  // namespace

bool is_atom_char(char c) { return atom_chars[static_cast<unsigned char>(c)]; }
bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }

std::string to_upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), upper);
  return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, upper, upper);
}

std::optional<Announcement> announcement_at_end(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  line.remove_suffix(1);
  Announcement result;
  if (line.ends_with('+')) {
    result.synchronising = false;
    line.remove_suffix(1);
  }
  std::size_t begin = line.size();
  while (begin > 0 && is_digit(line[begin - 1])) --begin;
  if (begin == line.size() || begin == 0 || line[begin - 1] != '{') return std::nullopt;
  result.octets = saturated(line.substr(begin));
  result.is_literal8 = begin >= 2 && line[begin - 2] == '~';
  return result;
}

bool Cursor::take(char c) {
  if (at_end() || bytes_[position_] != c) return false;
  ++position_;
  return true;
}

bool Cursor::take_spaces() {
  const std::size_t begin = position_;
  while (take(' ')) {
  }
  return position_ != begin;
}

std::string_view Cursor::take_word() {
  const std::size_t begin = position_;
  while (!at_end() && is_word_char(bytes_[position_])) ++position_;
  return since(begin);
}

std::string_view Cursor::take_atom() {
  const std::size_t begin = position_;
  while (!at_end() && is_atom_char(bytes_[position_])) ++position_;
  return since(begin);
}

std::string_view Cursor::take_digits() {
  const std::size_t begin = position_;
  while (!at_end() && is_digit(bytes_[position_])) ++position_;
  return since(begin);
}

std::string_view Cursor::take_tag() {
  const std::size_t begin = position_;
  position_ = std::min(bytes_.find_first_of(" \r\n", begin), bytes_.size());
  return since(begin);
}

std::optional<Announcement> Cursor::take_announcement() {
  Cursor ahead = *this;
  const bool is_literal8 = ahead.take('~');
  if (!ahead.take('{')) return std::nullopt;
  const std::string_view digits = ahead.take_digits();
  const bool synchronising = !ahead.take('+');
  if (digits.empty() || !ahead.take('}')) return std::nullopt;
  ahead.take('\r');
  if (!ahead.take('\n')) return std::nullopt;
  *this = ahead;
  return Announcement{saturated(digits), synchronising, is_literal8};
}

Result<> Cursor::space(std::string_view what) {
  if (!take_spaces()) return malformed("space expected before " + std::string(what));
  return {};
}

Result<> Cursor::end() {
  take_spaces();
  if (!at_end()) return malformed("unexpected text after the command");
  return {};
}

Result<std::uint64_t> Cursor::number() {
  const std::string_view digits = take_digits();
  if (digits.empty()) return malformed(expected("number"));
  const std::uint64_t value = saturated(digits);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return malformed("number out of range");
  }
  return value;
}

Result<std::uint32_t> Cursor::nz_number() {
  const std::uint64_t value = TRY(number());
  if (value == 0) return malformed("number may not be 0");
  if (value > std::numeric_limits<std::uint32_t>::max()) return malformed("number out of range");
  return static_cast<std::uint32_t>(value);
}

Result<std::uint64_t> Cursor::mod_sequence() {
  const std::uint64_t value = TRY(number());
  if (value == 0) return malformed("mod-sequence may not be 0");
  return value;
}

Result<std::string> Cursor::atom(std::string_view what) {
  const std::string_view text = take_atom();
  if (text.empty()) return malformed(expected(what));
  return std::string(text);
}

// RFC 6855 §3.
Result<> Cursor::check_8bit(std::string_view text, std::string_view what) const {
  if (dialect_.utf8() && !is_utf8(text)) return malformed(std::string(what) + " is not UTF-8");
  return {};
}

Result<std::string> Cursor::quoted(std::string_view what) {
  std::string text;
  ++position_;
  while (!at_end()) {
    const std::size_t begin = position_;
    position_ = std::min(bytes_.find_first_of(std::string_view("\"\\\r\n\0", 5), begin), bytes_.size());
    text.append(since(begin));
    if (take('"')) {
      TRY(check_8bit(text, what));
      return text;
    }
    if (!take('\\')) break;
    if (peek() != '"' && peek() != '\\')
      return malformed("only '\"' and '\\' may follow '\\' in a quoted string");
    text.push_back(bytes_[position_++]);
  }
  return malformed("quoted string of " + std::string(what) + " is not closed");
}

Result<std::string> Cursor::literal(std::string_view what) {
  const auto announced = take_announcement();
  if (!announced || announced->octets > bytes_.size() - position_) {
    return malformed("bad literal for " + std::string(what));
  }
  const std::string_view text = bytes_.substr(position_, static_cast<std::size_t>(announced->octets));
  position_ += text.size();
  if (text.contains('\0')) return malformed("NUL in a literal");
  return std::string(text);
}

Result<std::string> Cursor::string(std::string_view what) {
  if (peek() == '"') return quoted(what);
  if (peek() == '{') return literal(what);
  return malformed(expected(what) + " as a string");
}

Result<std::string> Cursor::astring(std::string_view what) {
  if (peek() == '"' || peek() == '{') return string(what);
  const std::size_t begin = position_;
  while (!at_end() && (is_astring_char(bytes_[position_]) || is_8bit(bytes_[position_]))) ++position_;
  if (position_ == begin) return malformed(expected(what));
  TRY(check_8bit(since(begin), what));
  return std::string(since(begin));
}

Result<std::optional<std::string>> Cursor::nstring(std::string_view what) {
  if (peek() == '"' || peek() == '{') return TRY(string(what));
  if (equal_ignoring_case(take_atom(), "NIL")) return std::nullopt;
  return malformed(expected(what) + " as a string or NIL");
}

Result<std::string> Cursor::name_of_wire(std::string_view wire) const {
  if (!dialect_.utf8()) return decode_mailbox_name(wire);
  TRY(check_utf8_mailbox_name(wire));
  return std::string(wire);
}

Result<std::string> Cursor::mailbox_as_written() {
  const std::string wire = TRY(astring("mailbox name"));
  return name_of_wire(wire);
}

Result<std::string> Cursor::mailbox() { return canonical_mailbox_name(TRY(mailbox_as_written())); }

Result<std::string> Cursor::pattern() {
  if (peek() == '"' || peek() == '{') {
    const std::string wire = TRY(string("mailbox pattern"));
    return name_of_wire(wire);
  }
  const std::size_t begin = position_;
  const auto is_list_char = [](char c) { return is_astring_char(c) || is_8bit(c) || c == '%' || c == '*'; };
  while (!at_end() && is_list_char(bytes_[position_])) ++position_;
  if (position_ == begin) return malformed(expected("mailbox pattern"));
  TRY(check_8bit(since(begin), "mailbox pattern"));
  return name_of_wire(since(begin));
}

Result<std::uint32_t> Cursor::sequence_number() {
  if (take('*')) return SequenceRange::largest;
  return nz_number();
}

Result<SequenceSet> Cursor::sequence_set() {
  SequenceSet set;
  set.saved = take('$');
  if (set.saved) return set;
  do {
    if (set.ranges.size() == max_sequence_ranges) return too_large("too many ranges in a sequence set");
    SequenceRange range;
    range.first = range.last = TRY(sequence_number());
    if (take(':')) range.last = TRY(sequence_number());
    set.ranges.push_back(range);
  } while (take(','));
  return set;
}

Result<SequenceSet> Cursor::known_set(std::string_view what) {
  SequenceSet set = TRY(sequence_set());
  const auto has_star = [](SequenceRange range) {
    return range.first == SequenceRange::largest || range.last == SequenceRange::largest;
  };
  if (set.saved || std::ranges::any_of(set.ranges, has_star)) {
    return malformed("only numbers may stand in " + std::string(what));
  }
  return set;
}

Result<std::uint32_t> Cursor::place_in_results(PartialRange::From from) {
  if (from == PartialRange::From::newest && !take('-')) return malformed("'-' expected in a partial range");
  return nz_number();
}

Result<PartialRange> Cursor::partial_range() {
  PartialRange range;
  range.from = peek() == '-' ? PartialRange::From::newest : PartialRange::From::oldest;
  range.first = TRY(place_in_results(range.from));
  if (!take(':')) return malformed("':' expected in a partial range");
  range.last = TRY(place_in_results(range.from));
  return range;
}

Result<> Cursor::flag(FlagList& into) {
  if (into.system.size() + into.keywords.size() == max_flags) return too_large("too many flags");
  if (take('\\')) {
    static constexpr std::pair<std::string_view, SystemFlag> flags[] = {
        {"Answered", SystemFlag::answered}, {"Flagged", SystemFlag::flagged},
        {"Deleted", SystemFlag::deleted},   {"Seen", SystemFlag::seen},
        {"Draft", SystemFlag::draft},
    };
    const std::string_view name = take_atom();
    const auto* known =
        std::ranges::find_if(flags, [&](auto& f) { return equal_ignoring_case(f.first, name); });
    if (equal_ignoring_case(name, "Recent")) return malformed("\\Recent is not a client's to set");
    if (name.empty()) return malformed(expected("flag"));
    // flag-extension: one that is not in PERMANENTFLAGS is passed over (RFC 3501 §7.1).
    if (known == std::end(flags)) return {};
    const bool is_new = std::ranges::find(into.system, known->second) == into.system.end();
    if (is_new) into.system.push_back(known->second);
    return {};
  }
  const std::string_view keyword = take_atom();
  if (keyword.empty()) return malformed(expected("flag"));
  if (keyword.size() > max_keyword_octets) {
    return failure(Errc::not_allowed, "a keyword has at most 255 octets");
  }
  const auto is_it = [&](const std::string& other) { return equal_ignoring_case(other, keyword); };
  if (std::ranges::none_of(into.keywords, is_it)) into.keywords.emplace_back(keyword);
  return {};
}

Result<FlagList> Cursor::flag_list() {
  FlagList flags;
  TRY(parenthesised(*this, "flag", [&] { return flag(flags); }));
  return flags;
}

Result<FlagList> Cursor::flag_list_or_flags() {
  if (peek() == '(') return flag_list();
  FlagList flags;
  TRY(flag(flags));
  while (take_spaces() && !at_end()) TRY(flag(flags));
  return flags;
}

Result<Day> Cursor::date() {
  const bool is_quoted = take('"');
  const Day day = TRY(take_day(*this));
  if (is_quoted && !take('"')) return malformed("quoted date is not closed");
  return day;
}

Result<InternalDate> Cursor::date_time() { return parse_internal_date(TRY(string("date and time"))); }

}  // namespace posthorn::imap

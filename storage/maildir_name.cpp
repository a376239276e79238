#include "storage/maildir_name.h"

#include "storage/threads.h"

#include <algorithm>
#include <charconv>

namespace posthorn::storage {
namespace {

constexpr Uid highest_uid = 0x7fffffff;
constexpr std::uint64_t highest_size = std::uint64_t{1} << 62U;
constexpr std::int64_t latest = 99'999'999'999;  // seconds: so that names stay short

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> size_field(std::string_view text) {
  const auto value = number<std::uint64_t>(text);
  if (!value || *value > highest_size) return std::nullopt;
  return value;
}

void take_field(MaildirName& name, std::string_view field) {
  if (field.starts_with("S=")) name.stored_size = size_field(field.substr(2));
  if (field.starts_with("W=")) name.wire_size = size_field(field.substr(2));
  if (field.starts_with("B=")) name.encoded_size = size_field(field.substr(2));
  if (field.starts_with("D=")) {
    name.saved = number<std::int64_t>(field.substr(2));
    if (name.saved && (*name.saved < 0 || *name.saved > latest)) name.saved.reset();
  }
  if (field.starts_with("T=") && is_thread_id(field.substr(2))) name.thread_id = field.substr(2);
  if (field.starts_with("U=")) {
    name.uid = number<Uid>(field.substr(2));
    if (name.uid && (*name.uid == 0 || *name.uid > highest_uid)) name.uid.reset();
  }
}

constexpr struct {
  char letter;
  SystemFlag flag;
} system_letters[] = {{'D', SystemFlag::draft},
                      {'F', SystemFlag::flagged},
                      {'R', SystemFlag::answered},
                      {'S', SystemFlag::seen},
                      {'T', SystemFlag::deleted}};

constexpr std::size_t letters_for_keywords = 26;
constexpr std::uint64_t letters_mask = (std::uint64_t{1} << letters_for_keywords) - 1;

bool means_something(char letter) {
  return (letter >= 'a' && letter <= 'z') ||
         std::ranges::any_of(system_letters, [letter](const auto& each) { return each.letter == letter; });
}

}  // namespace

std::optional<std::int64_t> MaildirName::time() const {
  return number<std::int64_t>(std::string_view(email_id).substr(0, email_id.find('.')));
}

bool MaildirName::is_ours(std::string_view name) const {
  return !email_id.empty() && time() && stored_size && wire_size && uid && to_string(*this) == name;
}

MaildirName parse_maildir_name(std::string_view name) {
  MaildirName parsed;
  const std::size_t colon = name.rfind(':');
  std::string_view base = name.substr(0, colon);
  if (colon != std::string_view::npos && name.substr(colon).starts_with(":2,")) {
    parsed.info = name.substr(colon + 3);
  }
  std::size_t comma = base.find(',');
  parsed.email_id = base.substr(0, comma);
  // One of another program's name, which would end ours.
  std::ranges::replace(parsed.email_id, ':', '_');
  while (comma != std::string_view::npos) {
    base.remove_prefix(comma + 1);
    comma = base.find(',');
    take_field(parsed, base.substr(0, comma));
  }
  return parsed;
}

std::string to_string(const MaildirName& name) {
  std::string text = name.email_id;
  if (name.stored_size) text += ",S=" + std::to_string(*name.stored_size);
  if (name.wire_size) text += ",W=" + std::to_string(*name.wire_size);
  if (name.encoded_size) text += ",B=" + std::to_string(*name.encoded_size);
  if (name.saved) text += ",D=" + std::to_string(*name.saved);
  if (name.thread_id) text += ",T=" + *name.thread_id;
  if (name.uid) text += ",U=" + std::to_string(*name.uid);
  if (name.info) text += ":2," + *name.info;
  return text;
}

Flags flags_of_letters(std::string_view letters) {
  Flags flags;
  for (const char letter : letters) {
    for (const auto& each : system_letters) {
      if (each.letter == letter) flags.add(each.flag);
    }
    if (letter >= 'a' && letter <= 'z') flags.keywords.add(static_cast<std::size_t>(letter - 'a'));
  }
  return flags;
}

std::string letters_of_flags(const Flags& flags, std::string_view before) {
  std::string letters;
  for (const auto& each : system_letters) {
    if (flags.has(each.flag)) letters += each.letter;
  }
  for (const char letter : before) {
    if (!means_something(letter)) letters += letter;
  }
  for (std::size_t place = 0; place < letters_for_keywords; ++place) {
    if (flags.keywords.has(place)) letters += static_cast<char>('a' + place);
  }
  std::ranges::sort(letters);
  letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
  return letters;
}

bool has_further_keywords(const Flags& flags) { return !further_keywords(flags.keywords).empty(); }

KeywordSet further_keywords(const KeywordSet& keywords) {
  KeywordSet result = keywords;
  result.words()[0] &= ~letters_mask;
  return result;
}

KeywordSet letter_keywords(const KeywordSet& keywords) {
  KeywordSet result;
  result.words()[0] = keywords.words()[0] & letters_mask;
  return result;
}

std::string make_email_id(std::int64_t time, std::string_view unique, std::string_view host) {
  std::string id = std::to_string(time) + "." + std::string(unique) + ".";
  for (const char each : host.substr(0, 64)) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                       (each >= '0' && each <= '9') || each == '.' || each == '-' || each == '_';
    if (plain) id += each;
  }
  return id;
}

std::string object_id(std::string_view email_id) {
  constexpr std::string_view hex = "0123456789abcdef";
  constexpr std::size_t longest = 255;
  std::string id = "M";
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char each : email_id) {
    const auto octet = static_cast<unsigned char>(each);
    hash = (hash ^ octet) * 0x100000001b3;
    const bool is_plain = (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') ||
                          (octet >= 'a' && octet <= 'z') || octet == '-';
    if (is_plain) {
      id += each;
    } else if (octet == '.') {
      id += "__";
    } else {
      id += {'_', hex[octet >> 4U], hex[octet & 15U]};
    }
  }
  if (id.size() <= longest) return id;
  id.resize(longest - 16);
  for (int shift = 60; shift >= 0; shift -= 4) id += hex[hash >> shift & 15U];
  return id;
}

}  // namespace posthorn::storage

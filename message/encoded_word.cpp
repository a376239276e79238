#include "message/encoded_word.h"

#include "message/charset.h"
#include "message/header.h"
#include "message/transfer_encoding.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>

namespace posthorn::message {
namespace {

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// `text` with each `mark` and two hex digits after it made the octet that they mean.
std::string decode_hex(std::string_view text, char mark) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == mark && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// RFC 2047 §4.2.
std::string decode_q(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '_', ' ');
  return decode_hex(spaced, '=');
}

struct EncodedWord {
  std::string charset;  // the preferred name
  std::string bytes;
  std::size_t size;  // in the source
};

// The encoded word at the start of `text`. Each of the three pieces ends at the next "?", so that a look
// in vain costs no more than what it looks at.
std::optional<EncodedWord> take_encoded_word(std::string_view text) {
  constexpr std::size_t max_charset = 64;
  const auto charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end - 2 > max_charset) return std::nullopt;
  if (text.size() < charset_end + 3 || text[charset_end + 2] != '?') return std::nullopt;
  const auto content_begin = charset_end + 3;
  const auto content_end = text.find('?', content_begin);
  if (content_end == std::string_view::npos || text.substr(content_end, 2) != "?=") return std::nullopt;
  const auto content = text.substr(content_begin, content_end - content_begin);

  // RFC 2231 §5: "charset*language".
  const auto named = text.substr(2, charset_end - 2);
  auto charset = canonical_charset(named.substr(0, named.find('*')));
  if (!charset) return std::nullopt;
  EncodedWord word{std::move(*charset), {}, content_end + 2};
  const char encoding = text[charset_end + 1];
  if (encoding == 'Q' || encoding == 'q') {
    word.bytes = decode_q(content);
  } else if (encoding == 'B' || encoding == 'b') {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n";
    if (content.find_first_not_of(allowed) != std::string_view::npos) return std::nullopt;
    word.bytes = decode_transfer(content, TransferEncoding::base64);
  } else {
    return std::nullopt;
  }
  return word;
}

// "name*2*" of RFC 2231 §3 and §4: `section` 2, `extended`.
struct ParameterName {
  std::string_view base;
  std::optional<unsigned> section;
  bool extended = false;
};

ParameterName parse_name(std::string_view name) {
  ParameterName parsed{name, std::nullopt, false};
  if (parsed.base.ends_with('*')) {
    parsed.extended = true;
    parsed.base.remove_suffix(1);
  }
  const auto star = parsed.base.find('*');
  if (star == std::string_view::npos) return parsed;
  const auto digits = parsed.base.substr(star + 1);
  unsigned section = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), section);
  if (error != std::errc() || end != digits.data() + digits.size()) return {name, std::nullopt, false};
  parsed.base = parsed.base.substr(0, star);
  parsed.section = section;
  return parsed;
}

struct Section {
  unsigned number;
  std::size_t position;  // among the sections that were given
  bool extended;
  std::string_view value;
};

// The extended value of the sections, which stand in order; those after a gap are lost (RFC 2231 §3).
std::string join(std::span<const Section> sections) {
  std::string charset;
  std::string bytes;
  unsigned expected = sections.front().number;
  for (const auto& section : sections) {
    if (section.number != expected) break;
    ++expected;
    auto value = section.value;
    if (section.extended && section.number == sections.front().number) {
      const auto first = value.find('\'');
      const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, first);
        value.remove_prefix(second + 1);
      }
    }
    bytes += section.extended ? decode_hex(value, '%') : std::string(value);
  }
  if (auto text = to_utf8(bytes, charset)) return *std::move(text);
  return guess_utf8(bytes);
}

void add_section(std::vector<Section>& sections, const ParameterName& name, std::string_view value) {
  sections.push_back({name.section.value_or(0), sections.size(), name.extended, value});
}

// In order, each once.
void put_in_order(std::vector<Section>& sections) {
  std::ranges::sort(sections, {}, [](const Section& s) { return std::pair(s.number, s.position); });
  const auto twice = std::ranges::unique(sections, {}, &Section::number);
  sections.erase(twice.begin(), twice.end());
}

// All that was given of a parameter.
struct Given {
  std::string_view name;
  std::vector<Section> sections;
  std::vector<std::size_t> plain;  // places of those that are in no sections
  bool has_charset = false;        // some section is percent-encoded
  bool is_told = false;            // for who tells each once
};

// Of hundreds of parameters, each is looked at once.
struct AllGiven {
  explicit AllGiven(std::span<const Parameter> parameters) {
    std::map<std::string, std::size_t> known;
    for (std::size_t place = 0; place < parameters.size(); ++place) {
      const auto name = parse_name(parameters[place].name);
      const auto [found, is_new] = known.try_emplace(to_lower_ascii(name.base), names.size());
      if (is_new) names.push_back({.name = name.base});
      of_place.push_back(found->second);
      Given& given = names[found->second];
      if (name.section || name.extended) {
        add_section(given.sections, name, parameters[place].value);
      } else {
        given.plain.push_back(place);
      }
    }
    for (Given& given : names) {
      put_in_order(given.sections);
      given.has_charset = std::ranges::any_of(given.sections, &Section::extended);
    }
  }

  std::vector<Given> names;           // in the order in which they came
  std::vector<std::size_t> of_place;  // which of them a parameter belongs to
};

}  // namespace

std::string decode_encoded_words(std::string_view text) {
  std::string out;
  std::string charset;  // of the words that wait in `bytes`
  std::string bytes;
  const auto flush = [&] {
    if (charset.empty()) return;
    out += to_utf8(bytes, charset).value_or("");
    charset.clear();
    bytes.clear();
  };
  std::size_t plain = 0;  // where the text begins that is not in `out` yet
  for (auto at = text.find("=?"); at != std::string_view::npos; at = text.find("=?", at)) {
    auto word = take_encoded_word(text.substr(at));
    if (!word) {
      at += 2;
      continue;
    }
    const auto between = text.substr(plain, at - plain);
    const bool adjacent = !charset.empty() && std::ranges::all_of(between, is_white);
    if (!adjacent || word->charset != charset) flush();
    if (!adjacent) out += guess_utf8(between);
    charset = word->charset;
    bytes += word->bytes;
    at += word->size;
    plain = at;
  }
  flush();
  out += guess_utf8(text.substr(plain));
  return out;
}

std::optional<std::string> parameter_value(std::span<const Parameter> parameters, std::string_view name) {
  std::vector<Section> sections;
  for (const auto& parameter : parameters) {
    const auto parsed = parse_name(parameter.name);
    const bool is_section = parsed.section || parsed.extended;
    if (is_section && equal_ignoring_case(parsed.base, name)) add_section(sections, parsed, parameter.value);
  }
  put_in_order(sections);
  if (!sections.empty()) return join(sections);
  const auto plain = std::ranges::find_if(
      parameters, [&](const Parameter& parameter) { return equal_ignoring_case(parameter.name, name); });
  if (plain != parameters.end()) return decode_encoded_words(plain->value);
  return std::nullopt;
}

std::vector<Parameter> join_parameters(std::span<const Parameter> parameters) {
  AllGiven all(parameters);
  std::vector<Parameter> joined;
  for (std::size_t place = 0; place < parameters.size(); ++place) {
    Given& given = all.names[all.of_place[place]];
    // Under the name of a plain one, it stands for that too (parameter_value()).
    const bool is_plain = std::ranges::binary_search(given.plain, place);
    if (is_plain && (given.sections.empty() || given.has_charset)) {
      joined.push_back(parameters[place]);
    } else if (!std::exchange(given.is_told, true)) {
      joined.push_back({std::string(given.name) + (given.has_charset ? "*" : ""), join(given.sections)});
    }
  }
  return joined;
}

std::vector<Parameter> decode_parameters(std::span<const Parameter> parameters) {
  const AllGiven all(parameters);
  std::vector<Parameter> decoded;
  for (const Given& given : all.names) {
    const bool is_plain = given.sections.empty();
    decoded.push_back(
        {std::string(given.name),
         is_plain ? decode_encoded_words(parameters[given.plain.front()].value) : join(given.sections)});
  }
  return decoded;
}

}  // namespace posthorn::message

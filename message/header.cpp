#include "message/header.h"

#include <algorithm>
#include <unordered_set>

namespace posthorn::message {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// The first line of `text`, with its line end if it has one.
std::string_view first_line(std::string_view text) {
  const auto end = text.find('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::string_view without_line_end(std::string_view line) {
  if (!line.empty() && line.back() == '\n') {
    line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  }
  return line;
}

bool is_blank(std::string_view line) { return line == "\r\n" || line == "\n"; }

// How much of `text` is the line at its start with the lines that continue it (RFC 5322 §2.2.3).
std::size_t folded_size(std::string_view text) {
  std::size_t size = 0;
  do {
    size += first_line(text.substr(size)).size();
  } while (size < text.size() && is_space(text[size]));
  return size;
}

}  // namespace

std::string_view field_name_of(std::string_view line) {
  std::size_t size = 0;
  while (size < line.size() && line[size] > ' ' && line[size] < 0x7f && line[size] != ':') ++size;
  std::size_t colon = size;
  while (colon < line.size() && is_space(line[colon])) ++colon;
  if (size == 0 || colon == line.size() || line[colon] != ':') return {};
  return line.substr(0, size);
}

std::optional<HeaderField> HeaderReader::next() {
  while (!rest_.empty()) {
    const auto line = first_line(rest_);
    if (is_blank(line)) {
      blank_line_ = line;
      rest_ = {};
      break;
    }
    const auto raw = rest_.substr(0, folded_size(rest_));
    rest_.remove_prefix(raw.size());
    const auto name = field_name_of(line);
    if (name.empty()) continue;
    const auto value = raw.substr(raw.find(':', name.size()) + 1);
    return HeaderField{name, without_line_end(value), raw};
  }
  return std::nullopt;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string to_lower_ascii(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool ends_line = c == '\n' || (c == '\r' && i + 1 < value.size() && value[i + 1] == '\n');
    if (!ends_line && c != '\0') out += c;
  }
  constexpr std::string_view blank = " \t\r";
  const auto last = out.find_last_not_of(blank);
  out.erase(last == std::string::npos ? 0 : last + 1);
  out.erase(0, std::min(out.find_first_not_of(blank), out.size()));
  return out;
}

std::optional<HeaderField> find_field(std::string_view block, std::string_view name) {
  HeaderReader reader(block);
  while (auto field = reader.next()) {
    if (equal_ignoring_case(field->name, name)) return field;
  }
  return std::nullopt;
}

std::vector<HeaderField> find_fields(std::string_view block, std::string_view name) {
  std::vector<HeaderField> fields;
  HeaderReader reader(block);
  while (auto field = reader.next()) {
    if (equal_ignoring_case(field->name, name)) fields.push_back(*field);
  }
  return fields;
}

void append_with_crlf(std::string_view lines, std::string& out) {
  while (!lines.empty()) {
    const auto line = first_line(lines);
    out += without_line_end(line);
    out += "\r\n";
    lines.remove_prefix(line.size());
  }
}

std::string filter_fields(std::string_view block, std::span<const std::string> names, FieldFilter filter) {
  std::unordered_set<std::string> wanted;
  for (const auto& name : names) wanted.insert(to_lower_ascii(name));
  std::string out;
  HeaderReader reader(block);
  while (auto field = reader.next()) {
    const bool named = wanted.contains(to_lower_ascii(field->name));
    if (named == (filter == FieldFilter::only)) append_with_crlf(field->raw, out);
  }
  if (!reader.blank_line().empty()) out += "\r\n";
  return out;
}

}  // namespace posthorn::message

#include "server/keys.h"

#include <algorithm>

namespace posthorn::server {
namespace {

// Longer strings are cut where they are shown.
constexpr std::size_t shown_limit = 80;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

std::string toml_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char octet : text) {
    const auto code = static_cast<unsigned char>(octet);
    if (octet == '"' || octet == '\\') {
      quoted += '\\';
      quoted += octet;
    } else if (code < 0x20 || code == 0x7f) {
      quoted += "\\u00";
      quoted += digits[code >> 4U];
      quoted += digits[code & 15U];
    } else {
      quoted += octet;
    }
  }
  return quoted + '"';
}

std::string Value::shown() const {
  return std::visit(Overloaded{
                        [](const std::string& text) {
                          if (text.size() <= shown_limit) return toml_string(text);
                          return toml_string(text.substr(0, shown_limit)) + "...";
                        },
                        [](std::int64_t number) { return std::to_string(number); },
                        [](bool flag) { return std::string(flag ? "true" : "false"); },
                        [](const std::vector<Value>& list) {
                          return std::string(list.empty() ? "an empty list" : "a list");
                        },
                        [](const Other& other) { return other.name; },
                    },
                    data);
}

Key::Key(Section& section, std::string_view name, std::string_view unit, std::string_view text)
    : section_(section.name()), name_(name), unit_(unit), text_(text) {
  section.add(*this);
}

Key* KeyList::find(std::string_view section, std::string_view name) const {
  const auto found = std::ranges::find_if(
      keys_, [&](const Key* key) { return key->section() == section && key->name() == name; });
  return found == keys_.end() ? nullptr : *found;
}

bool KeyList::has_section(std::string_view section) const {
  return std::ranges::any_of(keys_, [&](const Key* key) { return key->section() == section; });
}

std::optional<Mismatch> TextKey::accept(const Value& given) {
  const auto* text = std::get_if<std::string>(&given.data);
  if (text == nullptr) return Mismatch{"a string", &given};
  if (text->contains('\0')) return Mismatch{"a string without NUL", &given};
  if (check_ != nullptr) {
    if (auto expected = check_(*text)) return Mismatch{*std::move(expected), &given};
  }
  value = *text;
  return {};
}

std::optional<Mismatch> NumberKey::accept(const Value& given) {
  const auto* number = std::get_if<std::int64_t>(&given.data);
  if (number != nullptr && *number >= range_.least && *number <= range_.most) {
    value = *number;
    return {};
  }
  std::string expected = "a whole number from " + std::to_string(range_.least);
  if (range_.most != std::numeric_limits<std::int64_t>::max())
    expected += " to " + std::to_string(range_.most);
  if (!unit().empty()) expected += " (" + std::string(unit()) + ")";
  return Mismatch{std::move(expected), &given};
}

std::optional<Mismatch> FlagKey::accept(const Value& given) {
  const auto* flag = std::get_if<bool>(&given.data);
  if (flag == nullptr) return Mismatch{"true or false", &given};
  value = *flag;
  return {};
}

}  // namespace posthorn::server

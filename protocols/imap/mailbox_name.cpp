#include "protocols/imap/mailbox_name.h"

#include "protocols/imap/cursor.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace posthorn::imap {

namespace {

// modified BASE64 of RFC 3501 §5.1.3: `,` in the place of `/`, no padding.
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> make_digit_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> digit_values = make_digit_values();

constexpr char32_t replacement = 0xfffd;

bool stands_for_itself(char32_t c) { return c >= 0x20 && c <= 0x7e; }
bool is_high_surrogate(char32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low_surrogate(char32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

std::unexpected<Error> bad_name() {
  return failure(Errc::not_allowed, "mailbox name is neither modified UTF-7 nor UTF-8");
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) { out.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3f))); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (c >> 6)));
    tail(0);
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (c >> 12)));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (c >> 18)));
    tail(12), tail(6), tail(0);
  }
}

// Takes the first character (RFC 3629 §4) off `text`, which is not empty; where none is well-formed, an
// octet, for which nothing is given.
std::optional<char32_t> take_character(std::string_view& text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  char32_t c = length == 1 ? lead : lead & (0x7fU >> length);
  bool is_good = length != 0 && length <= text.size();
  for (std::size_t i = 1; is_good && i < length; ++i) {
    is_good = (octet(i) & 0xc0) == 0x80;
    c = (c << 6) | (octet(i) & 0x3f);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  is_good = is_good && c >= least[length] && c <= 0x10ffff && !is_high_surrogate(c) && !is_low_surrogate(c);
  text.remove_prefix(is_good ? length : 1);
  return is_good ? std::optional(c) : std::nullopt;
}

// The UTF-16 units of a shift come one by one; characters go out.
class UnitDecoder {
 public:
  explicit UnitDecoder(std::string& out) : out_(out) {}

  // False for a unit that may not stand here.
  bool take(char32_t unit) {
    if (high_ != 0) {
      if (!is_low_surrogate(unit)) return false;
      append_utf8(out_, 0x10000 + ((high_ - 0xd800) << 10) + (unit - 0xdc00));
      high_ = 0;
      return true;
    }
    if (is_low_surrogate(unit) || stands_for_itself(unit)) return false;
    if (is_high_surrogate(unit)) {
      high_ = unit;
    } else {
      append_utf8(out_, unit);
    }
    return true;
  }
  bool is_whole() const { return high_ == 0; }

 private:
  std::string& out_;
  char32_t high_ = 0;
};

// What stands between `&` and `-`, which is not empty.
bool decode_shift(std::string_view shifted, std::string& out) {
  UnitDecoder units(out);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : shifted) {
    const std::uint32_t value = digit_values[static_cast<unsigned char>(c)];
    if (value == no_digit) return false;
    bits = (bits << 6 | value) & 0x3fffff;
    count += 6;
    if (count >= 16) {
      count -= 16;
      if (!units.take((bits >> count) & 0xffff)) return false;
    }
  }
  const bool has_stray_bits = count >= 6 || (bits & ((1U << count) - 1)) != 0;
  return !has_stray_bits && units.is_whole();
}

// The other way: UTF-16 units in, one shift out.
class ShiftEncoder {
 public:
  explicit ShiftEncoder(std::string& out) : out_(out) {}

  void put(char32_t c) {
    if (!open_) out_.push_back('&');
    open_ = true;
    if (c < 0x10000) {
      put_unit(c);
    } else {
      put_unit(0xd800 + ((c - 0x10000) >> 10));
      put_unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }

  void close() {
    if (!open_) return;
    if (count_ != 0) out_.push_back(digits[(bits_ << (6 - count_)) & 0x3f]);
    out_.push_back('-');
    open_ = false;
    count_ = 0;
  }

 private:
  void put_unit(char32_t unit) {
    bits_ = (bits_ << 16 | unit) & 0x3fffff;
    for (count_ += 16; count_ >= 6;) {
      count_ -= 6;
      out_.push_back(digits[(bits_ >> count_) & 0x3f]);
    }
  }

  std::string& out_;
  bool open_ = false;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;
};

}  // namespace

Result<std::string> decode_mailbox_name(std::string_view wire) {
  std::string name;
  while (!wire.empty()) {
    if (wire.front() != '&') {
      const auto c = take_character(wire);
      if (!c || *c < 0x20 || *c == 0x7f) return bad_name();
      append_utf8(name, *c);
      continue;
    }
    const std::size_t end = wire.find('-');
    if (end == std::string_view::npos) return bad_name();
    const std::string_view shifted = wire.substr(1, end - 1);
    wire.remove_prefix(end + 1);
    if (shifted.empty()) {
      name.push_back('&');
      continue;
    }
    const bool shifts_again = wire.starts_with('&') && !wire.starts_with("&-");
    if (shifts_again || !decode_shift(shifted, name)) return bad_name();
  }
  return name;
}

std::string encode_mailbox_name(std::string_view name) {
  std::string wire;
  ShiftEncoder shift(wire);
  while (!name.empty()) {
    const char32_t c = take_character(name).value_or(replacement);
    if (!stands_for_itself(c)) {
      shift.put(c);
      continue;
    }
    shift.close();
    wire.push_back(static_cast<char>(c));
    if (c == '&') wire.push_back('-');
  }
  shift.close();
  return wire;
}

Result<> check_utf8_mailbox_name(std::string_view name) {
  while (!name.empty()) {
    const auto c = take_character(name);
    if (!c) return failure(Errc::not_allowed, "mailbox name is not UTF-8");
    const bool is_control = *c < 0x20 || (*c >= 0x7f && *c <= 0x9f);
    const bool is_separator = *c == 0x2028 || *c == 0x2029;
    if (is_control || is_separator) {
      return failure(Errc::not_allowed, "mailbox name holds a control character");
    }
  }
  return {};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (!take_character(text)) return false;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) append_utf8(valid, take_character(text).value_or(replacement));
  return valid;
}

std::string canonical_mailbox_name(std::string name) {
  constexpr std::string_view inbox = "INBOX";
  const std::size_t level = std::min(name.find('/'), name.size());
  if (equal_ignoring_case(std::string_view(name).substr(0, level), inbox))
    name.replace(0, inbox.size(), inbox);
  return name;
}

}  // namespace posthorn::imap

#include "message/modified_utf7.h"

#include <array>
#include <cstdint>

namespace posthorn::message {

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

// `shifted` as of encode_modified_utf7().
bool stands_for_itself(char32_t c, std::string_view shifted) {
  return c >= 0x20 && c <= 0x7e && !shifted.contains(static_cast<char>(c));
}
bool is_high_surrogate(char32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low_surrogate(char32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// The UTF-16 units of a shift come one by one; characters go out.
class UnitDecoder {
 public:
  UnitDecoder(std::string& out, std::string_view shifted) : out_(out), shifted_(shifted) {}

  // False for a unit that may not stand here.
  bool take(char32_t unit) {
    if (high_ != 0) {
      if (!is_low_surrogate(unit)) return false;
      append_character(out_, 0x10000 + ((high_ - 0xd800) << 10) + (unit - 0xdc00));
      high_ = 0;
      return true;
    }
    if (is_low_surrogate(unit) || stands_for_itself(unit, shifted_)) return false;
    if (is_high_surrogate(unit)) {
      high_ = unit;
    } else {
      append_character(out_, unit);
    }
    return true;
  }
  bool is_whole() const { return high_ == 0; }

 private:
  std::string& out_;
  std::string_view shifted_;
  char32_t high_ = 0;
};

// What stands between `&` and `-`, which is not empty.
bool decode_shift(std::string_view digits_of_shift, std::string_view shifted, std::string& out) {
  UnitDecoder units(out, shifted);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits_of_shift) {
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

void append_character(std::string& out, char32_t c) {
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

std::string encode_modified_utf7(std::string_view utf8, std::string_view shifted) {
  std::string encoded;
  ShiftEncoder shift(encoded);
  while (!utf8.empty()) {
    const char32_t c = take_character(utf8).value_or(replacement);
    if (!stands_for_itself(c, shifted)) {
      shift.put(c);
      continue;
    }
    shift.close();
    encoded.push_back(static_cast<char>(c));
    if (c == '&') encoded.push_back('-');
  }
  shift.close();
  return encoded;
}

std::optional<std::string> decode_modified_utf7(std::string_view encoded, std::string_view shifted) {
  std::string text;
  while (!encoded.empty()) {
    if (encoded.front() != '&') {
      const auto c = take_character(encoded);
      const bool may_stand = c && *c >= 0x20 && *c != 0x7f && (*c >= 0x80 || stands_for_itself(*c, shifted));
      if (!may_stand) return std::nullopt;
      append_character(text, *c);
      continue;
    }
    const std::size_t end = encoded.find('-');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view shift = encoded.substr(1, end - 1);
    encoded.remove_prefix(end + 1);
    if (shift.empty()) {
      text.push_back('&');
      continue;
    }
    const bool shifts_again = encoded.starts_with('&') && !encoded.starts_with("&-");
    if (shifts_again || !decode_shift(shift, shifted, text)) return std::nullopt;
  }
  return text;
}

}  // namespace posthorn::message

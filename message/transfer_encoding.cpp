#include "message/transfer_encoding.h"

#include "message/header.h"

#include <algorithm>
#include <array>

namespace posthorn::message {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_digits = "0123456789ABCDEF";
constexpr int line_limit = 76;                 // RFC 2045 §6.7 (5), §6.8
constexpr std::size_t space_limit = 64 << 10;  // white space in a row that may still be dropped

constexpr auto base64_values = [] {
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
    values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<signed char>(i);
  }
  return values;
}();

char octet(std::uint32_t value) { return static_cast<char>(value & 0xff); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

TransferEncoding transfer_encoding_of(const std::optional<std::string>& field) {
  if (!field) return TransferEncoding::identity;
  if (equal_ignoring_case(*field, "base64")) return TransferEncoding::base64;
  if (equal_ignoring_case(*field, "quoted-printable")) return TransferEncoding::quoted_printable;
  return TransferEncoding::identity;
}

bool is_known_encoding(const std::optional<std::string>& field) {
  constexpr std::string_view known[] = {"7bit", "8bit", "binary", "base64", "quoted-printable"};
  return !field ||
         std::ranges::any_of(known, [&](std::string_view name) { return equal_ignoring_case(*field, name); });
}

void Base64Decoder::feed(std::string_view chunk, std::string& out) {
  for (const char c : chunk) {
    const auto value = base64_values[static_cast<unsigned char>(c)];
    if (value < 0) {
      if (c == '=') finish(out);
      continue;
    }
    bits_ = bits_ << 6 | static_cast<std::uint32_t>(value);
    if (++count_ < 4) continue;
    const char group[] = {octet(bits_ >> 16), octet(bits_ >> 8), octet(bits_)};
    out.append(group, 3);
    count_ = 0;
  }
}

void Base64Decoder::finish(std::string& out) {
  if (count_ == 2) out += octet(bits_ >> 4);
  if (count_ == 3) {
    out += octet(bits_ >> 10);
    out += octet(bits_ >> 2);
  }
  count_ = 0;
}

void QuotedPrintableDecoder::feed(std::string_view chunk, std::string& out) {
  for (const char c : chunk) take(c, out);
}

void QuotedPrintableDecoder::take(char c, std::string& out) {
  switch (state_) {
    case State::text: break;
    case State::equals:
      if (c == ' ' || c == '\t' || c == '\r') {
        state_ = c == '\r' ? State::soft_cr : State::soft_space;
        if (space_.size() < space_limit) space_ += c;
        return;
      }
      if (c == '\n') {
        state_ = State::text;
        return;
      }
      if (hex_value(c) >= 0) {
        state_ = State::first_digit;
        digit_ = c;
        return;
      }
      state_ = State::text;
      out += '=';
      break;
    case State::first_digit:
      state_ = State::text;
      if (const int low = hex_value(c); low >= 0) {
        out += static_cast<char>(hex_value(digit_) * 16 + low);
        return;
      }
      out += '=';
      out += digit_;
      break;
    case State::soft_space:
    case State::soft_cr:
      if (c == '\n') {
        space_.clear();
        state_ = State::text;
        return;
      }
      if (state_ == State::soft_space && (c == ' ' || c == '\t' || c == '\r')) {
        if (c == '\r') state_ = State::soft_cr;
        if (space_.size() < space_limit) space_ += c;
        return;
      }
      // The "=" was not at the end of its line after all.
      out += '=';
      out += space_;
      space_.clear();
      state_ = State::text;
      break;
  }
  if (c == '=') {
    out += space_;
    space_.clear();
    state_ = State::equals;
  } else if (c == ' ' || c == '\t' || c == '\r') {
    if (space_.size() >= space_limit) {
      out += space_;
      space_.clear();
    }
    space_ += c;
  } else if (c == '\n') {
    out += space_.ends_with('\r') ? "\r\n" : "\n";
    space_.clear();
  } else {
    out += space_;
    space_.clear();
    out += c;
  }
}

void QuotedPrintableDecoder::finish(std::string& out) {
  if (state_ == State::first_digit) {
    out += '=';
    out += digit_;
  }
  // An "=" at the very end is a soft line break whose line end got lost, and white space there is at a line's
  // end.
  space_.clear();
  state_ = State::text;
}

void TransferDecoder::feed(std::string_view chunk, std::string& out) {
  switch (encoding_) {
    case TransferEncoding::identity: out += chunk; break;
    case TransferEncoding::base64: base64_.feed(chunk, out); break;
    case TransferEncoding::quoted_printable: quoted_printable_.feed(chunk, out); break;
  }
}

void TransferDecoder::finish(std::string& out) {
  if (encoding_ == TransferEncoding::base64) base64_.finish(out);
  if (encoding_ == TransferEncoding::quoted_printable) quoted_printable_.finish(out);
}

void Base64Encoder::feed(std::string_view chunk, std::string& out) {
  for (const char c : chunk) {
    group_[count_++] = static_cast<unsigned char>(c);
    if (count_ == 3) put_group(out);
  }
}

void Base64Encoder::put_group(std::string& out) {
  const std::uint32_t bits = static_cast<std::uint32_t>(group_[0]) << 16 |
                             static_cast<std::uint32_t>(count_ > 1 ? group_[1] : 0) << 8 |
                             static_cast<std::uint32_t>(count_ > 2 ? group_[2] : 0);
  for (int i = 0; i < 4; ++i) out += i <= count_ ? base64_alphabet[bits >> (18 - 6 * i) & 63] : '=';
  count_ = 0;
  column_ += 4;
  if (column_ < line_limit) return;
  out += "\r\n";
  column_ = 0;
}

void Base64Encoder::finish(std::string& out) {
  if (count_ > 0) put_group(out);
  if (column_ > 0) out += "\r\n";
  column_ = 0;
}

void QuotedPrintableEncoder::feed(std::string_view chunk, std::string& out) {
  for (const char c : chunk) take(static_cast<unsigned char>(c), out);
}

void QuotedPrintableEncoder::take(unsigned char c, std::string& out) {
  if (held_ == '\r' && c == '\n') {
    held_.reset();
    out += "\r\n";
    column_ = 0;
    return;
  }
  // White space before a line end is encoded; the CR that may begin one waits in its stead.
  if (held_) flush(c == '\r', out);
  if (c == ' ' || c == '\t' || c == '\r') {
    held_ = c;
    return;
  }
  const bool plain = c > ' ' && c < 0x7f && c != '=';
  const char text[] = {'=', hex_digits[c >> 4], hex_digits[c & 15]};
  put(plain ? std::string_view(reinterpret_cast<const char*>(&c), 1) : std::string_view(text, 3), out);
}

void QuotedPrintableEncoder::flush(bool at_line_end, std::string& out) {
  const unsigned char c = *held_;
  held_.reset();
  const char text[] = {'=', hex_digits[c >> 4], hex_digits[c & 15]};
  const bool plain = c != '\r' && !at_line_end;
  put(plain ? std::string_view(reinterpret_cast<const char*>(&c), 1) : std::string_view(text, 3), out);
}

// Room is left for the "=" of a soft line break.
void QuotedPrintableEncoder::put(std::string_view piece, std::string& out) {
  if (column_ + static_cast<int>(piece.size()) >= line_limit) {
    out += "=\r\n";
    column_ = 0;
  }
  out += piece;
  column_ += static_cast<int>(piece.size());
}

void QuotedPrintableEncoder::finish(std::string& out) {
  if (held_) flush(true, out);
  column_ = 0;
}

std::string decode_transfer(std::string_view body, TransferEncoding encoding) {
  std::string out;
  TransferDecoder decoder(encoding);
  decoder.feed(body, out);
  decoder.finish(out);
  return out;
}

}  // namespace posthorn::message

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::message {

// How a body was made fit for transport (RFC 2045 §6). `identity` is 7bit, 8bit, binary and whatever is
// unknown.
enum class TransferEncoding : std::uint8_t { identity, base64, quoted_printable };

// The encoding that a Content-Transfer-Encoding field means; in any case, absent is identity.
TransferEncoding transfer_encoding_of(const std::optional<std::string>& field);

// Whether that is an encoding of RFC 2045 §6.1, so that what it means is known.
bool is_known_encoding(const std::optional<std::string>& field);

// Base64 (RFC 2045 §6.8), cut into chunks anyhow. Octets outside the alphabet are skipped; padding ends a
// group and what follows begins a new one (bodies are found glued together); an incomplete last group gives
// the octets it has.
class Base64Decoder {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  std::uint32_t bits_ = 0;
  int count_ = 0;
};

// Quoted-printable (RFC 2045 §6.7). Broken sequences stay as they are; white space at a line's end is
// dropped; a bare LF ends a line as CRLF does, and line ends are given as they came.
class QuotedPrintableDecoder {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  void take(char c, std::string& out);

  enum class State : std::uint8_t { text, equals, first_digit, soft_space, soft_cr };
  State state_ = State::text;
  char digit_ = 0;
  std::string space_;  // white space that may prove to be at a line's end; bounded
};

// Undoes a part's encoding, whichever it is.
class TransferDecoder {
 public:
  explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  TransferEncoding encoding_;
  Base64Decoder base64_;
  QuotedPrintableDecoder quoted_printable_;
};

// Base64 in lines of 76 characters that end with CRLF, the last one too.
class Base64Encoder {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  void put_group(std::string& out);

  unsigned char group_[3] = {};
  int count_ = 0;
  int column_ = 0;
};

// Quoted-printable for text with CRLF line ends (lines of at most 76 characters). CR and LF that do not stand
// together are encoded, so that the octets come back exactly.
class QuotedPrintableEncoder {
 public:
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  void take(unsigned char c, std::string& out);
  void put(std::string_view piece, std::string& out);
  void flush(bool at_line_end, std::string& out);

  std::optional<unsigned char> held_;  // white space or CR whose form depends on what follows
  int column_ = 0;
};

// A whole body at once.
std::string decode_transfer(std::string_view body, TransferEncoding encoding);

}  // namespace posthorn::message

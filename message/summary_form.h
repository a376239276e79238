#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// How summaries are encoded: what the files that read and write them share. summary_codec.h is what others
// call.
//
// Version 4. Numbers are little-endian base 128 in their shortest form. An optional text is 0, or its size
// plus 1 and its octets; a list is its size and its elements. The whole is
//   version, size of the envelope, envelope, size of the structure, structure, common fields, flags, [date],
//   [references], [preview], [edits]
// so that each of the first three can be read without the others.
namespace posthorn::message {

constexpr char summary_version = 4;

// Presence of what most parts lack, in the first octet of a part.
enum PartFlag : unsigned char {
  has_parameters = 1,
  has_id = 2,
  has_description = 4,
  has_disposition = 8,
  has_rare = 16,  // md5, languages, location
  has_children = 32,
  has_envelope = 64,
};
constexpr unsigned char all_part_flags = 127;

enum EnvelopeFlag : unsigned char { sender_is_from = 1, reply_to_is_from = 2 };
enum SummaryFlag : unsigned char { has_date = 1, has_references = 2, has_preview = 4, has_edits = 8 };
enum AddressFlag : unsigned char { has_name = 1, has_route = 2, has_mailbox = 4, has_host = 8 };
constexpr unsigned char all_address_flags = 15;

// Reads these octets from the front. The first thing that cannot be makes all further ones empty, and ok()
// false.
class SummaryReader {
 public:
  explicit SummaryReader(std::string_view in) : in_(in) {}

  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }
  // What is not read yet.
  std::string_view rest() const { return in_; }
  void fail() {
    ok_ = false;
    in_ = {};
  }

  unsigned char octet() {
    if (in_.empty()) {
      fail();
      return 0;
    }
    const auto value = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    return value;
  }

  unsigned char flags(unsigned char known) {
    const unsigned char value = octet();
    if (value & ~known) fail();
    return ok_ ? value : 0;
  }

  std::uint64_t number() {
    if (!in_.empty() && static_cast<unsigned char>(in_.front()) < 0x80) return octet();
    return long_number();
  }

  std::string_view text() { return text(number()); }

  std::optional<std::string_view> optional_text() {
    const auto size = number();
    if (size == 0) return std::nullopt;
    return text(size - 1);
  }

  // The size of a list whose elements take `least` octets each or more.
  std::size_t list_size(std::size_t least) {
    const auto size = number();
    if (size > in_.size() / least) fail();
    return ok_ ? size : 0;
  }

 private:
  std::uint64_t long_number();

  std::string_view text(std::uint64_t size) {
    if (size > in_.size()) {
      fail();
      return {};
    }
    const auto text = in_.substr(0, size);
    in_.remove_prefix(size);
    return text;
  }

  std::string_view in_;
  bool ok_ = true;
};

}  // namespace posthorn::message

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace posthorn::storage {

using Uid = std::uint32_t;     // 1 to 2^31 - 1; 0 is none
using ModSeq = std::uint64_t;  // 1 to 2^63 - 1

// The system flags of RFC 3501 §2.3.2. \Recent is not one of them: it belongs to a session.
enum class SystemFlag : std::uint8_t { seen = 1, answered = 2, flagged = 4, deleted = 8, draft = 16 };

// A set of a mailbox's keywords, each by its place (0 to 255) in the mailbox's keyword table.
class KeywordSet {
 public:
  static constexpr std::size_t capacity = 256;

  bool has(std::size_t place) const { return (words_[place / 64] >> (place % 64) & 1U) != 0; }
  void add(std::size_t place) { words_[place / 64] |= std::uint64_t{1} << (place % 64); }
  void remove(std::size_t place) { words_[place / 64] &= ~(std::uint64_t{1} << (place % 64)); }
  bool empty() const { return words_ == std::array<std::uint64_t, 4>{}; }
  const std::array<std::uint64_t, 4>& words() const { return words_; }
  std::array<std::uint64_t, 4>& words() { return words_; }
  bool operator==(const KeywordSet&) const = default;

 private:
  std::array<std::uint64_t, 4> words_{};
};

struct Flags {
  std::uint8_t system = 0;
  KeywordSet keywords;

  bool has(SystemFlag flag) const { return (system & static_cast<std::uint8_t>(flag)) != 0; }
  void add(SystemFlag flag) { system = static_cast<std::uint8_t>(system | static_cast<std::uint8_t>(flag)); }
  bool operator==(const Flags&) const = default;
};

// What is kept in memory of each message of a mailbox that somebody has selected.
struct Message {
  Uid uid = 0;
  Flags flags;
  ModSeq modseq = 0;
  std::int64_t internal_date = 0;  // seconds since 1970 UTC
  std::uint64_t size = 0;          // octets as on the wire (RFC822.SIZE)
  bool operator==(const Message&) const = default;
};

}  // namespace posthorn::storage

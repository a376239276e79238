#pragma once

#include "base/result.h"
#include "storage/message.h"

#include <cstdint>
#include <string>
#include <string_view>

// What somebody may do with a mailbox (RFC 4314 §2.1), as values and as letters. Pure.
namespace posthorn::storage {

enum class Right : std::uint16_t {
  lookup = 1,             // l: is told that it is there
  read = 2,               // r: selects it, has its counts
  seen = 4,               // s: sets and clears \Seen
  write = 8,              // w: the same of all other flags but \Deleted
  insert = 16,            // i: puts messages into it
  post = 32,              // p: sends to it; nothing here asks for it
  create = 64,            // k: makes mailboxes below it
  remove = 128,           // x: deletes or renames it
  remove_messages = 256,  // t: sets and clears \Deleted
  expunge = 512,          // e
  administer = 1024,      // a: reads and changes who has which rights
};

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(static_cast<std::uint16_t>(right)) {}  // NOLINT: a set of one
  static constexpr Rights all() { return Rights(std::uint16_t{2047}); }

  constexpr bool has(Right right) const { return (bits_ & static_cast<std::uint16_t>(right)) != 0; }
  constexpr bool has_any(Rights others) const { return (bits_ & others.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr Rights operator|(Rights one, Rights other) {
    return Rights(static_cast<std::uint16_t>(one.bits_ | other.bits_));
  }
  constexpr Rights without(Rights others) const {
    return Rights(static_cast<std::uint16_t>(bits_ & ~others.bits_));
  }
  constexpr bool operator==(const Rights&) const = default;

 private:
  explicit constexpr Rights(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_ = 0;
};
constexpr Rights operator|(Right one, Right other) { return Rights(one) | Rights(other); }

// One of these a mailbox's user must have to be told of his rights (RFC 4314 §4, MYRIGHTS).
inline constexpr Rights rights_to_know =
    Right::lookup | Right::read | Right::insert | Right::create | Right::remove | Right::administer;
// One of these makes a selected mailbox READ-WRITE (RFC 4314 §5.2): all flags are shared.
inline constexpr Rights rights_to_change =
    Right::insert | Right::expunge | Right::seen | Right::write | Right::remove_messages;

// "lrs", in any order, repetitions too. The obsolete `c` is `k` and `x`, `d` is `e` and `t` (RFC 4314
// §2.1.1). Errors: malformed for any other letter, capitals and digits too (§3.1).
Result<Rights> parse_rights(std::string_view letters);

// "lrswipkxtea": parse_rights() makes the same of it.
std::string to_string(Rights rights);
// "lrswipkxtecda", as clients are told: with `c` and `d` where any of their members is there (RFC 4314
// §2.1.1).
std::string with_obsolete(Rights rights);

// The third argument of SETACL (RFC 4314 §3.1): "+lr" adds, "-lr" removes, "lr" replaces.
struct RightsChange {
  enum class How : std::uint8_t { replace, add, remove };
  How how = How::replace;
  Rights rights;
  bool operator==(const RightsChange&) const = default;
};
Result<RightsChange> parse_rights_change(std::string_view text);
Rights changed(Rights rights, RightsChange change);

// Which flags may be changed, or go along with a message; others stay as they are, or are left out.
struct FlagLimits {
  std::uint8_t system = 0xff;
  bool keywords = true;
  bool operator==(const FlagLimits&) const = default;
};
// RFC 4314 §4: \Seen takes `s`, \Deleted takes `t`, all others take `w`.
FlagLimits limits_of(Rights rights);

}  // namespace posthorn::storage

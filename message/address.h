#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// One element of an address list in the form of an IMAP ENVELOPE (RFC 3501 §7.4.2). Quotes, quoted-pairs
// and comments are gone; encoded words and 8-bit octets are left as the header has them. No NUL, no LF.
//
// A mailbox has `mailbox` and `host`; either may be empty where the header lacks it ("postmaster" has an
// empty host, "<>" has both empty), so that it is never taken for a group's marker.
// The start of a group has its name in `mailbox` and no `host`; the end of a group has neither.
struct Address {
  std::optional<std::string> name;   // display name, or the comment after the address in its stead
  std::optional<std::string> route;  // "@a.example,@b.example", RFC 5322 §4.4
  std::optional<std::string> mailbox;
  std::optional<std::string> host;

  bool is_group_start() const { return mailbox && !host; }
  bool is_group_end() const { return !mailbox && !host; }
  bool operator==(const Address&) const = default;
};

// The elements of an address list: the value of From, To, Reply-To and their kin, folded or not (RFC 5322
// §3.4 with the obsolete forms of §4.4; UTF-8 as RFC 6532 has it, other 8-bit octets as well).
//
// Never fails: what breaks the grammar is read as a person would, commonly with the text as the display
// name or the mailbox. Every group start has its end. At most `limit` elements (markers included, one more
// for an end); the rest of the list is dropped. Linear time.
std::vector<Address> parse_addresses(std::string_view value, std::size_t limit = 10'000);

}  // namespace posthorn::message

#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace posthorn::smtp {

// An envelope address (RFC 5321 §4.1.2; UTF-8 as in RFC 6531 §3.3).
struct Mailbox {
  std::string local_part;  // quotes and quoted-pairs undone: all forms of one address are equal
  std::string domain;      // as sent; an address literal in its brackets; empty for a bare <Postmaster>

  // Whether it can be sent without SMTPUTF8.
  bool is_ascii() const;
  bool operator==(const Mailbox&) const = default;
};

// "user@example.org", with the least quoting that the local part needs; "Postmaster" for a bare one.
std::string to_string(const Mailbox& mailbox);

// Whether the whole of `text` is a local part (RFC 5321 §4.1.2), as a user name alone is (§3.5.1).
bool is_local_part(std::string_view text);

// The whole of `text` as a Mailbox, without angle brackets. Errors: malformed.
Result<Mailbox> parse_mailbox(std::string_view text);

// Takes "<" [ A-d-l ":" ] Mailbox ">" from the front of `in`. A source route is checked and dropped
// (RFC 5321 §4.1.1.3). Local parts may have 256 octets, as those of mailing lists pass the 64 of
// §4.5.3.1.1. Errors: malformed; too_large.
Result<Mailbox> take_path(std::string_view& in);

// Domain of RFC 5321 §4.1.2, U-labels included (RFC 6531 §3.3); at most 255 octets (§4.5.3.1.2).
bool is_domain(std::string_view text);
// "[192.0.2.1]", "[IPv6:2001:db8::1]", "[tag:content]" (RFC 5321 §4.1.3).
bool is_address_literal(std::string_view text);
// The address literal for an IPv4 or IPv6 address as text.
std::string address_literal(std::string_view address);

}  // namespace posthorn::smtp

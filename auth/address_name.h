#pragma once

#include "base/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace posthorn::auth {

// An address in the form in which two that are the same mailbox here are equal.
//
// The domain is its lower-case A-label (RFC 5890). The local part is case-folded and NFC: RFC 5321 §2.4
// leaves its case to the receiving host, people mistype it, and so does the name of the account's folder.
struct AddressName {
  std::string local;   // UTF-8; quotes and quoted-pairs are gone (RFC 5321 §4.1.2 calls both forms equal)
  std::string domain;  // "example.org"; or an address literal, "[192.0.2.1]", which is never ours

  auto operator<=>(const AddressName&) const = default;
};

// The canonical form of a domain name given with U- or A-labels in any case. At most 255 octets, labels of 1
// to 63 (RFC 5321 §4.5.3.1.2, RFC 1035 §2.3.4), letters, digits and inner hyphens, no dot at its end.
// Errors: malformed.
Result<std::string> parse_domain(std::string_view text);

// The canonical form of `text`, "local@domain". The local part is a dot-string or a quoted string, in UTF-8
// (RFC 5321 §4.1.2, RFC 6531 §3.3), of at most 64 octets (§4.5.3.1.1), or 256 with a tag. Errors: malformed.
Result<AddressName> parse_address(std::string_view text);

// The local part alone, canonical: "postmaster" of "PostMaster". Errors: malformed.
Result<std::string> parse_local_part(std::string_view text);

// "local@domain", the local part quoted again where it must be: parses to the same. The canonical address of
// an account is always without quotes.
std::string to_string(const AddressName& name);

// "user" of "user+tag" (RFC 5233); the whole local part where there is no tag, or nothing before it.
std::string_view without_tag(std::string_view local);

// Whether an account or alias may be called so: a dot-string without quotes, and no '+', which begins a tag.
bool can_be_made(const AddressName& name);

}  // namespace posthorn::auth

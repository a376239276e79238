#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

// Mailbox names: UTF-8 inside, modified UTF-7 on the IMAP4rev1 wire (RFC 3501 §5.1.3), UTF-8 there too once
// the client enabled that (dialect.h).
namespace posthorn::imap {

// The name in UTF-8. Strict: a name has one modified UTF-7, the one that encode_mailbox_name() makes, and no
// other is taken for it. Raw UTF-8 beside or instead of shifts is accepted, as clients send it. Linear.
//
// Errors: Errc::not_allowed for bytes that are neither, for printable US-ASCII inside a shift, a shift that
//         is not terminated, has stray bits, or ends only to begin again, and for unpaired
//         surrogates.
Result<std::string> decode_mailbox_name(std::string_view wire);

// The name in modified UTF-7. What is not valid UTF-8 in `name` becomes U+FFFD.
std::string encode_mailbox_name(std::string_view name);

// Whether a name that came as plain UTF-8 can be one: well-formed (RFC 3629 §4), and without control
// characters, DEL, line and paragraph separator (RFC 6855 §3). Linear.
//
// Errors: Errc::not_allowed.
Result<> check_utf8_mailbox_name(std::string_view name);

// Whether all of it is well-formed UTF-8 (RFC 3629 §4).
bool is_utf8(std::string_view text);

// The text with U+FFFD in the place of each octet that is none of a well-formed character.
std::string to_valid_utf8(std::string_view text);

// The name with INBOX, in any case, in capitals (RFC 3501 §5.1), as a whole and as the first level.
std::string canonical_mailbox_name(std::string name);

}  // namespace posthorn::imap

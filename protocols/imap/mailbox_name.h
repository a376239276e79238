#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

// Mailbox names: UTF-8 inside, modified UTF-7 on the IMAP4rev1 wire (RFC 3501 §5.1.3).
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

// The name with INBOX, in any case, in capitals (RFC 3501 §5.1), as a whole and as the first level.
std::string canonical_mailbox_name(std::string name);

}  // namespace posthorn::imap

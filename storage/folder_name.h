#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace posthorn::storage {

// The form in which a mailbox name is kept: UTF-8, '/' between levels, a first level that is INBOX in any
// case as "INBOX" (RFC 3501 §5.1). Every way into storage passes through here. Pure.
//
// Errors: not_allowed for what can't be a mailbox: not UTF-8, an empty level (so also a leading or trailing
// '/'), "." or ".." as a level, controls, U+2028, U+2029 (RFC 5198 §2, RFC 9051 §5.1); too_large when its
// directory's name would pass 240 octets.
Result<std::string> canonical_mailbox_name(std::string_view name);

// The Maildir++ directory of a canonical name inside the Maildir: ".A.B" for "A/B", empty for INBOX. Levels
// are in modified UTF-7 (RFC 3501 §5.1.3) with '.', '/', '~', ':' encoded too.
std::string folder_directory(std::string_view canonical);

// The canonical name of the mailbox in such a directory; none if no mailbox of that name would be there.
std::optional<std::string> mailbox_of_directory(std::string_view directory);

}  // namespace posthorn::storage

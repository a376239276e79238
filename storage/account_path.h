#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace posthorn::storage {

// Where an account's mail is, below DATA/mail: "DOMAIN/USER". DOMAIN is the lower-case A-label (RFC 5891),
// USER is NFC and case-folded, with all but [a-z0-9._+-] and a leading '.' as %XX. Pure.
//
// Errors: not_allowed for what is no user@domain, or a domain of other characters than letters, digits, '-'
//         and '_' between dots; too_large when USER would pass 240 octets.
Result<std::string> account_path(std::string_view address);

// "USER@DOMAIN" with both as above, but USER as it is: the same for all addresses of one path. Errors: the
// same.
Result<std::string> canonical_address(std::string_view address);

}  // namespace posthorn::storage

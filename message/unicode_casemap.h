#pragma once

#include <string>
#include <string_view>

namespace posthorn::message {

// Text in the form in which the collation i;unicode-casemap compares, octet by octet (RFC 5051 §2): each
// character in its title case, then all in compatibility decomposition (NFKD). What is malformed in UTF-8
// becomes U+FFFD.
std::string unicode_casemap(std::string_view utf8);

}  // namespace posthorn::message

#pragma once

#include <string>
#include <string_view>

namespace posthorn::auth {

// The form in which passwords are compared, by SASLprep (RFC 4013): composed and compatibility characters
// become one form, odd spaces plain ones, invisible ones nothing. Code points that Unicode 3.2 does not know
// stay (a query of RFC 3454 §7), as people use them in passwords.
//
// What SASLprep prohibits, or leaves nothing of, and what is no UTF-8, stays as it is: that it is a strange
// password is no reason to keep its owner out.
std::string prepared_password(std::string_view password);

}  // namespace posthorn::auth

#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace posthorn::server {

// Asks on the terminal for a new password, twice, without echo. Errors: unavailable without a terminal;
// malformed when both differ.
Result<std::string> ask_for_password(std::string_view address);

// The first line of standard input without its line end (LF or CRLF). Errors: too_large, not_found for none.
Result<std::string> read_password_line(int descriptor);

}  // namespace posthorn::server

#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace posthorn::pop3 {

// Appends "+OK text" or "-ERR text" with its CRLF (RFC 1939 §3). A text that begins with "[" has a response
// code (RFC 2449 §8).
void print_ok(std::string_view text, std::string& out);
void print_error(std::string_view text, std::string& out);

// The text of "-ERR" with which a session ends that the server's end cuts short.
inline constexpr std::string_view shutting_down = "[SYS/TEMP] The server is shutting down";

// The text of "-ERR" for an error, with its response code (RFC 2449 §8.1, RFC 3206). Nothing of `detail` is
// in it.
std::string_view reply_to(const Error& error);

}  // namespace posthorn::pop3

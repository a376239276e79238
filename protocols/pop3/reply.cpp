#include "protocols/pop3/reply.h"

namespace posthorn::pop3 {

void print_ok(std::string_view text, std::string& out) { out.append("+OK ").append(text).append("\r\n"); }

void print_error(std::string_view text, std::string& out) { out.append("-ERR ").append(text).append("\r\n"); }

std::string_view reply_to(const Error& error) {
  switch (error.code) {
    case Errc::denied: return "[AUTH] Authentication failed";
    case Errc::not_allowed: return "STLS first";
    case Errc::in_use: return "[IN-USE] The mailbox is in use by another session";
    case Errc::not_found: return "No such message";
    case Errc::malformed: return "Syntax error in arguments";
    case Errc::corrupt: return "[SYS/PERM] Stored data is damaged";
    case Errc::too_large:
    case Errc::already_exists:
    case Errc::over_quota:
    case Errc::unavailable:
    case Errc::busy:
    case Errc::disk_full:
    case Errc::io: return "[SYS/TEMP] Local error in processing, try again later";
  }
  return "[SYS/TEMP] Local error in processing, try again later";
}

}  // namespace posthorn::pop3

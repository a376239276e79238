#include "protocols/smtp/reply.h"

#include <cstddef>
#include <utility>

namespace posthorn::smtp {

Reply Reply::without_enhanced_code() const {
  std::vector<std::string> lines = lines_;
  for (std::string& line : lines) line.erase(0, line.find(' ') + 1);
  return {code_, std::move(lines)};
}

void print(const Reply& reply, std::string& out) {
  constexpr std::size_t text_limit = 512 - 6;  // without code, separator and CRLF
  for (std::size_t i = 0; i < reply.lines().size(); ++i) {
    out += std::to_string(reply.code());
    out += i + 1 < reply.lines().size() ? '-' : ' ';
    out.append(reply.lines()[i], 0, text_limit);
    out += "\r\n";
  }
}

Reply reply_to_line(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return {500, "5.5.1 Command not recognised"};
    case Errc::unavailable: return {555, "5.5.4 Unknown or unsupported parameter"};
    case Errc::too_large: return {501, "5.5.4 Argument too long"};
    default: return {501, "5.5.4 Syntax error in arguments"};
  }
}

Reply reply_to(const Error& error) {
  switch (error.code) {
    case Errc::malformed: return {553, "5.1.3 Address not understood"};
    case Errc::too_large: return {552, "5.3.4 Message too big"};
    case Errc::not_found: return {550, "5.1.1 No such user here"};
    case Errc::over_quota: return {452, "4.2.2 Mailbox full"};
    case Errc::denied:
    case Errc::not_allowed: return {550, "5.7.1 Not allowed"};
    case Errc::unavailable: return {550, "5.3.2 Not offered here"};
    case Errc::in_use:
    case Errc::busy: return {451, "4.3.2 Too busy now, try again later"};
    case Errc::disk_full: return {452, "4.3.1 Insufficient system storage"};
    case Errc::already_exists:
    case Errc::corrupt:
    case Errc::io: return {451, "4.3.0 Local error in processing"};
  }
  return {451, "4.3.0 Local error in processing"};
}

}  // namespace posthorn::smtp

#include "protocols/pop3/dot_stuffing.h"

#include <cstddef>

namespace posthorn::pop3 {

// A dot after a bare LF is doubled too. A client that knows only CR LF shows it one dot too many there; one
// that takes LF for a line's end would without it lose a dot, or see the response end within a message that
// somebody made for the purpose.
void DotEncoder::feed(std::string_view in, std::string& out) {
  if (in.empty()) return;
  if (line_begin_ && in.front() == '.') out += '.';
  std::size_t begin = 0;
  for (std::size_t at = in.find("\n."); at != std::string_view::npos; at = in.find("\n.", begin)) {
    out.append(in.substr(begin, at + 2 - begin));
    out += '.';
    begin = at + 2;
  }
  out.append(in.substr(begin));

  line_begin_ = in.back() == '\n';
  complete_ = line_begin_ && (in.size() > 1 ? in[in.size() - 2] == '\r' : after_cr_);
  after_cr_ = in.back() == '\r';
}

void DotEncoder::finish(std::string& out) {
  if (!complete_) out += "\r\n";
  out += ".\r\n";
}

}  // namespace posthorn::pop3

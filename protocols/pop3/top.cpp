#include "protocols/pop3/top.h"

namespace posthorn::pop3 {

std::size_t TopCutter::feed(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && !complete()) {
    const std::size_t lf = in.find('\n', at);
    const std::string_view text = in.substr(at, lf == std::string_view::npos ? lf : lf - at);
    if (!text.empty()) line_ = line_ == Line::empty && text == "\r" ? Line::cr : Line::text;
    if (lf == std::string_view::npos) return in.size();
    at = lf + 1;
    if (!in_header_) {
      --left_;
    } else {
      in_header_ = line_ == Line::text;
    }
    line_ = Line::empty;
  }
  return at;
}

}  // namespace posthorn::pop3

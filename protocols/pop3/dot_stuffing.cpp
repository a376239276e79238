#include "protocols/pop3/dot_stuffing.h"

#include <cstddef>
#include <utility>

namespace posthorn::pop3 {

void DotEncoder::feed(std::string_view in, std::string& out) {
  while (!in.empty()) {
    if (line_begin_ && in.front() == '.') out += '.';
    const std::size_t lf = in.find('\n');
    const std::string_view text = in.substr(0, lf);
    out.append(text);
    if (!text.empty()) after_cr_ = text.back() == '\r';
    line_begin_ = lf != std::string_view::npos;
    if (!line_begin_) return;
    out += std::exchange(after_cr_, false) ? "\n" : "\r\n";
    in.remove_prefix(lf + 1);
  }
}

void DotEncoder::finish(std::string& out) {
  if (!line_begin_) out += "\r\n";
  out += ".\r\n";
}

}  // namespace posthorn::pop3

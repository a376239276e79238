#include "protocols/smtp/dot_stuffing.h"

namespace posthorn::smtp {

std::size_t DotDecoder::feed(std::string_view in, std::string& out) {
  std::size_t at = 0;
  while (at < in.size() && state_ != State::ended) {
    const char octet = in[at];
    switch (state_) {
      case State::line_begin:
        state_ = octet == '.' ? State::after_dot : State::in_line;
        if (octet == '.') ++at;
        break;
      case State::after_dot:
        // Not the end, unless CR LF follows: the dot was added by the client and goes.
        state_ = octet == '\r' ? State::after_dot_cr : State::in_line;
        if (octet == '\r') ++at;
        break;
      case State::after_dot_cr:
        if (octet == '\n') {
          state_ = State::ended;
          ++at;
        } else {
          bare_line_end_ = true;
          out += '\r';
          state_ = State::in_line;
        }
        break;
      case State::in_line: at += feed_in_line(in.substr(at), out); break;
      case State::after_cr:
        if (octet == '\n') {
          out += '\n';
          state_ = State::line_begin;
          ++at;
        } else {
          bare_line_end_ = true;
          state_ = State::in_line;
        }
        break;
      case State::ended: break;
    }
  }
  return at;
}

// The rest of a line, or what there is of it.
std::size_t DotDecoder::feed_in_line(std::string_view in, std::string& out) {
  const std::size_t lf = in.find('\n');
  const bool has_lf = lf != std::string_view::npos;
  std::string_view text = in.substr(0, lf);
  const bool cr_last = text.ends_with('\r');
  if (cr_last) text.remove_suffix(1);
  if (text.find('\r') != std::string_view::npos || (has_lf && !cr_last)) bare_line_end_ = true;

  const std::size_t used = has_lf ? lf + 1 : in.size();
  out.append(in.substr(0, used));
  if (has_lf) {
    state_ = cr_last ? State::line_begin : State::in_line;
  } else if (cr_last) {
    state_ = State::after_cr;
  }
  return used;
}

}  // namespace posthorn::smtp

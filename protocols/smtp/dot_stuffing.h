#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::smtp {

// Takes the content of DATA out of the stream, whatever its chunks: undoes dot-stuffing and finds the end
// (RFC 5321 §4.5.2). The first octet given to it is the one after DATA's CRLF.
//
// Only CR LF "." CR LF ends a message. A CR or LF alone ends no line; that there was one is remembered, as a
// next server might take it for a line's end and see another message there (§2.3.8, §4.1.1.4; "SMTP
// smuggling"). Linear time, and whole lines at a time.
class DotDecoder {
 public:
  // Appends the content of `in` to `out` and returns how much of `in` was used: all of it unless the end
  // came before.
  std::size_t feed(std::string_view in, std::string& out);

  bool ended() const { return state_ == State::ended; }
  // Whether a CR or LF stood alone in what was fed.
  bool bare_line_end() const { return bare_line_end_; }

 private:
  enum class State : std::uint8_t { line_begin, after_dot, after_dot_cr, in_line, after_cr, ended };

  std::size_t feed_in_line(std::string_view in, std::string& out);

  State state_ = State::line_begin;
  bool bare_line_end_ = false;
};

}  // namespace posthorn::smtp

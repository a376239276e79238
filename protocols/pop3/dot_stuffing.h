#pragma once

#include <string>
#include <string_view>

namespace posthorn::pop3 {

// Makes the body of a multi-line response out of a message, whatever its chunks (RFC 1939 §3): a line that
// begins with "." gets another one, and a line with a lone "." ends it. Every line ends in CR LF: a bare LF,
// as files of other programs may have among others, becomes one. Else a client that takes LF for a line's end
// would lose a dot there, or see the response end within a message that somebody made for the purpose.
// Linear time.
class DotEncoder {
 public:
  // Appends the next part of the message to `out`.
  void feed(std::string_view in, std::string& out);
  // Ends the last line if the message has not, and appends the final line.
  void finish(std::string& out);

 private:
  bool line_begin_ = true;  // the next octet is the first of a line
  bool after_cr_ = false;
};

}  // namespace posthorn::pop3

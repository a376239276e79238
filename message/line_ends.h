#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::message {

// How the stored bytes of a message end their lines. `crlf` is the wire's form and ours: offsets and sizes
// are those of the bytes as they are. `lf` is the form of Maildirs from other programs: offsets and sizes
// are those of the wire form, where every LF that no CR precedes has become CRLF.
//
// Under both, a LF ends a line whether or not a CR precedes it; a CR alone is an ordinary octet.
enum class LineEnds : std::uint8_t { crlf, lf };

// Turns stored bytes into the bytes as on the wire, chunk by chunk: the form that offsets refer to.
class WireForm {
 public:
  explicit WireForm(LineEnds ends) : ends_(ends) {}

  // Appends the wire form of `chunk` to `out`.
  void feed(std::string_view chunk, std::string& out);

 private:
  LineEnds ends_;
  bool after_cr_ = false;
};

// Octets that `bytes`, taken as a whole message, have on the wire.
std::uint64_t wire_size(std::string_view bytes, LineEnds ends);

}  // namespace posthorn::message

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

// How many octets a message gains when each of its lines is made to end in CR LF, the last one too, as POP3
// sends it (RFC 1939 §3): one for each bare LF, two where nothing ends the last line. Fed with the bytes as
// on the wire, chunk by chunk.
class LineEndGain {
 public:
  void feed(std::string_view chunk);
  // As if the message ended here.
  std::uint64_t octets() const { return bare_ + (at_line_begin_ ? 0 : 2); }

 private:
  std::uint64_t bare_ = 0;
  bool at_line_begin_ = true;
  bool after_cr_ = false;
};

// Octets that `bytes`, taken as a whole message, have on the wire.
std::uint64_t wire_size(std::string_view bytes, LineEnds ends);

}  // namespace posthorn::message

#include "message/line_ends.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

TEST_CASE("foreign files with bare LF get the wire's line ends, cut anywhere") {
  struct Case {
    LineEnds ends;
    std::string_view in, out;
  };
  const Case cases[] = {
      {LineEnds::lf, "a\nb\n", "a\r\nb\r\n"},
      {LineEnds::lf, "a\r\nb\n", "a\r\nb\r\n"},
      {LineEnds::lf, "\n\n", "\r\n\r\n"},
      {LineEnds::lf, "a\rb", "a\rb"},
      {LineEnds::lf, "", ""},
      {LineEnds::crlf, "a\nb\r\nc", "a\nb\r\nc"},
  };
  for (const auto& c : cases) {
    for (std::size_t size = 1; size <= 3; ++size) {
      CAPTURE(c.in);
      CAPTURE(size);
      std::string out;
      WireForm form(c.ends);
      for (std::size_t at = 0; at < c.in.size(); at += size) form.feed(c.in.substr(at, size), out);
      CHECK(out == c.out);
      CHECK(wire_size(c.in, c.ends) == c.out.size());
    }
  }
}

TEST_CASE("what a message gains where each line ends in CR LF (RFC 1939 §3), cut anywhere") {
  struct Case {
    std::string_view in;
    std::uint64_t gain;
  };
  for (const Case c : {Case{"", 0}, Case{"a\r\n", 0}, Case{"a", 2}, Case{"a\r\nb", 2}, Case{"a\n", 1},
                       Case{"\n", 1}, Case{"a\nb\r\n\nc", 4}, Case{"a\r", 2}, Case{"a\rb\r\n", 0},
                       Case{"\r\n\r\n", 0}, Case{"a\r\r\n", 0}}) {
    for (std::size_t size = 1; size <= 4; ++size) {
      CAPTURE(c.in);
      CAPTURE(size);
      LineEndGain gain;
      for (std::size_t at = 0; at < c.in.size(); at += size) gain.feed(c.in.substr(at, size));
      CHECK(gain.octets() == c.gain);
    }
  }
}

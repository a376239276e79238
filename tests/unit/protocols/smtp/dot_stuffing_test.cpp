#include "protocols/smtp/dot_stuffing.h"

#include <doctest/doctest.h>

#include <vector>

namespace posthorn::smtp {
namespace {

struct Decoded {
  std::string content;
  std::size_t used = 0;
  bool ended = false;
  bool bare = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view in, std::size_t chunk) {
  DotDecoder decoder;
  Decoded decoded;
  while (decoded.used < in.size() && !decoder.ended()) {
    decoded.used += decoder.feed(in.substr(decoded.used, chunk), decoded.content);
  }
  decoded.ended = decoder.ended();
  decoded.bare = decoder.bare_line_end();
  return decoded;
}

struct Case {
  std::string in;
  std::string content;
  std::string rest;  // what is left behind the end
  bool ended;
  bool bare;
};

void check(const std::vector<Case>& cases) {
  for (const auto& [in, content, rest, ended, bare] : cases) {
    for (const std::size_t chunk : {1U, 2U, 3U, 5U, 1000U}) {
      CAPTURE(in);
      CAPTURE(chunk);
      const Decoded decoded = decode(in, chunk);
      CHECK(decoded.content == content);
      CHECK(in.substr(decoded.used) == rest);
      CHECK(decoded.ended == ended);
      CHECK(decoded.bare == bare);
    }
  }
}

TEST_CASE("smtp data: transparency (RFC 5321 §4.5.2)") {
  check({
      {".\r\n", "", "", true, false},
      {"a\r\n.\r\nNOOP\r\n", "a\r\n", "NOOP\r\n", true, false},
      {"..\r\n.\r\n", ".\r\n", "", true, false},
      {"...\r\n.\r\n", "..\r\n", "", true, false},
      {".a\r\n.\r\n", "a\r\n", "", true, false},
      {"a\r\n..b\r\nc.d\r\n.\r\n", "a\r\n.b\r\nc.d\r\n", "", true, false},
      {"\r\n\r\n.\r\n", "\r\n\r\n", "", true, false},
      {"a.\r\n.\r\n", "a.\r\n", "", true, false},
      {"\xff\x80 \x01\t\r\n.\r\n", "\xff\x80 \x01\t\r\n", "", true, false},
      {"a\r\n", "a\r\n", "", false, false},
      {"a\r\n.", "a\r\n", "", false, false},
      {"a\r\n.\r", "a\r\n", "", false, false},
  });
}

TEST_CASE(
    "smtp data: only CR LF . CR LF ends a message, and a bare CR or LF is noticed (RFC 5321 §4.1.1.4)") {
  const std::string next = "MAIL FROM:<a@b>\r\n";
  check({
      {"a\n.\n" + next + ".\r\n", "a\n.\n" + next, "", true, true},
      {"a\r\n.\n" + next + ".\r\n", "a\r\n\n" + next, "", true, true},
      {"a\n.\r\n" + next + ".\r\n", "a\n.\r\n" + next, "", true, true},
      {"a\r.\r" + next + ".\r\n", "a\r.\r" + next, "", true, true},
      {"a\r\n.\r" + next + ".\r\n", "a\r\n\r" + next, "", true, true},
      {"a\r.\r\n" + next + ".\r\n", "a\r.\r\n" + next, "", true, true},
      {"a\r\n.\r\r\n" + next + ".\r\n", "a\r\n\r\r\n" + next, "", true, true},
      {"a\r\r\n.\r\nb", "a\r\r\n", "b", true, true},
      {"a\n\r\n.\r\n", "a\n\r\n", "", true, true},
      {"\n.\r\n.\r\n", "\n.\r\n", "", true, true},
      {"\r.\r\n.\r\n", "\r.\r\n", "", true, true},
  });
}

}  // namespace
}  // namespace posthorn::smtp

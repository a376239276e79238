#include "message/line_ends.h"
#include "protocols/pop3/dot_stuffing.h"
#include "protocols/pop3/top.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace posthorn::pop3 {
namespace {

std::string encode(std::string_view message, std::size_t chunk) {
  DotEncoder encoder;
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += chunk) encoder.feed(message.substr(at, chunk), out);
  encoder.finish(out);
  return out;
}

// What a client makes of it.
std::string unstuffed(std::string_view response) {
  std::string message;
  while (response != ".\r\n") {
    if (response.starts_with('.')) response.remove_prefix(1);
    const std::size_t end = response.find("\r\n") + 2;
    message += response.substr(0, end);
    response.remove_prefix(end);
  }
  return message;
}

std::string top(std::string_view message, std::uint32_t lines, std::size_t chunk) {
  TopCutter cutter(lines);
  std::size_t taken = 0;
  for (std::size_t at = 0; at < message.size() && !cutter.complete(); at += chunk) {
    taken += cutter.feed(message.substr(at, chunk));
  }
  return std::string(message.substr(0, taken));
}

TEST_CASE("pop3 message: byte-stuffing (RFC 1939 §3)") {
  struct Case {
    const char* message;
    const char* response;
  };
  const std::vector<Case> cases = {
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"a\r\n.\r\n..\r\n.b\r\nc.\r\n", "a\r\n..\r\n...\r\n..b\r\nc.\r\n.\r\n"},
      {"no end", "no end\r\n.\r\n"},  // the response must end, so the line does too
      {"a\r\n.", "a\r\n..\r\n.\r\n"},
      {"cr\r", "cr\r\r\n.\r\n"},
      {"a\n.\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},  // lines end in CR LF on the wire, however they were stored
      {"a\r\nb\n\n\r\nc\rd\n", "a\r\nb\r\n\r\n\r\nc\rd\r\n.\r\n"},
      {"a\n", "a\r\n.\r\n"},
      {"\n", "\r\n.\r\n"},
  };
  for (const auto& [message, response] : cases) {
    for (const std::size_t chunk : {1U, 2U, 3U, 1000U}) {
      CAPTURE(message);
      CAPTURE(chunk);
      CHECK(encode(message, chunk) == response);
      // What LIST says of the message counts no doubled dots (§11).
      message::LineEndGain gain;
      gain.feed(message);
      CHECK(std::string_view(message).size() + gain.octets() == unstuffed(response).size());
    }
  }
}

TEST_CASE("pop3 message: TOP gives the header, the blank line and so many lines (RFC 1939 §7)") {
  const std::string header = "Subject: x\r\nTo: y\r\n\r\n";
  struct Case {
    std::string message;
    std::uint32_t lines;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {header + "1\r\n2\r\n3\r\n", 0, header},
      {header + "1\r\n2\r\n3\r\n", 2, header + "1\r\n2\r\n"},
      {header + "1\r\n2\r\n3\r\n", 9, header + "1\r\n2\r\n3\r\n"},
      {header + "\r\n\r\nx", 1, header + "\r\n"},
      {header + "no end", 1, header + "no end"},
      {"Subject: all header\r\n", 0, "Subject: all header\r\n"},
      {"\r\nbody\r\n", 0, "\r\n"},
      {"a\r\n\r\r\nb\r\n\r\nbody\r\n", 0, "a\r\n\r\r\nb\r\n\r\n"},
      {"a\n\nbody\nbody\n", 1, "a\n\nbody\n"},
      {"", 5, ""},
  };
  for (const auto& [message, lines, expected] : cases) {
    for (const std::size_t chunk : {1U, 2U, 5U, 1000U}) {
      CAPTURE(message);
      CAPTURE(chunk);
      CHECK(top(message, lines, chunk) == expected);
    }
  }
}

}  // namespace
}  // namespace posthorn::pop3

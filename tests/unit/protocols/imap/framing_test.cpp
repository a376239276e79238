#include "protocols/imap/framing.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace posthorn::imap;
using Kind = Frame::Kind;
using Announced = Frame::Announced;

namespace {

// The frames of a command whose client waits for nothing, each as a word; messages are read past, and what is
// left as the command stands at the end, between bars.
std::string framed(std::string_view wire, std::size_t chunk) {
  Framer framer;
  std::string bytes, said;
  std::uint64_t message = 0;  // octets still to be read past
  for (std::size_t i = 0; i < wire.size(); i += chunk) {
    std::string_view piece = wire.substr(i, chunk);
    const auto past = std::min<std::uint64_t>(message, piece.size());
    message -= past;
    piece.remove_prefix(past);
    bytes += piece;
    while (message == 0) {
      const Frame frame = framer.look(bytes);
      if (frame.kind == Kind::line || frame.kind == Kind::more_octets) break;
      const std::string plus = frame.announced == Announced::non_synchronising ? "+ " : " ";
      if (frame.kind == Kind::literal) said += "literal " + std::to_string(frame.octets) + plus;
      if (frame.kind == Kind::message) {
        said += "message " + std::to_string(frame.octets) + plus;
        const auto here = std::min<std::uint64_t>(frame.octets, bytes.size() - frame.next);
        bytes.erase(frame.next, here);
        message = frame.octets - here;
      }
      if (frame.kind == Kind::complete) {
        return said + "|" + bytes.substr(0, frame.end) + "|" + bytes.substr(frame.next) + "|";
      }
    }
  }
  return said + "more";
}

}  // namespace

TEST_CASE("imap: where a command ends, in any chunks (RFC 3501 §2.2.1, §4.3)") {
  struct {
    std::string_view wire;
    std::string_view frames;
  } const cases[] = {
      {"a NOOP\r\n", "|a NOOP||"},
      {"a NOOP\n", "|a NOOP||"},
      {"\r\n", "|||"},
      {"a NOOP\r", "more"},
      {"A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\n",
       "literal 11 literal 7 |A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man||"},
      {"A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man\r\n",
       "literal 11+ literal 7+ |A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man||"},
      {"a LOGIN {0}\r\n x\r\n", "literal 0 |a LOGIN {0}\r\n x||"},
      {"a LOGIN {4}\r\n\r\n{5 x\n", "literal 4 |a LOGIN {4}\r\n\r\n{5 x||"},
      {"a LOGIN {4}\r\nx {9}\r\n", "literal 4 |a LOGIN {4}\r\nx {9}||"},
      {"a LOGIN {9}\r\nx", "literal 9 more"},
      {"a FETCH 1 BODY[HEADER.FIELDS ({4}\r\nDate)]\r\n",
       "literal 4 |a FETCH 1 BODY[HEADER.FIELDS ({4}\r\nDate)]||"},
      {"a X ~{3}\r\n\1\2\3\r\n", "literal 3 |a X ~{3}\r\n\1\2\3||"},
      {"{3}\r\nabc\r\n", "literal 3 |{3}\r\nabc||"},
      // No announcements.
      {"a LOGIN \"x {3}\r\n", "|a LOGIN \"x {3}||"},
      {"a LOGIN \"x\\\" {3}\r\n", "|a LOGIN \"x\\\" {3}||"},
      {"a LOGIN x {}\r\n", "|a LOGIN x {}||"},
      {"a LOGIN x {+}\r\n", "|a LOGIN x {+}||"},
      {"a LOGIN x {3-}\r\n", "|a LOGIN x {3-}||"},
      {"a LOGIN x {-3}\r\n", "|a LOGIN x {-3}||"},
      {"a LOGIN x 3}\r\n", "|a LOGIN x 3}||"},
      {"3}\r\n", "|3}||"},
      {"a LOGIN x {3} \r\n", "|a LOGIN x {3} ||"},
      // Messages of APPEND.
      {"a APPEND x {3}\r\nabc\r\n", "message 3 |a APPEND x {3}\r\n||"},
      {"a append x {3+}\r\nab\n\r\n", "message 3+ |a append x {3+}\r\n||"},
      {"a APPEND x (\\Seen k) \" 7-Feb-1994 21:52:25 -0800\" {3}\r\nabc\r\n",
       "message 3 |a APPEND x (\\Seen k) \" 7-Feb-1994 21:52:25 -0800\" {3}\r\n||"},
      {"a APPEND \"x {3}\" {3}\r\nabc\r\n", "message 3 |a APPEND \"x {3}\" {3}\r\n||"},
      {"a APPEND {3}\r\nbox (k) {3}\r\nabc\r\n", "literal 3 message 3 |a APPEND {3}\r\nbox (k) {3}\r\n||"},
      {"a APPEND {3+}\r\n{1} {3+}\r\nabc\r\n", "literal 3+ message 3+ |a APPEND {3+}\r\n{1} {3+}\r\n||"},
      {"a APPEND x {1}\r\na () {2}\r\nbc {0}\r\n\r\n",
       "message 1 message 2 message 0 |a APPEND x {1}\r\n () {2}\r\n {0}\r\n||"},
      // What the parser will refuse is no message, and falls under the limit of ordinary literals.
      {"a APPEND x (\\Foo) {3}\r\nabc\r\n", "literal 3 |a APPEND x (\\Foo) {3}\r\nabc||"},
      {"a APPEND {1}\r\nx y {3}\r\nabc\r\n", "literal 1 literal 3 |a APPEND {1}\r\nx y {3}\r\nabc||"},
      {"a APPEND x{3}\r\nabc {1}\r\na\r\n", "literal 3 literal 1 |a APPEND x{3}\r\nabc {1}\r\na||"},
      {"a APPENDX x {3}\r\nabc\r\n", "literal 3 |a APPENDX x {3}\r\nabc||"},
      {"a SELECT {3}\r\nabc {3}\r\nabc\r\n", "literal 3 literal 3 |a SELECT {3}\r\nabc {3}\r\nabc||"},
  };
  for (const auto& [wire, frames] : cases) {
    CAPTURE(wire);
    for (const std::size_t chunk :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, wire.size()}) {
      CHECK(framed(wire, chunk) == frames);
    }
  }
}

TEST_CASE("imap: what is pipelined behind a command stays behind it") {
  CHECK(framed("a NOOP\r\nb NOOP\r\n", 100) == "|a NOOP|b NOOP\r\n|");
  CHECK(framed("a APPEND x {3+}\r\nabc\r\nb NOOP\r\n", 100) == "message 3+ |a APPEND x {3+}\r\n|b NOOP\r\n|");
}

TEST_CASE("imap: a literal's size beyond all numbers is the largest, never a small one") {
  Framer framer;
  const Frame frame = framer.look("a LOGIN {18446744073709551621}\r\nx");
  CHECK(frame.kind == Kind::literal);
  CHECK(frame.octets == ~std::uint64_t{0});
  CHECK(framer.look("a LOGIN {18446744073709551621}\r\nxy").kind == Kind::more_octets);
}

TEST_CASE("imap: the octets that a literal still lacks are told") {
  Framer framer;
  std::string bytes = "a LOGIN {5}\r\nab";
  const Frame frame = framer.look(bytes);
  CHECK(frame == Frame{Kind::literal, 5, Announced::synchronising, 0, 13});
  CHECK(framer.look(bytes) == Frame{Kind::more_octets, 3});
  bytes += "cde";
  CHECK(framer.look(bytes) == Frame{Kind::line});
}

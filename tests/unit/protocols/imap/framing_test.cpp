#include "protocols/imap/framing.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace posthorn::imap;
using Kind = Frame::Kind;
using Announced = Frame::Announced;

namespace {

// "literal 11+ ", "message ~3 ", "text utf8 3! ": a literal as the Framer told of it, `!` where LITERAL- is
// passed.
std::string word_for(const Frame& frame) {
  using Form = AppendLiteral::Form;
  std::string word = frame.kind == Kind::literal ? "literal "
                     : frame.kind == Kind::text  ? "text "
                                                 : "message ";
  if (frame.form == Form::binary) word += "~";
  if (frame.form == Form::utf8) word += "utf8 ";
  word += std::to_string(frame.octets);
  if (frame.announced == Announced::non_synchronising) word += "+";
  if (frame.is_beyond_literal_minus) word += "!";
  return word + " ";
}

// The frames of a command whose client waits for nothing, each as a word; messages are read past, and what is
// left as the command stands at the end, between bars.
std::string framed(std::string_view wire, std::size_t chunk,
                   Framer::Literals literals = Framer::Literals::plus) {
  Framer framer(literals);
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
      if (frame.kind != Kind::complete) said += word_for(frame);
      if (frame.kind == Kind::message || frame.kind == Kind::text) {
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
      // Nobody sends more of a quoted string, but octets that were announced so come anyhow (RFC 7888 §3).
      {"a LIST \"\" \"x{3+}\r\nb N\r\n", "literal 3+ |a LIST \"\" \"x{3+}\r\nb N||"},
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
      {"a UID APPEND x {3}\r\nabc\r\n", "literal 3 |a UID APPEND x {3}\r\nabc||"},
      // Their literal8 and UTF8 (RFC 3516 §4.4, RFC 6855 §4).
      {"a APPEND x ~{3}\r\na\1c\r\n", "message ~3 |a APPEND x ~{3}\r\n||"},
      {"a APPEND x UTF8 (~{3+}\r\nabc)\r\n", "message utf8 3+ |a APPEND x UTF8 (~{3+}\r\n)||"},
      {"a APPEND x UTF8 (~{1}\r\na) {1}\r\nb\r\n",
       "message utf8 1 message 1 |a APPEND x UTF8 (~{1}\r\n) {1}\r\n||"},
      {"a APPEND x UTF8 ({3}\r\nabc)\r\n", "literal 3 |a APPEND x UTF8 ({3}\r\nabc)||"},
      // Parts of a message (RFC 4469 §3).
      {"a APPEND x CATENATE (TEXT {3}\r\nabc URL /a TEXT ~{2+}\r\nde)\r\n",
       "text 3 text ~2+ |a APPEND x CATENATE (TEXT {3}\r\n URL /a TEXT ~{2+}\r\n)||"},
      {"a APPEND x (k) CATENATE (URL {2}\r\n/a TEXT {3}\r\nabc URL {2+}\r\n/b)\r\n",
       "literal 2 text 3 literal 2+ |a APPEND x (k) CATENATE (URL {2}\r\n/a TEXT {3}\r\n URL {2+}\r\n/b)||"},
      {"a APPEND x CATENATE (URL {0}\r\n TEXT {1}\r\na)\r\n",
       "literal 0 literal 1 |a APPEND x CATENATE (URL {0}\r\n TEXT {1}\r\na)||"},
      {"a APPEND x CATENATE (UTF8 (~{3}\r\nabc) TEXT {1}\r\na) {2}\r\nbc\r\n",
       "text utf8 3 text 1 message 2 |a APPEND x CATENATE (UTF8 (~{3}\r\n) TEXT {1}\r\n) {2}\r\n||"},
      {"a APPEND {1}\r\nx CATENATE (TEXT {1}\r\na)\r\n",
       "literal 1 text 1 |a APPEND {1}\r\nx CATENATE (TEXT {1}\r\n)||"},
      {"a APPEND x CATENATE (URL /a)\r\n", "|a APPEND x CATENATE (URL /a)||"},
      {"a APPEND x CATENATE (NONE {1}\r\na)\r\n", "literal 1 |a APPEND x CATENATE (NONE {1}\r\na)||"},
      {"a APPEND x CATENATE {1}\r\na\r\n", "literal 1 |a APPEND x CATENATE {1}\r\na||"},
      // REPLACE (RFC 8508 §3).
      {"a REPLACE 4 x (\\Seen) {3}\r\nabc\r\n", "message 3 |a REPLACE 4 x (\\Seen) {3}\r\n||"},
      {"a UID REPLACE * {1}\r\nx ~{3+}\r\nabc\r\n",
       "literal 1 message ~3+ |a UID REPLACE * {1}\r\nx ~{3+}\r\n||"},
      {"a uid replace 4 x CATENATE (TEXT {1}\r\na)\r\n",
       "text 1 |a uid replace 4 x CATENATE (TEXT {1}\r\n)||"},
      {"a REPLACE x {3}\r\nabc\r\n", "literal 3 |a REPLACE x {3}\r\nabc||"},
      {"a REPLACE 1 x {1}\r\na {1}\r\nb\r\n", "message 1 literal 1 |a REPLACE 1 x {1}\r\n {1}\r\nb||"},
      // What the parser will refuse is no message, and falls under the limit of ordinary literals.
      {"a APPEND x (\\Recent) {3}\r\nabc\r\n", "literal 3 |a APPEND x (\\Recent) {3}\r\nabc||"},
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

TEST_CASE("imap: LITERAL- lets no more than 4096 octets come unasked (RFC 7888 §5)") {
  const auto first = [](std::string_view wire, Framer::Literals literals) {
    Framer framer(literals);
    return word_for(framer.look(wire));
  };
  const auto minus = Framer::Literals::minus;
  CHECK(first("a LOGIN {4096+}\r\n", minus) == "literal 4096+ ");
  CHECK(first("a LOGIN {4097+}\r\n", minus) == "literal 4097+! ");
  CHECK(first("a LOGIN {4097}\r\n", minus) == "literal 4097 ");
  CHECK(first("a APPEND x {4097+}\r\n", minus) == "message 4097+! ");
  CHECK(first("a APPEND x ~{4097+}\r\n", minus) == "message ~4097+! ");
  CHECK(first("a APPEND x CATENATE (TEXT {99999999999999999999+}\r\n", minus) ==
        "text 18446744073709551615+! ");
  CHECK(first("a APPEND x {4097}\r\n", minus) == "message 4097 ");
  CHECK(first("a APPEND x {4097+}\r\n", Framer::Literals::plus) == "message 4097+ ");
}

TEST_CASE("imap: thousands of literals in one CATENATE cost time in proportion to its octets") {
  std::string wire = "a APPEND x CATENATE (URL /a";
  for (int i = 0; i < 900; ++i) wire += " URL {2+}\r\n/b";
  wire += " TEXT {1+}\r\n";
  Framer framer;
  std::size_t literals = 0;
  Frame frame = framer.look(wire);
  for (; frame.kind == Kind::literal; frame = framer.look(wire)) ++literals;
  CHECK(literals == 900);
  CHECK(frame.kind == Kind::text);
}

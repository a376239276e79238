#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

// What APPEND and REPLACE take for messages; their octets are left out (framing.h).
using namespace posthorn;
using namespace posthorn::imap;
using Form = AppendLiteral::Form;

TEST_CASE("imap: CATENATE (RFC 4469 §3, §5)") {
  check_good({
      {"A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (TEXT {42}\r\n"
       " URL \"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER\" TEXT {42}\r\n"
       " URL /Drafts;UIDVALIDITY=385759045/;UID=30 TEXT {44}\r\n)",
       "A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (TEXT {42}\r\n"
       " URL /Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER TEXT {42}\r\n"
       " URL /Drafts;UIDVALIDITY=385759045/;UID=30 TEXT {44}\r\n)"},
      {"a append x catenate (url {3+}\r\n/a; )", "a APPEND x () CATENATE (URL /a;)"},
      {"a APPEND x \"01-Jan-2020 00:00:00 +0000\" CATENATE ( TEXT {1}\r\n )",
       "a APPEND x () \"01-Jan-2020 00:00:00 +0000\" CATENATE (TEXT {1}\r\n)"},
      {"a APPEND x CATENATE (TEXT ~{1+}\r\n)", "a APPEND x () CATENATE (TEXT ~{1}\r\n)"},
      // RFC 3502 §6.3.11 lets them follow one another.
      {"a APPEND x CATENATE (URL /a) {3}\r\n () CATENATE (TEXT {1}\r\n URL /b) ",
       "a APPEND x () CATENATE (URL /a) () {3}\r\n () CATENATE (TEXT {1}\r\n URL /b)"},
  });
  const auto append = parsed_as<Append>("APPEND x CATENATE (TEXT {7}\r\n URL /a TEXT {8}\r\n)");
  REQUIRE(append.messages.size() == 1);
  CHECK(append.messages[0].catenated);
  CHECK(append.messages[0].parts ==
        std::vector<AppendPart>{AppendLiteral{7, Form::text}, AppendUrl{"/a"}, AppendLiteral{8, Form::text}});
  CHECK(append.messages[0].octets() == 15);
  check_bad({
      {"a APPEND x CATENATE", "space expected before parts of the message"},
      {"a APPEND x CATENATE URL /a", "'(' expected before part of the message"},
      {"a APPEND x CATENATE ()", "no part of the message"},
      {"a APPEND x CATENATE (", "TEXT or URL expected"},
      {"a APPEND x CATENATE (URL /a", "space or ')' expected after part of the message"},
      {"a APPEND x CATENATE (URL /a ", "TEXT or URL expected"},
      {"a APPEND x CATENATE (URL /a) x", "unknown APPEND data"},
      {"a APPEND x CATENATE (URL)", "space expected before URL"},
      {"a APPEND x CATENATE (URL (/a))", "URL expected"},
      {"a APPEND x CATENATE (URL \"\")", "URL expected"},
      {"a APPEND x CATENATE (URL {0}\r\n TEXT {3}\r\n)", "URL expected"},
      {"a APPEND x CATENATE (URL {3}\r\n/a", "bad literal for URL"},
      {"a APPEND x CATENATE (URL {3}\r\n", "bad literal for URL"},
      {"a APPEND x CATENATE (TEXT abc)", "message as a literal expected"},
      {"a APPEND x CATENATE (TEXT \"abc\")", "message as a literal expected"},
      {"a APPEND x CATENATE (TEXT{3}\r\n)", "space expected before text"},
      {"a APPEND x CATENATE (TEXT {3}\r\nURL /a)", "space or ')' expected after part of the message"},
      {"a APPEND x CATENATE (TEXT {3}\r\n", "space or ')' expected after part of the message"},
      {"a APPEND x CATENATE ({3}\r\n)", "TEXT or URL expected"},
      {"a APPEND x CATENATE (CATENATE (URL /a))", "TEXT or URL expected"},
      {"a APPEND x CATENATE(URL /a)", "space expected before parts of the message"},
  });
}

TEST_CASE("imap: APPEND of a literal8 (RFC 3516 §4.4, RFC 7888 §6)") {
  check_good({
      {"a APPEND x (\\Seen) ~{310}\r\n", "a APPEND x (\\Seen) ~{310}\r\n"},
      {"a APPEND x ~{5+}\r\n {3}\r\n", "a APPEND x () ~{5}\r\n () {3}\r\n"},
  });
  CHECK(parsed_as<Append>("APPEND x ~{5}\r\n").messages[0].parts.front() ==
        AppendPart(AppendLiteral{5, Form::binary}));
  check_bad({
      {"a APPEND x ~ {3}\r\n", "message as a literal expected"},
      {"a APPEND x ~{3}", "message as a literal expected"},
      {"a APPEND x ~~{3}\r\n", "message as a literal expected"},
      // Nowhere else.
      {"a LOGIN joe ~{2}\r\npw", "unexpected text after the command"},
      {"a SELECT ~{1}\r\nx", "unexpected text after the command"},
  });
}

TEST_CASE("imap: APPEND of a message with UTF-8 headers (RFC 6855 §4)") {
  check_good({
      {"a APPEND x (\\Draft) UTF8 (~{310}\r\n)", "a APPEND x (\\Draft) UTF8 (~{310}\r\n)"},
      {"a APPEND x utf8 ( ~{310+}\r\n ) {3}\r\n", "a APPEND x () UTF8 (~{310}\r\n) () {3}\r\n"},
      {"a APPEND x CATENATE (UTF8 (~{3}\r\n) URL /a)", "a APPEND x () CATENATE (UTF8 (~{3}\r\n) URL /a)"},
  });
  CHECK(parsed_as<Append>("APPEND x UTF8 (~{5}\r\n)").messages[0].parts.front() ==
        AppendPart(AppendLiteral{5, Form::utf8}));
  check_bad({
      {"a APPEND x UTF8 ({310}\r\n)", "message as a literal8 expected"},
      {"a APPEND x UTF8 ~{310}\r\n", "'(' expected behind UTF8"},
      {"a APPEND x UTF8(~{310}\r\n)", "space expected before message"},
      {"a APPEND x UTF8 (~{310}\r\n", "')' expected behind the literal of UTF8"},
      {"a APPEND x UTF8 (~{310}\r\n ~{1}\r\n)", "')' expected behind the literal of UTF8"},
      {"a APPEND x UTF8 ()", "message as a literal8 expected"},
      {"a APPEND x ANNOTATION (/comment)", "unknown APPEND data"},
  });
}

TEST_CASE("imap: REPLACE and UID REPLACE (RFC 8508 §3, §5)") {
  check_good({
      {"A003 REPLACE 4 Drafts (\\Seen \\Draft) {312}\r\n",
       "A003 REPLACE 4 Drafts (\\Seen \\Draft) {312}\r\n"},
      {"A004 UID REPLACE 2000 Drafts (\\Seen \\Draft) {350}\r\n",
       "A004 UID REPLACE 2000 Drafts (\\Seen \\Draft) {350}\r\n"},
      {"a uid replace * inbox ~{3+}\r\n", "a UID REPLACE * INBOX () ~{3}\r\n"},
      {"a REPLACE 1 {1}\r\nx CATENATE (URL /a TEXT {3}\r\n)",
       "a REPLACE 1 x () CATENATE (URL /a TEXT {3}\r\n)"},
      {"a REPLACE 1 x UTF8 (~{3}\r\n)", "a REPLACE 1 x () UTF8 (~{3}\r\n)"},
  });
  const auto replace = parsed_as<Replace>("UID REPLACE 7 x (\\Seen) {3}\r\n");
  CHECK(replace.numbering == Numbering::uid);
  CHECK(replace.number == 7);
  CHECK(replace.message.flags.system == std::vector{SystemFlag::seen});
  CHECK(parsed_as<Replace>("REPLACE * x {3}\r\n").number == SequenceRange::largest);
  check_bad({
      {"a REPLACE", "space expected before message number"},
      {"a REPLACE x {3}\r\n", "number expected"},
      {"a REPLACE 0 x {3}\r\n", "number may not be 0"},
      {"a REPLACE 1:2 x {3}\r\n", "space expected before mailbox name"},
      {"a REPLACE 1,2 x {3}\r\n", "space expected before mailbox name"},
      {"a REPLACE $ x {3}\r\n", "number expected"},
      {"a REPLACE 1 x", "space expected before message"},
      {"a REPLACE 1 x {3}\r\n {4}\r\n", "unexpected text after the command"},
      {"a REPLACE 1 x CATENATE (URL /a) {4}\r\n", "unexpected text after the command"},
  });
}

TEST_CASE("imap: an APPEND or REPLACE cut off behind an announcement is as much of it as came") {
  const auto cut_off = [](std::string_view command) {
    const auto parsed = parse_cut_off(command);
    return parsed ? to_string(*parsed) : parsed.error().detail;
  };
  CHECK(cut_off("a APPEND x {3}\r\n") == "a APPEND x () {3}\r\n");
  CHECK(cut_off("a APPEND x {3}\r\n (\\Seen) ~{4}\r\n") == "a APPEND x () {3}\r\n (\\Seen) ~{4}\r\n");
  CHECK(cut_off("a APPEND x UTF8 (~{3}\r\n") == "a APPEND x () UTF8 (~{3}\r\n)");
  CHECK(cut_off("a APPEND x CATENATE (URL /a TEXT {3}\r\n") ==
        "a APPEND x () CATENATE (URL /a TEXT {3}\r\n)");
  CHECK(cut_off("a APPEND x CATENATE (UTF8 (~{3}\r\n") == "a APPEND x () CATENATE (UTF8 (~{3}\r\n))");
  CHECK(cut_off("a REPLACE 1 x CATENATE (TEXT {3}\r\n") == "a REPLACE 1 x () CATENATE (TEXT {3}\r\n)");
  CHECK(cut_off("a APPEND x CATENATE (URL /a") == "space or ')' expected after part of the message");
  CHECK(cut_off("a APPEND x CATENATE (URL {3}\r\n") == "bad literal for URL");
  CHECK(cut_off("a APPEND x") == "space expected before message");
  CHECK(cut_off("a NOOP") == "a NOOP");
}

TEST_CASE("imap: the parts of one APPEND are bounded, its octets saturate") {
  const std::string url = " URL /a";
  CHECK(parse_command("a APPEND x CATENATE (" + repeated(url, max_append_parts) + ")").has_value());
  CHECK(code_of("a APPEND x CATENATE (" + repeated(url, max_append_parts + 1) + ")") == Errc::too_large);
  const auto append =
      parsed_as<Append>("APPEND x CATENATE (TEXT {18446744073709551614}\r\n TEXT {1}\r\n TEXT {5}\r\n)");
  CHECK(append.messages[0].octets() == ~std::uint64_t{0});
}

#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

// What UTF8=ACCEPT (RFC 6855) and IMAP4rev2 (RFC 9051), once enabled, change in how commands read.
using namespace posthorn;
using namespace posthorn::imap;

TEST_CASE("imap: mailbox names are plain UTF-8 (RFC 6855 §3, RFC 9051 §5.1)") {
  for (const Dialect dialect : {utf8_accept, rev2}) {
    check_good(
        {
            {"a SELECT \"Entw\xc3\xbcrfe\"", "a SELECT \"Entw\xc3\xbcrfe\""},
            {"a SELECT Entw\xc3\xbcrfe", "a SELECT \"Entw\xc3\xbcrfe\""},
            {"a SELECT {9}\r\nEntw\xc3\xbcrfe", "a SELECT \"Entw\xc3\xbcrfe\""},
            {"a SELECT \"\xc3\xbc\\\"\\\\\"", "a SELECT \"\xc3\xbc\\\"\\\\\""},
            // `&` stands for itself, and what would be a shift is none.
            {"a SELECT R&D", "a SELECT R&D"},
            {"a SELECT &U,BTFw-", "a SELECT &U,BTFw-"},
            {"a SELECT Tom&-Jerry", "a SELECT Tom&-Jerry"},
            {"a LIST \"\xc3\xa4\" \"\xc3\xb6/%\"", "a LIST \"\xc3\xa4\" \"\xc3\xb6/%\""},
            {"a LSUB \"\" \"\xc3\xb6*\"", "a LSUB \"\" \"\xc3\xb6*\""},
            {"a LIST \"\" (\xc3\xb6 R&*)", "a LIST () \"\" (\"\xc3\xb6\" \"R&*\")"},
            {"a RENAME \"\xf0\x9f\x93\xac\" inbox", "a RENAME \"\xf0\x9f\x93\xac\" INBOX"},
            {"a APPEND \"\xc3\xbc\" {3}\r\n", "a APPEND \"\xc3\xbc\" () {3}\r\n"},
        },
        dialect);
  }
  CHECK(parsed_as<Select>("SELECT &U,BTFw-", rev2).mailbox == "&U,BTFw-");
  CHECK(parsed_as<Select>("SELECT &U,BTFw-").mailbox == "\u53f0\u5317");
}

TEST_CASE("imap: octets that are no UTF-8 make a quoted string malformed (RFC 6855 §3)") {
  for (const Dialect dialect : {utf8_accept, rev2}) {
    check_bad(
        {
            {"a SELECT \"\xff\"", "mailbox name is not UTF-8"},
            {"a SELECT \xc3", "mailbox name is not UTF-8"},
            {"a LOGIN joe \"\xe9\"", "password is not UTF-8"},
            {"a SEARCH TEXT \"\xc0\xaf\"", "text to search for is not UTF-8"},
            {"a SEARCH TEXT \"\xed\xa0\x80\"", "text to search for is not UTF-8"},
            {"a LIST \"\" \xe9%", "mailbox pattern is not UTF-8"},
            {"a ID (\"name\" \"\xe9\")", "parameter value is not UTF-8"},
        },
        Errc::malformed, dialect);
    // A literal holds any octets; as a mailbox's name they are refused for what they are.
    CHECK(parse_command("a SEARCH TEXT {1}\r\n\xe9", dialect).has_value());
    CHECK(code_of("a SELECT {1}\r\n\xe9", dialect) == Errc::not_allowed);
  }
  CHECK(parse_command("a SEARCH TEXT \"\xe9\"").has_value());
}

TEST_CASE("imap: characters that no mailbox name may hold (RFC 6855 §3)") {
  for (const std::string_view bad :
       {"\x01", "\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    CAPTURE(bad);
    CHECK(code_of("a CREATE \"x" + std::string(bad) + "\"", utf8_accept) == Errc::not_allowed);
  }
  CHECK(parse_command("a CREATE \"\xc2\xa0\"", utf8_accept).has_value());
}

TEST_CASE("imap: no CHARSET once UTF8=ACCEPT is enabled (RFC 6855 §3)") {
  check_bad({{"a SEARCH CHARSET UTF-8 ALL", "no CHARSET where UTF8=ACCEPT is enabled"},
             {"a UID SEARCH RETURN (MIN) CHARSET UTF-8 ALL", "no CHARSET where UTF8=ACCEPT is enabled"}},
            Errc::malformed, utf8_accept);
  check_good({{"a SEARCH CHARSET UTF-8 ALL", "a SEARCH CHARSET UTF-8 ALL"}}, rev2);
}

TEST_CASE("imap: names are printed in the client's dialect") {
  const auto printed = [](std::string_view name, Dialect dialect) {
    std::string out;
    append_mailbox(out, name, dialect);
    return out;
  };
  CHECK(printed("\u53f0", {}) == "&U,A-");
  CHECK(printed("\u53f0", utf8_accept) == "\"\u53f0\"");
  CHECK(printed("R&D", {}) == "R&-D");
  CHECK(printed("R&D", rev2) == "R&D");
  CHECK(printed("a b", rev2) == "\"a b\"");
  CHECK(printed("\xff", rev2) == "\"\ufffd\"");
  CHECK(printed("\u53f0\r\n", rev2) == "{5}\r\n\u53f0\r\n");
}

#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

// LIST-EXTENDED (RFC 5258), what other RFCs add to it, and the items of STATUS.
using namespace posthorn;
using namespace posthorn::imap;

TEST_CASE("imap: the selection options of LIST (RFC 5258 §3.1, §5, RFC 6154 §2)") {
  check_good({
      {"A02 LIST (SUBSCRIBED) \"\" \"*\"", "A02 LIST (SUBSCRIBED) \"\" \"*\""},
      {"A04 LIST (REMOTE) \"\" % RETURN (CHILDREN)", "A04 LIST (REMOTE) \"\" \"%\" RETURN (CHILDREN)"},
      {"A05 LIST (REMOTE SUBSCRIBED) \"\" \"*\"", "A05 LIST (SUBSCRIBED REMOTE) \"\" \"*\""},
      {"D03 LIST (RECURSIVEMATCH SUBSCRIBED) \"\" \"*2\"",
       "D03 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"*2\""},
      {"C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\" RETURN (CHILDREN)",
       "C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\" RETURN (CHILDREN)"},
      {"a LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) \"\" %",
       "a LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) \"\" \"%\""},
      {"t LIST (special-use) \"\" *", "t LIST (SPECIAL-USE) \"\" \"*\""},
      {"t LIST (SPECIAL-USE SUBSCRIBED RECURSIVEMATCH) \"\" *",
       "t LIST (SUBSCRIBED RECURSIVEMATCH SPECIAL-USE) \"\" \"*\""},
      // The same option twice is that option once, §3.
      {"a LIST ( SUBSCRIBED  subscribed ) \"\" *", "a LIST (SUBSCRIBED) \"\" \"*\""},
      {"a LIST () \"\" *", "a LIST () \"\" \"*\""},
  });
  check_bad({
      {"a LIST (RECURSIVEMATCH) \"\" *", "RECURSIVEMATCH needs SUBSCRIBED"},
      {"a LIST (REMOTE RECURSIVEMATCH) \"\" *", "RECURSIVEMATCH needs SUBSCRIBED"},
      {"a LIST (SPECIAL-USE RECURSIVEMATCH) \"\" *", "RECURSIVEMATCH needs SUBSCRIBED"},
      {"a LIST (CHILDREN) \"\" *", "unknown LIST selection option"},
      {"a LIST (SUBSCRIBED X-MORE (a)) \"\" *", "unknown LIST selection option"},
      {"a LIST (\"SUBSCRIBED\") \"\" *", "unknown LIST selection option"},
      {"a LIST (SUBSCRIBED)", "space expected before reference name"},
      {"a LIST (SUBSCRIBED \"\" *", "unknown LIST selection option"},
      {"a LIST (SUBSCRIBED) (REMOTE) \"\" *", "mailbox name expected"},
  });
}

TEST_CASE("imap: several patterns of one LIST (RFC 5258 §3, §6)") {
  check_good({
      {"A07 LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\") RETURN (CHILDREN)",
       "A07 LIST () \"\" (INBOX Drafts \"Sent/%\") RETURN (CHILDREN)"},
      {"a LIST \"\" ( % {1}\r\n* \"\" )", "a LIST () \"\" (\"%\" \"*\" \"\")"},
      {"a LIST \"\" (INBOX)", "a LIST () \"\" INBOX"},
  });
  CHECK(parsed_as<List>("LIST a (b &U,BTFw-/%)") ==
        List{"a", {"b", "\u53f0\u5317/%"}, List::Syntax::extended});
  check_bad({
      {"a LIST \"\" ()", "no mailbox pattern"},
      {"a LIST \"\" (a", "space or ')' expected after mailbox pattern"},
      {"a LIST \"\" (a (b))", "mailbox pattern expected"},
      {"a LIST \"\" a b", "RETURN expected"},
  });
  CHECK(parse_command("a LIST \"\" (" + repeated("x ", max_list_patterns) + ")").has_value());
  CHECK(code_of("a LIST \"\" (" + repeated("x ", max_list_patterns + 1) + ")") == Errc::too_large);
}

TEST_CASE("imap: the return options of LIST (RFC 5258 §3.2, RFC 5819 §2, RFC 6154 §2)") {
  check_good({
      {"A03 LIST () \"\" \"%\" RETURN (CHILDREN)", "A03 LIST () \"\" \"%\" RETURN (CHILDREN)"},
      {"A01 LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN))",
       "A01 LIST () \"\" \"%\" RETURN (STATUS (MESSAGES UNSEEN))"},
      {"A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (status (messages messages))",
       "A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\" RETURN (STATUS (MESSAGES))"},
      {"t3 LIST \"\" % return (special-use subscribed CHILDREN CHILDREN)",
       "t3 LIST () \"\" \"%\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)"},
      {"t LIST \"\" % RETURN ()", "t LIST () \"\" \"%\""},
  });
  check_bad({
      {"a LIST \"\" % RETURN", "space expected before LIST return options"},
      {"a LIST \"\" % RETURN CHILDREN", "'(' expected before LIST return option"},
      {"a LIST \"\" % RETURN (REMOTE)", "unknown LIST return option"},
      {"a LIST \"\" % RETURN (MYWRONGS)", "unknown LIST return option"},
      {"a LIST \"\" % RETURN (STATUS)", "space expected before STATUS items"},
      {"a LIST \"\" % RETURN (STATUS MESSAGES)", "'(' expected before STATUS item"},
      {"a LIST \"\" % RETURN (STATUS ())", "no STATUS item"},
      {"a LIST \"\" % RETURN (STATUS (LINES))", "unknown STATUS item"},
      {"a LIST \"\" % (CHILDREN)", "RETURN expected"},
      {"a LIST \"\" % RETURN (CHILDREN) x", "unexpected text after the command"},
  });
}

TEST_CASE("imap: whether a LIST is an extended one (RFC 5258 §3)") {
  const auto syntax = [](std::string_view list) { return parsed_as<List>(list).syntax; };
  CHECK(syntax("LIST \"\" \"\"") == List::Syntax::basic);
  CHECK(syntax("LIST \"\" %  ") == List::Syntax::basic);
  CHECK(syntax("LIST () \"\" \"\"") == List::Syntax::extended);
  CHECK(syntax("LIST \"\" (\"\")") == List::Syntax::extended);
  CHECK(syntax("LIST \"\" \"\" RETURN ()") == List::Syntax::extended);
}

TEST_CASE("imap: XLIST") {
  check_good({
      {"a XLIST \"\" *", "a XLIST \"\" \"*\""},
      {"a xlist inbox %", "a XLIST INBOX \"%\""},
  });
  check_bad({
      {"a XLIST \"\"", "space expected before mailbox pattern"},
      {"a XLIST () \"\" *", "mailbox name expected"},
      {"a XLIST \"\" % RETURN (CHILDREN)", "unexpected text after the command"},
  });
}

TEST_CASE(
    "imap: the newer items of STATUS (RFC 9051 §6.3.11, RFC 8438, RFC 7162 §3.1.7, RFC 8474, RFC 7889)") {
  check_good({
      {"A042 STATUS blurdybloop (UIDNEXT MESSAGES HIGHESTMODSEQ)",
       "A042 STATUS blurdybloop (UIDNEXT MESSAGES HIGHESTMODSEQ)"},
      {"a STATUS x (size deleted mailboxid appendlimit)", "a STATUS x (SIZE DELETED MAILBOXID APPENDLIMIT)"},
      {"a LIST \"\" % RETURN (STATUS (SIZE APPENDLIMIT))",
       "a LIST () \"\" \"%\" RETURN (STATUS (SIZE APPENDLIMIT))"},
  });
  check_bad({{"a STATUS x (DELETED-STORAGE)", "unknown STATUS item"}});
}

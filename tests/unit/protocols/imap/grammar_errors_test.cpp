#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

TEST_CASE("imap: what breaks the grammar is malformed, and the error says where (RFC 3501 §9)") {
  check_bad({
      {"", "tag expected"},
      {"* OK", "tag expected"},
      {"a+ NOOP", "tag expected"},
      {"a", "space expected before command"},
      {"a ", "command expected"},
      {"a \"NOOP\"", "command expected"},
      {"a NONSENSE", "unknown command"},
      {"a XPIG-LATIN", "unknown command"},
      {"a NOOPX", "unknown command"},
      {"a UID", "space expected before command after UID"},
      {"a UID NOOP", "unknown command"},
      {"a NOOP x", "unexpected text after the command"},
      {"a NOOP\r", "unexpected text after the command"},
      {"a\tNOOP", "tag expected"},
      {"a LOGIN", "space expected before user name"},
      {"a LOGIN joe", "space expected before password"},
      {"a LOGIN joe ", "password expected"},
      {"a LOGIN (joe) x", "user name expected"},
      {"a LOGIN joe p%w", "unexpected text after the command"},
      {"a LOGIN joe \"pw", "quoted string of password is not closed"},
      {"a LOGIN joe \"pw\\", "only '\"' and '\\' may follow '\\' in a quoted string"},
      {"a LOGIN joe \"p\\w\"", "only '\"' and '\\' may follow '\\' in a quoted string"},
      {"a LOGIN joe \"p\rw\"", "quoted string of password is not closed"},
      {"a LOGIN joe {2}\r\np", "bad literal for password"},
      {"a LOGIN joe {2}\rpw", "bad literal for password"},
      {"a LOGIN joe {+}\r\npw", "bad literal for password"},
      {"a LOGIN joe {-1}\r\npw", "bad literal for password"},
      {"a LOGIN joe {18446744073709551616}\r\npw", "bad literal for password"},
      {"a AUTHENTICATE", "space expected before mechanism"},
      {"a AUTHENTICATE PLAIN a*b", "unexpected text after the command"},
      {"a AUTHENTICATE PLAIN a-b", "initial response is not base64"},
      {"a AUTHENTICATE PLAIN \"aaaa\"", "initial response is not base64"},
      {"a ID", "space expected before parameters"},
      {"a ID x", "list of parameters or NIL expected"},
      {"a ID (\"name\")", "space expected before parameter value"},
      {"a ID (name \"x\")", "parameter name expected as a string"},
      {"a ID (\"name\" x)", "parameter value expected as a string or NIL"},
      {"a ID (\"name\" \"x\"", "space or ')' expected after parameter"},
      {"a ENABLE", "space expected before capability"},
      {"a ENABLE (X)", "capability expected"},
      {"a SELECT", "space expected before mailbox name"},
      {"a SELECT %", "mailbox name expected"},
      {"a SELECT x (ANNOTATE)", "unknown SELECT parameter"},
      {"a CREATE x (SIZE 3)", "unknown CREATE parameter"},
      {"a CREATE x (USE (Sent))", "special-use attribute expected"},
      {"a CREATE x y", "'(' expected before CREATE parameter"},
      {"a RENAME x", "space expected before new mailbox name"},
      {"a LIST x", "space expected before mailbox pattern"},
      {"a LIST \"\" (", "mailbox pattern expected"},
      {"a STATUS x", "space expected before STATUS items"},
      {"a STATUS x MESSAGES", "'(' expected before STATUS item"},
      {"a STATUS x ()", "no STATUS item"},
      {"a STATUS x (SIZES)", "unknown STATUS item"},
      {"a APPEND x", "space expected before message"},
      {"a APPEND x message", "unknown APPEND data"},
      {"a APPEND x {3}", "message as a literal expected"},
      {"a APPEND x (\\Seen){3}\r\n", "space expected before message"},
      {"a APPEND x (\\Recent) {3}\r\n", "\\Recent is not a client's to set"},
      {"a APPEND x (\\) {3}\r\n", "flag expected"},
      {"a STORE 1 FLAGS \\*", "flag expected"},
      {"a APPEND x \"yesterday\" {3}\r\n", "bad day"},
      {"a APPEND x {3}\r\nabc", "space expected before message"},
      {"a UID EXPUNGE", "space expected before UIDs"},
      {"a EXPUNGE 1", "unexpected text after the command"},
      {"a COPY 0 x", "number may not be 0"},
      {"a COPY 1: x", "number expected"},
      {"a COPY ,1 x", "number expected"},
      {"a COPY 1:2:3 x", "space expected before mailbox name"},
      {"a COPY 4294967296 x", "number out of range"},
      {"a COPY -1 x", "number expected"},
      {"a STORE 1 FLAGS", "space expected before flags"},
      {"a STORE 1 FLAGS ", "flag expected"},
      {"a STORE 1 *FLAGS \\Seen", "FLAGS or FLAGS.SILENT expected"},
      {"a STORE 1 + FLAGS \\Seen", "FLAGS or FLAGS.SILENT expected"},
      {"a STORE 1 (CHANGEDSINCE 3) FLAGS \\Seen", "unknown STORE modifier"},
      {"a STORE 1 FLAGS (a]b)", "space or ')' expected after flag"},
      {"a STORE 1 FLAGS (\\Seen", "space or ')' expected after flag"},
      {"a FETCH 1", "space expected before FETCH items"},
      {"a FETCH 1 ()", "no FETCH item"},
      {"a FETCH 1 (ALL)", "unknown FETCH item"},
      {"a FETCH 1 BINARY", "unknown FETCH item"},
      {"a FETCH 1 BODY.PEEK", "unknown FETCH item"},
      {"a FETCH 1 FLAGS UID", "unexpected text after the command"},
      {"a FETCH 1 FLAGS (UNCHANGEDSINCE 1)", "unknown FETCH modifier"},
      {"a FETCH 1 BODY[", "unknown section"},
      {"a FETCH 1 BODY[MIME]", "MIME needs a part"},
      {"a FETCH 1 BODY[0]", "number may not be 0"},
      {"a FETCH 1 BODY[1.]", "bad section"},
      {"a FETCH 1 BODY[1TEXT]", "bad section"},
      {"a FETCH 1 BODY[TEXT.1]", "unknown section"},
      {"a FETCH 1 BODY[HEADER.FIELDS]", "space expected before header field names"},
      {"a FETCH 1 BODY[HEADER.FIELDS ()]", "no header field name"},
      {"a FETCH 1 BODY[TEXT", "']' expected after section"},
      {"a FETCH 1 BODY[]<5>", "'.' expected in a partial"},
      {"a FETCH 1 BODY[]<5.0>", "count of a partial may not be 0"},
      {"a FETCH 1 BODY[]<5.6", "'>' expected after a partial"},
      {"a SEARCH", "space expected before search key"},
      {"a SEARCH ", "unknown search key"},
      {"a SEARCH CHARSET UTF-8", "space expected before search key"},
      {"a SEARCH NONSENSE", "unknown search key"},
      {"a SEARCH ()", "unknown search key"},
      {"a SEARCH (SEEN", "')' expected after search keys"},
      {"a SEARCH SEEN)", "unexpected text after the command"},
      {"a SEARCH OR SEEN", "space expected before search key"},
      {"a SEARCH NOT", "space expected before search key"},
      {"a SEARCH BEFORE 31-Feb-2000", "no such day in its month"},
      {"a SEARCH BEFORE \"1-Feb-2000", "quoted date is not closed"},
      {"a SEARCH KEYWORD \\Seen", "keyword expected"},
      {"a SEARCH HEADER x", "space expected before text to search for"},
      {"a SEARCH LARGER x", "number expected"},
      {"a SEARCH LARGER 9223372036854775808", "number out of range"},
  });
}

TEST_CASE("imap: NUL may stand nowhere (RFC 3501 §9 note 3)") {
  using namespace std::string_view_literals;
  CHECK(code_of("a LOGIN joe {3}\r\np\0w"sv) == Errc::malformed);
  CHECK(code_of("a LOGIN joe \"p\0w\""sv) == Errc::malformed);
  CHECK(code_of("a LOGIN joe p\0w"sv) == Errc::malformed);
  CHECK(code_of("a NOOP\0"sv) == Errc::malformed);
}

TEST_CASE("imap: a mailbox name that can be none is told from a malformed command") {
  CHECK(code_of("a SELECT &Jjo") == Errc::not_allowed);
  CHECK(code_of("a SELECT R&D") == Errc::not_allowed);
  CHECK(code_of("a SELECT \"\xff\"") == Errc::not_allowed);
}

TEST_CASE("imap: every number and depth of a command has its bound") {
  const auto just_fits = [](const std::string& command) { CHECK(parse_command(command).has_value()); };

  just_fits("a COPY 1" + repeated(",1", max_sequence_ranges - 1) + " x");
  CHECK(code_of("a COPY 1" + repeated(",1", max_sequence_ranges) + " x") == Errc::too_large);

  just_fits("a SEARCH " + repeated("NOT ", max_search_depth - 1) + "SEEN");
  CHECK(code_of("a SEARCH " + repeated("NOT ", max_search_depth) + "SEEN") == Errc::too_large);
  CHECK(code_of("a SEARCH " + repeated("(", 60'000)) == Errc::too_large);
  CHECK(code_of("a SEARCH " + repeated("OR ", 20'000)) == Errc::too_large);
  just_fits("a SEARCH SEEN" + repeated(" SEEN", max_search_keys - 1));
  CHECK(code_of("a SEARCH SEEN" + repeated(" SEEN", max_search_keys)) == Errc::too_large);

  std::string items, fields = "x", flags, ids;
  for (std::size_t i = 1; i <= max_fetch_items; ++i) items += "BODY[" + std::to_string(i) + "] ";
  just_fits("a FETCH 1 (" + items + ")");
  CHECK(code_of("a FETCH 1 (" + items + "FLAGS)") == Errc::too_large);
  just_fits("a FETCH 1 BODY[HEADER.FIELDS (" + repeated("x ", max_header_fields) + ")]");
  CHECK(code_of("a FETCH 1 BODY[HEADER.FIELDS (" + repeated("x ", max_header_fields + 1) + ")]") ==
        Errc::too_large);
  just_fits("a FETCH 1 BODY[1" + repeated(".1", max_section_depth - 1) + "]");
  CHECK(code_of("a FETCH 1 BODY[1" + repeated(".1", max_section_depth) + "]") == Errc::too_large);

  for (std::size_t i = 0; i < max_flags; ++i) flags += "k" + std::to_string(i) + " ";
  just_fits("a STORE 1 FLAGS (" + flags + ")");
  CHECK(code_of("a STORE 1 FLAGS (" + flags + "x)") == Errc::too_large);
  just_fits("a STORE 1 FLAGS (" + repeated("k", max_keyword_octets) + ")");
  check_bad({{"a STORE 1 FLAGS (" + repeated("k", max_keyword_octets + 1) + ")",
              "a keyword has at most 255 octets"}},
            Errc::not_allowed);

  just_fits("a APPEND x" + repeated(" {1}\r\n", max_append_messages));
  CHECK(code_of("a APPEND x" + repeated(" {1}\r\n", max_append_messages + 1)) == Errc::too_large);

  just_fits("a ID (" + repeated("\"x\" NIL ", max_id_fields) + ")");
  CHECK(code_of("a ID (" + repeated("\"x\" NIL ", max_id_fields + 1) + ")") == Errc::malformed);
  CHECK(code_of("a ID (\"" + std::string(31, 'x') + "\" NIL)") == Errc::malformed);
  CHECK(code_of("a ID (\"x\" \"" + std::string(1025, 'x') + "\")") == Errc::malformed);
}

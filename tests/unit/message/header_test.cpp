#include "message/header.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

std::vector<std::string> names_in(std::string_view block) {
  std::vector<std::string> names;
  HeaderReader reader(block);
  while (auto field = reader.next()) names.emplace_back(field->name);
  return names;
}

using Names = std::vector<std::string>;

std::string crlf(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\r\n");
  return text;
}

}  // namespace

TEST_CASE("fields, folds and the blank line, with either line end (RFC 5322 §2.2)") {
  const std::string lf = "Subject: This\n is a test\nTo:\tx\nEmpty:\n\nBody: no field\n";
  for (const auto& block : {lf, crlf(lf)}) {
    HeaderReader reader(block);
    auto field = reader.next();
    REQUIRE(field);
    CHECK(field->name == "Subject");
    CHECK(unfold(field->value) == "This is a test");
    CHECK(field->raw == block.substr(0, block.find("To:")));
    CHECK(reader.next()->value == "\tx");
    CHECK(reader.next()->value.empty());
    CHECK_FALSE(reader.next());
    CHECK(reader.blank_line() == (block == lf ? "\n" : "\r\n"));
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("what is no field is skipped, and what is nearly one is read") {
  CHECK(names_in("From me@x Mon Jan  1 00:00:00 2001\nA: 1\n") == Names{"A"});
  CHECK(names_in(">From me@x Mon Jan  1 00:00:00 2001\nA: 1\n") == Names{"A"});
  CHECK(names_in("no colon here\n goes on: x\nA: 1\n") == Names{"A"});
  CHECK(names_in(" continues: nothing\nA: 1") == Names{"A"});
  CHECK(names_in(": no name\nA: 1\n") == Names{"A"});
  CHECK(names_in("Space before \t: x\n") == Names{});      // a name has no space in it
  CHECK(names_in("Subject \t: x\n") == Names{"Subject"});  // RFC 5322 §4.5
  CHECK(names_in("A: 1\n \nB: 2\n") == Names{"A", "B"});   // a line of white space folds, it ends nothing
  CHECK(names_in("N\xc3\xa4me: x\nA: \xff\xfe\n") == Names{"A"});
  CHECK(names_in("A: 1\r\r\nB: 2\n") == Names{"A", "B"});
  CHECK(names_in("").empty());
  CHECK(names_in("\r\nA: 1\r\n").empty());
}

TEST_CASE("unfold removes line ends, NULs and outer white space (RFC 5322 §2.2.3)") {
  CHECK(unfold(" a\r\n b\n\tc \r\n") == "a b\tc");
  CHECK(unfold(std::string_view(" a\0b", 4)) == "ab");
  CHECK(unfold(" a\rb\r") == "a\rb");
  CHECK(unfold(" \t ").empty());
  CHECK(unfold("\r\n x") == "x");
}

TEST_CASE("fields are found in any case") {
  const std::string_view block = "to: a\nCC: b\nTo: c\n\n";
  CHECK(find_field(block, "TO")->value == " a");
  CHECK_FALSE(find_field(block, "bcc"));
  CHECK(find_fields(block, "To").size() == 2);
}

TEST_CASE("HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 3501 §6.4.5)") {
  const std::string block = crlf("From: a\nSubject: x\n y\nreceived: b\nnot a field\nFROM : c\n\n");
  const std::vector<std::string> names = {"from", "DATE"};
  CHECK(filter_fields(block, names, FieldFilter::only) == "From: a\r\nFROM : c\r\n\r\n");
  CHECK(filter_fields(block, names, FieldFilter::except) == "Subject: x\r\n y\r\nreceived: b\r\n\r\n");
  CHECK(filter_fields(block, {}, FieldFilter::only) == "\r\n");

  SUBCASE("the name matches as a whole") {
    const std::vector<std::string> part = {"subj"};
    CHECK(filter_fields(block, part, FieldFilter::only) == "\r\n");
  }
  SUBCASE("bare LF becomes CRLF") {
    CHECK(filter_fields("A: 1\n 2\nB: 3\n\n", std::vector<std::string>{"a"}, FieldFilter::only) ==
          "A: 1\r\n 2\r\n\r\n");
  }
  SUBCASE("a message without blank line gets none") {
    CHECK(filter_fields("A: 1\r\nB: 2", std::vector<std::string>{"b"}, FieldFilter::only) == "B: 2\r\n");
    CHECK(filter_fields("", names, FieldFilter::except).empty());
  }
}

TEST_CASE("names and case: only ASCII letters have one") {
  CHECK(equal_ignoring_case("Content-TYPE", "content-type"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
  CHECK_FALSE(equal_ignoring_case("a", "ab"));
  CHECK(to_lower_ascii("\xc3\x84"
                       "Z[") ==
        "\xc3\x84"
        "z[");
}

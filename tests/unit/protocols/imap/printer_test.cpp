#include "protocols/imap/printer.h"

#include "protocols/imap/grammar.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace posthorn::imap;
using namespace std::string_view_literals;

namespace {

// What an append function appends.
template <class... Arguments, class... Values>
std::string printed(void (*append)(std::string&, Arguments...), const Values&... values) {
  std::string out;
  append(out, values...);
  return out;
}

std::string date(std::int64_t seconds, std::int16_t zone = 0) {
  std::string out;
  append_internal_date(out, {seconds, zone});
  return out;
}

std::string as_written(const SequenceSet& set) {
  std::string out;
  append_sequence_set(out, set);
  return out;
}

std::string ascending(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  append_sequence_set(out, numbers);
  return out;
}

}  // namespace

TEST_CASE("imap: a string is quoted where it can be, else a literal (RFC 3501 §4.3, §9)") {
  CHECK(printed(append_string, ""sv) == "\"\"");
  CHECK(printed(append_string, "a b"sv) == "\"a b\"");
  CHECK(printed(append_string, "a\"b\\c"sv) == "\"a\\\"b\\\\c\"");
  CHECK(printed(append_string, "\x01\t\x7f"sv) == "\"\x01\t\x7f\"");
  CHECK(printed(append_string, "a\r\nb"sv) == "{4}\r\na\r\nb");
  CHECK(printed(append_string, "a\rb"sv) == "{3}\r\na\rb");
  CHECK(printed(append_string, "a\nb\""sv) == "{4}\r\na\nb\"");
  CHECK(printed(append_string, "\xc3\xa4"sv) == "{2}\r\n\xc3\xa4");
}

TEST_CASE("imap: NUL is never sent, and the count stays right (RFC 3501 §9 note 3)") {
  CHECK(printed(append_string, "a\0b"sv) ==
        "{3}\r\na\x80"
        "b");
}

TEST_CASE("imap: nstring and astring (RFC 3501 §9)") {
  CHECK(printed(append_nstring, std::optional<std::string>()) == "NIL");
  CHECK(printed(append_nstring, std::optional<std::string>("NIL")) == "\"NIL\"");
  CHECK(printed(append_astring, "a]b"sv) == "a]b");
  CHECK(printed(append_astring, ""sv) == "\"\"");
  CHECK(printed(append_astring, "nil"sv) == "\"nil\"");
  CHECK(printed(append_astring, "a%"sv) == "\"a%\"");
  CHECK(printed(append_astring, "a\xff"sv) == "{2}\r\na\xff");
  CHECK(printed(append_mailbox, "Entw\u00fcrfe"sv, Dialect()) == "Entw&APw-rfe");
  CHECK(printed(append_mailbox, "Sent Items"sv, Dialect()) == "\"Sent Items\"");
}

TEST_CASE("imap: flag lists (RFC 3501 §2.3.2)") {
  CHECK(printed(append_flags, FlagList{}) == "()");
  CHECK(printed(append_flags, FlagList{{SystemFlag::seen, SystemFlag::recent}, {"$Junk"}}) ==
        "(\\Seen \\Recent $Junk)");
}

TEST_CASE("imap: date-time (RFC 3501 §9)") {
  CHECK(date(837596665, -420) == "\"17-Jul-1996 02:44:25 -0700\"");
  CHECK(date(0) == "\"01-Jan-1970 00:00:00 +0000\"");
  CHECK(date(-1) == "\"31-Dec-1969 23:59:59 +0000\"");
  CHECK(date(951825600, 330) == "\"29-Feb-2000 17:30:00 +0530\"");
  CHECK(date(-62167219200) == "\"01-Jan-0000 00:00:00 +0000\"");
}

TEST_CASE("imap: a time that four digits of year can't say is the nearest that they can") {
  CHECK(date(INT64_MAX, 5999) == "\"31-Dec-9999 23:59:59 +9959\"");
  CHECK(date(INT64_MIN, -5999) == "\"01-Jan-0000 00:00:00 -9959\"");
}

TEST_CASE("imap: sequence sets, from ranges and from ascending numbers (RFC 3501 §9)") {
  CHECK(as_written(SequenceSet{{{SequenceRange::largest, 4}, {5, 5}, {7, 2}}}) == "*:4,5,7:2");
  CHECK(ascending({}) == "");
  CHECK(ascending({7}) == "7");
  CHECK(ascending({2, 4, 5, 6, 7, 9, 12, 13}) == "2,4:7,9,12:13");
  CHECK(ascending({4294967294, 4294967295}) == "4294967294:4294967295");
}

TEST_CASE("imap: under which name FETCH answers an item (RFC 3501 §7.4.2)") {
  const auto name = [](std::string_view item) {
    const auto command = parse_command("a FETCH 1 " + std::string(item));
    REQUIRE(command.has_value());
    std::string out;
    append_response_name(out, std::get<Fetch>(command->body).items.front());
    return out;
  };
  CHECK(name("BODY.PEEK[]") == "BODY[]");
  CHECK(name("body[text]<0.100>") == "BODY[TEXT]<0>");
  CHECK(name("BODY.PEEK[1.2.MIME]<7.1>") == "BODY[1.2.MIME]<7>");
  CHECK(name("body.peek[header.fields (date \"X Y\")]") == "BODY[HEADER.FIELDS (date \"X Y\")]");
  CHECK(name("rfc822.text") == "RFC822.TEXT");
}

TEST_CASE("imap: the log's name of a command has none of its arguments") {
  const auto name = [](std::string_view command) {
    const auto parsed = parse_command(command);
    REQUIRE(parsed.has_value());
    return name_of(parsed->body);
  };
  CHECK(name("a LOGIN joe secret") == "LOGIN");
  CHECK(name("a UID FETCH 1 FLAGS") == "UID FETCH");
  CHECK(name("a FETCH 1 FLAGS") == "FETCH");
  CHECK(name("a UID EXPUNGE 1") == "UID EXPUNGE");
  CHECK(name("a EXAMINE x") == "EXAMINE");
}

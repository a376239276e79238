#include "message/address.h"

#include <doctest/doctest.h>

#include <utility>

using namespace posthorn::message;
using namespace std::string_view_literals;

namespace {

// "name|route|mailbox|host", "~" where a piece is absent; elements joined by " & ".
std::string shown(std::string_view value, std::size_t limit = 10'000) {
  std::string out;
  for (const auto& address : parse_addresses(value, limit)) {
    if (!out.empty()) out += " & ";
    bool first = true;
    for (const auto* piece : {&address.name, &address.route, &address.mailbox, &address.host}) {
      if (!std::exchange(first, false)) out += '|';
      out += piece->value_or("~");
    }
  }
  return out;
}

struct Case {
  std::string_view in, out;
};

}  // namespace

TEST_CASE("address lists: the examples of RFC 5322 appendix A") {
  const Case cases[] = {
      // A.1.1
      {"John Doe <jdoe@machine.example>", "John Doe|~|jdoe|machine.example"},
      // A.1.2
      {"\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public|~|john.q.public|example.com"},
      {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
       "Mary Smith|~|mary|x.test & ~|~|jdoe|example.org & Who?|~|one|y.test"},
      {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
       "~|~|boss|nil.test & Giant; \"Big\" Box|~|sysservices|example.net"},
      // A.1.3
      {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
       "~|~|A Group|~ & Ed Jones|~|c|a.test & ~|~|joe|where.test & John|~|jdoe|one.test & ~|~|~|~"},
      {"Undisclosed recipients:;", "~|~|Undisclosed recipients|~ & ~|~|~|~"},
      // A.2
      {"\"Mary Smith: Personal Account\" <smith@home.example>",
       "Mary Smith: Personal Account|~|smith|home.example"},
      // A.5
      {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete|~|pete|silly.test"},
      {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         "
       "joe@example.org,\r\n"
       "  John <jdoe@one.test> (my dear friend); (the end of the group)",
       "~|~|A Group|~ & Chris Jones|~|c|public.example & ~|~|joe|example.org & John|~|jdoe|one.test & "
       "~|~|~|~"},
      {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
       "~|~|Hidden recipients|~ & ~|~|~|~"},
      // A.6.1
      {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|~|john.q.public|example.com"},
      {"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
       "Mary Smith|@node.test|mary|example.net & ~|~|jdoe|test.example"},
      // A.6.3
      {"John Doe <jdoe@machine(comment).  example>", "John Doe|~|jdoe|machine.example"},
      {"Mary Smith\r\n  \r\n          <mary@example.net>", "Mary Smith|~|mary|example.net"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("address lists: grammar at its edges (RFC 5322 §3.4, §4.4; RFC 6532)") {
  const Case cases[] = {
      {"", ""},
      {" \r\n\t", ""},
      {",,,", ""},
      {"(only a comment)", ""},
      {"\"john smith\"@example.com", "~|~|john smith|example.com"},
      {"\"a\\\"b\" . c@example.com", "~|~|a\"b.c|example.com"},
      {"a@[192.0.2.1]", "~|~|a|[192.0.2.1]"},
      {"a@[IPv6:2001:db8::1] (home)", "home|~|a|[IPv6:2001:db8::1]"},
      {"<@a.test,@b.test:c@d.test>", "~|@a.test,@b.test|c|d.test"},
      {"joe@x.test (Joe)", "Joe|~|joe|x.test"},
      {"joe@x.test (Joe (the first))", "Joe (the first)|~|joe|x.test"},
      {"J\xc3\xb6rg <j\xc3\xb6rg@\xc3\xa4.test>", "J\xc3\xb6rg|~|j\xc3\xb6rg|\xc3\xa4.test"},
      {"J\xf6rg <x@y>", "J\xf6rg|~|x|y"},
      {"=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>",
       "=?ISO-8859-1?Q?Andr=E9?= Pirard|~|PIRARD|vm1.ulg.ac.be"},
      {"=?utf-8?Q?Smith,_John?= <a@b>", "=?utf-8?Q?Smith,_John?=|~|a|b"},
      {"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= <a@b>", "=?utf-8?Q?a?= =?utf-8?Q?b?=|~|a|b"},
      {"A:a@x;, B:b@y;", "~|~|A|~ & ~|~|a|x & ~|~|~|~ & ~|~|B|~ & ~|~|b|y & ~|~|~|~"},
      {"\"quoted\r\n name\" <a@b>", "quoted name|~|a|b"},
      {"\"\" <a@b>", "~|~|a|b"},
      {"\"\"@b", "~|~||b"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("address lists: broken ones give what a person would read") {
  const Case cases[] = {
      {"postmaster", "~|~|postmaster|"},
      {"John Smith", "John Smith|~||"},
      {"<>", "~|~||"},
      {"Nobody <>", "Nobody|~||"},
      {"<postmaster>", "~|~|postmaster|"},
      {"<@example.com>", "~|~||example.com"},
      {"@example.com", "~|~||example.com"},
      {"joe@", "~|~|joe|"},
      {"joe@x.test <joe@x.test>", "joe@x.test|~|joe|x.test"},
      {"@name <a@b>", "@name|~|a|b"},
      {"a@b@c", "~|~|a@b|c"},
      {"<<a@b>>", "~|~|a|b"},
      {"Joe <a@b, Bob <c@d>", "Joe|~|a|b & Bob|~|c|d"},
      {"Joe <a@b", "Joe|~|a|b"},
      {"<a@b> <c@d>", "~|~|a|b & ~|~|c|d"},
      {"<a@b> Bob <c@d>", "~|~|a|b & Bob|~|c|d"},
      {"<a@b> Bob", "Bob|~|a|b"},
      {"a@b c@d", "~|~|a|b & ~|~|c|d"},
      {"a@b; c@d", "~|~|a|b & ~|~|c|d"},
      {"mary smith@x", "mary|~|smith|x"},
      {"a@b Bob Jones", "Bob Jones|~|a|b"},
      {"\"Joe <a@b>", "Joe|~|a|b"},
      {"Joe (a <a@b>", "Joe (a|~|a|b"},
      {"a@[1.2.3.4", "~|~|a|[1.2.3.4"},
      {"Group: a@b, c@d", "~|~|Group|~ & ~|~|a|b & ~|~|c|d & ~|~|~|~"},
      {"Group:", "~|~|Group|~ & ~|~|~|~"},
      {": a@b", "~|~|a|b"},
      {";", ""},
      {", user-example@aol.com", "~|~|user-example|aol.com"},
      {"<mailto:joe@x>", "~|~|mailto:joe|x"},
      {"a) <b@c>", "a)|~|b|c"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("address lists: no NUL and no line end comes out, and a limit holds") {
  for (const auto& address : parse_addresses("\"a\0\r\nb\" (c\0) <d\0e@\0f>"sv)) {
    for (const auto* piece : {&address.name, &address.mailbox, &address.host}) {
      CHECK(piece->value_or("").find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
    }
  }
  CHECK(shown("=?utf-8?Q?a,\0b?= <c@d>"sv) ==
        "~|~|=?utf-8?Q?a| & b?=|~|c|d");  // no encoded word, so the comma counts
  CHECK(shown("a@a, b@b, c@c", 2) == "~|~|a|a & ~|~|b|b");
  CHECK(shown("G: a@a, b@b;", 2) == "~|~|G|~ & ~|~|a|a & ~|~|~|~");
  CHECK(parse_addresses("a@a", 0).empty());
}

TEST_CASE("address lists: hostile ones end fast") {
  for (const std::string_view piece : {"(", "\"", "[", "<", "@", ":", ",", ";", "=?", "=?a?q?", "\"\\", "a ",
                                       "<@", "a@b ", "(\\)", "(a)", "G:"}) {
    std::string value;
    while (value.size() < 1024 * 1024) value += piece;
    CAPTURE(piece);
    CHECK(parse_addresses(value).size() <= 10'001);
  }
}

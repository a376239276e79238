#include "message/sort_keys.h"

#include "message/unicode_casemap.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::message;

namespace {

std::string encoded(std::string_view header) { return encode_sort_keys(parse_summary(header)); }

std::string key(std::string_view header, SortText text) {
  const std::string octets = encoded(header);
  const auto keys = view_sort_keys(octets);
  REQUIRE(keys);
  return std::string((*keys)[text]);
}

}  // namespace

TEST_CASE("i;unicode-casemap: title case, then compatibility decomposition (RFC 5051 §2)") {
  struct Case {
    std::string_view text;
    std::string_view mapped;
  };
  for (const auto& [text, mapped] : std::initializer_list<Case>{
           {"", ""},
           {"Hello, World 42 [x]{y}", "HELLO, WORLD 42 [X]{Y}"},
           {"\xc3\xa4", "A\xcc\x88"},  // ä
           {"\xc3\x84", "A\xcc\x88"},
           {"a\xcc\x88", "A\xcc\x88"},
           {"\xc7\x86", "D\x7a\xcc\x8c"},             // U+01C6 dž: title case U+01C5
           {"\xef\xac\x81", "fi"},                    // U+FB01, which has no title case of one character
           {"\xef\xbc\xa1\xef\xbd\x81", "AA"},        // fullwidth A and a
           {"\xc3\x9f", "\xc3\x9f"},                  // ß stays
           {"\xce\xb1\xcf\x82", "\xce\x91\xce\xa3"},  // final sigma
           {"\xff", "\xef\xbf\xbd"},
       }) {
    CAPTURE(text);
    CHECK(unicode_casemap(text) == mapped);
  }
}

TEST_CASE("sort keys: base subject and local parts of first addresses (RFC 5256 §2.1, §3)") {
  constexpr std::string_view header =
      "Subject: Re: [list] =?utf-8?q?H=C3=A4llo?= (fwd)\r\n"
      "From: Zoe <Bob@example.org>, amy@example.org\r\n"
      "To: Undisclosed: ;\r\n"
      "Cc: \"carl d\"@example.org\r\n\r\n";
  CHECK(key(header, SortText::subject) == "HA\xcc\x88LLO");
  CHECK(key(header, SortText::from) == "BOB");
  CHECK(key(header, SortText::to) == "UNDISCLOSED");
  CHECK(key(header, SortText::cc) == "CARL D");
  for (const SortText text : {SortText::subject, SortText::from, SortText::to, SortText::cc,
                              SortText::display_from, SortText::display_to}) {
    CHECK(key("X: y\r\n\r\n", text) == "");
  }
}

TEST_CASE("sort keys: what is displayed of an address (RFC 5957 §3)") {
  struct Case {
    std::string_view from;
    std::string_view displayed;
  };
  for (const auto& [from, displayed] : std::initializer_list<Case>{
           {"Bob Smith <x@y.example>", "BOB SMITH"},
           {"=?iso-8859-1?q?J=F6rg?= <x@y.example>", "JO\xcc\x88RG"},
           {"x@y.example", "X@Y.EXAMPLE"},
           {"\"\" <x@y.example>", "X@Y.EXAMPLE"},
           {"Team: a@b.example;", "TEAM"},
       }) {
    CAPTURE(from);
    CHECK(key("From: " + std::string(from) + "\r\n\r\n", SortText::display_from) == displayed);
    CHECK(key("To: " + std::string(from) + "\r\n\r\n", SortText::display_to) == displayed);
  }
}

TEST_CASE("sort keys: the date sent, in UTC (RFC 5256 §2.2)") {
  const auto sent = [](std::string_view header) {
    const std::string octets = encoded(header);
    return view_sort_keys(octets).value().sent;
  };
  CHECK(sent("Date: 31 Dec 2000 16:01:33 -0800\r\n\r\n") == 978'307'293);
  CHECK(sent("Date: 1 Jan 1960 00:00:00 +0000\r\n\r\n") == -315'619'200);
  CHECK_FALSE(sent("Date: yesterday\r\n\r\n"));
  CHECK_FALSE(sent("X: y\r\n\r\n"));
}

TEST_CASE("sort keys: texts have a bound and no NUL") {
  CHECK(key("Subject: " + std::string(5'000, 'x') + "\r\n\r\n", SortText::subject) ==
        std::string(max_sort_text, 'X'));
  CHECK(key("From: =?utf-8?q?a=00b?= <c@d.example>\r\n\r\n", SortText::display_from) == "AB");
}

TEST_CASE("sort keys: what was not encoded so is refused") {
  const std::string good = encoded("Subject: a\r\nDate: 31 Dec 2000 16:01:33 -0800\r\nFrom: b@c\r\n\r\n");
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(view_sort_keys(good.substr(0, size)).error().code == Errc::corrupt);
  }
  CHECK_FALSE(view_sort_keys(good + "x"));
  CHECK_FALSE(view_sort_keys("\x02" + good.substr(1)));
}

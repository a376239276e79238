#include "message/encoded_word.h"

#include "message/mime_fields.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {
struct Case {
  std::string_view in, out;
};
}  // namespace

TEST_CASE("encoded words: the table of RFC 2047 §8") {
  const Case cases[] = {
      {"=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"},
      {"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld J\xc3\xb8rn Simonsen"},
      {"=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xc3\xa9 Pirard"},
      {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n "
       "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
       "If you can read this you understand the example."},
      {"=?ISO-8859-1?Q?Olle_J=E4rnefors?=", "Olle J\xc3\xa4rnefors"},
      {"=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik F\xc3\xa4ltstr\xc3\xb6m"},
      {"Nathaniel Borenstein (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)",
       "Nathaniel Borenstein (\xd7\x9d\xd7\x95\xd7\x9c\xd7\xa9 \xd7\x9f\xd7\x91 "
       "\xd7\x99\xd7\x9c\xd7\x98\xd7\xa4\xd7\xa0)"},
      {"(=?ISO-8859-1?Q?a?=)", "(a)"},
      {"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
      {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
      {"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(decode_encoded_words(c.in) == c.out);
  }
}

TEST_CASE("encoded words: real ones") {
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"=?utf-8?B?w6Q=?= =?UTF-8?Q?=C3=B6?=", "\xc3\xa4\xc3\xb6"},
      {"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "\xc3\xa4"},                   // a character split over two words
      {"=?utf-8?B?4oKs?==?utf-8?B?4oKs?=", "\xe2\x82\xac\xe2\x82\xac"},  // nothing between them
      {"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
      {"=?utf-8*en?Q?hi?=", "hi"},  // RFC 2231 §5
      {"a=?utf-8?Q?b?=c", "abc"},
      {"=?utf-8?Q?with space?=", "with space"},
      {"\"=?utf-8?Q?in_quotes?=\"", "\"in quotes\""},
      {"=?utf-8?Q?a=3?=", "a=3"},
      {"J\xf6rg", "J\xc3\xb6rg"},
      {"J\xc3\xb6rg", "J\xc3\xb6rg"},
      {"=?windows-1252?Q?=80?=", "\xe2\x82\xac"},
      {"=?utf-8?Q?=FF?=", "\xef\xbf\xbd"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(decode_encoded_words(c.in) == c.out);
  }
}

TEST_CASE("encoded words: broken ones stay as they are (RFC 2047 §6.3)") {
  for (const std::string_view in :
       {"=?", "=?utf-8", "=?utf-8?", "=?utf-8?Q", "=?utf-8?Q?", "=?utf-8?Q?abc", "=?utf-8?Q?abc?",
        "=?utf-8?X?abc?=", "=?no-such-charset?Q?abc?=", "=?utf-8?B?a-b?=", "=??Q?abc?=", "=?=?=?=",
        "=?no-such?Q?a?= =?no-such?Q?b?="}) {
    CAPTURE(in);
    CHECK(decode_encoded_words(in) == in);
  }
}

TEST_CASE("parameters: the examples of RFC 2231 §3 and §4") {
  auto type = parse_content_type(
      "message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
      " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"");
  REQUIRE(type);
  CHECK(parameter_value(type->parameters, "url") == "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar");

  type =
      parse_content_type("application/x-stuff;\r\n title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A");
  CHECK(parameter_value(type->parameters, "title") == "This is ***fun***");

  type = parse_content_type(
      "application/x-stuff\r\n title*0*=us-ascii'en'This%20is%20even%20more%20\r\n"
      " title*1*=%2A%2A%2Afun%2A%2A%2A%20\r\n title*2=\"isn't it!\"");
  CHECK(parameter_value(type->parameters, "TITLE") == "This is even more ***fun*** isn't it!");
}

TEST_CASE("parameters: real and broken ones") {
  const auto value = [](std::string_view field) {
    return parameter_value(parse_disposition(field)->parameters, "filename").value_or("(none)");
  };
  CHECK(value("attachment; filename=a.txt") == "a.txt");
  CHECK(value("attachment; filename=\"=?utf-8?Q?=C3=A4.txt?=\"") == "\xc3\xa4.txt");
  CHECK(value("attachment; filename=\xe4.txt") == "\xc3\xa4.txt");
  CHECK(value("attachment; filename=plain; filename*=utf-8''%C3%A4") == "\xc3\xa4");  // RFC 2231 §4.1
  CHECK(value("attachment; filename*1=b; filename*0=a") == "ab");
  CHECK(value("attachment; filename*0=a; filename*2=c") == "a");
  CHECK(value("attachment; filename*0*=utf-8''%C3; filename*1*=%A4") == "\xc3\xa4");  // a split character
  CHECK(value("attachment; filename*=%41") == "A");
  CHECK(value("attachment; filename*=no-such''%41") == "A");
  CHECK(value("attachment; filename*=utf-8''%zz%4") == "%zz%4");
  CHECK(value("attachment; filename*x=a") == "(none)");
  CHECK(value("attachment; filename*99999999999=a") == "(none)");
  CHECK(value("attachment") == "(none)");

  const auto all = decode_parameters(parse_disposition("a; B*0=1; c=2; b*1=3; C=4")->parameters);
  CHECK(all == std::vector<Parameter>{{"B", "13"}, {"c", "2"}});
}

TEST_CASE("parameters: sections joined, the rest as it is (RFC 9051 §7.5.2)") {
  const auto joined = [](std::string_view given) {
    return join_parameters(parse_disposition("a; " + std::string(given))->parameters);
  };
  CHECK(joined("baz*0=1; baz*1=2; baz*2=3") == std::vector<Parameter>{{"baz", "123"}});
  CHECK(joined("foo*0*=iso-8859-1'en'%FC; foo*1*=%20x; b=c") ==
        std::vector<Parameter>{{"foo*", "\u00fc x"}, {"b", "c"}});
  CHECK(joined("Foo*1=b; x=y; foo*0=a; FOO*=UTF-8''z") == std::vector<Parameter>{{"Foo", "ab"}, {"x", "y"}});
  CHECK(joined("a==?utf-8?q?b?=; a=b; a*x=c") ==
        std::vector<Parameter>{{"a", "=?utf-8?q?b?="}, {"a", "b"}, {"a*x", "c"}});
  // As parameter_value(): sections go before what is plain, wherever it stands.
  CHECK(joined("a=1; a*0=2; b=3") == std::vector<Parameter>{{"a", "2"}, {"b", "3"}});
  CHECK(joined("a*0=2; A=1; b=3") == std::vector<Parameter>{{"a", "2"}, {"b", "3"}});
  CHECK(joined("a=1; a*=''2") == std::vector<Parameter>{{"a", "1"}, {"a*", "2"}});
}

TEST_CASE("parameters: very many, and very many sections of one, end fast") {
  std::vector<Parameter> sections;
  std::vector<Parameter> names;
  for (int i = 0; i < 100'000; ++i) {
    sections.push_back({"a*" + std::to_string(i) + "*", i == 0 ? "''x" : "x"});
    names.push_back({"a" + std::to_string(i) + "*0", "x"});
  }
  CHECK(join_parameters(sections) == std::vector<Parameter>{{"a*", std::string(100'000, 'x')}});
  CHECK(decode_parameters(sections) == std::vector<Parameter>{{"a", std::string(100'000, 'x')}});
  CHECK(join_parameters(names).size() == names.size());
  CHECK(decode_parameters(names).size() == names.size());
}

TEST_CASE("encoded words: hostile ones end fast") {
  for (const std::string_view piece :
       {"=?", "=?utf-8?q?", "=?utf-8?q?a?= ", "=?utf-8?b?YQ==?=", "?", "=", "=?a*"}) {
    std::string value;
    while (value.size() < 1024 * 1024) value += piece;
    CAPTURE(piece);
    CHECK(decode_encoded_words(value).size() <= value.size());
  }
}

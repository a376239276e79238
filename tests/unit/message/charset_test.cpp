#include "message/charset.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace posthorn;
using namespace posthorn::message;

namespace {

std::string converted_in_chunks(std::string_view bytes, std::string_view charset, std::size_t size) {
  auto converter = Utf8Converter::open(charset);
  REQUIRE(converter);
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    converter->feed(bytes.substr(0, size), out);
  converter->finish(out);
  return out;
}

}  // namespace

TEST_CASE("charsets become UTF-8, cut anywhere") {
  struct Case {
    std::string_view charset, in, out;
  };
  const Case cases[] = {
      {"utf-8", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"UTF-8", "a\xff\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},
      {"utf-8", "\xe2\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac"},
      {"utf-8", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // a surrogate
      {"utf-8", "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                  // overlong
      {"us-ascii", "plain", "plain"},
      {"us-ascii", "\xc3\xa4\xe4\x80", "\xc3\xa4\xc3\xa4\xe2\x82\xac"},
      {"us-ascii", "\xe2\x82", "\xc3\xa2\xe2\x80\x9a"},
      {"ISO-8859-1", "\xe4\x80", "\xc3\xa4\xe2\x82\xac"},
      {"latin1", "\xe4", "\xc3\xa4"},
      {"iso-8859-15", "\xa4", "\xe2\x82\xac"},
      {"koi8-r", "\xd0\xd2\xc9\xd7\xc5\xd4", "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
      {"Shift_JIS", "\x93\xfa\x96\x7b", "\xe6\x97\xa5\xe6\x9c\xac"},
      {"x-sjis", "\x93\xfa\x96\x7b", "\xe6\x97\xa5\xe6\x9c\xac"},
      {"iso-2022-jp", "\x1b$BF|K\\\x1b(B!", "\xe6\x97\xa5\xe6\x9c\xac!"},
      {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0"},
      {"ks_c_5601-1987", "\xc7\xd1", "\xed\x95\x9c"},
      {"utf-16le", std::string_view("a\0\x3d\xd8\0\xde", 6), "a\xf0\x9f\x98\x80"},
      {"utf-7", "Hi +AOQ-", "Hi \xc3\xa4"},
      {"Shift_JIS", "a\x80z\x93", "a\xef\xbf\xbdz\xef\xbf\xbd"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.charset);
    CAPTURE(c.in);
    CHECK(to_utf8(c.in, c.charset) == std::string(c.out));
    for (std::size_t size = 1; size <= 4; ++size) CHECK(converted_in_chunks(c.in, c.charset, size) == c.out);
  }
}

TEST_CASE("unknown charsets are an error") {
  for (const std::string_view name :
       {"", "no-such", "x-unknown-8bit?", "../../etc/passwd", "utf-8,version=1"}) {
    CAPTURE(name);
    CHECK(to_utf8("x", name).error().code == Errc::not_found);
    CHECK_FALSE(canonical_charset(name));
  }
  CHECK_FALSE(canonical_charset(std::string(1000, 'a')));
  CHECK_FALSE(canonical_charset(std::string_view("utf-8\0", 6)));
}

TEST_CASE("names of charsets") {
  CHECK(canonical_charset("utf8") == "UTF-8");
  CHECK(canonical_charset(" \"Latin1\" ") == "ISO-8859-1");
  CHECK(canonical_charset("cp1252") == "windows-1252");
  CHECK(canonical_charset("ANSI_X3.4-1968") == "US-ASCII");
  CHECK(canonical_charset("unicode-1-1-utf-8") == "UTF-8");
  const auto names = charset_names();
  CHECK(std::ranges::is_sorted(names));
  for (const std::string name :
       {"UTF-8", "US-ASCII", "ISO-8859-1", "windows-1252", "ISO-2022-JP", "Shift_JIS", "GB18030"}) {
    CAPTURE(name);
    CHECK(std::ranges::count(names, name) == 1);
  }
}

TEST_CASE("the cached converters give the same each time, also after an error in the midst of a character") {
  for (int i = 0; i < 20; ++i) {
    CHECK(to_utf8("\x1b$BF|K", "iso-2022-jp"));
    CHECK(to_utf8("abc", "iso-2022-jp") == "abc");
    CHECK(to_utf8("\xe4", i % 2 ? "koi8-r" : "iso-8859-5") == (i % 2 ? "\xd0\x94" : "\xd1\x84"));
  }
  // Two at once do not get in each other's way.
  auto first = Utf8Converter::open("iso-2022-jp");
  auto second = Utf8Converter::open("iso-2022-jp");
  std::string a, b;
  first->feed("\x1b$BF|", a);
  second->feed("xy", b);
  first->feed("K\\", a);
  CHECK(a == "\xe6\x97\xa5\xe6\x9c\xac");
  CHECK(b == "xy");
}

TEST_CASE("UTF-8 is told from what is none (RFC 3629 §4)") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("a\xc3\xa4\xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"\x80", "\xc1\x81", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3"}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
  CHECK(guess_utf8("J\xf6rg J\xc3\xb6rg \xe2\x82") == "J\xc3\xb6rg J\xc3\xb6rg \xc3\xa2\xe2\x80\x9a");
}

TEST_CASE("folding for search: what looks the same compares the same") {
  CHECK(fold_for_search("Hello  \r\n\tWorld") == "hello world");
  CHECK(fold_for_search("STRA\xc3\x9f"
                        "E") == "strasse");
  CHECK(fold_for_search("A\xcc\x88") == fold_for_search("\xc3\xa4"));  // decomposed
  CHECK(fold_for_search("\xef\xbc\xa1") == "a");                       // full width
  CHECK(fold_for_search("\xef\xac\x81") == "fi");                      // a ligature
  CHECK(fold_for_search("so\xc2\xad"
                        "ft") == "soft");  // soft hyphen
  CHECK(fold_for_search("a\xc2\xa0\xe3\x80\x80"
                        "b") == "a b");  // NBSP, ideographic space
  CHECK(fold_for_search("\xce\xa3\xcf\x82") == fold_for_search("\xcf\x83\xcf\x83"));  // final sigma
  CHECK(fold_for_search("caf\xc3\xa9") != "cafe");
  CHECK(fold_for_search("\xff") == "\xef\xbf\xbd");
  CHECK(fold_for_search("").empty());
}

TEST_CASE("folding for search does not depend on chunks") {
  std::string text =
      "Gr\xc3\xbc\xc3\x9f"
      "e  \xe6\x97\xa5\xe6\x9c\xac A\xcc\x88\xcc\x81 \xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab "
      "\xff\xf0\x9f\x98\x80 \xc2\xa0 x";
  text += text;
  const auto whole = fold_for_search(text);
  for (std::size_t size = 1; size < text.size(); ++size) {
    std::string out;
    SearchFolder folder;
    for (std::size_t at = 0; at < text.size(); at += size)
      folder.feed(std::string_view(text).substr(at, size), out);
    folder.finish(out);
    CAPTURE(size);
    CHECK(out == whole);
  }
}

TEST_CASE("folding for search keeps little, whatever comes") {
  for (const std::string_view piece : {"\xcc\x81", "\x80", "\xf0\x9f", "\xe6\x97\xa5"}) {
    std::string chunk;
    while (chunk.size() < 100'000) chunk += piece;
    SearchFolder folder;
    std::string out;
    for (int i = 0; i < 10; ++i) folder.feed(chunk, out);
    CHECK(out.size() > 9 * chunk.size() / 2);
    folder.finish(out);
  }
}

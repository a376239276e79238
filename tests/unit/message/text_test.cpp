#include "message/text.h"

#include "message/charset.h"
#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

bool finds(std::string_view text, std::string key, TextScope scope = TextScope::body) {
  const auto wire = wire_form(text);
  const auto summary = parse_summary(wire);
  return search_text(summary, wire, scope, std::vector{std::move(key)})[0];
}

constexpr std::string_view mail =
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from\n afar\nContent-Type: multipart/mixed; "
    "boundary=b\n\npreamble\n"
    "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    "R3LDvMOfZSBhdXMgTcO8bmNo\nZW4=\n"
    "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
    "Sch=F6ne T=\nage und\nN=E4chte\n"
    "--b\nContent-Type: application/pdf; name*=utf-8''%C3%9Cbersicht.pdf\n\nhidden text\n"
    "--b\nContent-Type: message/rfc822\n\nSubject: embedded subject\n\nembedded body\n"
    "--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n\n--b\nContent-Type: text/plain; "
    "charset=no-such\n\nodd J\xf6rg\n--b--\n";

}  // namespace

TEST_CASE("search finds what a person sees: encodings, charsets, case, line breaks (RFC 3501 §6.4.4)") {
  CHECK(finds(mail,
              "gr\xc3\xbc\xc3\x9f"
              "e aus m\xc3\xbcnchen"));
  CHECK(finds(mail, "GR\xc3\x9cSSE AUS"));
  CHECK(finds(mail,
              "sch\xc3\xb6ne tage und n\xc3\xa4"
              "chte"));
  CHECK(finds(mail, "embedded body"));
  CHECK(finds(mail, "embedded subject"));
  CHECK(finds(mail, "status: 5.1.1"));
  CHECK(finds(mail, "odd j\xc3\xb6rg"));
  CHECK(finds(mail,
              "\xc3\xbc"
              "bersicht.PDF"));
  CHECK_FALSE(finds(mail, "hidden text"));
  CHECK_FALSE(finds(mail, "R3LDvMOf"));
  CHECK_FALSE(finds(mail, "m\xc3\xbcnchen sch\xc3\xb6ne"));  // not across parts
}

TEST_CASE("BODY leaves out the message's own header, TEXT does not") {
  CHECK_FALSE(finds(mail,
                    "gr\xc3\xbc\xc3\x9f"
                    "e from afar",
                    TextScope::body));
  CHECK(finds(mail,
              "gr\xc3\xbc\xc3\x9f"
              "e from afar",
              TextScope::message));
  CHECK(finds("Subject: x\n\nplain\n", "plain"));
  CHECK_FALSE(finds("Subject: x\n\nplain\n", "subject"));
  CHECK(finds("Subject: x\n\nplain\n", "subject: x", TextScope::message));
  CHECK(finds("\nplain\n", "plain"));
  CHECK(finds("", ""));
  CHECK_FALSE(finds("", "x"));
}

TEST_CASE("the extractor gives the same for any chunks") {
  const auto wire = wire_form(mail);
  const auto summary = parse_summary(wire);
  for (const auto& range : text_ranges(summary, TextScope::message)) {
    const auto bytes = std::string_view(wire).substr(range.offset, range.size);
    const auto extracted = [&](std::size_t size) {
      TextExtractor extractor(range);
      std::string out;
      for (std::size_t at = 0; at < bytes.size(); at += size) extractor.feed(bytes.substr(at, size), out);
      extractor.finish(out);
      return out;
    };
    const auto whole = extracted(bytes.size());
    for (const std::size_t size : {1, 2, 3, 7}) CHECK(extracted(size) == whole);
  }
}

TEST_CASE("a key is found wherever chunks are cut, repeats in it or not") {
  const std::string text = "aabaabaaab abcabcabd";
  for (const std::string key : {"aabaaab", "abcabd", "aaab", "d", "aabaabaaab abcabcabd"}) {
    for (std::size_t size = 1; size <= text.size(); ++size) {
      TextSearch search(std::vector{key});
      for (std::size_t at = 0; at < text.size(); at += size)
        search.feed(std::string_view(text).substr(at, size));
      CAPTURE(key);
      CAPTURE(size);
      CHECK(search.found_all());
    }
  }
  TextSearch search(std::vector<std::string>{"aabb", "Ab c", ""});
  search.feed("aab");
  search.next_range();
  search.feed("b ab");
  search.feed(" c");
  CHECK_FALSE(search.found(0));
  CHECK(search.found(1));
  CHECK(search.found(2));
  CHECK_FALSE(search.found_all());
}

TEST_CASE("hostile keys and texts end fast, and a header field keeps little") {
  const std::string text(1024 * 1024, 'a');
  TextSearch search(std::vector{std::string(10'000, 'a') + "b"});
  search.feed(text);
  CHECK_FALSE(search.found(0));

  const auto wire = "Subject: " + text + "\r\n " + text + "\r\n\r\n";
  const auto summary = parse_summary(wire);
  TextExtractor extractor(text_ranges(summary, TextScope::message)[0]);
  std::string out;
  extractor.feed(wire, out);
  extractor.finish(out);
  CHECK(out.size() <= 64 * 1024 + 1);  // and the space after it
}

#include "message/mime_fields.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

// "type/subtype;name=value;..."
std::string shown(std::string_view value) {
  const auto content = parse_content_type(value);
  if (!content) return "(none)";
  std::string out = content->type + '/' + content->subtype;
  for (const auto& parameter : content->parameters) out += ';' + parameter.name + '=' + parameter.value;
  return out;
}

struct Case {
  std::string_view in, out;
};

}  // namespace

TEST_CASE("Content-Type: grammar (RFC 2045 §5.1) and what real mail makes of it") {
  const Case cases[] = {
      {" text/plain; charset=us-ascii (Plain text)", "text/plain;charset=us-ascii"},
      {" text/plain; charset=\"us-ascii\"", "text/plain;charset=us-ascii"},
      {"TEXT / HTML ; CharSet = \"a\\\"b\"", "TEXT/HTML;CharSet=a\"b"},
      {"multipart/mixed;\r\n boundary=\"simple boundary\"", "multipart/mixed;boundary=simple boundary"},
      {"multipart/mixed; boundary=----=_Part_(1)?=:x", "multipart/mixed;boundary=----=_Part_(1)?=:x"},
      {"multipart/mixed; boundary=gc0pJq0M:08jU534c0p", "multipart/mixed;boundary=gc0pJq0M:08jU534c0p"},
      {"multipart/mixed; boundary=simple boundary ; a=b", "multipart/mixed;boundary=simple boundary;a=b"},
      {"text/plain charset=utf-8 format=flowed", "text/plain;charset=utf-8;format=flowed"},
      {"text/plain; name=\"a\" charset=b", "text/plain;name=a;charset=b"},
      {"image/gif; name=P\xe4ivi ja muut.gif", "image/gif;name=P\xe4ivi ja muut.gif"},
      {"text/plain; name=\"not closed", "text/plain;name=not closed"},
      {"text/plain;;; charset=x;", "text/plain;charset=x"},
      {"text/plain; charset=", "text/plain;charset="},
      {"text/plain; =x; y; z=1", "text/plain;z=1"},
      {"(comment) text/(c)plain (c); (d) a(e)=(f) b", "text/plain;a=b"},
      {"text/plain; a=b (not closed", "text/plain;a=b (not closed"},
      {"text", "text/plain"},
      {"multipart; boundary=x", "multipart/mixed;boundary=x"},
      {"application", "application/octet-stream"},
      {"image/", "image/x-unknown"},
      {"application-x-gzip; name=a", "application/octet-stream;name=a"},
      {"text/plain/x", "text/plain"},
      {"", "(none)"},
      {"; charset=x", "(none)"},
      {"charset=x", "(none)"},
      {"/plain", "(none)"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.in);
    CHECK(shown(c.in) == c.out);
  }
}

TEST_CASE("Content-Disposition (RFC 2183)") {
  const auto disposition = parse_disposition(
      " attachment; filename=genome.jpeg;\r\n modification-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"");
  REQUIRE(disposition);
  CHECK(disposition->type == "attachment");
  CHECK(disposition->parameters ==
        std::vector<Parameter>{{"filename", "genome.jpeg"},
                               {"modification-date", "Wed, 12 Feb 1997 16:29:51 -0500"}});
  CHECK(parse_disposition("inline")->parameters.empty());
  CHECK(parse_disposition("filename=x")->type == "attachment");
  CHECK(parse_disposition("filename=x")->parameters == std::vector<Parameter>{{"filename", "x"}});
  CHECK_FALSE(parse_disposition(""));
  CHECK_FALSE(parse_disposition("; filename=x"));
}

TEST_CASE("Content-Language (RFC 3282 §2) and Content-Transfer-Encoding (RFC 2045 §6.1)") {
  CHECK(parse_languages(" mi, en") == std::vector<std::string>{"mi", "en"});
  CHECK(parse_languages("de (German), fr (French)") == std::vector<std::string>{"de", "fr"});
  CHECK(parse_languages(" ,, ").empty());
  CHECK(parse_encoding(" (c) base64 (d)") == "base64");
  CHECK(parse_encoding("7bit;x") == "7bit");
  CHECK(parse_encoding("Quoted Printable") == "quoted-printable");
  CHECK(parse_encoding("\"8bit\"") == "8bit");
  CHECK(parse_encoding(" ").empty());
}

TEST_CASE("MIME fields: limits hold, hostile ones end fast") {
  for (const std::string_view piece : {"(", "\"", ";", "a=b;", "a ", "a b=c ", "=", "\\", "(a) ", "a=( "}) {
    std::string value = "text/plain;";
    while (value.size() < 1024 * 1024) value += piece;
    CAPTURE(piece);
    CHECK(parse_content_type(value)->parameters.size() <= 200);
    CHECK(parse_languages(value).size() <= 100);
  }
}

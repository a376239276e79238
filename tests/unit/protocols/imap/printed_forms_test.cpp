#include "protocols/imap/printed_forms.h"

#include "message/summary_codec.h"
#include "message/summary_view.h"
#include "protocols/imap/structure_printer.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

namespace {

constexpr Dialect dialects[] = {
    {}, {.utf8_accept = true}, {.rev2 = true}, {.utf8_accept = true, .rev2 = true}};

std::string summary_of(std::string_view text) {
  return message::encode(message::parse_summary(text, message::LineEnds::crlf));
}

std::string envelope_of(std::string_view summary, Dialect dialect) {
  std::string out;
  append_envelope(out, message::view_envelope(summary).value(), dialect);
  return out;
}

std::string structure_of(std::string_view summary, Dialect dialect) {
  std::string out;
  append_body_structure(out, message::view_structure(summary).value(), Extension::full, dialect);
  return out;
}

// What is printed from the forms is what the printer prints, in each dialect. Gives both forms' sizes.
std::pair<std::size_t, std::size_t> check_forms(std::string_view text) {
  const std::string summary = summary_of(text);
  const auto envelope = printed_forms().envelope.make(summary);
  const auto structure = printed_forms().structure.make(summary);
  REQUIRE(envelope);
  REQUIRE(structure);
  CHECK(envelope->front() == printed_forms().envelope.version);
  CHECK(structure->front() == printed_forms().structure.version);
  for (const Dialect dialect : dialects) {
    CHECK(printed(*envelope, dialect).value() == envelope_of(summary, dialect));
    CHECK(printed(*structure, dialect).value() == structure_of(summary, dialect));
  }
  return {envelope->size(), structure->size()};
}

}  // namespace

TEST_CASE("imap: printed forms of a plain message are there once") {
  const std::string_view text = "From: a@b.test\r\nSubject: x\r\n\r\nHello\r\n";
  const auto [envelope, structure] = check_forms(text);
  CHECK(envelope == 2 + envelope_of(summary_of(text), {}).size());
  CHECK(structure == 2 + structure_of(summary_of(text), {}).size());
}

TEST_CASE("imap: printed forms differ by dialect where the text does") {
  const std::string_view text =
      "From: =?utf-8?q?J=C3=B6rg?= <j@b.test>\r\n"
      "Subject: J\xC3\xB6rg \xE2\x82\xAC\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: text/plain; name*0*=utf-8''a%20; name*1*=b\r\n\r\nHello\r\n"
      "--b\r\nContent-Type: message/global\r\n\r\nSubject: \xC3\xB6\r\n\r\nInner\r\n--b--\r\n";
  const auto [envelope, structure] = check_forms(text);
  CHECK(envelope > 2 + 3 * envelope_of(summary_of(text), {.rev2 = true}).size());
  CHECK(structure > 2 + 2 * structure_of(summary_of(text), {}).size());
}

TEST_CASE("imap: what is no printed form is refused") {
  const std::string form = printed_forms().envelope.make(summary_of("Subject: \xC3\xB6\r\n\r\n")).value();
  REQUIRE(form[1] == 3);
  for (std::size_t size = 0; size < 10; ++size) CHECK_FALSE(printed(form.substr(0, size), {}));
  std::string other_version = form;
  ++other_version[0];
  CHECK_FALSE(printed(other_version, {}));
  std::string no_texts = form;
  no_texts[1] = 0;
  CHECK_FALSE(printed(no_texts, {}));
  std::string too_long = form;
  too_long[2] = '\x7f';
  for (const Dialect dialect : dialects) CHECK_FALSE(printed(too_long, dialect));
}

TEST_CASE("imap: no printed form is made of what is no summary") {
  CHECK_FALSE(printed_forms().envelope.make("nonsense"));
  CHECK_FALSE(printed_forms().structure.make(""));
}

#include "message/summary_codec.h"

#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

using namespace posthorn;
using namespace posthorn::message;

namespace {

std::string rich_message() {
  return wire_form(
      "From: A <a@x>\nTo: G: b@x, c@x;\nReply-To: <@r:d@x>\nSubject: s\nDate: 1 Jan 2000 00:00 "
      "-0500\nReferences: <e@x>\n"
      "In-Reply-To: <f@x>\nMessage-ID: <g@x>\nContent-Type: multipart/mixed; boundary=b\n\n"
      "--b\nContent-Type: text/plain; charset=utf-8\nContent-ID: <h>\nContent-Description: d\nContent-MD5: "
      "m\n"
      "Content-Disposition: inline; filename=f\nContent-Language: de, en\nContent-Location: l\n"
      "Content-Transfer-Encoding: 8bit\n\nx\n--b\nContent-Type: message/rfc822\n\nSender: z@x\nSubject: "
      "inner\n\ny\n--b--\n");
}

}  // namespace

TEST_CASE("a summary survives the codec, whole and in parts") {
  for (const auto& message : {rich_message(), std::string(), std::string("Subject: x\r\n\r\n")}) {
    const auto summary = parse_summary(message);
    CHECK(broken_promise(summary, message.size()) == "");
  }
}

TEST_CASE("a preview is kept with the summary (RFC 8970)") {
  auto summary = parse_summary(rich_message());
  CHECK(decode_preview(encode(summary)).value() == std::nullopt);
  for (const char* text : {"", "x", "Grüße"}) {
    summary.preview = text;
    const auto bytes = encode(summary);
    CHECK(decode(bytes) == summary);
    CHECK(decode_preview(bytes).value() == text);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK_FALSE(decode_preview(std::string_view(bytes).substr(0, size)));
    }
  }
}

TEST_CASE("the form is compact") {
  const std::string message =
      wire_form("From: A <a@x>\nTo: b@x\nSubject: s\nDate: 1 Jan 2000 00:00 -0500\n\nbody\n");
  auto summary = parse_summary(message);
  CHECK(encode(summary).size() < message.size() + 120);
  summary.common_fields.reset();
  CHECK(encode(summary).size() < 120);
}

TEST_CASE("every truncation, and every change of one octet, is corrupt or another sound summary") {
  const auto bytes = encode(parse_summary(rich_message()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode(std::string_view(bytes).substr(0, size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == Errc::corrupt);
  }
  CHECK_FALSE(decode(bytes + '\0'));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {1, 2, 0x80, 0xff}) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ change);
      const auto summary = decode(changed);
      if (summary) {
        CHECK(encode(*summary) == changed);
      } else {
        CHECK(summary.error().code == Errc::corrupt);
      }
      (void)decode_envelope(changed);
      (void)decode_structure(changed);
    }
  }
}

TEST_CASE("another version is corrupt, never misread") {
  auto bytes = encode(parse_summary(rich_message()));
  CHECK(is_current(bytes));
  bytes[0] = 1;
  CHECK_FALSE(is_current(bytes));
  CHECK_FALSE(is_current(""));
  CHECK(decode(bytes).error().code == Errc::corrupt);
  CHECK(decode_envelope(bytes).error().code == Errc::corrupt);
  CHECK(decode_structure(bytes).error().code == Errc::corrupt);
  CHECK(decode_preview(bytes).error().code == Errc::corrupt);
}

TEST_CASE("sizes that cannot be are refused before memory is taken") {
  CHECK_FALSE(decode(std::string("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)));
  CHECK_FALSE(decode_envelope(std::string("\x02\x0b\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f", 13)));
}

TEST_CASE("nesting as deep as a parser may give decodes, and deeper is refused") {
  Limits limits;
  limits.depth = 1000;
  std::string message;
  for (int i = 0; i < 1200; ++i) message += "Content-Type: message/rfc822\r\n\r\n";
  const auto summary = parse_summary(message, LineEnds::crlf, limits);
  CHECK(decode(encode(summary)) == summary);
  auto deeper = summary;
  deeper.root = BodyPart{};
  deeper.root.type = "message";
  deeper.root.subtype = "rfc822";
  deeper.root.envelope.emplace();
  deeper.root.body_size = message.size();
  deeper.root.children.push_back(summary.root);
  CHECK(decode(encode(deeper)).error().code == Errc::corrupt);
}

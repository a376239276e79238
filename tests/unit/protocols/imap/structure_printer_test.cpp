#include "protocols/imap/structure_printer.h"

#include "message/structure.h"
#include "message/summary_codec.h"
#include "message/summary_view.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace posthorn;
using imap::Extension;
using message::Address;
using message::BodyPart;
using message::Envelope;

namespace {

std::string printed(const Envelope& envelope) {
  std::string out;
  imap::append_envelope(out, envelope);
  return out;
}

std::string printed(const BodyPart& part, Extension extension) {
  std::string out;
  imap::append_body_structure(out, part, extension);
  return out;
}

BodyPart text_part(std::string subtype, std::uint64_t octets, std::uint64_t lines) {
  return {.type = "TEXT", .subtype = std::move(subtype), .body_size = octets, .body_lines = lines};
}

}  // namespace

TEST_CASE("imap: ENVELOPE of the sample connection (RFC 3501 §8)") {
  const Address gray{"Terry Gray", std::nullopt, "gray", "cac.washington.edu"};
  Envelope envelope;
  envelope.date = "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)";
  envelope.subject = "IMAP4rev1 WG mtg summary and minutes";
  envelope.from = envelope.sender = envelope.reply_to = {gray};
  envelope.to = {{std::nullopt, std::nullopt, "imap", "cac.washington.edu"}};
  envelope.cc = {{std::nullopt, std::nullopt, "minutes", "CNRI.Reston.VA.US"},
                 {"John Klensin", std::nullopt, "KLENSIN", "MIT.EDU"}};
  envelope.message_id = "<B27397-0100000@cac.washington.edu>";
  CHECK(printed(envelope) ==
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((NIL NIL \"imap\" \"cac.washington.edu\")) "
        "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
        "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
        "\"<B27397-0100000@cac.washington.edu>\")");
}

TEST_CASE("imap: an envelope of nothing, of groups, and of octets that go into literals (RFC 3501 §7.4.2)") {
  CHECK(printed(Envelope{}) == "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  Envelope envelope;
  envelope.subject = "gr\xc3\xbc\xc3\x9f";
  envelope.to = {{std::nullopt, std::nullopt, "friends", std::nullopt}, {std::nullopt, "@a", "x", ""}, {}};
  CHECK(printed(envelope) ==
        "(NIL {6}\r\ngr\xc3\xbc\xc3\x9f NIL NIL NIL "
        "((NIL NIL \"friends\" NIL)(NIL \"@a\" \"x\" \"\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)");
}

TEST_CASE("imap: BODY of one part (RFC 3501 §7.4.2, §8)") {
  BodyPart part = text_part("PLAIN", 3028, 92);
  part.parameters = {{"CHARSET", "US-ASCII"}};
  part.encoding = "7BIT";
  CHECK(printed(part, Extension::none) ==
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92)");
  CHECK(printed(part, Extension::full) ==
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92 NIL NIL NIL NIL)");
}

TEST_CASE("imap: BODY of several parts, the RFC's own example (RFC 3501 §7.4.2)") {
  BodyPart first = text_part("PLAIN", 1152, 23);
  first.parameters = {{"CHARSET", "US-ASCII"}};
  BodyPart second = text_part("PLAIN", 4554, 73);
  second.parameters = {{"CHARSET", "US-ASCII"}, {"NAME", "cc.diff"}};
  second.id = "<960723163407.20117h@cac.washington.edu>";
  second.description = "Compiler diff";
  second.encoding = "BASE64";
  BodyPart root{.type = "MULTIPART", .subtype = "MIXED"};
  root.children = {first, second};
  CHECK(printed(root, Extension::none) ==
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)"
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") "
        "\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73) \"MIXED\")");
}

TEST_CASE("imap: the extension data of BODYSTRUCTURE (RFC 3501 §7.4.2)") {
  BodyPart image{.type = "image", .subtype = "png", .body_size = 9};
  image.md5 = "Q2hlY2sgSW50ZWdyaXR5IQ==";
  image.disposition = {"attachment", {{"filename", "a \"b\""}}};
  image.languages = {"de", "en"};
  image.location = "http://example.org/";
  BodyPart root{.type = "multipart", .subtype = "related", .parameters = {{"boundary", "x"}}};
  root.disposition = {"inline", {}};
  root.languages = {"de"};
  root.children = {image};
  CHECK(printed(root, Extension::full) ==
        "((\"image\" \"png\" NIL NIL NIL \"7BIT\" 9 \"Q2hlY2sgSW50ZWdyaXR5IQ==\" "
        "(\"attachment\" (\"filename\" \"a \\\"b\\\"\")) (\"de\" \"en\") \"http://example.org/\") "
        "\"related\" (\"boundary\" \"x\") (\"inline\" NIL) \"de\" NIL)");
  CHECK(printed(root, Extension::none) == "((\"image\" \"png\" NIL NIL NIL \"7BIT\" 9) \"related\")");
}

TEST_CASE("imap: a message in a message has its envelope, body and lines (RFC 3501 §7.4.2)") {
  BodyPart part{.type = "message", .subtype = "rfc822", .body_size = 50, .body_lines = 4};
  part.envelope = Envelope{.subject = "inner"};
  part.children = {text_part("plain", 7, 1)};
  CHECK(printed(part, Extension::none) ==
        "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 50 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
        "(\"TEXT\" \"plain\" NIL NIL NIL \"7BIT\" 7 1) 4)");
}

TEST_CASE("imap: a value that fits no media type's grammar is shown as one that does (RFC 3501 §9)") {
  const BodyPart childless{.type = "multipart", .subtype = "mixed"};
  CHECK(printed(childless, Extension::none) ==
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 0 0) \"mixed\")");
  CHECK(printed(childless, Extension::full) ==
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"mixed\" NIL "
        "NIL NIL NIL)");
  const std::string octets = "(\"application\" \"octet-stream\" NIL NIL NIL \"7BIT\" 0)";
  CHECK(printed({.type = "message", .subtype = "rfc822"}, Extension::none) == octets);
  CHECK(printed({}, Extension::none) == octets);
  CHECK(printed({.type = "message", .subtype = "global", .body_size = 3}, Extension::none) ==
        "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 3)");
  CHECK(printed({.type = "video", .subtype = "", .body_size = 1ULL << 40}, Extension::none) ==
        "(\"video\" \"\" NIL NIL NIL \"7BIT\" 4294967295)");
}

TEST_CASE("imap: parts nested beyond reason end in application/octet-stream") {
  BodyPart part = text_part("plain", 1, 1);
  for (int i = 0; i < 1500; ++i) {
    BodyPart outer{.type = "multipart", .subtype = "mixed"};
    outer.children.push_back(std::move(part));
    part = std::move(outer);
  }
  const std::string out = printed(part, Extension::none);
  CHECK(out.starts_with(std::string(999, '(') + "(\"application\" \"octet-stream\""));
}

TEST_CASE("imap: what lies encoded is shown as the value itself is") {
  const auto summary = message::parse_summary(
      "From: \"A \\\"B\\\"\" <a@x>\r\nTo: G: b@x, <@r:c@x>;\r\nSubject: gr\xc3\xbc\xc3\x9f\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: text/plain; name*0=a; name*1=b; title*=utf-8''%e2%82%ac; charset=utf-8\r\n"
      "Content-ID: <i>\r\nContent-Description: d\r\nContent-MD5: m\r\nContent-Location: l\r\n"
      "Content-Disposition: inline; filename=f\r\nContent-Language: de, en\r\n\r\nx\r\n"
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSender: z@x\r\nSubject: inner\r\n\r\ny\r\n"
      "--b\r\nContent-Language: fr\r\n\r\nz\r\n--b--\r\n");
  const std::string encoded = message::encode(summary);
  const auto envelope = message::view_envelope(encoded);
  const auto root = message::view_structure(encoded);
  REQUIRE(envelope);
  REQUIRE(root);
  for (const imap::Dialect dialect :
       {imap::Dialect{}, imap::Dialect{.utf8_accept = true}, imap::Dialect{.rev2 = true}}) {
    std::string of_value;
    std::string of_view;
    imap::append_envelope(of_value, summary.envelope, dialect);
    imap::append_envelope(of_view, *envelope, dialect);
    for (const Extension extension : {Extension::none, Extension::full}) {
      imap::append_body_structure(of_value, summary.root, extension, dialect);
      imap::append_body_structure(of_view, *root, extension, dialect);
    }
    CHECK(of_view == of_value);
    CHECK(of_view.contains(dialect.rev2 ? "\"name\" \"ab\"" : "\"name*0\" \"a\""));
  }
}

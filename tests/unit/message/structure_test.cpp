#include "message/structure.h"

#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace posthorn::message;
using namespace std::string_view_literals;

namespace {

// A message written with LF, as on the wire, parsed in several ways that must agree.
struct Parsed {
  std::string wire;
  Summary summary;

  explicit Parsed(std::string_view text, const Limits& limits = {}) : wire(wire_form(text)) {
    summary = parse_summary(wire, LineEnds::crlf, limits);
    CHECK(broken_promise(summary, wire.size()) == "");
    CHECK(parse_summary(text, LineEnds::lf, limits) == summary);
    for (const std::size_t size : {1, 2, 3, 5, 17}) {
      CHECK(parse_in_chunks(wire, size, LineEnds::crlf, limits) == summary);
      CHECK(parse_in_chunks(text, size, LineEnds::lf, limits) == summary);
    }
  }

  std::string_view header(const BodyPart& part) const {
    return std::string_view(wire).substr(part.header_offset, part.header_size);
  }
  std::string_view body(const BodyPart& part) const {
    return std::string_view(wire).substr(part.body_offset, part.body_size);
  }
  const BodyPart& part(std::initializer_list<std::uint32_t> numbers) const {
    const auto* found = find_part(summary.root, std::span(numbers.begin(), numbers.size()));
    REQUIRE(found);
    return *found;
  }
};

// "multipart/mixed(text/plain text/html)".
std::string outline(const BodyPart& part) {
  std::string out = part.type + '/' + part.subtype;
  if (part.children.empty()) return out;
  out += '(';
  for (const auto& child : part.children) {
    if (out.back() != '(') out += ' ';
    out += outline(child);
  }
  return out + ')';
}

}  // namespace

TEST_CASE("a plain message: header, body, envelope (RFC 5322 appendix A.1.1)") {
  const Parsed p(
      "From: John Doe <jdoe@machine.example>\nTo: Mary Smith <mary@example.net>\nSubject: Saying Hello\n"
      "Date: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <1234@local.machine.example>\n\n"
      "This is a message just to say hello.\nSo, \"Hello\".\n");
  const auto& [envelope, root, date_sent, references, common_fields, preview, edits] = p.summary;
  CHECK(outline(root) == "text/plain");
  CHECK(root.parameters == std::vector<Parameter>{{"charset", "us-ascii"}});
  CHECK(p.body(root) == "This is a message just to say hello.\r\nSo, \"Hello\".\r\n");
  CHECK(p.header(root).ends_with("example>\r\n\r\n"));
  CHECK(root.header_lines == 6);
  CHECK(root.body_lines == 2);
  CHECK(envelope.date == "Fri, 21 Nov 1997 09:55:06 -0600");
  CHECK(envelope.subject == "Saying Hello");
  CHECK(envelope.from == std::vector<Address>{{"John Doe", std::nullopt, "jdoe", "machine.example"}});
  CHECK(envelope.to == std::vector<Address>{{"Mary Smith", std::nullopt, "mary", "example.net"}});
  CHECK(envelope.message_id == "<1234@local.machine.example>");
  CHECK_FALSE(envelope.in_reply_to);
  CHECK(date_sent->utc_seconds == 880'127'706);
  CHECK(date_sent->zone_minutes == -360);
  CHECK_FALSE(preview);
}

TEST_CASE("ENVELOPE: sender and reply-to default to from, absent is not empty (RFC 3501 §7.4.2)") {
  const auto envelope = [](std::string_view header) { return Parsed(header).summary.envelope; };
  const std::vector<Address> a = {{std::nullopt, std::nullopt, "a", "x"}};
  const std::vector<Address> b = {{std::nullopt, std::nullopt, "b", "x"}};

  CHECK(envelope("From: a@x\n\n").sender == a);
  CHECK(envelope("From: a@x\n\n").reply_to == a);
  CHECK(envelope("From: a@x\nSender:\nReply-To: \n\n").sender == a);
  CHECK(envelope("From: a@x\nSender:\nReply-To: \n\n").reply_to == a);
  CHECK(envelope("From: a@x\nSender: b@x\nReply-To: b@x\n\n").sender == b);
  CHECK(envelope("From: a@x\nSender: b@x\nReply-To: b@x\n\n").reply_to == b);
  CHECK(envelope("Sender: b@x\n\n").from.empty());
  CHECK(envelope("Subject:\nIn-Reply-To:\n\n").subject == "");
  CHECK(envelope("Subject:\nIn-Reply-To:\n\n").in_reply_to == "");
  CHECK_FALSE(envelope("To: a@x\n\n").subject);
  CHECK(envelope("To:\n\n").to.empty());
}

TEST_CASE("ENVELOPE: repeated fields (RFC 5322 §4.5.3)") {
  const auto envelope =
      Parsed("To: a@x\nSubject:\nTo: b@x\nFrom: c@x\nSubject: one\nFrom: d@x\nSubject: two\n\n")
          .summary.envelope;
  CHECK(envelope.to.size() == 2);
  CHECK(envelope.from.size() == 1);
  CHECK(envelope.from[0].mailbox == "c");
  CHECK(envelope.subject == "one");
}

TEST_CASE("ENVELOPE: values are on one line, octets as they are, no NUL") {
  const auto envelope = Parsed("Subject: =?utf-8?Q?a?=\n =?utf-8?Q?b?= \xe4\0.\n\n"sv).summary.envelope;
  CHECK(envelope.subject == "=?utf-8?Q?a?= =?utf-8?Q?b?= \xe4.");
  CHECK(Parsed("References: <a@x>\n <b@x>\n\n").summary.references == "<a@x> <b@x>");
}

TEST_CASE("multipart: the example of RFC 2046 §5.1.1") {
  const Parsed p(
      "From: Nathaniel Borenstein <nsb@bellcore.com>\nTo: Ned Freed <ned@innosoft.com>\n"
      "Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)\nSubject: Sample message\nMIME-Version: 1.0\n"
      "Content-type: multipart/mixed; boundary=\"simple boundary\"\n\n"
      "This is the preamble.  It is to be ignored, though it\nis a handy place for composition agents to "
      "include an\n"
      "explanatory note to non-MIME conformant readers.\n\n"
      "--simple boundary\n\nThis is implicitly typed plain US-ASCII text.\nIt does NOT end with a "
      "linebreak.\n"
      "--simple boundary\nContent-type: text/plain; charset=us-ascii\n\n"
      "This is explicitly typed plain US-ASCII text.\nIt DOES end with a linebreak.\n\n--simple "
      "boundary--\n\n"
      "This is the epilogue.  It is also to be ignored.\n");
  CHECK(outline(p.summary.root) == "multipart/mixed(text/plain text/plain)");
  CHECK(p.body(p.part({1})) ==
        "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
  CHECK(p.body(p.part({2})) ==
        "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
  CHECK(p.header(p.part({1})) == "\r\n");
  CHECK(p.header(p.part({2})) == "Content-type: text/plain; charset=us-ascii\r\n\r\n");
  CHECK(p.part({1}).body_lines == 2);
  CHECK(p.part({2}).body_lines == 2);
  CHECK(p.summary.root.body_lines == 17);
  CHECK(p.body(p.summary.root).ends_with("ignored.\r\n"));
  CHECK(p.summary.date_sent->zone_minutes == -480);
}

TEST_CASE("multipart/digest: parts are messages by default (RFC 2046 §5.1.5)") {
  const Parsed p(
      "From: Moderator-Address\nSubject: Internet Digest, volume 42\nContent-Type: multipart/mixed;\n"
      "              boundary=\"---- main boundary ----\"\n\n------ main boundary ----\n\n"
      "...Introductory text or table of contents...\n\n------ main boundary ----\nContent-Type: "
      "multipart/digest;\n"
      "              boundary=\"---- next message ----\"\n\n------ next message ----\n\n"
      "From: someone-else\nSubject: my opinion\n\n...body goes here ...\n\n------ next message ----\n\n"
      "From: someone-else-again\nSubject: my different opinion\n\n... another body goes here ...\n\n"
      "------ next message ------\n\n------ main boundary ------\n");
  CHECK(
      outline(p.summary.root) ==
      "multipart/mixed(text/plain multipart/digest(message/rfc822(text/plain) message/rfc822(text/plain)))");
  const auto& first = p.part({2, 1});
  CHECK(first.envelope->subject == "my opinion");
  CHECK(first.parameters.empty());
  CHECK(p.body(first) == "From: someone-else\r\nSubject: my opinion\r\n\r\n...body goes here ...\r\n");
  CHECK(first.body_lines == 4);
  CHECK(p.body(first.children[0]) == "...body goes here ...\r\n");
  CHECK(p.body(p.part({2, 2, 1})) == "... another body goes here ...\r\n");
  CHECK(p.part({2, 2}).envelope->from[0].mailbox == "someone-else-again");
}

TEST_CASE("multipart/digest: an explicit type counts, an unreadable one is plain text") {
  const Parsed p(
      "Content-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: text/html\n\nx\n--b\nContent-Type: "
      ";\n\ny\n--b--\n");
  CHECK(outline(p.summary.root) == "multipart/digest(text/html text/plain)");
}

TEST_CASE("sections find their parts (RFC 3501 §6.4.5, the example there)") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=a\n\n"
      "--a\nContent-Type: text/plain\n\n1\n--a\nContent-Type: application/octet-stream\n\n2\n"
      "--a\nContent-Type: message/rfc822\n\nSubject: three\nContent-Type: multipart/mixed; boundary=b\n\n"
      "--b\n\n3.1\n--b\nContent-Type: application/octet-stream\n\n3.2\n--b--\n"
      "--a\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: image/gif\n\n4.1\n"
      "--c\nContent-Type: message/rfc822\n\nSubject: four two\nContent-Type: multipart/mixed; boundary=d\n\n"
      "--d\n\n4.2.1\n--d\nContent-Type: multipart/alternative; boundary=e\n\n--e\n\n4.2.2.1\n--e\n"
      "Content-Type: text/richtext\n\n4.2.2.2\n--e--\n--d--\n--c--\n--a--\n");
  CHECK(p.body(p.part({1})) == "1");
  CHECK(p.body(p.part({2})) == "2");
  CHECK(p.part({3}).envelope->subject == "three");
  CHECK(p.body(p.part({3, 1})) == "3.1");
  CHECK(p.body(p.part({3, 2})) == "3.2");
  CHECK(p.body(p.part({4, 1})) == "4.1");
  CHECK(p.header(p.part({4, 1})) == "Content-Type: image/gif\r\n\r\n");
  CHECK(p.part({4, 2}).envelope->subject == "four two");
  CHECK(p.body(p.part({4, 2, 1})) == "4.2.1");
  CHECK(p.body(p.part({4, 2, 2, 1})) == "4.2.2.1");
  CHECK(p.body(p.part({4, 2, 2, 2})) == "4.2.2.2");
  CHECK(&p.part({}) == &p.summary.root);
  const auto missing = [&](std::initializer_list<std::uint32_t> numbers) {
    return find_part(p.summary.root, std::span(numbers.begin(), numbers.size())) == nullptr;
  };
  CHECK(missing({0}));
  CHECK(missing({5}));
  CHECK(missing({1, 1}));
  CHECK(missing({3, 3}));
  CHECK(missing({4, 1, 1}));
  CHECK(missing({4, 2, 2, 2, 1}));

  SUBCASE("a message that is no multipart has part 1 (its body)") {
    const Parsed plain("Subject: x\n\nbody\n");
    CHECK(&plain.part({1}) == &plain.summary.root);
    const std::uint32_t nested[] = {1, 1};
    CHECK(find_part(plain.summary.root, nested) == nullptr);
    CHECK(find_part(plain.summary.root, std::span(nested, 1)) != nullptr);
  }
  SUBCASE("a message that is a message") {
    const Parsed outer("Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nbody\n");
    CHECK(outer.summary.envelope.subject == "outer");
    CHECK(outer.part({1}).envelope->subject == "inner");
    CHECK(outer.body(outer.part({1, 1})) == "body\r\n");
  }
}

TEST_CASE(
    "delimiters: the line end before one is its own, white space after it is ignored (RFC 2046 §5.1.1)") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=b\n\n--b  \t\n\nfirst\n\n--b\n\n--b\n\n\n--b\nContent-Type: "
      "text/html\n--b\n--b-- \nepilogue\n--b\n");
  CHECK(outline(p.summary.root) == "multipart/mixed(text/plain text/plain text/plain text/html text/plain)");
  CHECK(p.body(p.part({1})) == "first\r\n");
  CHECK(p.part({1}).body_lines == 1);
  CHECK(p.body(p.part({2})) == "");
  CHECK(p.part({2}).body_lines == 0);
  CHECK(p.body(p.part({3})) == "");
  CHECK(p.part({3}).body_lines == 0);
  CHECK(p.header(p.part({4})) == "Content-Type: text/html");
  CHECK(p.header(p.part({5})) == "");
}

TEST_CASE("delimiters: only a whole line is one") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n --b\n--bb\n--b-\n--b--x\n-- "
      "b\n---b\nx--b\n--b--\n");
  CHECK(p.summary.root.children.size() == 1);
  CHECK(p.body(p.part({1})) == " --b\r\n--bb\r\n--b-\r\n--b--x\r\n-- b\r\n---b\r\nx--b");
}

TEST_CASE("delimiters: one boundary may begin with another") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n"
      "--bb\n\ninner\n--bb--\n--b\n\nouter\n--b--\n");
  CHECK(outline(p.summary.root) == "multipart/mixed(multipart/alternative(text/plain) text/plain)");
  CHECK(p.body(p.part({1, 1})) == "inner");
  CHECK(p.body(p.part({2})) == "outer");

  const Parsed q(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
      "boundary=b--\n\n"
      "--b--\n\ninner\n--b----\n--b\n\nouter\n--b--\n");
  CHECK(outline(q.summary.root) == "multipart/mixed(multipart/alternative(text/plain) text/plain)");
}

TEST_CASE("delimiters: an outer boundary ends what is inside, however deep (RFC 2046 §5.1.2)") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n"
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; "
      "boundary=c\n\n--c\n\ninner\n"
      "--a\n\nouter\n--a--\n");
  CHECK(outline(p.summary.root) ==
        "multipart/mixed(message/rfc822(multipart/mixed(multipart/mixed(text/plain))) text/plain)");
  CHECK(p.body(p.part({1, 1, 1})) == "inner");
  CHECK(p.body(p.part({1})).ends_with("inner"));
  CHECK(p.body(p.part({2})) == "outer");
}

TEST_CASE("delimiters: one that ends an embedded message's header") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nSubject: "
      "cut\n--a\n\nx\n--a--\n");
  CHECK(outline(p.summary.root) == "multipart/mixed(message/rfc822(text/plain) text/plain)");
  CHECK(p.part({1}).envelope->subject == "cut");
  CHECK(p.header(p.part({1, 1})) == "Subject: cut");
  CHECK(p.body(p.part({1})) == "Subject: cut");

  const Parsed q("Content-Type: multipart/digest; boundary=a\n\n--a\n--a\n\n--a--\n");
  CHECK(outline(q.summary.root) == "multipart/digest(message/rfc822(text/plain) message/rfc822(text/plain))");
}

TEST_CASE("delimiters: equal boundaries at two levels end the inner part first") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n"
      "--a\n\ninner\n--a--\n--a\n\nouter\n--a--\n");
  CHECK(outline(p.summary.root) == "multipart/mixed(multipart/mixed(text/plain) text/plain)");
}

TEST_CASE("multipart without parts still has one, which shows what there is") {
  SUBCASE("no boundary parameter") {
    const Parsed p("Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n");
    CHECK(outline(p.summary.root) == "multipart/mixed(text/plain)");
    CHECK(p.body(p.part({1})) == "--b\r\n\r\nx\r\n--b--\r\n");
    CHECK(p.part({1}).body_lines == 4);
  }
  SUBCASE("the boundary never comes") {
    const Parsed p("Content-Type: multipart/mixed; boundary=b\n\ntext\n");
    CHECK(p.body(p.part({1})) == "text\r\n");
  }
  SUBCASE("only the closing delimiter") {
    const Parsed p("Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b--\nafter\n");
    CHECK(p.body(p.part({1})) == "before");
    CHECK(p.part({1}).body_lines == 1);
    const Parsed q("Content-Type: multipart/mixed; boundary=b\n\n--b--\nafter\n");
    CHECK(q.body(q.part({1})) == "");
  }
  SUBCASE("nothing at all") {
    const Parsed p("Content-Type: multipart/mixed; boundary=b\n\n");
    CHECK(p.body(p.part({1})) == "");
    const Parsed q("Content-Type: multipart/mixed; boundary=b");
    CHECK(outline(q.summary.root) == "multipart/mixed(text/plain)");
  }
  SUBCASE("a boundary longer than any that is real") {
    const std::string boundary(600, 'b');
    const Parsed p("Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n\nx\n");
    CHECK(p.body(p.part({1})).starts_with("--bbb"));
  }
}

TEST_CASE("the closing delimiter may be missing or without line end") {
  CHECK(outline(Parsed("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx").summary.root) ==
        "multipart/mixed(text/plain)");
  const Parsed p("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--");
  CHECK(p.body(p.part({1})) == "x");
}

TEST_CASE("a boundary may be quoted, spaced, continued (RFC 2231 §3), or look like an encoded word") {
  CHECK(Parsed("Content-Type: multipart/mixed; boundary=\"a b \"\n\n--a b\n\nx\n--a b--\n")
            .summary.root.children[0]
            .body_size == 1);
  CHECK(Parsed("Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\nx\n--ab--\n")
            .summary.root.children[0]
            .body_size == 1);
  CHECK(Parsed("Content-Type: multipart/mixed; "
               "boundary=\"=?utf-8?Q?a?=\"\n\n--=?utf-8?Q?a?=\n\nx\n--=?utf-8?Q?a?=--\n")
            .summary.root.children[0]
            .body_size == 1);
  CHECK(Parsed("Content-Type: multipart/mixed; boundary=\xe4\n\n--\xe4\n\nx\n--\xe4--\n")
            .summary.root.children[0]
            .body_size == 1);
}

TEST_CASE("a part without header and blank line is all body") {
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nJust text here.\nMore: "
      "text\n--b\n\tindented\n--b--\n");
  CHECK(p.header(p.part({1})) == "");
  CHECK(p.body(p.part({1})) == "Just text here.\r\nMore: text");
  CHECK(p.part({1}).body_lines == 2);
  CHECK(p.body(p.part({2})) == "\tindented");

  const Parsed q("Content-Type: multipart/digest; boundary=b\n\n--b\n>From x\nSubject: y\n\nz\n--b--\n");
  CHECK(q.part({1}).envelope->subject == "y");
  CHECK(q.body(q.part({1, 1})) == "z");
}

TEST_CASE("the header ends at the blank line and nowhere else (RFC 5322 §2.1)") {
  CHECK(Parsed("").summary.root.body_size == 0);
  const Parsed only_header("Subject: x\nno field\n");
  CHECK(only_header.summary.root.body_size == 0);
  CHECK(only_header.summary.envelope.subject == "x");
  const Parsed only_body("\nbody\n");
  CHECK(only_body.body(only_body.summary.root) == "body\r\n");
  const Parsed mbox("From me@x Mon Jan  1 00:00:00 2001\nSubject: x\n\nbody");
  CHECK(mbox.summary.envelope.subject == "x");
  CHECK(mbox.summary.root.body_lines == 1);
}

TEST_CASE("all the fields that a BODYSTRUCTURE shows (RFC 3501 §7.4.2)") {
  const Parsed p(
      "Content-Type: TEXT/Plain; charset=utf-8; format=flowed\nContent-ID: <id@x>\nContent-Description: "
      "what\n  it is\n"
      "Content-Transfer-Encoding: Quoted-Printable (really)\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n"
      "Content-Disposition: attachment; filename=\"a.txt\"\nContent-Language: de, en\nContent-Location: "
      "http://x/y\n"
      "content-type: text/html\nContent-Unknown: x\n\nbody\n");
  const auto& root = p.summary.root;
  CHECK(root.type == "TEXT");
  CHECK(root.is("text", "plain"));
  CHECK(root.parameters == std::vector<Parameter>{{"charset", "utf-8"}, {"format", "flowed"}});
  CHECK(root.id == "<id@x>");
  CHECK(root.description == "what  it is");
  CHECK(root.encoding == "Quoted-Printable");
  CHECK(root.md5 == "Q2hlY2sgSW50ZWdyaXR5IQ==");
  CHECK(root.disposition == Disposition{"attachment", {{"filename", "a.txt"}}});
  CHECK(root.languages == std::vector<std::string>{"de", "en"});
  CHECK(root.location == "http://x/y");
  const Parsed bare("Content-ID:\nContent-Transfer-Encoding: \nContent-Disposition: ;\n\n");
  CHECK_FALSE(bare.summary.root.id);
  CHECK_FALSE(bare.summary.root.encoding);
  CHECK_FALSE(bare.summary.root.disposition);
}

TEST_CASE("bare LF and CR inside wire bytes: LF ends a line, offsets are those of the bytes") {
  const std::string wire =
      "Content-Type: multipart/mixed; boundary=b\n\r\n--b\n\na\rb\n--b\r\n\r\nc\r\n--b--";
  const auto summary = parse_summary(wire);
  CHECK(broken_promise(summary, wire.size()) == "");
  REQUIRE(summary.root.children.size() == 2);
  const auto body = [&](const BodyPart& part) { return wire.substr(part.body_offset, part.body_size); };
  CHECK(body(summary.root.children[0]) == "a\rb");
  CHECK(body(summary.root.children[1]) == "c");
  for (const std::size_t size : {1, 2, 3}) CHECK(parse_in_chunks(wire, size, LineEnds::crlf) == summary);
  for (const std::size_t size : {1, 2, 3}) {
    CHECK(parse_in_chunks(wire, size, LineEnds::lf) == parse_summary(wire_form(wire), LineEnds::crlf));
  }
}

TEST_CASE("limits: depth") {
  Limits limits;
  limits.depth = 2;
  const Parsed p(
      "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; "
      "boundary=b\n\n--b\n\nx\n--b--\n"
      "--a\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n--a--\n",
      limits);
  CHECK(outline(p.summary.root) == "multipart/mixed(application/octet-stream application/octet-stream)");
  CHECK(p.body(p.part({1})) == "--b\r\n\r\nx\r\n--b--");
  CHECK(p.body(p.part({2})) == "Subject: x\r\n\r\ny");
  limits.depth = 1;
  CHECK(outline(Parsed("Content-Type: message/rfc822\n\nSubject: x\n\n", limits).summary.root) ==
        "application/octet-stream");
}

TEST_CASE("limits: parts") {
  Limits limits;
  limits.parts = 3;
  const Parsed p("Content-Type: multipart/mixed; boundary=a\n\n--a\n\n1\n--a\n\n2\n--a\n\n3\n--a--\nend\n",
                 limits);
  CHECK(outline(p.summary.root) == "multipart/mixed(text/plain text/plain)");
  CHECK(p.body(p.part({2})) == "2\r\n--a\r\n\r\n3");
  limits.parts = 1;
  CHECK(outline(Parsed("Content-Type: message/rfc822\n\nx\n", limits).summary.root) ==
        "application/octet-stream");
  CHECK(outline(Parsed("Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n", limits).summary.root) ==
        "multipart/mixed(text/plain)");
}

TEST_CASE("limits: header octets, addresses, kept text") {
  Limits limits;
  limits.header_bytes = 40;
  const Parsed p("Subject: seen\nTo: a@x, b@x, c@x, d@x, e@x, f@x, g@x\nCc: h@x\n\nbody\n", limits);
  CHECK(p.summary.envelope.subject == "seen");
  CHECK(p.summary.envelope.to.size() >= 4);
  CHECK(p.summary.envelope.to.size() < 7);
  CHECK(p.summary.envelope.cc.empty());
  CHECK(p.body(p.summary.root) == "body\r\n");

  limits = {};
  limits.addresses = 2;
  CHECK(Parsed("To: a@x, b@x, c@x\nCc: d@x\n\n", limits).summary.envelope.to.size() == 2);
  CHECK(Parsed("To: a@x, b@x, c@x\nCc: d@x\n\n", limits).summary.envelope.cc.empty());

  limits = {};
  limits.kept_bytes = 100;
  const Parsed q("Content-Type: multipart/mixed; boundary=a\nSubject: " + std::string(200, 'x') +
                     "\n\n--a\nContent-Type: text/html; charset=utf-8\n\nx\n--a--\n",
                 limits);
  CHECK(outline(q.summary.root) == "multipart/mixed(text/plain)");
}

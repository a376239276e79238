#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string literal(std::string_view octets) {
  return "{" + std::to_string(octets.size()) + "+}\r\n" + std::string(octets);
}

const std::string multipart =
    "From: a@example.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>second\r\n--b--\r\n";

void with_multipart(Server& server) { server.inbox().put(multipart); }

const std::string* stored(Server& server, storage::Uid uid) { return server.inbox().octets(uid); }

}  // namespace

TEST_CASE("imap: CATENATE joins texts and parts of messages (RFC 4469 §3)") {
  struct Case {
    std::string parts;
    std::string message;
  };
  const std::string header = "Subject: x\r\n\r\n";
  const Case cases[] = {
      {"TEXT " + literal(header) + " URL \"/INBOX;UIDVALIDITY=1001/;UID=1/;SECTION=1\" TEXT " +
           literal("end\r\n"),
       header + "first" + "end\r\n"},
      {"URL /INBOX/;UID=1", multipart},
      {"URL /inbox;uidvalidity=1001/;uid=1/;section=header TEXT " + literal("body"),
       "From: a@example.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbody"},
      {"URL \"/INBOX/;UID=1/;SECTION=2.MIME\" URL \"/INBOX/;UID=1/;SECTION=2\"",
       "Content-Type: text/html\r\n\r\n<p>second"},
      {"URL \"/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(FROM)\" TEXT " + literal("x"),
       "From: a@example.test\r\n\r\nx"},
      {"URL /INBOX/;UID=1/;SECTION=1/;PARTIAL=1.3", "irs"},
      {"URL /INBOX/;UID=1/;SECTION=1/;PARTIAL=2", "rst"},
      {"TEXT " + literal("") + " TEXT " + literal("a") + " TEXT " + literal("") +
           " URL /INBOX/;UID=1/;SECTION=1",
       "afirst"},
      {"TEXT ~" + literal("literal8"), "literal8"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.parts);
    Server server;
    with_multipart(server);
    auto client = Client::logged_in(server);
    CHECK(client->say("a APPEND INBOX (\\Seen) CATENATE (" + each.parts + ")") ==
          "a OK [APPENDUID 1001 2] APPEND completed\r\n");
    REQUIRE(stored(server, 2) != nullptr);
    CHECK(*stored(server, 2) == each.message);
    CHECK(server.store.live_spools == 0);
    // No \Seen on what was copied from.
    CHECK(server.inbox().snapshot()->at(0).flags.system == 0);
  }
}

TEST_CASE("imap: CATENATE with a URL that is a literal, and waited for") {
  Server server;
  with_multipart(server);
  auto client = Client::logged_in(server);
  CHECK(client->send_raw("a APPEND INBOX CATENATE (TEXT {3}\r\n") == "+ OK\r\n");
  CHECK(client->send_raw("abc URL {24}\r\n") == "+ OK\r\n");
  CHECK(client->send_raw("/INBOX/;UID=1/;SECTION=1 TEXT {2}\r\n") == "+ OK\r\n");
  CHECK(client->send_raw("de)\r\n") == "a OK [APPENDUID 1001 2] APPEND completed\r\n");
  CHECK(*stored(server, 2) == "abcfirstde");
}

TEST_CASE("imap: several messages, some of them catenated, in one APPEND (RFC 4469 §3, RFC 3502)") {
  Server server;
  with_multipart(server);
  auto client = Client::logged_in(server);
  CHECK(client->say("a APPEND INBOX CATENATE (URL /INBOX/;UID=1/;SECTION=1) (\\Seen) " + literal("plain") +
                    " CATENATE (TEXT " + literal("x") +
                    " URL /INBOX/;UID=1/;SECTION=1) CATENATE (URL "
                    "/INBOX/;UID=1/;SECTION=2)") == "a OK [APPENDUID 1001 2:5] APPEND completed\r\n");
  CHECK(*stored(server, 2) == "first");
  CHECK(*stored(server, 3) == "plain");
  CHECK(*stored(server, 4) == "xfirst");
  CHECK(*stored(server, 5) == "<p>second");
}

TEST_CASE("imap: BADURL names the first URL that is of no use (RFC 4469 §4.1)") {
  for (const std::string_view url :
       {"/INBOX/;UID=2", "/INBOX;UIDVALIDITY=1/;UID=1", "/Nowhere/;UID=1", "/INBOX/;UID=1/;SECTION=3",
        "/INBOX/;UID=1/;SECTION=1.HEADER", "imap://example.test/INBOX/;UID=1", "/INBOX", "/INBOX/;UID=0",
        "/INBOX/;UID=1/;URLAUTH=anonymous:INTERNAL:1"}) {
    CAPTURE(url);
    const std::string said =
        dialogue_after_login("a APPEND INBOX CATENATE (URL /INBOX/;UID=1 URL \"" + std::string(url) +
                                 "\" URL /bad)\r\nb STATUS INBOX (MESSAGES)\r\n",
                             with_multipart);
    CHECK(said == "a NO [BADURL " + std::string(url) +
                      "] There is no such message or part of one\r\n"
                      "* STATUS INBOX (MESSAGES 1)\r\nb OK STATUS completed\r\n");
  }
}

TEST_CASE("imap: what can not stand in a response code is encoded in BADURL (RFC 4469 §5)") {
  CHECK(has(dialogue_after_login("a APPEND INBOX CATENATE (URL {6+}\r\n/a]\r\n\x80)\r\n"),
            "a NO [BADURL /a%5D%0D%0A%80] "));
}

TEST_CASE("imap: a bad URL before a literal is told before that is sent") {
  CHECK(dialogue_after_login("a APPEND INBOX CATENATE (URL /INBOX/;UID=9 TEXT {100}\r\nb NOOP\r\n") ==
        "a NO [BADURL /INBOX/;UID=9] There is no such message or part of one\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a APPEND INBOX CATENATE (URL /INBOX/;UID=9 TEXT {3+}\r\nabc)\r\nb NOOP\r\n") ==
        "a NO [BADURL /INBOX/;UID=9] There is no such message or part of one\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: CATENATE beyond the largest message is TOOBIG (RFC 4469 §4.2)") {
  const auto prepare = [](Server& server) {
    server.settings.message_octets = server.store.message_size = 200;
    server.inbox().put(std::string(150, 'x'));
  };
  const std::string too_big = "a NO [TOOBIG] The message is too large\r\nb OK NOOP completed\r\n";
  CHECK(dialogue_after_login("a APPEND INBOX CATENATE (URL /INBOX/;UID=1 URL /INBOX/;UID=1)\r\nb NOOP\r\n",
                             prepare) == too_big);
  CHECK(dialogue_after_login("a APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT {51}\r\nb NOOP\r\n", prepare) ==
        too_big);
  const auto little = [](Server& server) {
    server.settings.append_octets = 200;
    server.inbox().put(std::string(150, 'x'));
  };
  CHECK(dialogue_after_login(
            "a APPEND INBOX CATENATE (URL /INBOX/;UID=1) CATENATE (URL /INBOX/;UID=1)\r\nb NOOP\r\n",
            little) == "a NO [TOOBIG] Too much for one APPEND\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: CATENATE of nothing is no message (RFC 3502 §6.3.11)") {
  CHECK(dialogue_after_login("a APPEND INBOX CATENATE (TEXT {0+}\r\n)\r\nb NOOP\r\n") ==
        "a NO [CANNOT] A message has at least one octet\r\nb OK NOOP completed\r\n");
  CHECK(has(dialogue_after_login("a APPEND INBOX CATENATE ()\r\n"), "a BAD "));
}

TEST_CASE("imap: CATENATE into a mailbox that is not there (RFC 3501 §6.3.11, TRYCREATE)") {
  CHECK(has(dialogue_after_login("a APPEND saved CATENATE (URL /INBOX/;UID=1)\r\n", with_multipart),
            "a NO [TRYCREATE] No such mailbox\r\n"));
  CHECK(has(dialogue("a APPEND saved CATENATE (URL /INBOX/;UID=1)\r\n", with_multipart),
            "a BAD Log in first\r\n"));
}

TEST_CASE("imap: a large message goes from its file to the new one in pieces, NUL as FETCH gives it") {
  Server server;
  std::string large = "Subject: large\r\n\r\n" + std::string(300'000, 'x');
  large[1000] = '\0';
  server.inbox().put(large);
  auto client = Client::logged_in(server);
  CHECK(has(client->say("a APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT " + literal("end") + ")"), "a OK "));
  large[1000] = '\x80';
  CHECK((*stored(server, 2) == large + "end"));
}

TEST_CASE("imap: CATENATE that meets a failing disk leaves nothing behind") {
  for (unsigned skip = 0; skip < 8; ++skip) {
    CAPTURE(skip);
    Server server;
    with_multipart(server);
    auto client = Client::logged_in(server);
    server.store.fail({Errc::disk_full, "disk xyzzy"}, skip);
    const std::string said = client->say("a APPEND INBOX CATENATE (TEXT " + literal("abc") +
                                         " URL /INBOX/;UID=1/;SECTION=1)\r\nb NOOP");
    CHECK(said == "a NO [UNAVAILABLE] No space left on the server\r\nb OK NOOP completed\r\n");
    CHECK(server.inbox().snapshot()->size() == 1);
    CHECK(server.store.live_spools == 0);
  }
}

}  // namespace posthorn::imap

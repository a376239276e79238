#include "tests/unit/protocols/smtp/harness.h"

#include <doctest/doctest.h>

namespace posthorn::smtp {
namespace {

const std::string up_to_data = "EHLO bar.com\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\n";

// What stands below the fields that the server adds.
std::string below_trace(const std::string& content) {
  const std::string end = "+0000\r\n";
  const std::size_t at = content.find(end);
  return at == std::string::npos ? "no trace" : content.substr(at + end.size());
}

TEST_CASE("smtp mail: no 250 without durable storage (RFC 5321 §6.1)") {
  struct Case {
    Errc code;
    const char* reply;
  };
  for (const auto& [code, reply] :
       {Case{Errc::io, "451 4.3.0 "}, Case{Errc::corrupt, "451 4.3.0 "}, Case{Errc::disk_full, "452 4.3.1 "},
        Case{Errc::busy, "451 4.3.2 "}, Case{Errc::over_quota, "452 4.2.2 "},
        Case{Errc::too_large, "552 5.3.4 "},
        // Nothing that a person has to see in a bounce: the recipient was taken.
        Case{Errc::not_found, "451 4.3.0 "}, Case{Errc::malformed, "451 4.3.0 "},
        Case{Errc::denied, "451 4.3.0 "}, Case{Errc::unavailable, "451 4.3.0 "}}) {
    Harness harness;
    harness.acceptor.failure_at_accept = Error{code, "disk on fire"};
    const auto output = harness.run(up_to_data + ".\r\nNOOP\r\nQUIT\r\n");
    CAPTURE(output);
    CHECK(output.find(std::string("\r\n") + reply) != std::string::npos);
    CHECK(output.find("fire") == std::string::npos);
    CHECK(harness.log.contains("disk on fire"));
    CHECK(harness.acceptor.messages.empty());
  }
}

TEST_CASE("smtp mail: a full disk is told after the end of the data, and the session goes on") {
  for (const std::size_t chunk : {1U, 10U, 100'000U}) {
    Harness harness;
    harness.chunk = chunk;
    harness.acceptor.disk = 300;
    const auto output = harness.run(up_to_data + std::string(1000, 'x') + "\r\n.\r\nNOOP\r\nQUIT\r\n");
    CHECK(codes(output) == "220 250 250 250 354 452 250 221");
    CHECK(output.find("452 4.3.1 ") != std::string::npos);
  }
}

TEST_CASE("smtp mail: every octet arrives as it was sent (RFC 5321 §4.5.2)") {
  std::string message = "Subject: x\r\n\r\n";
  for (int octet = 1; octet < 256; ++octet) {
    if (octet != '\r' && octet != '\n') message += static_cast<char>(octet);
  }
  message += "\r\n" + std::string(5000, 'y') + "\r\n\r\n";
  for (const std::size_t chunk : {1U, 7U, 100'000U}) {
    Harness harness;
    harness.chunk = chunk;
    harness.run(up_to_data + message + "..\r\n...x\r\n.\r\nQUIT\r\n");
    REQUIRE(harness.acceptor.messages.size() == 1);
    CHECK(below_trace(harness.acceptor.messages[0].content) == message + ".\r\n..x\r\n");
  }
}

TEST_CASE(
    "smtp mail: a bare CR or LF can't end DATA, and the message is refused on every port (RFC 5321 "
    "§4.1.1.4)") {
  const std::string smuggled =
      "MAIL FROM:<evil@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n";
  const std::string ends[] = {
      "\n.\n",      "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r.\r", std::string("\r\n\0.\n", 5),
      "\r\n.\r\r\n"};
  for (const auto& end : ends) {
    for (const Role role : {Role::mx, Role::submission}) {
      for (const std::size_t chunk : {1U, 4U, 100'000U}) {
        Harness harness;
        harness.role = role;
        harness.chunk = chunk;
        const bool login = role != Role::mx;
        const auto output = harness.run(
            std::string("EHLO a\r\n") + (login ? "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n" : "") +
            "MAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nSubject: x\r\n\r\nx" + end + smuggled +
            ".\r\nNOOP\r\nQUIT\r\n");
        CAPTURE(end);
        CAPTURE(chunk);
        CHECK(codes(output) ==
              (login ? "220 250 235 250 250 354 554 250 221" : "220 250 250 250 354 554 250 221"));
        CHECK(output.find("\r\n554 5.6.11 ") != std::string::npos);
        CHECK(harness.acceptor.messages.empty());
      }
    }
  }
}

TEST_CASE("smtp mail: SIZE (RFC 1870 §6)") {
  Harness harness;
  harness.settings->message_size = 1000;
  const auto output = harness.run(
      "EHLO a\r\nMAIL FROM:<a@b> SIZE=1001\r\nMAIL FROM:<a@b> SIZE=99999999999999999999\r\n"
      "MAIL FROM:<a@b> SIZE=1000\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\n" +
      std::string(998, 'x') +
      "\r\n.\r\n"
      "MAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\n" +
      std::string(999, 'x') + "\r\n.\r\nQUIT\r\n");
  CHECK(output.find("250-SIZE 1000\r\n") != std::string::npos);
  CHECK(codes(output) == "220 250 552 552 250 250 354 250 250 250 354 552 221");
  CHECK(output.find("552 5.3.4 ") != std::string::npos);
  CHECK(harness.acceptor.messages.size() == 1);
}

TEST_CASE("smtp mail: a doubled dot does not count (RFC 1870 §5)") {
  Harness harness;
  harness.settings->message_size = 3;
  CHECK(codes(harness.run(up_to_data + "..\r\n.\r\nQUIT\r\n")) == "220 250 250 250 354 250 221");
}

TEST_CASE("smtp mail: a message without end is cut off beyond [limits]") {
  Harness harness;
  harness.settings->message_size = 1000;
  harness.settings->discard_size = 100'000;
  std::string endless;
  for (int line = 0; line < 10'000; ++line) endless += "0123456789012345678901234567890123456789\r\n";
  const auto output = harness.run(up_to_data + endless + ".\r\nNOOP\r\n");
  CHECK(codes(output) == "220 250 250 250 354 552");
}

TEST_CASE("smtp mail: too many recipients are told 452, the others get the message (RFC 5321 §4.5.3.1.10)") {
  Harness harness;
  harness.settings->recipients = 100;
  std::string script = "EHLO a\r\nMAIL FROM:<a@b>\r\n";
  for (int i = 0; i < 101; ++i) script += "RCPT TO:<list" + std::to_string(i) + "@foo.com>\r\n";
  const auto output = harness.run(script + "DATA\r\nx\r\n.\r\nQUIT\r\n");
  CHECK(output.find("\r\n452 4.5.3 ") != std::string::npos);
  REQUIRE(harness.acceptor.messages.size() == 1);
  CHECK(harness.acceptor.messages[0].envelope.recipients.size() == 100);
}

TEST_CASE("smtp mail: a NUL octet is refused, and the session goes on (RFC 5322 §2.3)") {
  Harness harness;
  const auto output = harness.run(std::string(
      "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\na\0b\r\n.\r\nNOOP\r\n", 70));
  CHECK(output.find("\r\n554 5.6.0 ") != std::string::npos);
  CHECK(output.ends_with("\r\n250 2.0.0 OK\r\n"));
  CHECK(harness.acceptor.messages.empty());
}

TEST_CASE("smtp mail: what follows a bare LF is part of the line that was refused (RFC 5321 §2.3.8)") {
  Harness harness;
  const auto output = harness.run("EHLO a\r\nNOOP\nMAIL FROM:<a@b>\r\nMAIL FROM:<c@d>\r\n");
  CHECK(output.find("\r\n500 5.5.2 ") != std::string::npos);
  CHECK(output.find("\r\n500 5.5.2 ") == output.rfind("\r\n500 5.5.2 "));
  CHECK(output.find("\r\n250 2.1.0 ") != std::string::npos);
  CHECK(output.find("503") == std::string::npos);
}

TEST_CASE("smtp mail: recipients that are put off do not end the session (RFC 5321 §4.5.3.1.10)") {
  for (const bool busy : {false, true}) {
    Harness harness;
    harness.settings->recipients = 100;
    if (busy) harness.acceptor.refused["Jones@foo.com"] = Errc::busy;
    std::string script = "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Brown@foo.com>\r\n";
    for (int i = 0; i < 400; ++i) script += "RCPT TO:<Jones@foo.com>\r\n";
    const auto output = harness.run(script + "DATA\r\nx\r\n.\r\nQUIT\r\n");
    CHECK(output.find("\r\n221 ") != std::string::npos);
    REQUIRE(harness.acceptor.messages.size() == 1);
    CHECK(harness.acceptor.messages[0].envelope.recipients.size() == (busy ? 1 : 2));
  }
  Harness endless;
  endless.settings->recipients = 100;
  std::string script = "EHLO a\r\nMAIL FROM:<a@b>\r\n";
  for (int i = 0; i < 2000; ++i) script += "RCPT TO:<list" + std::to_string(i) + "@foo.com>\r\n";
  CHECK(endless.run(script).find("\r\n421 4.7.0 ") != std::string::npos);
}

TEST_CASE(
    "smtp mail: the accounts behind the recipients are kept once each, and bounded (RFC 5321 §4.5.3.1.10)") {
  Harness harness;
  harness.settings->recipients = 100;
  auto& leads_to = harness.acceptor.leads_to;
  for (int i = 0; i < 150; ++i) leads_to["list1@foo.com"].push_back("a" + std::to_string(i) + "@foo.com");
  leads_to["list2@foo.com"] = {"a0@foo.com", "a149@foo.com"};
  leads_to["list3@foo.com"] = {"a0@foo.com", "b@foo.com"};
  // One alone may lead to more; another that adds nobody is taken; one that adds somebody is for the next.
  const auto output = harness.run(
      "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<list1@foo.com>\r\nRCPT TO:<list1@foo.com>\r\n"
      "RCPT TO:<list2@foo.com>\r\nRCPT TO:<list3@foo.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 250 250 250 250 452 354 250 221");
  REQUIRE(harness.acceptor.messages.size() == 1);
  const auto& envelope = harness.acceptor.messages[0].envelope;
  CHECK(envelope.recipients == std::vector<std::string>{"list1@foo.com", "list2@foo.com"});
  CHECK(envelope.accounts.size() == 150);
  CHECK_FALSE(envelope.accounts.contains("b@foo.com"));
}

TEST_CASE(
    "smtp mail: with little room on the disk nothing is begun, neither at MAIL nor at DATA (RFC 3463 §3.4)") {
  Harness harness;
  harness.acceptor.room = false;
  const auto output = harness.run("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 452 503 221");
  CHECK(output.find("\r\n452 4.3.1 ") != std::string::npos);
  CHECK(harness.log.contains("smtp.refused"));

  Harness later;
  later.hold_open = true;
  later.begin("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\n");
  REQUIRE(later.wait([&] { return later.peer->output().find("2.1.5") != std::string::npos; }));
  later.acceptor.room = false;
  later.peer->send("DATA\r\nNOOP\r\nMAIL FROM:<a@b>\r\nQUIT\r\n");
  later.peer->hang_up();
  REQUIRE(later.wait([&] { return later.ended(); }));
  CHECK(codes(later.peer->output()) == "220 250 250 250 452 250 452 221");
  later.session.reset();
  later.connection.reset();
}

TEST_CASE("smtp mail: without a valid recipient there is no DATA (RFC 5321 §3.3, RFC 2920 §3.2)") {
  Harness harness;
  CHECK(codes(harness.run("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<x@foo.com>\r\nDATA\r\nRSET\r\nQUIT\r\n")) ==
        "220 250 250 550 554 250 221");
}

TEST_CASE("smtp mail: why a recipient is refused") {
  struct Case {
    Errc code;
    const char* reply;
  };
  for (const auto& [code, reply] :
       {Case{Errc::not_found, "550 5.1.1 "}, Case{Errc::denied, "550 5.7.1 Relaying"},
        Case{Errc::unavailable, "550 5.7.1 This address forwards"}, Case{Errc::malformed, "553 5.1.3 "},
        Case{Errc::busy, "451 4.3.2 "}, Case{Errc::too_large, "550 5.4.6 "}}) {
    Harness harness;
    harness.acceptor.refused["Jones@foo.com"] = code;
    const auto output = harness.run("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nQUIT\r\n");
    CHECK(output.find(std::string("\r\n") + reply) != std::string::npos);
    CHECK(harness.log.contains("smtp.refused"));
  }
}

TEST_CASE("smtp mail: Postmaster needs no domain (RFC 5321 §4.5.1)") {
  Harness harness;
  harness.run("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n");
  REQUIRE(harness.acceptor.messages.size() == 1);
  const auto& [envelope, content] = harness.acceptor.messages[0];
  CHECK(envelope.recipients[0] == "Postmaster");
  CHECK(content.starts_with("Return-Path: <>\r\n"));
  CHECK(content.find("\tfor ") == std::string::npos);
}

TEST_CASE("smtp mail: FOR names a recipient only where there is one (RFC 5321 §7.2)") {
  Harness one;
  one.run(up_to_data + "x\r\n.\r\nQUIT\r\n");
  REQUIRE(one.acceptor.messages.size() == 1);
  CHECK(one.acceptor.messages[0].content.find("\r\n\tfor <Jones@foo.com>;\r\n") != std::string::npos);
  Harness two;
  two.run(
      "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT "
      "TO:<Brown@foo.com>\r\nDATA\r\nx\r\n.\r\n");
  REQUIRE(two.acceptor.messages.size() == 1);
  CHECK(two.acceptor.messages[0].content.find("Jones") == std::string::npos);
}

TEST_CASE("smtp mail: loops end after 100 hops (RFC 5321 §6.3)") {
  std::string hops;
  for (int i = 0; i < 100; ++i) hops += "Received: from a by b; now\r\n";
  Harness fits;
  CHECK(codes(fits.run(up_to_data + hops + "\r\nx\r\n.\r\nQUIT\r\n")) == "220 250 250 250 354 250 221");
  Harness loops;
  const auto output = loops.run(up_to_data + hops + "received: one more\r\n\r\nx\r\n.\r\nQUIT\r\n");
  CHECK(output.find("\r\n554 5.4.6 ") != std::string::npos);
  CHECK(loops.acceptor.messages.empty());
}

TEST_CASE("smtp mail: non-ASCII addresses need SMTPUTF8 (RFC 6531 §3.5)") {
  Harness harness;
  const auto output = harness.run(
      "EHLO a\r\nMAIL FROM:<jürgen@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<jürgen@foo.com>\r\nRSET\r\n"
      "MAIL FROM:<jürgen@b> SMTPUTF8\r\nRCPT TO:<jürgen@foo.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 550 250 553 250 250 250 354 250 221");
  CHECK(output.find("550 5.6.7 ") != std::string::npos);
  CHECK(output.find("553 5.6.7 ") != std::string::npos);
  REQUIRE(harness.acceptor.messages.size() == 1);
  CHECK(harness.acceptor.messages[0].envelope.smtp_utf8);
  CHECK(harness.acceptor.messages[0].content.find(" with UTF8SMTP\r\n") != std::string::npos);
}

TEST_CASE("smtp mail: several messages on one connection, each with its own id") {
  Harness harness;
  const std::string one = "MAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nx\r\n.\r\n";
  CHECK(codes(harness.run("EHLO a\r\n" + one + one + "QUIT\r\n")) ==
        "220 250 250 250 354 250 250 250 354 250 221");
  REQUIRE(harness.acceptor.messages.size() == 2);
  CHECK(harness.acceptor.messages[0].envelope.id != harness.acceptor.messages[1].envelope.id);
}

TEST_CASE("smtp mail: the log has what happened, and nothing of the message") {
  Harness harness;
  harness.run(up_to_data + "Subject: confidential\r\n\r\nsecret text\r\n.\r\nQUIT\r\n");
  CHECK(harness.log.contains("smtp.accepted"));
  CHECK(harness.log.contains("from=a@b"));
  CHECK(harness.log.contains("session=s1"));
  CHECK_FALSE(harness.log.contains("confidential"));
  CHECK_FALSE(harness.log.contains("secret"));
}

TEST_CASE("smtp mail: refusals fill no log") {
  Harness harness;
  std::string script = "EHLO a\r\nMAIL FROM:<a@b>\r\n";
  for (int i = 0; i < 50; ++i) script += "RCPT TO:<x@foo.com>\r\n";
  harness.log.configure(LogLevel::info, LogFormat::text);
  harness.run(script);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = harness.log.text().find("smtp.refused", at)) != std::string::npos; ++at)
    ++lines;
  CHECK(lines == 10);
}

TEST_CASE("smtp mail: time-outs within DATA (RFC 5321 §4.5.3.2.5)") {
  Harness stalled;
  stalled.hold_open = true;
  stalled.settings->timeouts.body = Milliseconds(20);
  CHECK(codes(stalled.run(up_to_data + "x\r\n")) == "220 250 250 250 354 421");
  Harness endless;
  endless.hold_open = true;
  endless.settings->message_time = Milliseconds(20);
  CHECK(codes(endless.run(up_to_data + "x\r\n")) == "220 250 250 250 354 421");
  CHECK(endless.acceptor.messages.empty());
}

}  // namespace
}  // namespace posthorn::smtp

#include "protocols/smtp/session.h"

#include "tests/unit/protocols/smtp/harness.h"

#include <doctest/doctest.h>

namespace posthorn::smtp {
namespace {

constexpr std::size_t chunks[] = {1, 3, 100'000};

TEST_CASE("smtp session: greeting, EHLO and QUIT (RFC 5321 §3.1, §3.2, §4.3.1)") {
  Harness harness;
  CHECK(harness.run("EHLO bar.com\r\nQUIT\r\n") ==
        "220 mx.example.test ESMTP Posthorn\r\n"
        "250-mx.example.test\r\n250-SIZE 67108864\r\n250-8BITMIME\r\n250-PIPELINING\r\n"
        "250-ENHANCEDSTATUSCODES\r\n250-SMTPUTF8\r\n250 HELP\r\n"
        "221 2.0.0 mx.example.test Goodbye\r\n");
}

TEST_CASE("smtp session: HELO is answered in one line (RFC 5321 §4.1.1.1)") {
  Harness harness;
  const auto output = harness.run("HELO bar.com\r\nQUIT\r\n");
  CHECK(output.find("250 mx.example.test\r\n") != std::string::npos);
  CHECK(output.find("SIZE") == std::string::npos);
}

TEST_CASE("smtp session: the scenario of RFC 5321 §D.1, at any chunk size") {
  for (const std::size_t chunk : chunks) {
    Harness harness;
    harness.chunk = chunk;
    const auto output = harness.run(
        "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\n"
        "RCPT TO:<Brown@foo.com>\r\nDATA\r\nBlah blah blah...\r\n...etc. etc. etc.\r\n.\r\nQUIT\r\n");
    CAPTURE(chunk);
    CHECK(codes(output) == "220 250 250 250 550 250 354 250 221");
    CHECK(output.find("\r\n550 5.1.1 ") != std::string::npos);
    REQUIRE(harness.acceptor.messages.size() == 1);
    const auto& [envelope, content] = harness.acceptor.messages[0];
    CHECK(envelope.reverse_path == "Smith@bar.com");
    REQUIRE(envelope.recipients.size() == 2);
    CHECK(envelope.recipients[0] == "Jones@foo.com");
    CHECK(envelope.recipients[1] == "Brown@foo.com");
    CHECK(content ==
          "Return-Path: <Smith@bar.com>\r\n"
          "Received: from bar.com ([192.0.2.1])\r\n\tby mx.example.test with ESMTP\r\n\tid s1.1;\r\n"
          "\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
          "Blah blah blah...\r\n..etc. etc. etc.\r\n");
  }
}

TEST_CASE("smtp session: the scenario of RFC 5321 §D.2, an aborted transaction") {
  Harness harness;
  const auto output = harness.run(
      "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\n"
      "RSET\r\nDATA\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 250 250 550 250 503 221");
  CHECK(harness.acceptor.messages.empty());
}

TEST_CASE("smtp session: the scenario of RFC 5321 §D.3, step 1, where this server relays for nobody") {
  Harness harness;
  const auto output =
      harness.run("EHLO bar.com\r\nMAIL FROM:<JQP@bar.com>\r\nRCPT TO:<Jones@XYZ.COM>\r\nDATA\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 250 550 554 221");
  CHECK(output.find("550 5.7.1 Relaying denied") != std::string::npos);
}

TEST_CASE("smtp session: the scenario of RFC 5321 §D.4; VRFY tells strangers nothing (§7.3)") {
  Harness harness;
  const auto output = harness.run(
      "EHLO bar.com\r\nVRFY Jones\r\nVRFY Nobody\r\nMAIL FROM:<EAK@bar.com>\r\nRCPT "
      "TO:<Jones@foo.com>\r\nDATA\r\n"
      "Blah\r\n.\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 252 252 250 250 354 250 221");
}

TEST_CASE("smtp session: commands out of order change nothing (RFC 5321 §4.1.4)") {
  Harness harness;
  const auto output = harness.run(
      "MAIL FROM:<a@b>\r\n"  // before EHLO
      "RCPT TO:<Jones@foo.com>\r\nDATA\r\n"
      "EHLO bar.com\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\n"
      "MAIL FROM:<a@b>\r\nMAIL FROM:<c@d>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nx\r\n.\r\n"
      "DATA\r\nQUIT\r\n");
  CHECK(codes(output) == "220 503 503 503 250 503 503 250 503 250 354 250 503 221");
  REQUIRE(harness.acceptor.messages.size() == 1);
  CHECK(harness.acceptor.messages[0].envelope.reverse_path == "a@b");
}

TEST_CASE("smtp session: NOOP, HELP, VRFY, EXPN and RSET need no EHLO (RFC 5321 §4.1.4)") {
  Harness harness;
  CHECK(codes(harness.run("NOOP x\r\nHELP\r\nVRFY x\r\nEXPN x\r\nRSET\r\nQUIT\r\n")) ==
        "220 250 214 252 502 250 221");
}

TEST_CASE("smtp session: EHLO and HELO end a transaction, a bad one does not (RFC 5321 §4.1.4)") {
  Harness harness;
  CHECK(codes(harness.run("EHLO a\r\nMAIL FROM:<a@b>\r\nEHLO\r\nRCPT TO:<Jones@foo.com>\r\nEHLO a\r\n"
                          "RCPT TO:<Jones@foo.com>\r\nMAIL FROM:<a@b>\r\nHELO a\r\nDATA\r\nQUIT\r\n")) ==
        "220 250 250 501 250 250 503 250 250 503 221");
}

TEST_CASE("smtp session: what is no command (RFC 5321 §4.2.4, Appendix F, §4.1.1.11)") {
  Harness harness;
  const auto output = harness.run(
      "FROB\r\nSEND FROM:<a@b>\r\nTURN\r\nDATA now\r\nEHLO a\r\nMAIL FROM:<a@b> X=1\r\nMAIL "
      "FROM:a\r\nQUIT\r\n");
  CHECK(codes(output) == "220 500 502 502 501 250 555 501 221");
}

TEST_CASE("smtp session: replies have enhanced codes of their class (RFC 2034 §4)") {
  Harness harness;
  const auto output = harness.run(
      "FROB\r\nEHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\n.\r\nRSET\r\n"
      "NOOP\r\nHELP\r\nVRFY a\r\nTURN\r\nQUIT\r\n");
  std::string_view rest = output;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    CAPTURE(line);
    CHECK(line.size() <= 510);
    const bool exempt = line.starts_with("220") || line.starts_with("354") || line.starts_with("250-") ||
                        line.starts_with("250 HELP");
    if (exempt) continue;
    CHECK(line.substr(4, 2) == std::string{line[0], '.'});
  }
}

TEST_CASE("smtp session: no enhanced code answers EHLO and HELO (RFC 2034 §4)") {
  Harness harness;
  const std::string too_long(3000, 'x');
  const auto output =
      harness.run("EHLO\r\nhelo \r\nEHLO a\x01\r\nEHLO " + too_long + "\r\nEHLOX\r\nQUIT\r\n");
  CHECK(output ==
        "220 mx.example.test ESMTP Posthorn\r\n501 Syntax error in arguments\r\n"
        "501 Syntax error in arguments\r\n501 Syntax error in arguments\r\n500 Line too long\r\n"
        "500 5.5.1 Command not recognised\r\n221 2.0.0 mx.example.test Goodbye\r\n");
}

TEST_CASE("smtp session: HELP names what is offered (RFC 5321 §4.1.1.8)") {
  const auto help = [](Role role, bool tls, bool plaintext) {
    Harness harness;
    harness.role = role;
    harness.authenticator.plaintext = plaintext;
    if (tls) harness.script_after_tls = "";
    const auto output = harness.run("HELP\r\nQUIT\r\n");
    const std::size_t begin = output.find("214-");
    return output.substr(begin, output.find("\r\n", begin) - begin);
  };
  const std::string always = "214-2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP";
  CHECK(help(Role::mx, false, true) == always);
  CHECK(help(Role::mx, true, true) == always + " STARTTLS");
  CHECK(help(Role::submission, true, false) == always + " STARTTLS");
  CHECK(help(Role::submission, true, true) == always + " STARTTLS AUTH");
  CHECK(help(Role::submissions, false, true) == always + " AUTH");
}

TEST_CASE("smtp session: long lines (RFC 5321 §4.5.3.1.4)") {
  Harness harness;
  const std::string longest = "NOOP " + std::string(2048 - 5, 'x') + "\r\n";
  const std::string longer = "NOOP " + std::string(2048 - 4, 'x') + "\r\n";
  const auto output = harness.run(longest + longer + "NOOP " + std::string(100'000, 'x') + "\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 500 500 221");
}

TEST_CASE("smtp session: a line that ends in LF alone is no command (RFC 5321 §2.3.8)") {
  for (const std::size_t chunk : chunks) {
    Harness harness;
    harness.chunk = chunk;
    CHECK(codes(harness.run("EHLO a\nNOOP\r\nNOOP\rNOOP\r\nQUIT\r\n")) == "220 500 501 221");
  }
}

TEST_CASE("smtp session: a client that ends its lines in LF alone is told, and soon cut (RFC 5321 §2.3.8)") {
  for (const std::size_t chunk : chunks) {
    Harness harness;
    harness.chunk = chunk;
    const auto output = harness.run("EHLO a\nHELO a\nQUIT\nNOOP\r\nNOOP\r\n");
    CAPTURE(chunk);
    CHECK(codes(output) == "220 500 421");
    CHECK(output.find("421 4.7.0 mx.example.test Lines end with CR LF") != std::string::npos);
    CHECK(harness.log.contains("smtp.limit"));
  }
  Harness over_long;
  CHECK(codes(over_long.run("EHLO a\n" + std::string(20'000, 'x') + "\r\nNOOP\r\n")) == "220 500 421");
}

TEST_CASE("smtp session: a line that a bare LF broke ends within the time of a line") {
  for (const char* rest : {"", "NOOP"}) {
    Harness harness;
    harness.hold_open = true;
    harness.settings->timeouts.line = Milliseconds(30);
    harness.begin("EHLO a\n");
    REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
    harness.peer->send(rest);
    REQUIRE(harness.wait([&] { return harness.ended(); }));
    CHECK(codes(harness.peer->output()) == "220 500 421");
    CHECK(harness.peer->output().find("421 4.4.2 ") != std::string::npos);
  }
  Harness mended;  // the time is the line's alone
  mended.hold_open = true;
  mended.settings->timeouts.line = Milliseconds(30);
  mended.begin("EHLO a\nNOOP\r\n");
  REQUIRE(mended.wait([&] { return mended.peer->idle(); }));
  bool later = false;
  Timer after(mended.loop, [&later] { later = true; });
  after.start(Milliseconds(60));
  REQUIRE(mended.wait([&] { return later; }));
  mended.peer->send("NOOP\r\nQUIT\r\n");
  mended.peer->hang_up();
  REQUIRE(mended.wait([&] { return mended.ended(); }));
  CHECK(codes(mended.peer->output()) == "220 500 250 221");
}

TEST_CASE("smtp session: too many errors, or commands without a message, end it with 421") {
  Harness errors;
  errors.settings->errors = 3;
  CHECK(codes(errors.run("A\r\nB\r\nC\r\nNOOP\r\n")) == "220 500 500 500 421");
  Harness idle;
  idle.settings->commands_between_messages = 4;
  CHECK(codes(idle.run("NOOP\r\nRSET\r\nEHLO a\r\nNOOP\r\nNOOP\r\n")) == "220 250 250 250 250 421");
  Harness harvest;
  harvest.settings->refused_recipients = 2;
  CHECK(codes(harvest.run(
            "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<x@foo.com>\r\nRCPT TO:<y@foo.com>\r\nNOOP\r\n")) ==
        "220 250 250 550 550 421");
}

TEST_CASE("smtp session: pipelined replies share a write, those that must not wait do not (RFC 2920 §3.2)") {
  Harness harness;
  harness.hold_open = true;
  harness.begin("EHLO a\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  const std::size_t before = harness.peer->awaits();
  harness.peer->send(
      "RSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Brown@foo.com>\r\nRSET\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle() && codes(harness.peer->output()).size() == 27; }));
  CHECK(codes(harness.peer->output()) == "220 250 250 250 250 250 250");
  CHECK(harness.peer->awaits() - before == 2);  // one write, and the read that waits for more
  harness.peer->hang_up();
  CHECK(harness.wait([&] { return harness.ended(); }));
}

TEST_CASE("smtp session: a time-out says 421 4.4.2 (RFC 5321 §4.5.3.2.7, RFC 3463 §3.5)") {
  Harness harness;
  harness.hold_open = true;
  harness.begin("EHLO a\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.connection->set_timeouts({.idle = Milliseconds(20)});
  harness.peer->send("NOOP\r\n");
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(codes(harness.peer->output()) == "220 250 250 421");
  CHECK(harness.peer->output().find("421 4.4.2 mx.example.test ") != std::string::npos);
  Harness slow;
  slow.hold_open = true;
  slow.settings->timeouts.line = Milliseconds(20);
  CHECK(codes(slow.run("EHL")) == "220 421");
}

TEST_CASE("smtp session: shutdown says 421 4.3.2 to whoever waits (RFC 5321 §3.8)") {
  Harness harness;
  harness.hold_open = true;
  harness.begin("EHLO a\r\nMAIL FROM:<a@b>\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.connection->close(CloseReason::shutdown);
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(codes(harness.peer->output()) == "220 250 250 421");
  CHECK(harness.peer->output().find("421 4.3.2 ") != std::string::npos);
}

TEST_CASE("smtp session: stop() ends an idle session, and lets a transaction come to its end") {
  Harness idle;
  idle.hold_open = true;
  idle.begin("EHLO a\r\n");
  REQUIRE(idle.wait([&] { return idle.peer->idle(); }));
  idle.session->stop();
  REQUIRE(idle.wait([&] { return idle.peer->output().find("421 4.3.2") != std::string::npos; }));
  idle.peer->hang_up();
  REQUIRE(idle.wait([&] { return idle.ended(); }));

  Harness busy;
  busy.hold_open = true;
  busy.begin("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\n");
  REQUIRE(busy.wait([&] { return busy.peer->idle(); }));
  busy.session->stop();
  REQUIRE(busy.wait([&] { return busy.peer->idle(); }));
  busy.peer->send("DATA\r\n");
  REQUIRE(busy.wait([&] { return busy.peer->output().find("\r\n354 ") != std::string::npos; }));
  busy.peer->send("text\r\n.\r\nMAIL FROM:<a@b>\r\n");
  busy.peer->hang_up();
  REQUIRE(busy.wait([&] { return busy.ended(); }));
  CHECK(codes(busy.peer->output()) == "220 250 250 250 354 250 421");
  CHECK(busy.acceptor.messages.size() == 1);
}

TEST_CASE("smtp session: a client that does not read is waited for, and then left") {
  Harness harness;
  harness.hold_open = true;
  harness.settings->timeouts.write = Milliseconds(30);
  harness.begin("");
  harness.peer->hold_writes(true);
  harness.peer->send("NOOP\r\n");
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(harness.peer->output().empty());
}

// Everything that a session awaits, once each.
const std::string every_await =
    "EHLO a\r\nNOOP\r\nAUTH PLAIN\r\nAGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\nVRFY alice@example.test\r\n"
    "MAIL FROM:<alice@example.test>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<nobody@foo.com>\r\n"
    "DATA\r\nSubject: x\r\n\r\n..text\r\n.\r\nRSET\r\nQUIT\r\n";

TEST_CASE(
    "smtp session: a connection that dies at any await leaves nothing behind, and no 250 without a message") {
  std::size_t awaits = 0;
  for (std::size_t kill_at = 0; kill_at <= awaits; ++kill_at) {
    Harness harness;
    harness.role = Role::submission;
    harness.take_turns = true;
    harness.chunk = 40;
    harness.kill_at = kill_at;
    const auto output = harness.run(every_await);
    CAPTURE(kill_at);
    CHECK(harness.ended());
    if (kill_at == 0) {
      awaits = harness.peer->awaits();
      CHECK(awaits > 20);
      CHECK(codes(output) == "220 250 250 334 235 250 250 250 550 354 250 250 221");
    }
    if (output.find("Stored") != std::string::npos) CHECK(harness.acceptor.messages.size() == 1);
  }
}

}  // namespace
}  // namespace posthorn::smtp

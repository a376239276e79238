#include "protocols/pop3/session.h"

#include "auth/sasl.h"
#include "tests/support/scram_example.h"
#include "tests/unit/protocols/pop3/harness.h"

#include <doctest/doctest.h>

namespace posthorn::pop3 {
namespace {

constexpr std::size_t chunks[] = {1, 4, 100'000};

const std::string login = "USER alice@example.test\r\nPASS secret\r\n";
const std::string greeting = "+OK POP3 server ready\r\n";
const std::string logged_in =
    greeting + "+OK Password, please\r\n+OK Maildrop has 2 messages (320 octets)\r\n";

TEST_CASE("pop3 session: the session of RFC 1939 §10, at any chunk size") {
  for (const std::size_t chunk : chunks) {
    Harness harness;
    harness.chunk = chunk;
    const std::string one = "Subject: one\r\n\r\n..\r\n...\r\n" + std::string(95, 'x') + "\r\n";
    const std::string two = harness.inbox().messages[9];
    CAPTURE(chunk);
    CHECK(harness.run(login + "STAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n") ==
          logged_in +
              "+OK 2 320\r\n+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n+OK 120 octets\r\n" + one +
              ".\r\n+OK Message 1 deleted\r\n+OK 200 octets\r\n" + two +
              ".\r\n+OK Message 2 deleted\r\n+OK Goodbye\r\n");
    CHECK(harness.inbox().messages.empty());
    CHECK_FALSE(harness.account().locked);
    CHECK(harness.log.contains("deleted=2"));
  }
}

TEST_CASE(
    "pop3 session: sizes are those of what RETR sends, line ends that it adds among them (RFC 1939 §5, "
    "§11)") {
  Harness harness;
  harness.inbox().messages = {
      {1, "Subject: no end\r\n\r\ntext"}, {2, "Subject: bare\r\n\r\na\nb\nc"}, {3, "x: y\r\n"}};
  CHECK(
      harness.run(login + "STAT\r\nLIST\r\nLIST 2\r\nRETR 1\r\nDELE 1\r\nSTAT\r\nRSET\r\nSTAT\r\nQUIT\r\n") ==
      greeting +
          "+OK Password, please\r\n+OK Maildrop has 3 messages (57 octets)\r\n+OK 3 57\r\n"
          "+OK 3 messages (57 octets)\r\n1 25\r\n2 26\r\n3 6\r\n.\r\n+OK 2 26\r\n"
          "+OK 25 octets\r\nSubject: no end\r\n\r\ntext\r\n.\r\n"
          "+OK Message 1 deleted\r\n+OK 2 32\r\n+OK 3 messages (57 octets)\r\n+OK 3 57\r\n+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: nothing is deleted without QUIT (RFC 1939 §6)") {
  Harness harness;
  harness.run(login + "DELE 1\r\n");
  CHECK(harness.inbox().messages.size() == 2);
  CHECK_FALSE(harness.account().locked);
}

TEST_CASE("pop3 session: RSET unmarks, and marked messages are gone for all commands (RFC 1939 §5)") {
  Harness harness;
  CHECK(harness.run(login +
                    "DELE 1\r\nSTAT\r\nLIST\r\nUIDL\r\nLIST 1\r\nRETR 1\r\nTOP 1 0\r\nUIDL 1\r\nDELE 1\r\n"
                    "RSET\r\nSTAT\r\nQUIT\r\n") ==
        logged_in +
            "+OK Message 1 deleted\r\n+OK 1 200\r\n+OK 1 messages (200 octets)\r\n2 200\r\n.\r\n"
            "+OK Unique ids follow\r\n2 42.9\r\n.\r\n" +
            [] {
              std::string gone;
              for (int i = 0; i < 5; ++i) gone += "-ERR No such message, there are 2 in the maildrop\r\n";
              return gone;
            }() +
            "+OK 2 messages (320 octets)\r\n+OK 2 320\r\n+OK Goodbye\r\n");
  CHECK(harness.inbox().messages.size() == 2);
}

TEST_CASE("pop3 session: an error at QUIT is told, and the lock is given back (RFC 1939 §6)") {
  Harness harness;
  harness.inbox().failure_at_expunge = Error{Errc::io, "disk on fire"};
  const auto output = harness.run(login + "DELE 1\r\nQUIT\r\n");
  CHECK(output.ends_with("-ERR [SYS/TEMP] The messages marked as deleted were not removed\r\n"));
  CHECK(harness.log.contains("disk on fire"));
  CHECK_FALSE(harness.account().locked);
}

TEST_CASE("pop3 session: no such message (RFC 1939 §5)") {
  Harness harness;
  CHECK(
      statuses(harness.run(login + "LIST 3\r\nRETR 0\r\nDELE 3\r\nTOP 4294967296 1\r\nUIDL 3\r\nQUIT\r\n")) ==
      "+ + + - - - - - +");
}

TEST_CASE("pop3 session: an empty maildrop (RFC 1939 §5)") {
  Harness harness;
  harness.inbox().messages.clear();
  CHECK(harness.run(login + "STAT\r\nLIST\r\nUIDL\r\nQUIT\r\n") ==
        greeting +
            "+OK Password, please\r\n+OK Maildrop has 0 messages (0 octets)\r\n+OK 0 0\r\n"
            "+OK 0 messages (0 octets)\r\n.\r\n+OK Unique ids follow\r\n.\r\n+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: TOP (RFC 1939 §7)") {
  Harness harness;
  const auto output = harness.run(login + "TOP 1 0\r\nTOP 1 1\r\nTOP 1 99\r\nQUIT\r\n");
  const std::string header = "+OK 120 octets\r\nSubject: one\r\n\r\n";
  CHECK(output == logged_in + header + ".\r\n" + header + "..\r\n.\r\n" + header + "..\r\n...\r\n" +
                      std::string(95, 'x') + "\r\n.\r\n+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: UIDL is the message's own and no other's (RFC 1939 §7)") {
  Harness harness;
  CHECK(harness.run(login + "UIDL\r\nUIDL 2\r\nQUIT\r\n") ==
        logged_in + "+OK Unique ids follow\r\n1 42.7\r\n2 42.9\r\n.\r\n+OK 2 42.9\r\n+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: large messages stream through, byte for byte") {
  std::string large = "Subject: large\r\n\r\n";
  while (large.size() < 1'000'000) large += ".leading dot " + std::to_string(large.size()) + "\r\n";
  Harness harness;
  harness.inbox().messages = {{1, large}};
  const auto output = harness.run(login + "RETR 1\r\nQUIT\r\n");
  const std::string head = "+OK " + std::to_string(large.size()) + " octets\r\n";
  const std::size_t begin = output.find(head) + head.size();
  std::string received = output.substr(begin, output.rfind(".\r\n+OK Goodbye") - begin);
  for (std::size_t at = 0; (at = received.find("\r\n..", at)) != std::string::npos; at += 3)
    received.erase(at + 2, 1);
  CHECK((received == large));
  const auto top = [&] {
    Harness again;
    again.inbox().messages = {{1, large}};
    return again.run(login + "TOP 1 20000\r\nQUIT\r\n");
  }();
  CHECK(top.size() > 400'000);
  CHECK(top.size() < 900'000);
}

TEST_CASE("pop3 session: the maildrop stays as it was when the session began (RFC 1939 §3)") {
  Harness harness;
  harness.hold_open = true;
  harness.begin(login);
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.inbox().messages.erase(7);                      // by IMAP
  harness.inbox().messages[10] = "Subject: new\r\n\r\n";  // arrives
  harness.peer->send("STAT\r\nLIST 1\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n");
  harness.peer->hang_up();
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  const auto& output = harness.peer->output();
  CHECK(output.find(
            "+OK 2 320\r\n+OK 1 120\r\n-ERR Another session has expunged this message\r\n+OK 200 octets") !=
        std::string::npos);
  CHECK(output.ends_with("+OK Goodbye\r\n"));
  CHECK(harness.inbox().messages.size() == 1);
  CHECK(harness.inbox().messages.contains(10));
}

TEST_CASE("pop3 session: messages that another session has expunged are no errors of the client's") {
  Harness harness;
  harness.hold_open = true;
  for (std::uint32_t uid = 20; uid < 50; ++uid) harness.inbox().messages[uid] = "Subject: more\r\n\r\n";
  harness.begin(login);
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  for (std::uint32_t uid = 20; uid < 50; ++uid) harness.inbox().messages.erase(uid);
  harness.peer->send("DELE 1\r\n");
  for (int number = 3; number <= 32; ++number) harness.peer->send("RETR " + std::to_string(number) + "\r\n");
  harness.peer->send("QUIT\r\n");
  harness.peer->hang_up();
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(
      harness.peer->output().ends_with("-ERR Another session has expunged this message\r\n+OK Goodbye\r\n"));
  CHECK_FALSE(harness.inbox().messages.contains(7));
}

TEST_CASE("pop3 session: a message that can't be read to its end is not passed off as whole") {
  Harness harness;
  harness.inbox().messages = {{1, std::string(200'000, 'x') + "\r\n"}};
  harness.inbox().failure_at_read = Error{Errc::io, "bad sector"};
  const auto output = harness.run(login + "RETR 1\r\nNOOP\r\n");
  CHECK(output.find("\r\n.\r\n") == std::string::npos);
  CHECK(statuses(output) == "+ + + +");
  CHECK(harness.log.contains("bad sector"));
}

TEST_CASE("pop3 session: one session has the maildrop (RFC 1939 §4, RFC 2449 §8.1.2)") {
  Harness harness;
  REQUIRE(harness.account().lock_maildrop());
  const auto output = harness.run(login + "STAT\r\nQUIT\r\n");
  CHECK(output.find("-ERR [IN-USE] ") != std::string::npos);
  CHECK(statuses(output) == "+ + - - +");
  CHECK(harness.account().locked);
}

TEST_CASE("pop3 session: too many connections of an account are not the mailbox's lock (RFC 3206 §4)") {
  Harness harness;
  harness.authenticator.failure = Error{Errc::in_use, "connections_per_account"};
  const auto output = harness.run(login + "QUIT\r\n");
  CHECK(output.find("-ERR [SYS/TEMP] Too many connections of this account\r\n") != std::string::npos);
}

TEST_CASE("pop3 session: each command in its state (RFC 1939 §3)") {
  Harness harness;
  CHECK(
      statuses(harness.run("STAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nNOOP\r\nRSET\r\nTOP 1 1\r\nUIDL\r\nCAPA\r\n" +
                           login + "USER a\r\nPASS b\r\nAUTH\r\nSTLS\r\nCAPA\r\nNOOP\r\nQUIT\r\n")) ==
      "+ - - - - - - - - + + + - - - - + + +");
}

TEST_CASE("pop3 session: USER and PASS (RFC 1939 §7)") {
  Harness harness;
  const auto output = harness.run(
      "PASS secret\r\nUSER nobody\r\nPASS secret\r\nPASS secret\r\nUSER alice@example.test\r\nPASS "
      "wrong\r\n" +
      login + "QUIT\r\n");
  CHECK(statuses(output) == "+ - + - - + - + + +");
  CHECK(output.find("-ERR [AUTH] ") != std::string::npos);  // RFC 3206
  CHECK(harness.authenticator.service == auth::Service::pop3);
}

TEST_CASE("pop3 session: QUIT before login (RFC 1939 §4)") {
  Harness harness;
  CHECK(harness.run("QUIT\r\n") == greeting + "+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: AUTH (RFC 5034 §4)") {
  struct Case {
    std::string script;
    const char* expected;
  };
  const std::string user64 = "YWxpY2VAZXhhbXBsZS50ZXN0\r\n";
  const std::string plain64 = "AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n";
  const Case cases[] = {
      {"AUTH PLAIN " + plain64, "+OK Maildrop has 2 messages (320 octets)\r\n"},
      {"AUTH PLAIN\r\n" + plain64, "+ \r\n+OK Maildrop has 2 messages (320 octets)\r\n"},
      {"AUTH LOGIN\r\n" + user64 + "c2VjcmV0\r\n",
       "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK Maildrop has 2 messages (320 octets)\r\n"},
      {"AUTH PLAIN\r\n*\r\n", "+ \r\n-ERR Authentication cancelled\r\n"},
      {"AUTH PLAIN\r\n=AAA\r\n", "+ \r\n-ERR Cannot decode base64\r\n"},
      {"AUTH PLAIN AAA=BBB\r\n", "-ERR Cannot decode base64\r\n"},
      {"AUTH PLAIN\r\n" + std::string(12'289, 'A') + "\r\n", "+ \r\n-ERR Line too long\r\n"},
      {"AUTH GSSAPI\r\n", "-ERR Authentication mechanism not offered\r\n"},
      {"AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==\r\n", "-ERR [AUTH] Authentication failed\r\n"},
      {"AUTH\r\n", "+OK Mechanisms follow\r\nSCRAM-SHA-256\r\nPLAIN\r\nLOGIN\r\n.\r\n"},
  };
  for (const auto& [script, expected] : cases) {
    for (const std::size_t chunk : chunks) {
      Harness harness;
      harness.chunk = chunk;
      CAPTURE(script);
      CHECK(harness.run(script + "QUIT\r\n") == greeting + expected + "+OK Goodbye\r\n");
    }
  }
}

namespace scram = testing::scram_example;

TEST_CASE("pop3 session: AUTH SCRAM-SHA-256, the server's signature being one more challenge (RFC 5034 §4)") {
  const std::string rest =
      "+ " + scram::server_first + "\r\n+ " + scram::server_final + "\r\n+OK Maildrop has ";
  const std::string answers = scram::client_final + "\r\n\r\nQUIT\r\n";
  Harness with_initial;
  CHECK(with_initial.run("AUTH SCRAM-SHA-256 " + scram::client_first + "\r\n" + answers)
            .starts_with(greeting + rest));
  Harness without;
  CHECK(without.run("AUTH SCRAM-SHA-256\r\n" + scram::client_first + "\r\n" + answers)
            .starts_with(greeting + "+ \r\n" + rest));
}

TEST_CASE(
    "pop3 session: a SCRAM exchange that is refused, broken off or broken leaves the session as it was") {
  const std::string begin = "AUTH SCRAM-SHA-256 " + scram::client_first + "\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {begin + scram::wrong_final, "-ERR [AUTH] Authentication failed\r\n"},
      {begin + "*", "-ERR Authentication cancelled\r\n"},
      {begin + "", "-ERR Message not understood\r\n"},
      {begin + scram::client_final + "\r\n*", "-ERR Authentication cancelled\r\n"},
      {begin + scram::client_final + "\r\nYQ==", "-ERR Message not understood\r\n"},
      {"AUTH SCRAM-SHA-256 =", "-ERR Message not understood\r\n"},
      {"AUTH SCRAM-SHA-256-PLUS " + scram::client_first, "-ERR Authentication mechanism not offered\r\n"},
  };
  for (const auto& [lines, reply] : cases) {
    CAPTURE(lines);
    Harness harness;
    const std::string said = harness.run(lines + "\r\n" + login + "QUIT\r\n");
    CHECK(said.find(reply) != std::string::npos);
    CHECK(said.find("+OK Maildrop has ") != std::string::npos);
  }
}

TEST_CASE("pop3 session: what is announced (RFC 2449 §5 and §6, RFC 3206 §3, RFC 2595 §4)") {
  const std::string always = "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n";
  const std::string passwords = "USER\r\nSASL SCRAM-SHA-256 PLAIN LOGIN\r\n";
  Harness open;
  CHECK(open.run("CAPA\r\n") == greeting + "+OK Capability list follows\r\n" + always + passwords +
                                    "IMPLEMENTATION Posthorn\r\n.\r\n");
  Harness closed;
  closed.authenticator.plaintext = false;
  closed.script_after_tls = "CAPA\r\n" + login + "CAPA\r\nQUIT\r\n";
  const auto plain = closed.run("CAPA\r\n" + login + "AUTH PLAIN\r\nAUTH\r\nSTLS\r\n");
  CHECK(plain == greeting + "+OK Capability list follows\r\n" + always +
                     "STLS\r\nIMPLEMENTATION Posthorn\r\n.\r\n-ERR STLS first\r\n-ERR USER first\r\n"
                     "-ERR Authentication mechanism not offered\r\n+OK Mechanisms follow\r\n.\r\n"
                     "+OK Begin TLS negotiation\r\n");
  const std::string list =
      "+OK Capability list follows\r\n" + always + passwords + "IMPLEMENTATION Posthorn\r\n.\r\n";
  CHECK(closed.output_after_tls ==
        list + "+OK Password, please\r\n+OK Maildrop has 2 messages (320 octets)\r\n" + list +
            "+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: what was sent before the handshake is thrown away, USER too (RFC 2595 §4)") {
  Harness harness;
  harness.script_after_tls = "PASS secret\r\nSTLS\r\nQUIT\r\n";
  const auto plain = harness.run("USER alice@example.test\r\nSTLS\r\nPASS secret\r\nSTAT\r\n");
  CHECK(statuses(plain) == "+ + +");
  CHECK(harness.output_after_tls == "-ERR USER first\r\n-ERR TLS is active already\r\n+OK Goodbye\r\n");
  CHECK(harness.log.contains("pop3.plaintext_discarded"));
  Harness none;
  CHECK(statuses(none.run("STLS\r\nQUIT\r\n")) == "+ - +");
}

TEST_CASE("pop3 session: lines that are too long, or end in LF alone") {
  Harness harness;
  CHECK(statuses(harness.run("USER " + std::string(245, 'x') + "\r\nUSER " + std::string(5000, 'x') +
                             "\r\nNOOP\nCAPA\nQUIT\r\n")) == "+ + - - - +");
}

TEST_CASE("pop3 session: the longest password there is can be sent, by PASS and by AUTH") {
  const std::string password(1024, 'p');
  Harness harness;
  harness.authenticator.password = password;
  const std::string user = "USER alice@example.test\r\n";
  CHECK(statuses(harness.run(user + "PASS " + password + "\r\nQUIT\r\n")) == "+ + + +");
  Harness by_auth;
  by_auth.authenticator.password = password;
  const std::string plain = auth::encode_base64(std::string("\0alice@example.test\0", 20) + password);
  CHECK(statuses(by_auth.run("auth PLAIN " + plain + "\r\nQUIT\r\n")) == "+ + +");
  // There is a limit nevertheless.
  Harness beyond;
  beyond.settings->auth_line = 2000;
  CHECK(beyond.run(user + "PASS " + std::string(2000, 'p') + "\r\nAUTH PLAIN " + std::string(2000, 'p') +
                   "\r\nAUTH PLAIN\r\n" + std::string(2001, 'p') + "\r\nQUIT\r\n") ==
        greeting +
            "+OK Password, please\r\n-ERR Line too long\r\n-ERR Line too long\r\n+ \r\n-ERR Line too long\r\n"
            "+OK Goodbye\r\n");
}

TEST_CASE("pop3 session: who does not log in is left after some commands, or some time") {
  Harness commands;
  commands.settings->commands_before_login = 4;
  CHECK(commands.run("CAPA\r\nUSER x\r\nUSER x\r\nUSER x\r\nUSER x\r\n")
            .ends_with("+OK Password, please\r\n-ERR Too many commands without a login\r\n"));
  CHECK(commands.log.contains("limit=\"Too many commands without a login\""));
  Harness in;
  in.settings->commands_before_login = 3;
  CHECK(statuses(in.run(login + "NOOP\r\nNOOP\r\nNOOP\r\nQUIT\r\n")) == "+ + + + + + +");

  Harness time;
  time.hold_open = true;
  time.settings->login_time = Milliseconds(20);
  time.begin("USER x\r\n");
  REQUIRE(time.wait([&] { return time.ended(); }));
  CHECK(time.peer->output() == greeting + "+OK Password, please\r\n");
  Harness stays;
  stays.hold_open = true;
  stays.settings->login_time = Milliseconds(50);
  stays.begin(login);
  REQUIRE(stays.wait([&] { return stays.peer->idle(); }));
  testing::run_until(stays.loop, [] { return false; }, Milliseconds(100));
  CHECK_FALSE(stays.ended());
  stays.peer->hang_up();
  REQUIRE(stays.wait([&] { return stays.ended(); }));
}

TEST_CASE("pop3 session: too many errors or failed logins end it") {
  Harness errors;
  errors.settings->errors = 3;
  CHECK(statuses(errors.run("A\r\nB\r\nC\r\nCAPA\r\n")) == "+ - - - -");
  Harness logins;
  const std::string wrong = "USER x\r\nPASS y\r\n";
  CHECK(statuses(logins.run(wrong + wrong + wrong + login)) == "+ + - + - + - -");
}

TEST_CASE("pop3 session: a time-out says nothing and deletes nothing (RFC 1939 §3)") {
  Harness harness;
  harness.hold_open = true;
  harness.begin(login);
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.connection->set_timeouts({.idle = Milliseconds(20)});
  harness.peer->send("DELE 1\r\n");
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(harness.peer->output() == logged_in + "+OK Message 1 deleted\r\n");
  CHECK(harness.inbox().messages.size() == 2);
  CHECK_FALSE(harness.account().locked);
  CHECK(Settings().timeouts.idle >= Milliseconds(600'000));
}

TEST_CASE("pop3 session: stop() ends an idle session, and waits for the QUIT of one that deletes") {
  Harness idle;
  idle.hold_open = true;
  idle.begin(login);
  REQUIRE(idle.wait([&] { return idle.peer->idle(); }));
  idle.session->stop();
  REQUIRE(idle.wait([&] { return idle.peer->output().find("-ERR [SYS/TEMP] ") != std::string::npos; }));
  CHECK_FALSE(idle.account().locked);
  idle.peer->hang_up();
  REQUIRE(idle.wait([&] { return idle.ended(); }));

  Harness busy;
  busy.hold_open = true;
  busy.begin(login + "DELE 1\r\n");
  REQUIRE(busy.wait([&] { return busy.peer->idle(); }));
  busy.session->stop();
  REQUIRE(busy.wait([&] { return busy.peer->idle(); }));
  busy.peer->send("QUIT\r\n");
  busy.peer->hang_up();
  REQUIRE(busy.wait([&] { return busy.ended(); }));
  CHECK(busy.inbox().messages.size() == 1);
}

TEST_CASE("pop3 session: stop() ends a session that waits for an answer to a challenge") {
  Harness harness;
  harness.hold_open = true;
  harness.begin("AUTH PLAIN\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.session->stop();
  REQUIRE(harness.wait([&] { return harness.peer->output().find("-ERR [SYS/TEMP] ") != std::string::npos; }));
  harness.peer->hang_up();
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(harness.peer->output() == greeting + "+ \r\n-ERR [SYS/TEMP] The server is shutting down\r\n");
}

TEST_CASE("pop3 session: a client that does not read holds its own session only, and is left at last") {
  Harness harness;
  harness.hold_open = true;
  harness.inbox().messages = {{1, std::string(3'000'000, 'x') + "\r\n"}};
  harness.begin(login);
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.connection->set_timeouts({.write = Milliseconds(30)});
  harness.peer->hold_writes(true);
  harness.peer->send("RETR 1\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->write_waits() || harness.ended(); }));
  CHECK(harness.connection->output().size() < 200'000);
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK_FALSE(harness.account().locked);
}

TEST_CASE("pop3 session: no password in the log") {
  Harness harness;
  harness.log.configure(LogLevel::trace, LogFormat::text);
  harness.run(login + "QUIT\r\n");
  CHECK_FALSE(harness.log.contains("secret"));
}

TEST_CASE("pop3 session: a connection that dies at any await leaves nothing behind, nor the lock") {
  std::size_t awaits = 0;
  for (std::size_t kill_at = 0; kill_at <= awaits; ++kill_at) {
    Harness harness;
    harness.take_turns = true;
    harness.chunk = 40;
    harness.kill_at = kill_at;
    harness.inbox().messages[9] = std::string(150'000, 'x') + "\r\n";
    const auto output = harness.run(
        "CAPA\r\nAUTH PLAIN\r\nAGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n"
        "LIST\r\nTOP 1 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n");
    CAPTURE(kill_at);
    CHECK(harness.ended());
    CHECK_FALSE(harness.account().locked);
    if (kill_at == 0) {
      awaits = harness.peer->awaits();
      CHECK(awaits > 15);
      CHECK(statuses(output) == "+ + + + + + + +");
    }
    if (output.find("Goodbye") != std::string::npos) CHECK(harness.inbox().messages.size() == 1);
  }
}

}  // namespace
}  // namespace posthorn::pop3

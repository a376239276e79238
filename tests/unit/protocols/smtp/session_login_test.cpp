#include "tests/support/scram_example.h"
#include "tests/unit/protocols/smtp/harness.h"

#include <doctest/doctest.h>

namespace posthorn::smtp {
namespace {

const std::string login = "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n";
const std::string user64 = "YWxpY2VAZXhhbXBsZS50ZXN0\r\n";
const std::string password64 = "c2VjcmV0\r\n";

std::string submit(std::string script, void (*prepare)(Harness&) = nullptr) {
  Harness harness;
  harness.role = Role::submission;
  if (prepare != nullptr) prepare(harness);
  return harness.run(std::move(script));
}

TEST_CASE("smtp login: submission takes mail only after AUTH (RFC 6409 §4.3, RFC 4954 §6)") {
  Harness harness;
  harness.role = Role::submission;
  const auto output = harness.run(
      "EHLO a\r\nMAIL FROM:<alice@example.test>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nVRFY "
      "alice\r\nNOOP\r\nRSET\r\n" +
      login + "MAIL FROM:<alice@example.test>\r\nRCPT TO:<Jones@foo.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 530 530 530 530 250 250 235 250 250 354 250 221");
  CHECK(output.find("530 5.7.0 Authentication required") != std::string::npos);
  REQUIRE(harness.acceptor.messages.size() == 1);
  CHECK(harness.acceptor.messages[0].envelope.login == "alice@example.test");
  CHECK(harness.acceptor.messages[0].content.find(" with ESMTPA\r\n") != std::string::npos);
}

TEST_CASE("smtp login: a remote recipient is refused in clear words, also after AUTH") {
  const auto output = submit("EHLO a\r\n" + login + "MAIL FROM:<a@b>\r\nRCPT TO:<x@far.example>\r\nQUIT\r\n");
  CHECK(output.find("550 5.7.1 This server does not send mail to other servers") != std::string::npos);
}

TEST_CASE("smtp login: port 25 has no AUTH") {
  Harness harness;
  const auto output = harness.run("EHLO a\r\n" + login + "QUIT\r\n");
  CHECK(codes(output) == "220 250 502 221");
  CHECK(output.find("250-AUTH") == std::string::npos);
  CHECK_FALSE(harness.authenticator.asked);
}

TEST_CASE("smtp login: AUTH is offered where passwords may be sent (RFC 4954 §4)") {
  CHECK(submit("EHLO a\r\nQUIT\r\n").find("250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n") != std::string::npos);
  const auto closed = submit("EHLO a\r\n" + login + "MAIL FROM:<a@b>\r\nQUIT\r\n", [](Harness& harness) {
    harness.authenticator.plaintext = false;
    harness.script_after_tls = "";
  });
  CHECK(closed.find("AUTH PLAIN") == std::string::npos);
  CHECK(codes(closed) == "220 250 530 530 221");
  CHECK(closed.find("530 5.7.0 Must issue a STARTTLS command first") != std::string::npos);
}

TEST_CASE("smtp login: the exchanges of RFC 4954 §4.1 and of LOGIN, at any chunk size") {
  for (const std::size_t chunk : {1U, 5U, 100'000U}) {
    struct Case {
      std::string script;
      const char* expected;
    };
    const Case cases[] = {
        {login, "235"},
        {"AUTH PLAIN\r\nAGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n", "334 235"},
        {"AUTH LOGIN\r\n" + user64 + password64, "334 334 235"},
        {"AUTH LOGIN " + user64 + password64, "334 235"},
        {"auth login\r\n" + user64 + password64, "334 334 235"},
    };
    for (const auto& [script, expected] : cases) {
      Harness harness;
      harness.role = Role::submission;
      harness.chunk = chunk;
      CAPTURE(script);
      CHECK(codes(harness.run("EHLO a\r\n" + script + "QUIT\r\n")) ==
            std::string("220 250 ") + expected + " 221");
      REQUIRE(harness.authenticator.asked);
      CHECK(harness.authenticator.asked->user == "alice@example.test");
      CHECK(harness.authenticator.asked->password == "secret");
      CHECK(harness.authenticator.service == auth::Service::smtp);
    }
  }
  const auto output = submit("EHLO a\r\nAUTH PLAIN\r\n*\r\nQUIT\r\n");
  CHECK(output.find("\r\n334 \r\n501 5.7.0 ") != std::string::npos);
}

TEST_CASE("smtp login: exchanges that fail (RFC 4954 §4, §6)") {
  struct Case {
    std::string script;
    const char* reply;
  };
  const Case cases[] = {
      {"AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==\r\n", "535 5.7.8 "},
      {"AUTH PLAIN\r\n*\r\n", "501 5.7.0 "},
      {"AUTH LOGIN\r\n" + user64 + "*\r\n", "501 5.7.0 "},
      {"AUTH PLAIN =AAA\r\n", "501 5.5.2 "},
      {"AUTH PLAIN AAA=BBB\r\n", "501 5.5.2 "},
      {"AUTH PLAIN\r\nnot base64\r\n", "501 5.5.2 "},
      {"AUTH PLAIN =\r\n", "501 5.5.2 "},
      {"AUTH PLAIN\r\n" + std::string(12'289, 'A') + "\r\n", "500 5.5.6 "},
      {"AUTH GSSAPI\r\n", "504 5.5.4 "},
      {"MAIL FROM:<a@b>\r\n", "530 5.7.0 "},
  };
  for (const auto& [script, reply] : cases) {
    const auto output = submit("EHLO a\r\n" + script + "NOOP\r\nQUIT\r\n");
    CAPTURE(script);
    CAPTURE(output);
    CHECK(output.find(std::string("\r\n") + reply) != std::string::npos);
    CHECK(output.find("235") == std::string::npos);
    CHECK(codes(output).ends_with("250 221"));
  }
}

TEST_CASE("smtp login: what follows a bare LF in an exchange is no command (RFC 5321 §2.3.8)") {
  const std::string plain = "EHLO a\r\nAUTH PLAIN\r\nAGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\n";
  CHECK(codes(submit(plain + "NOOP\r\nQUIT\r\n")) == "220 250 334 500 221");
  CHECK(codes(submit(plain + "NOOP\nNOOP\r\nQUIT\r\n")) == "220 250 334 500 421");
}

TEST_CASE("smtp login: stop() ends a session that waits for an answer to a challenge (RFC 5321 §3.8)") {
  Harness harness;
  harness.role = Role::submission;
  harness.hold_open = true;
  harness.begin("EHLO a\r\nAUTH PLAIN\r\n");
  REQUIRE(harness.wait([&] { return harness.peer->idle(); }));
  harness.session->stop();
  REQUIRE(harness.wait([&] { return harness.peer->output().find("\r\n421 4.3.2 ") != std::string::npos; }));
  harness.peer->send(password64);
  harness.peer->hang_up();
  REQUIRE(harness.wait([&] { return harness.ended(); }));
  CHECK(codes(harness.peer->output()) == "220 250 334 421");
}

TEST_CASE("smtp login: an initial response longer than a command line is taken (RFC 4954 §4)") {
  // 6000 octets of password, which is wrong.
  std::string initial = "AGFsaWNlQGV4YW1wbGUudGVzdAB4";
  for (int i = 0; i < 500; ++i) initial += "eHh4";
  const auto output = submit("EHLO a\r\nAUTH PLAIN " + initial + "\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 535 221");
}

TEST_CASE("smtp login: once, before a transaction, after EHLO (RFC 4954 §4)") {
  CHECK(codes(submit(login + "QUIT\r\n")) == "220 503 221");
  CHECK(codes(submit("EHLO a\r\n" + login + login + "QUIT\r\n")) == "220 250 235 503 221");
  // RSET and EHLO leave the login as it is.
  CHECK(codes(submit("EHLO a\r\n" + login + "RSET\r\nEHLO a\r\nMAIL FROM:<a@b>\r\n" + login + "QUIT\r\n")) ==
        "220 250 235 250 250 250 503 221");
}

TEST_CASE("smtp login: what the authenticator says becomes a reply (RFC 4954 §6)") {
  struct Case {
    Errc code;
    const char* reply;
  };
  for (const auto& [code, reply] :
       {Case{Errc::denied, "535 5.7.8 "}, Case{Errc::busy, "454 4.7.0 "}, Case{Errc::in_use, "454 4.7.0 "},
        Case{Errc::not_allowed, "530 5.7.0 "}}) {
    Harness harness;
    harness.role = Role::submission;
    harness.authenticator.failure = Error{code, "inner reason"};
    const auto output = harness.run("EHLO a\r\n" + login + "QUIT\r\n");
    CHECK(output.find(std::string("\r\n") + reply) != std::string::npos);
    CHECK(output.find("inner") == std::string::npos);
  }
}

TEST_CASE("smtp login: after some failures the session ends") {
  const std::string wrong = "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==\r\n";
  CHECK(codes(submit("EHLO a\r\n" + wrong + wrong + wrong + login)) == "220 250 535 535 535 421");
}

TEST_CASE("smtp login: no password in the log, not even in trace") {
  Harness harness;
  harness.role = Role::submission;
  harness.log.configure(LogLevel::trace, LogFormat::text);
  harness.run("EHLO a\r\n" + login + "AUTH LOGIN\r\n" + user64 + password64 + "QUIT\r\n");
  CHECK_FALSE(harness.log.contains("secret"));
  CHECK_FALSE(harness.log.contains("c2VjcmV0"));
  CHECK_FALSE(harness.log.contains("zZWNyZXQ"));
}

TEST_CASE("smtp login: VRFY for those who have logged in (RFC 5321 §3.5)") {
  const auto output =
      submit("EHLO a\r\n" + login +
             "VRFY alice@example.test\r\nVRFY <nobody@example.test>\r\nVRFY jürgen@foo.com\r\n"
             "VRFY jürgen@foo.com SMTPUTF8\r\nQUIT\r\n");
  CHECK(output.find("250 2.1.5 <alice@example.test>\r\n550 5.1.1 ") != std::string::npos);
  CHECK(output.find("\r\n252 2.6.8 ") != std::string::npos);
  CHECK(output.find("250 2.1.5 <jürgen@foo.com>\r\n") != std::string::npos);
}

TEST_CASE("smtp login: VRFY of a user name alone, and of what is neither (RFC 5321 §3.5.1)") {
  struct Case {
    const char* argument;
    const char* expected;
  };
  for (const auto& [argument, expected] :
       {Case{"alice", "252"}, Case{"postmaster", "252"}, Case{"nobody", "252"}, Case{"\"Joe Smith\"", "252"},
        Case{"<alice@example.test>", "250"}, Case{"<alice@example.test> junk", "501"},
        Case{"alice@example.test junk", "501"}, Case{"alice junk", "501"}, Case{"alice@", "501"}}) {
    CAPTURE(argument);
    const auto output = submit("EHLO a\r\n" + login + "VRFY " + argument + "\r\nQUIT\r\n");
    CHECK(codes(output) == std::string("220 250 235 ") + expected + " 221");
  }
}

TEST_CASE("smtp login: STARTTLS resets the session (RFC 3207 §4.2)") {
  for (const std::size_t chunk : {1U, 100'000U}) {
    Harness harness;
    harness.chunk = chunk;
    harness.script_after_tls =
        "MAIL FROM:<a@b>\r\nRCPT TO:<Jones@foo.com>\r\nSTARTTLS\r\nEHLO a\r\nMAIL FROM:<a@b>\r\n"
        "RCPT TO:<Jones@foo.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n";
    const auto plain = harness.run("EHLO a\r\nMAIL FROM:<evil@b>\r\nSTARTTLS\r\n");
    CHECK(plain.find("250-STARTTLS\r\n") != std::string::npos);
    CHECK(codes(plain) == "220 250 250 220");
    CHECK(codes(harness.output_after_tls) == "503 503 503 250 250 250 354 250 221");
    CHECK(harness.output_after_tls.find("STARTTLS\r\n") == std::string::npos);
    REQUIRE(harness.acceptor.messages.size() == 1);
    CHECK(harness.acceptor.messages[0].envelope.reverse_path == "a@b");
    CHECK(harness.acceptor.messages[0].content.find(" with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("smtp login: commands injected before the handshake are thrown away (RFC 3207 §4.2)") {
  Harness harness;
  harness.script_after_tls = "NOOP\r\nQUIT\r\n";
  const auto plain =
      harness.run("EHLO a\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b>\r\nRCPT TO:<Jones@foo.com>\r\n");
  CHECK(codes(plain) == "220 250 220");
  CHECK(codes(harness.output_after_tls) == "250 221");
  CHECK(harness.log.contains("smtp.plaintext_discarded"));
}

TEST_CASE("smtp login: a limit that STARTTLS reaches is told after the handshake (RFC 3207 §4)") {
  Harness harness;
  harness.settings->commands_between_messages = 2;
  harness.script_after_tls = "NOOP\r\n";
  CHECK(codes(harness.run("EHLO a\r\nSTARTTLS\r\n")) == "220 250 220");
  CHECK(codes(harness.output_after_tls) == "421");
}

TEST_CASE("smtp login: STARTTLS where it can't be (RFC 3207 §4)") {
  Harness none;
  const auto output = none.run("EHLO a\r\nSTARTTLS\r\nSTARTTLS x\r\nQUIT\r\n");
  CHECK(codes(output) == "220 250 502 501 221");
  CHECK(output.find("250-STARTTLS") == std::string::npos);
  CHECK(codes(submit("EHLO a\r\n" + login + "STARTTLS\r\nQUIT\r\n",
                     [](Harness& harness) { harness.script_after_tls = ""; })) == "220 250 235 503 221");
}

namespace scram = testing::scram_example;

TEST_CASE(
    "smtp login: SCRAM-SHA-256, the server's signature being one more challenge (RFC 4954 §4, RFC 7677 §3)") {
  const std::string rest = "334 " + scram::server_first + "\r\n334 " + scram::server_final + "\r\n235 2.7.0 ";
  const std::string answers = scram::client_final + "\r\n\r\nQUIT\r\n";
  CHECK(submit("EHLO a\r\nAUTH SCRAM-SHA-256 " + scram::client_first + "\r\n" + answers)
            .find("HELP\r\n" + rest) != std::string::npos);
  CHECK(submit("EHLO a\r\nAUTH SCRAM-SHA-256\r\n" + scram::client_first + "\r\n" + answers)
            .find("HELP\r\n334 \r\n" + rest) != std::string::npos);
}

TEST_CASE("smtp login: a SCRAM exchange that is refused, broken off or broken leaves the session as it was") {
  const std::string begin = "AUTH SCRAM-SHA-256 " + scram::client_first + "\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {begin + scram::wrong_final, "535 5.7.8 "},
      {begin + "*", "501 5.7.0 "},
      {begin + "", "501 5.5.2 "},
      {begin + scram::client_final + "\r\n*", "501 5.7.0 "},
      {begin + scram::client_final + "\r\nYQ==", "501 5.5.2 "},
      {"AUTH SCRAM-SHA-256 =", "501 5.5.2 "},
      {"AUTH SCRAM-SHA-256-PLUS " + scram::client_first, "504 5.5.4 "},
  };
  for (const auto& [lines, reply] : cases) {
    CAPTURE(lines);
    const std::string said = submit("EHLO a\r\n" + lines + "\r\n" + login + "QUIT\r\n");
    CHECK(said.find("\r\n" + std::string(reply)) != std::string::npos);
    CHECK(said.find("\r\n235 ") != std::string::npos);
  }
}

}  // namespace
}  // namespace posthorn::smtp

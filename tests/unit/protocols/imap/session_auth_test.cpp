#include "auth/sasl.h"
#include "tests/support/scram_example.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

using auth::encode_base64;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string plain(std::string_view user, std::string_view password) {
  return encode_base64(std::string(1, '\0') + std::string(user) + std::string(1, '\0') +
                       std::string(password));
}
const std::string right = plain("alice@example.test", "secret");

}  // namespace

TEST_CASE("imap: LOGIN (RFC 3501 §6.2.3)") {
  CHECK(has(dialogue("a LOGIN alice@example.test secret\r\n"), "\r\na OK [CAPABILITY IMAP4rev1 "));
  CHECK(has(dialogue("a LOGIN \"alice@example.test\" \"secret\"\r\nb NAMESPACE\r\n"), "b OK NAMESPACE"));
  const std::string wrong = dialogue("a LOGIN alice@example.test wrong\r\nb SELECT INBOX\r\n");
  CHECK(has(wrong, "\r\na NO [AUTHENTICATIONFAILED] Authentication failed\r\nb BAD Log in first\r\n"));
}

TEST_CASE("imap: no password is looked at where it must not be sent (RFC 3501 §6.2.3, LOGINDISABLED)") {
  Server server;
  server.authenticator.plaintext = false;
  Client client(server, {.hold_open = true});
  client.listen();
  CHECK(client.say("a LOGIN alice@example.test secret") == "a NO [PRIVACYREQUIRED] Start TLS first\r\n");
  CHECK(client.say("b AUTHENTICATE PLAIN " + right) == "b NO [PRIVACYREQUIRED] Start TLS first\r\n");
  CHECK_FALSE(server.authenticator.asked.has_value());
}

TEST_CASE("imap: why a login is refused (RFC 5530 §3)") {
  struct Case {
    Errc code;
    const char* reply;
  };
  for (const Case& c :
       {Case{Errc::denied, "a NO [AUTHENTICATIONFAILED] "}, Case{Errc::busy, "a NO [UNAVAILABLE] "},
        Case{Errc::in_use, "a NO [LIMIT] "}, Case{Errc::not_allowed, "a NO [PRIVACYREQUIRED] "},
        Case{Errc::unavailable, "a NO [CONTACTADMIN] "}, Case{Errc::io, "a NO [UNAVAILABLE] "}}) {
    const auto failing = [&](Server& server) {
      server.authenticator.failure = Error{c.code, "because of xyzzy"};
    };
    const std::string said = dialogue("a LOGIN alice@example.test secret\r\nb NOOP\r\n", failing);
    CAPTURE(said);
    CHECK(has(said, c.reply));
    CHECK_FALSE(has(said, "xyzzy"));
    CHECK(has(said, "b OK"));
  }
}

TEST_CASE("imap: an account whose mail can not be opened is not logged in") {
  const std::string said = dialogue("a LOGIN alice@example.test secret\r\nb SELECT INBOX\r\n",
                                    [](Server& server) { server.store.fail({Errc::io, "disk"}); });
  CHECK(has(said,
            "a NO [UNAVAILABLE] The mail of this account can not be opened now\r\nb BAD Log in first\r\n"));
}

TEST_CASE("imap: AUTHENTICATE PLAIN, with and without an initial response (RFC 3501 §6.2.2, RFC 4959 §3)") {
  CHECK(has(dialogue("a AUTHENTICATE PLAIN\r\n" + right + "\r\n"), "ready\r\n+ \r\na OK [CAPABILITY "));
  CHECK(has(dialogue("a AUTHENTICATE PLAIN " + right + "\r\n"), "ready\r\na OK [CAPABILITY "));
  CHECK(has(dialogue("a authenticate plain " + right + "\r\n"), "ready\r\na OK [CAPABILITY "));
  CHECK(has(dialogue("a AUTHENTICATE PLAIN " + plain("alice@example.test", "no") + "\r\n"),
            "\r\na NO [AUTHENTICATIONFAILED] "));
}

TEST_CASE("imap: AUTHENTICATE LOGIN") {
  const std::string user = encode_base64("alice@example.test");
  const std::string password = encode_base64("secret");
  CHECK(has(dialogue("a AUTHENTICATE LOGIN\r\n" + user + "\r\n" + password + "\r\n"),
            "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\na OK "));
  CHECK(has(dialogue("a AUTHENTICATE LOGIN " + user + "\r\n" + password + "\r\n"),
            "ready\r\n+ UGFzc3dvcmQ6\r\na OK "));
}

TEST_CASE(
    "imap: AUTHENTICATE that is cancelled or broken is BAD, and leaves the session as it was (RFC 3501 "
    "§6.2.2)") {
  for (const std::string& response :
       {std::string("*"), std::string("!!!"), std::string("YQ="), encode_base64("no NUL"), std::string()}) {
    CAPTURE(response);
    const std::string said =
        dialogue("a AUTHENTICATE PLAIN\r\n" + response + "\r\nb LOGIN alice@example.test secret\r\n");
    CHECK(has(said, "\r\n+ \r\na BAD "));
    CHECK(has(said, "\r\nb OK "));
  }
  CHECK(has(dialogue("a AUTHENTICATE PLAIN =\r\n"), "\r\na BAD "));
  // How a line ends that is too long is not known: what follows it need not be commands.
  CHECK(dialogue("a AUTHENTICATE PLAIN\r\n" + std::string(9'000, 'A') + "\r\nb NOOP\r\n")
            .ends_with("+ \r\na BAD The response is too long\r\n* BYE The line is too long\r\n"));
  CHECK(has(dialogue("a AUTHENTICATE X-NONE\r\n"), "\r\na NO [CANNOT] "));
}

namespace scram = testing::scram_example;

TEST_CASE("imap: AUTHENTICATE SCRAM-SHA-256, the server's signature being one more challenge (RFC 7677 §3)") {
  const std::string rest =
      "+ " + scram::server_first + "\r\n+ " + scram::server_final + "\r\na OK [CAPABILITY ";
  const std::string answers = scram::client_final + "\r\n\r\n";
  CHECK(has(dialogue("a AUTHENTICATE SCRAM-SHA-256 " + scram::client_first + "\r\n" + answers),
            "ready\r\n" + rest));
  CHECK(has(dialogue("a AUTHENTICATE SCRAM-SHA-256\r\n" + scram::client_first + "\r\n" + answers),
            "ready\r\n+ \r\n" + rest));
}

TEST_CASE("imap: a SCRAM exchange that is refused, broken off or broken leaves the session as it was") {
  const std::string begin = "a AUTHENTICATE SCRAM-SHA-256 " + scram::client_first + "\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {begin + scram::wrong_final, "\r\na NO [AUTHENTICATIONFAILED] "},
      {begin + "*", "\r\na BAD AUTHENTICATE cancelled\r\n"},
      {begin + "", "\r\na BAD The response is not valid\r\n"},
      {begin + "!", "\r\na BAD The response is not valid base64\r\n"},
      {begin + scram::client_first, "\r\na BAD The response is not valid\r\n"},
      {begin + scram::client_final + "\r\n*", "\r\na BAD AUTHENTICATE cancelled\r\n"},
      {begin + scram::client_final + "\r\nYQ==", "\r\na BAD The response is not valid\r\n"},
      {"a AUTHENTICATE SCRAM-SHA-256 =", "\r\na BAD The response is not valid\r\n"},
      {"a AUTHENTICATE SCRAM-SHA-256 " + encode_base64("y,,n=user"),
       "\r\na BAD The response is not valid\r\n"},
      {"a AUTHENTICATE SCRAM-SHA-256 " + encode_base64("p=tls-exporter,,n=user,r=x"),
       "\r\na NO [AUTHENTICATIONFAILED] "},
  };
  for (const auto& [lines, reply] : cases) {
    CAPTURE(lines);
    const std::string said = dialogue(lines + "\r\nb LOGIN alice@example.test secret\r\n");
    CAPTURE(said);
    CHECK(has(said, reply));
    CHECK(has(said, "\r\nb OK "));
  }
}

TEST_CASE("imap: SCRAM-SHA-256-PLUS is not offered where there is nothing to bind to") {
  CHECK(has(dialogue("a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n"), "\r\na NO [PRIVACYREQUIRED] "));
  Server server;
  Client client(server, {.hold_open = true});
  client.listen();
  client.connection().set_tls({.version = "TLSv1.3"});
  CHECK_FALSE(has(client.say("b CAPABILITY"), "-PLUS"));
  CHECK(client.say("a AUTHENTICATE SCRAM-SHA-256-PLUS") == "a NO [CANNOT] No such mechanism\r\n");
}

TEST_CASE("imap: STARTTLS is refused where there is no TLS, or it is active (RFC 3501 §6.2.1)") {
  CHECK(has(dialogue("a STARTTLS\r\n"), "\r\na NO [UNAVAILABLE] "));
  Server server;
  Client client(server, {.hold_open = true});
  client.listen();
  client.connection().set_tls({.version = "TLSv1.3"});
  CHECK(client.say("a STARTTLS") == "a BAD TLS is active already\r\n");
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

using testing::MemoryScript;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
bool ends_with(const std::string& text, std::string_view end) { return text.ends_with(end); }

}  // namespace

TEST_CASE("imap: the greeting tells the capabilities (RFC 3501 §7.1, CAPABILITY code)") {
  const std::string said = dialogue("");
  CHECK(said.starts_with("* OK [CAPABILITY IMAP4rev1 "));
  CHECK(has(said, "] mail.example.test Posthorn ready\r\n"));
}

TEST_CASE("imap: CAPABILITY lists what works in the state of the connection (RFC 3501 §6.1.1, §7.2.1)") {
  const std::string before = dialogue("a CAPABILITY\r\n");
  CHECK(has(before, " SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN\r\na OK"));
  CHECK_FALSE(has(before, "LOGINDISABLED"));
  CHECK_FALSE(has(before, "STARTTLS"));
  const std::string after = dialogue_after_login("a CAPABILITY\r\n");
  CHECK(has(after, "* CAPABILITY IMAP4rev1 IMAP4rev2 ID ENABLE IDLE "));
  CHECK_FALSE(has(after, "AUTH="));
  CHECK_FALSE(has(after, "SASL-IR"));
  const std::string no_plaintext =
      dialogue("a CAPABILITY\r\n", [](Server& s) { s.authenticator.plaintext = false; });
  CHECK(has(no_plaintext, "LOGINDISABLED"));
  CHECK_FALSE(has(no_plaintext, "AUTH="));
}

TEST_CASE("imap: commands are BAD outside of their states (RFC 3501 §3)") {
  for (const char* command : {"SELECT INBOX", "LIST \"\" *", "STATUS INBOX (MESSAGES)", "IDLE", "ENABLE X",
                              "NAMESPACE", "CREATE a", "SUBSCRIBE a", "APPEND INBOX \"x\""}) {
    CAPTURE(command);
    CHECK(has(dialogue("a " + std::string(command) + "\r\n"), "\r\na BAD "));
  }
  for (const char* command : {"CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "FETCH 1 FLAGS", "STORE 1 FLAGS ()",
                              "SEARCH ALL", "COPY 1 x", "MOVE 1 x", "UID EXPUNGE 1"}) {
    CAPTURE(command);
    CHECK(dialogue_after_login("a " + std::string(command) + "\r\n") == "a BAD No mailbox is selected\r\n");
  }
  for (const char* command : {"LOGIN a b", "AUTHENTICATE PLAIN", "STARTTLS"}) {
    CAPTURE(command);
    CHECK(dialogue_after_login("a " + std::string(command) + "\r\n") == "a BAD Already logged in\r\n");
  }
}

TEST_CASE("imap: NOOP, ID, ENABLE, LOGOUT (RFC 3501 §6.1, RFC 2971, RFC 5161)") {
  CHECK(dialogue_after_login("a NOOP\r\n") == "a OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a ID (\"name\" \"test\" \"version\" NIL)\r\n") ==
        "* ID (\"name\" \"Posthorn\")\r\na OK ID completed\r\n");
  CHECK(dialogue_after_login("a ENABLE X-UNKNOWN\r\n") == "* ENABLED\r\na OK ENABLE completed\r\n");
  CHECK(dialogue_after_login("a LOGOUT\r\nb NOOP\r\n") == "* BYE Logging out\r\na OK LOGOUT completed\r\n");
}

TEST_CASE("imap: what can not be parsed is BAD, under its tag where it has one (RFC 3501 §7.1.3)") {
  CHECK(has(dialogue("a FROBNICATE\r\n"), "\r\na BAD "));
  CHECK(has(dialogue("\r\n"), "\r\n* BAD "));
  CHECK(has(dialogue("* NOOP\r\n"), "\r\n* BAD "));
  CHECK(has(dialogue_after_login("a SELECT &Jjo-x&\r\n"), "a NO [CANNOT] "));
}

TEST_CASE("imap: what passes a bound of the grammar is NO [LIMIT], and no error of syntax (RFC 5530 §3)") {
  Server server;
  server.inbox().put("x");
  server.settings.bad_commands = 2;
  auto client = Client::with_inbox(server);
  std::string flags = "(f";
  for (int i = 0; i < 200; ++i) flags += " f" + std::to_string(i);
  flags += ")";
  for (int i = 0; i < 3; ++i)
    CHECK(client->say("a STORE 1 FLAGS " + flags) == "a NO [LIMIT] too many flags\r\n");
  CHECK(client->say("b APPEND INBOX " + flags + " {3}") == "b NO [LIMIT] too many flags\r\n");
  std::string numbers = "1";
  for (int i = 0; i < 10'000; ++i) numbers += ",1";
  client->say("c UID SEARCH RETURN (SAVE) ALL");
  CHECK(client->say("d UID SEARCH RETURN (SAVE) UID " + numbers) ==
        "d NO [LIMIT] too many ranges in a sequence set\r\n");
  CHECK(client->say("e UID FETCH $ FLAGS") == "e OK UID FETCH completed\r\n");
}

TEST_CASE("imap: literals in commands, synchronising and not (RFC 3501 §4.3, §7.5; RFC 7888 §3)") {
  // The example of RFC 3501 §7.5, with our account.
  const std::string said = dialogue("A001 LOGIN {18}\r\nalice@example.test {6}\r\nsecret\r\n");
  CHECK(has(said, "ready\r\n+ OK\r\n+ OK\r\nA001 OK [CAPABILITY "));
  const std::string plus = dialogue("A001 LOGIN {18+}\r\nalice@example.test {6+}\r\nsecret\r\n");
  CHECK(has(plus, "ready\r\nA001 OK [CAPABILITY "));
}

TEST_CASE("imap: one budget of octets for a whole command, small before login (RFC 7888 §4)") {
  // Refused before it is sent; the next command is understood.
  const std::string before = dialogue("a LOGIN {40961}\r\nb NOOP\r\n");
  CHECK(has(before, "\r\na NO [TOOBIG] The command is too long\r\nb OK NOOP"));
  // Sent unasked: read past, with the rest of its line and the literals there.
  const std::string plus = dialogue_after_login("a SEARCH SUBJECT {70000+}\r\n" + std::string(70'000, 'x') +
                                                " BODY {8+}\r\nb LOGOUT c\r\nd NOOP\r\n");
  CHECK(plus == "a NO [TOOBIG] The command is too long\r\nd OK NOOP completed\r\n");
  // The sum counts.
  const std::string sum =
      dialogue_after_login("a LIST {40000+}\r\n" + std::string(40'000, 'x') + " {40000}\r\nb NOOP\r\n");
  CHECK(sum == "a NO [TOOBIG] The command is too long\r\nb OK NOOP completed\r\n");
  // More than is ever read past: the end.
  const std::string far = dialogue("a LOGIN {99999999+}\r\nxxxx");
  CHECK(
      ends_with(far, "a NO [TOOBIG] The command is too long\r\n* BYE [TOOBIG] The literal is too large\r\n"));
  // A line without end.
  const std::string line = dialogue("a LOGIN " + std::string(41'000, 'x') + "\r\nb NOOP\r\n");
  CHECK(ends_with(line, "a BAD The command is too long\r\n* BYE The command is too long\r\n"));
}

TEST_CASE("imap: pipelined commands are answered in their order (RFC 3501 §5.5)") {
  CHECK(dialogue_after_login("a NOOP\r\nb CREATE x\r\nc NOOP\r\n") ==
        "a OK NOOP completed\r\nb OK [MAILBOXID (F2)] CREATE completed\r\nc OK NOOP completed\r\n");
}

TEST_CASE("imap: lines that end in LF alone are understood") {
  CHECK(dialogue_after_login("a NOOP\nb LIST {0+}\n \"\"\n") ==
        "a OK NOOP completed\r\n* LIST (\\Noselect) \"/\" \"\"\r\nb OK LIST completed\r\n");
}

TEST_CASE("imap: too many bad commands in a row end the connection") {
  Server server;
  server.settings.bad_commands = 3;
  Client client(server, MemoryScript{.hold_open = true});
  client.say("a X\r\nb Y\r\nc NOOP\r\nd X\r\ne X");
  CHECK_FALSE(client.ended());
  CHECK(ends_with(client.say("f X"), "* BYE Too many bad commands\r\n"));
}

TEST_CASE("imap: an idle connection is ended with BYE (RFC 3501 §5.4)") {
  Server server;
  server.settings.idle_before_login = Milliseconds(20);
  server.settings.idle = Milliseconds(40);
  Client before(server, MemoryScript{.hold_open = true});
  REQUIRE(testing::run_until(server.loop, [&] { return before.ended(); }));
  CHECK(ends_with(before.peer().output(), "* BYE Autologout: idle for too long\r\n"));
  CHECK(server.log.contains("imap.closed"));
  CHECK(server.log.contains("reason=timeout"));

  auto after = Client::logged_in(server);
  REQUIRE(testing::run_until(server.loop, [&] { return after->ended(); }));
  CHECK(ends_with(after->peer().output(), "* BYE Autologout: idle for too long\r\n"));
}

TEST_CASE("imap: a command once begun has to end in its time") {
  Server server;
  server.settings.line = Milliseconds(20);
  server.settings.literal = Milliseconds(20);
  for (const char* beginning : {"a NOO", "a LOGIN {5}\r\n", "a LOGIN {5}\r\nabc", "a LOGIN {1}\r\nx"}) {
    CAPTURE(beginning);
    Client client(server, MemoryScript{.hold_open = true});
    client.send_raw(beginning);
    REQUIRE(testing::run_until(server.loop, [&] { return client.ended(); }, Milliseconds(2'000)));
    CHECK(ends_with(client.peer().output(), "* BYE Autologout: idle for too long\r\n"));
  }
}

TEST_CASE("imap: stop() says BYE to the idle at once, to others behind their command") {
  Server server;
  Client fresh(server, MemoryScript{.hold_open = true});
  fresh.listen();
  auto idle = Client::with_inbox(server);
  idle->say("a IDLE");
  auto busy = Client::logged_in(server);
  busy->peer().send("b APPEND INBOX {3}\r\n");
  CHECK(busy->listen() == "+ OK\r\n");
  fresh.session().stop();
  idle->session().stop();
  busy->session().stop();
  CHECK(ends_with(fresh.listen(), "* BYE Server shutting down\r\n"));
  CHECK(ends_with(idle->listen(), "* BYE Server shutting down\r\n"));
  const std::string last = busy->send_raw("x\r\n\r\n");
  CHECK(last == "b OK [APPENDUID 1001 1] APPEND completed\r\n* BYE Server shutting down\r\n");
}

TEST_CASE("imap: a slow reader holds its own session only") {
  Server server;
  for (int i = 0; i < 300; ++i)
    server.inbox().put(simple_message("s" + std::to_string(i), std::string(1'000, 'x')));
  auto slow = Client::with_inbox(server);
  auto other = Client::with_inbox(server);
  slow->peer().hold_writes(true);
  slow->peer().send("a FETCH 1:* BODY.PEEK[]\r\n");
  REQUIRE(testing::run_until(server.loop, [&] { return slow->peer().write_waits(); }));
  const std::uint64_t operations = server.store.operations;
  CHECK(has(other->say("b NOOP"), "b OK"));
  for (int i = 0; i < 100; ++i) server.loop.run_once();
  // The one that does not read makes the server read no more for it either.
  CHECK(server.store.operations <= operations + 1);
  slow->peer().hold_writes(false);
  CHECK(has(slow->listen(), "a OK FETCH completed\r\n"));
}

TEST_CASE("imap: the log has no passwords and no text of messages") {
  Server server;
  auto client = Client::logged_in(server);
  client->say(
      "a LOGIN x hunter2\r\nb APPEND INBOX {7+}\r\nprivate\r\nc SELECT INBOX\r\nd SEARCH BODY secretword");
  client->say("e LOGOUT");
  client.reset();
  for (const char* word : {"hunter2", "secret", "private", "secretword"}) {
    CAPTURE(word);
    CHECK_FALSE(server.log.contains(word));
  }
  CHECK(server.log.contains("imap.closed session=s1 reason=logout user=alice@example.test commands=6"));
}

TEST_CASE("imap: what a refused line announces comes anyhow, and is no command (RFC 7888 §3)") {
  CHECK(dialogue_after_login("a IDLE\r\nx APPEND INBOX {15+}\r\nz1 CREATE evil\r\r\nb LIST \"\" evil\r\n") ==
        "+ idling\r\na BAD DONE expected\r\nb OK LIST completed\r\n");
  CHECK(dialogue("a AUTHENTICATE PLAIN\r\nb LOGIN {9+}\r\nx1 NOOP\r\n {3+}\r\nabc\r\nc NOOP\r\n")
            .ends_with("\r\n+ \r\na BAD The response is not valid base64\r\nc OK NOOP completed\r\n"));
  const std::string quoted = dialogue_after_login("a LIST \"\" \"abc{10+}\r\nxyz NOOP\r\n\r\nb NOOP\r\n");
  CHECK(has(quoted, "a BAD "));
  CHECK_FALSE(has(quoted, "xyz"));
  CHECK(has(quoted, "b OK NOOP completed\r\n"));
  // One that waits for its literal sends none.
  CHECK(dialogue_after_login("a IDLE\r\nx APPEND INBOX {15}\r\nb NOOP\r\n") ==
        "+ idling\r\na BAD DONE expected\r\nb OK NOOP completed\r\n");
  // The end of a line that is too long is not known.
  CHECK(dialogue_after_login("a IDLE\r\n" + std::string(2'000, 'x') + "\r\nb NOOP\r\n") ==
        "+ idling\r\na BAD DONE expected\r\n* BYE The line is too long\r\n");
}

TEST_CASE("imap: NO to a SELECT that was too long leaves no mailbox selected (RFC 3501 §6.3.1)") {
  const std::string refused = " {70000+}\r\n" + std::string(70'000, 'x') + "\r\nb FETCH 1 UID\r\n";
  const auto with_one = [](Server& server) { server.inbox().put("x"); };
  for (const char* command : {"a SELECT", "a examine"}) {
    CHECK(dialogue_in_inbox(command + refused, with_one) ==
          "* OK [CLOSED] The mailbox is not selected any more\r\n"
          "a NO [TOOBIG] The command is too long\r\nb BAD No mailbox is selected\r\n");
  }
  CHECK(dialogue_in_inbox("a STATUS" + refused, with_one) ==
        "a NO [TOOBIG] The command is too long\r\n* 1 FETCH (UID 1)\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: answers to pipelined commands do not pile up while the client reads none") {
  Server server;
  for (int i = 0; i < 200; ++i) {
    std::string keyword = std::to_string(i) + "k";
    keyword.resize(255, 'x');
    server.inbox().put("x", 0, {keyword});
  }
  auto client = Client::with_inbox(server);
  constexpr std::size_t one_answer = 2 * 200 * 256 + 1'000;
  std::string commands;
  for (int i = 0; i < 300; ++i) commands += "a SELECT INBOX\r\nb CAPABILITY\r\n";
  client->peer().hold_writes(true);
  client->peer().send(commands);
  REQUIRE(testing::run_until(server.loop, [&] { return client->peer().write_waits(); }));
  for (int i = 0; i < 100; ++i) server.loop.run_once();
  CHECK(client->connection().output().size() < 32'768 + one_answer);
  CHECK(server.store.operations < 20);
  client->peer().hold_writes(false);
  CHECK(ends_with(client->listen(), "b OK CAPABILITY completed\r\n"));
}

TEST_CASE("imap: from the greeting to the login is no more time than is given, busy or not") {
  Server server;
  server.settings.login = Milliseconds(30);
  Client busy(server, MemoryScript{.hold_open = true});
  REQUIRE(testing::run_until(server.loop, [&] {
    if (busy.peer().idle()) busy.peer().send("a NOOP\r\n");
    return busy.ended();
  }));
  CHECK(server.log.contains("reason=timeout"));

  server.settings.login = Milliseconds(400);
  auto in = Client::logged_in(server);
  auto out = Client::logged_in(server);
  out->say("u UNAUTHENTICATE");
  REQUIRE(testing::run_until(server.loop, [&] { return out->ended(); }));
  CHECK_FALSE(in->ended());
}

}  // namespace posthorn::imap

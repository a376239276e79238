#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// REPLACE and UID REPLACE (RFC 8508).
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::string message = "Subject: x\r\n\r\ntext\r\n";

void four(Server& server) {
  for (int i = 1; i <= 4; ++i) server.inbox().put(simple_message("m" + std::to_string(i), "x"));
  server.inbox().claim_recent();
}

std::vector<storage::Uid> uids_in(testing::MemoryMailbox& mailbox) {
  std::vector<storage::Uid> uids;
  const auto snapshot = mailbox.snapshot();
  for (std::uint32_t place = 0; place < snapshot->size(); ++place) uids.push_back(snapshot->at(place).uid);
  return uids;
}

const std::vector<storage::Uid> untouched{1, 2, 3, 4};

// What the session says to `command`, of which nothing may change.
std::string refused(std::string_view command, const std::function<void(Server&)>& prepare = {}) {
  Server server;
  four(server);
  if (prepare) prepare(server);
  auto client = Client::with_inbox(server);
  std::string said = client->send_raw(std::string(command) + "\r\nz NOOP\r\n");
  CHECK(uids_in(server.inbox()) == untouched);
  CHECK(server.store.live_spools == 0);
  constexpr std::string_view last = "z OK NOOP completed\r\n";
  CHECK(said.ends_with(last));
  CHECK_FALSE(has(said, "EXPUNGE\r\n"));
  return said.substr(0, said.size() - last.size());
}

}  // namespace

TEST_CASE("imap: REPLACE puts a message in another's place (RFC 8508 §3.2, the example)") {
  CHECK(dialogue_in_inbox(
            "A003 REPLACE 4 INBOX (\\Seen \\Draft) {20}\r\n" + message + "\r\nb FETCH 4 (UID FLAGS)\r\n",
            four) ==
        "+ OK\r\n* OK [APPENDUID 1001 5] Replacement message ready\r\n* 5 EXISTS\r\n* 4 EXPUNGE\r\n"
        "* 1 RECENT\r\nA003 OK REPLACE completed\r\n"
        "* 4 FETCH (UID 5 FLAGS (\\Seen \\Draft \\Recent))\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: UID REPLACE names the message by its UID (RFC 8508 §3.3)") {
  const auto gap = [](Server& server) {
    four(server);
    server.inbox().expunge_now(testing::uid_set({1}), true);
  };
  CHECK(dialogue_in_inbox("a UID REPLACE 3 INBOX {20+}\r\n" + message + "\r\n", gap) ==
        "* OK [APPENDUID 1001 5] Replacement message ready\r\n* 4 EXISTS\r\n* 2 EXPUNGE\r\n* 1 RECENT\r\n"
        "a OK UID REPLACE completed\r\n");
}

TEST_CASE("imap: '*' is the last message") {
  for (const std::string_view command : {"REPLACE", "UID REPLACE"}) {
    CHECK(has(dialogue_in_inbox("a " + std::string(command) + " * INBOX {20+}\r\n" + message + "\r\n", four),
              "* 4 EXPUNGE\r\n"));
  }
}

TEST_CASE("imap: nothing of the replaced message is inherited (RFC 8508 §1)") {
  Server server;
  four(server);
  server.inbox().change_flags({.uids = testing::uid_set({2}),
                               .system_flags = static_cast<std::uint8_t>(storage::SystemFlag::flagged),
                               .keywords = {"Work"}});
  auto client = Client::with_inbox(server);
  client->send_raw("a REPLACE 2 INBOX {20+}\r\n" + message + "\r\n");
  CHECK(has(client->say("b FETCH 4 (FLAGS INTERNALDATE)"),
            "FLAGS (\\Recent) INTERNALDATE \"09-Sep-2001 01:46:40 +0000\""));
  // RFC 8508 §4.6.
  const std::string ids = client->say("c FETCH 1:* EMAILID");
  CHECK(uids_in(server.inbox()) == std::vector<storage::Uid>{1, 3, 4, 5});
  CHECK_FALSE(has(ids, "NIL"));
}

TEST_CASE("imap: REPLACE into another mailbox takes the message from the selected one (RFC 8508 §3.4)") {
  Server server;
  four(server);
  auto& sent = server.store.account().mailbox("Sent");
  auto client = Client::with_inbox(server);
  const std::string validity = std::to_string(sent.info().uid_validity);
  CHECK(client->send_raw("a REPLACE 2 Sent (\\Seen) {20+}\r\n" + message + "\r\n") ==
        "* OK [APPENDUID " + validity +
            " 1] Replacement message ready\r\n* 2 EXPUNGE\r\n"
            "a OK REPLACE completed\r\n");
  CHECK(*sent.octets(1) == message);
  CHECK(uids_in(server.inbox()) == std::vector<storage::Uid>{1, 3, 4});
}

TEST_CASE("imap: what can be known to fail is refused before the message is sent") {
  CHECK(refused("a REPLACE 2 nowhere {20}") == "a NO [TRYCREATE] No such mailbox\r\n");
  CHECK(refused("a REPLACE 5 INBOX {20}") == "a BAD no such message\r\n");
  CHECK(refused("a UID REPLACE 5 INBOX {20}") == "a NO There is no such message\r\n");
  CHECK(refused("a REPLACE 2 INBOX {0}") == "a NO [CANNOT] A message has at least one octet\r\n");
  CHECK(refused("a REPLACE 2 INBOX {2001}", [](Server& server) { server.settings.message_octets = 2'000; }) ==
        "a NO [TOOBIG] The message is too large\r\n");
  // Sent unasked, it is read past.
  CHECK(refused("a REPLACE 2 nowhere {20+}\r\n" + message) == "a NO [TRYCREATE] No such mailbox\r\n");
  CHECK(refused("a UID REPLACE 9 INBOX {20+}\r\n" + message) == "a NO There is no such message\r\n");
}

TEST_CASE("imap: one message at a time is replaced (RFC 8508 §4.7)") {
  CHECK(refused("a REPLACE 2 INBOX {20+}\r\n" + message + " {20+}\r\n" + message) ==
        "a BAD unexpected text after the command\r\n");
  CHECK(refused("a REPLACE 2:3 INBOX {20+}\r\n" + message) == "a BAD space expected before mailbox name\r\n");
}

TEST_CASE("imap: a REPLACE with rubbish behind the message replaces nothing") {
  CHECK(refused("a REPLACE 2 INBOX {20+}\r\n" + message + "rubbish") ==
        "a BAD unexpected text after the command\r\n");
  std::string with_nul = message;
  with_nul[14] = '\0';
  CHECK(refused("a REPLACE 2 INBOX {20+}\r\n" + with_nul) == "a NO [CANNOT] The message has a NUL octet\r\n");
}

TEST_CASE("imap: in an empty mailbox there is nothing to replace") {
  CHECK(dialogue_in_inbox(
            "a REPLACE * INBOX {20}\r\nb UID REPLACE * INBOX {20}\r\nc REPLACE 1 INBOX {20}\r\n") ==
        "a BAD no such message\r\nb NO There is no such message\r\nc BAD no such message\r\n");
}

TEST_CASE("imap: nothing is replaced after EXAMINE, nor without a mailbox (RFC 8508 §3.5)") {
  Server server;
  four(server);
  auto client = Client::with_inbox(server, "EXAMINE INBOX");
  CHECK(client->say("a REPLACE 2 INBOX {20}") == "a NO [READ-ONLY] The mailbox is selected read-only\r\n");
  CHECK(client->say("b UID REPLACE 2 Sent {20}") == "b NO [READ-ONLY] The mailbox is selected read-only\r\n");
  client->say("c UNSELECT");
  CHECK(client->say("d REPLACE 2 INBOX {20}") == "d BAD No mailbox is selected\r\n");
  CHECK(client->send_raw("e UID REPLACE 2 INBOX {20+}\r\n" + message + "\r\n") ==
        "e BAD No mailbox is selected\r\n");
  CHECK(uids_in(server.inbox()) == untouched);
}

TEST_CASE("imap: of a message that another session expunged, no replacement is stored") {
  for (const std::string_view command : {"REPLACE 2", "UID REPLACE 2"}) {
    CAPTURE(command);
    Server server;
    four(server);
    auto client = Client::with_inbox(server);
    SUBCASE("before the command") {
      server.inbox().expunge_now(testing::uid_set({2}), true);
      const std::string said =
          client->send_raw("a " + std::string(command) + " INBOX {20+}\r\n" + message + "\r\n");
      CHECK(said == "* 2 EXPUNGE\r\na NO [EXPUNGEISSUED] The message was expunged\r\n");
    }
    SUBCASE("while the new one is on its way") {
      CHECK(client->send_raw("a " + std::string(command) + " INBOX {20}\r\n") == "+ OK\r\n");
      server.inbox().expunge_now(testing::uid_set({2}), true);
      CHECK(client->send_raw(message + "\r\n") ==
            "* 2 EXPUNGE\r\na NO [EXPUNGEISSUED] The message was expunged\r\n");
    }
    CHECK(uids_in(server.inbox()) == std::vector<storage::Uid>{1, 3, 4});
    CHECK(server.store.live_spools == 0);
  }
}

TEST_CASE("imap: a REPLACE that fails leaves the old message (RFC 8508 §3.4)") {
  struct Failure {
    Errc code;
    std::string_view reply;
  };
  for (const Failure failure :
       {Failure{Errc::over_quota, "a NO [OVERQUOTA] "}, Failure{Errc::disk_full, "a NO [UNAVAILABLE] "},
        Failure{Errc::too_large, "a NO [LIMIT] "}}) {
    CAPTURE(failure.reply);
    Server server;
    four(server);
    auto client = Client::with_inbox(server);
    server.store.fail({failure.code, "xyzzy"}, 3);  // behind open, write and close of the spool
    const std::string said = client->send_raw("a REPLACE 2 INBOX {20+}\r\n" + message + "\r\n");
    CHECK(said.starts_with(failure.reply));
    CHECK(uids_in(server.inbox()) == untouched);
  }
}

TEST_CASE(
    "imap: with QRESYNC the replaced message vanishes, and the reply names the MODSEQ (RFC 8508 §4.5)") {
  Server server;
  four(server);
  auto client = Client::logged_in(server);
  client->say("e ENABLE QRESYNC\r\ns SELECT INBOX");
  const std::string said = client->send_raw("a REPLACE 2 INBOX {20+}\r\n" + message + "\r\n");
  const std::string modseq = std::to_string(server.inbox().snapshot()->highest_modseq());
  CHECK(said ==
        "* OK [APPENDUID 1001 5] Replacement message ready\r\n* 5 EXISTS\r\n* VANISHED 2\r\n"
        "* 1 RECENT\r\na OK [HIGHESTMODSEQ " +
            modseq + "] REPLACE completed\r\n");
}

TEST_CASE("imap: another session hears of both at once") {
  Server server;
  four(server);
  auto other = Client::with_inbox(server);
  auto client = Client::with_inbox(server);
  client->send_raw("a UID REPLACE 1 INBOX {20+}\r\n" + message + "\r\n");
  CHECK(other->say("n NOOP") == "* 1 EXPUNGE\r\n* 4 EXISTS\r\n* 0 RECENT\r\nn OK NOOP completed\r\n");
}

TEST_CASE(
    "imap: a replacement may be made of parts of the message it replaces (RFC 8508 §4.2, the example)") {
  Server server;
  server.inbox().put("From: a@example.org\r\n\r\nHere is picture\r\n");
  auto client = Client::with_inbox(server);
  CHECK(has(client->send_raw(
                "A011 UID REPLACE 1 INBOX CATENATE (TEXT {34+}\r\nTo: b@example.org\r\nSubject: view\r\n"
                " URL \"/INBOX/;UID=1\")\r\n"),
            "A011 OK UID REPLACE completed\r\n"));
  CHECK(*server.inbox().octets(2) ==
        "To: b@example.org\r\nSubject: view\r\n"
        "From: a@example.org\r\n\r\nHere is picture\r\n");
  CHECK(client->say("b UID REPLACE 2 INBOX CATENATE (URL \"/INBOX/;UID=1\")").starts_with("b NO [BADURL "));
  CHECK(uids_in(server.inbox()) == std::vector<storage::Uid>{2});
}

TEST_CASE("imap: REPLACE is offered (RFC 8508 §3.1)") {
  Server server;
  auto client = Client::logged_in(server);
  CHECK(has(client->say("a CAPABILITY"), " REPLACE "));
}

}  // namespace posthorn::imap

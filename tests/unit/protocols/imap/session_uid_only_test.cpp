#include "protocols/imap/grammar.h"
#include "protocols/imap/uid_only.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// UIDONLY (RFC 9586), alone and with what it meets.
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);

// UIDs 2, 4, 6, 8, 10 of ten; the last two are flagged.
struct Five : Server {
  Five() {
    for (int i = 1; i <= 10; ++i) {
      inbox().put(simple_message("m" + std::to_string(i), "x"), i > 6 ? flagged : std::uint8_t{0});
    }
    inbox().expunge_now(testing::uid_set({1, 3, 5, 7, 9}), true);
    inbox().claim_recent();
    validity = std::to_string(inbox().info().uid_validity);
  }
  // With INBOX selected after ENABLE of UIDONLY and `more`.
  std::unique_ptr<Client> client(const std::string& more = {}) {
    auto made = Client::logged_in(*this);
    REQUIRE(has(made->say("e ENABLE UIDONLY " + more), "UIDONLY"));
    REQUIRE(has(made->say("s SELECT INBOX"), "s OK"));
    return made;
  }
  void flag(storage::Uid uid, std::uint8_t flags) {
    inbox().change_flags({.uids = testing::uid_set({uid}), .system_flags = flags});
  }
  std::string validity;
};

}  // namespace

TEST_CASE("imap: which commands use sequence numbers (RFC 9586 §3.2, §3.5, §3.7)") {
  const auto uses = [](const std::string& command) {
    const auto parsed = parse_command("a " + command);
    REQUIRE_MESSAGE(parsed, command);
    return uses_sequence_numbers(parsed->body);
  };
  for (const std::string command :
       {"FETCH 1 FLAGS", "FETCH * FLAGS", "FETCH $ FLAGS", "STORE 1 FLAGS ()", "COPY 1:2 x", "MOVE 1 x",
        "SEARCH ALL", "SEARCH RETURN (COUNT) UID 1", "UID SEARCH 1", "UID SEARCH *", "UID SEARCH NOT 1:*",
        "UID SEARCH OR SEEN (DRAFT 5)", "REPLACE 1 x {1}\r\n", "SELECT x (QRESYNC (1 2 1:9 (1,2 1,5)))"}) {
    CAPTURE(command);
    CHECK(uses(command));
  }
  for (const std::string command :
       {"UID FETCH 1:* FLAGS", "UID FETCH * FLAGS", "UID STORE $ FLAGS ()", "UID COPY 1 x", "UID MOVE 1 x",
        "UID SEARCH UID 1:*", "UID SEARCH $ SEEN", "UID SEARCH RETURN (PARTIAL 1:5) ALL", "EXPUNGE",
        "UID EXPUNGE 1", "UID REPLACE 1 x {1}\r\n", "NOOP", "SELECT x", "SELECT x (QRESYNC (1 2 1:9))",
        "STATUS x (MESSAGES)", "APPEND x {1}\r\n"}) {
    CAPTURE(command);
    CHECK_FALSE(uses(command));
  }
}

TEST_CASE("imap: ENABLE UIDONLY, before a mailbox is selected or after (RFC 9586 §3.1)") {
  Five server;
  auto client = Client::with_inbox(server);
  CHECK(client->say("a FETCH 1 UID") == "* 1 FETCH (UID 2)\r\na OK FETCH completed\r\n");
  CHECK(client->say("b ENABLE UIDONLY") == "* ENABLED UIDONLY\r\nb OK ENABLE completed\r\n");
  CHECK(client->say("c FETCH 1 UID").starts_with("c BAD [UIDREQUIRED] "));
  CHECK(client->say("d UID FETCH 2 UID") == "* 2 UIDFETCH (UID 2)\r\nd OK UID FETCH completed\r\n");
  CHECK(client->say("e ENABLE UIDONLY") == "* ENABLED\r\ne OK ENABLE completed\r\n");
  // UNAUTHENTICATE ends what was enabled (RFC 8437 §3).
  client->say("f UNAUTHENTICATE");
  client->say("g LOGIN alice@example.test secret\r\nh SELECT INBOX");
  CHECK(client->say("i FETCH 1 UID") == "* 1 FETCH (UID 2)\r\ni OK FETCH completed\r\n");
}

TEST_CASE("imap: UIDONLY refuses sequence numbers, and nothing is done (RFC 9586 §3.2)") {
  Five server;
  server.store.account().mailbox("foo");
  auto client = server.client();
  for (const std::string command :
       {"FETCH 1 BODY[]", "STORE 1 +FLAGS (\\Deleted)", "COPY 1 foo", "MOVE 1 foo", "SEARCH ALL",
        "UID SEARCH 1", "UID SEARCH NOT (SEEN 2:*)"}) {
    CAPTURE(command);
    CHECK(client->say("a " + command).starts_with("a BAD [UIDREQUIRED] "));
  }
  CHECK(client->say("b UID SEARCH OR SEEN DELETED") == "* SEARCH\r\nb OK UID SEARCH completed\r\n");
  CHECK(has(client->say("c STATUS foo (MESSAGES)"), "(MESSAGES 0)"));
}

TEST_CASE("imap: SELECT has no UNSEEN, and EXISTS still (RFC 9586 §3.6)") {
  Five server;
  auto client = Client::logged_in(server);
  client->say("e ENABLE UIDONLY");
  const std::string said = client->say("a SELECT INBOX");
  CHECK(has(said, "* 5 EXISTS\r\n"));
  CHECK_FALSE(has(said, "UNSEEN"));
}

TEST_CASE("imap: UID FETCH answers UIDFETCH, with UID where it is asked for (RFC 9586 §3.3)") {
  Five server;
  auto client = server.client();
  CHECK(client->say("a UID FETCH 4:6 FLAGS") ==
        "* 4 UIDFETCH (FLAGS ())\r\n* 6 UIDFETCH (FLAGS ())\r\na OK UID FETCH completed\r\n");
  CHECK(client->say("b UID FETCH * (UID RFC822.SIZE)").starts_with("* 10 UIDFETCH (UID 10 RFC822.SIZE "));
  // The \Seen that it sets.
  CHECK(client->say("c UID FETCH 2 BODY[TEXT]") ==
        "* 2 UIDFETCH (BODY[TEXT] {3}\r\nx\r\n FLAGS (\\Seen))\r\nc OK UID FETCH completed\r\n");
  CHECK(client->say("d UID FETCH 1:* UID (PARTIAL -1:-2)") ==
        "* 8 UIDFETCH (UID 8)\r\n* 10 UIDFETCH (UID 10)\r\nd OK UID FETCH completed\r\n");
  CHECK(client->say("e UID FETCH 1,3 FLAGS") == "e OK UID FETCH completed\r\n");
}

TEST_CASE("imap: UID STORE answers UIDFETCH (RFC 9586 §3.3)") {
  Five server;
  auto client = server.client();
  CHECK(client->say("a UID STORE 4,10 +FLAGS (\\Draft)") ==
        "* 4 UIDFETCH (FLAGS (\\Draft))\r\n* 10 UIDFETCH (FLAGS (\\Flagged \\Draft))\r\n"
        "a OK UID STORE completed\r\n");
  CHECK(client->say("b UID STORE 4 FLAGS.SILENT ()") == "b OK UID STORE completed\r\n");
}

TEST_CASE("imap: VANISHED is in place of EXPUNGE, without QRESYNC too (RFC 9586 §3.4)") {
  Five server;
  auto client = server.client();
  client->say("a UID STORE 2,6:8 +FLAGS.SILENT (\\Deleted)");
  CHECK(client->say("b UID EXPUNGE 6") == "* VANISHED 6\r\nb OK UID EXPUNGE completed\r\n");
  CHECK(client->say("c EXPUNGE") == "* VANISHED 2,8\r\nc OK EXPUNGE completed\r\n");
  CHECK(client->say("d UID SEARCH ALL") == "* SEARCH 4 10\r\nd OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: what others do is told by UID, as soon as a command ends (RFC 9586 §3.6)") {
  Five server;
  auto client = server.client();
  server.inbox().expunge_now(testing::uid_set({4, 8}), true);
  server.inbox().put(simple_message("new", "x"));
  server.flag(6, flagged);
  CHECK(client->say("a NOOP") ==
        "* VANISHED 4,8\r\n* 4 EXISTS\r\n* 1 RECENT\r\n* 6 UIDFETCH (FLAGS (\\Flagged))\r\n"
        "a OK NOOP completed\r\n");
  // Nothing keeps VANISHED back in UID commands (RFC 3501 §5.5).
  server.inbox().expunge_now(testing::uid_set({10}), true);
  CHECK(client->say("b UID FETCH 6 UID") ==
        "* 6 UIDFETCH (UID 6)\r\n* VANISHED 10\r\nb OK UID FETCH completed\r\n");
  client->say("c IDLE");
  server.flag(2, flagged);
  server.inbox().expunge_now(testing::uid_set({6}), true);
  CHECK(client->listen() == "* VANISHED 6\r\n* 2 UIDFETCH (FLAGS (\\Flagged))\r\n");
}

TEST_CASE("imap: UIDONLY and CONDSTORE (RFC 9586 §3.7)") {
  Five server;
  auto client = server.client("CONDSTORE");
  CHECK(client->say("a UID FETCH 2 (FLAGS MODSEQ)") ==
        "* 2 UIDFETCH (FLAGS () MODSEQ (3))\r\na OK UID FETCH completed\r\n");
  server.flag(4, flagged);
  CHECK(client->say("b NOOP") == "* 4 UIDFETCH (FLAGS (\\Flagged) MODSEQ (13))\r\nb OK NOOP completed\r\n");
  // MODIFIED has UIDs.
  CHECK(client->say("c UID STORE 4,6,8 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Draft)") ==
        "* 6 UIDFETCH (MODSEQ (14))\r\n* 8 UIDFETCH (MODSEQ (14))\r\n"
        "c OK [MODIFIED 4] UID STORE completed, but for some\r\n");
  CHECK(client->say("d UID FETCH 1:* UID (CHANGEDSINCE 13)") ==
        "* 6 UIDFETCH (UID 6 MODSEQ (14))\r\n* 8 UIDFETCH (UID 8 MODSEQ (14))\r\n"
        "d OK UID FETCH completed\r\n");
  // A message that FETCH marks as read tells its MODSEQ (RFC 7162 §3.2.4).
  CHECK(client->say("e UID FETCH 2 BODY[TEXT]") ==
        "* 2 UIDFETCH (BODY[TEXT] {3}\r\nx\r\n FLAGS (\\Seen) MODSEQ (15))\r\ne OK UID FETCH completed\r\n");
}

TEST_CASE("imap: UIDONLY and QRESYNC: no match data, else all of it (RFC 9586 §3.7)") {
  Five server;
  auto client = server.client("QRESYNC");
  CHECK(client->say("a SELECT INBOX (QRESYNC (" + server.validity + " 5 1:10 (1,2 2,4)))")
            .starts_with("a BAD [UIDREQUIRED] "));
  // The mailbox is as it was.
  CHECK(has(client->say("b UID FETCH 2 FLAGS"), "* 2 UIDFETCH (FLAGS ())\r\n"));
  server.flag(4, flagged);
  server.inbox().expunge_now(testing::uid_set({8}), true);
  const std::string said = client->say("c SELECT INBOX (QRESYNC (" + server.validity + " 12 1:10))");
  CHECK(
      said.ends_with("* VANISHED (EARLIER) 8\r\n* 4 UIDFETCH (FLAGS (\\Flagged) MODSEQ (13))\r\n"
                     "c OK [READ-WRITE] SELECT completed\r\n"));
  CHECK(client->say("d UID FETCH 1:10 FLAGS (CHANGEDSINCE 12 VANISHED)") ==
        "* VANISHED (EARLIER) 8\r\n* 4 UIDFETCH (FLAGS (\\Flagged) MODSEQ (13))\r\n"
        "d OK UID FETCH completed\r\n");
  CHECK(client->say("e UID STORE 4 +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE")
            .ends_with("* VANISHED 4\r\nf OK [HIGHESTMODSEQ 16] EXPUNGE completed\r\n"));
}

TEST_CASE("imap: UIDONLY and MOVE: COPYUID, then VANISHED (RFC 6851 §4.3, RFC 9586 §3.4)") {
  Five server;
  const std::string foo = std::to_string(server.store.account().mailbox("foo").info().uid_validity);
  auto client = server.client();
  CHECK(client->say("a UID MOVE 4,6 foo") ==
        "* OK [COPYUID " + foo + " 4,6 1:2] Moved\r\n* VANISHED 4,6\r\na OK UID MOVE completed\r\n");
  CHECK(client->say("b UID COPY 2 foo") == "b OK [COPYUID " + foo + " 2 3] UID COPY completed\r\n");
}

TEST_CASE(
    "imap: UIDONLY and REPLACE: EXISTS of the new message, then VANISHED (RFC 8508 §4.3, RFC 9586 §3.4)") {
  Five server;
  auto client = server.client();
  CHECK(client->say("a UID REPLACE 4 INBOX (\\Seen) {1+}\r\nx") ==
        "* OK [APPENDUID " + server.validity +
            " 11] Replacement message ready\r\n"
            "* 6 EXISTS\r\n* VANISHED 4\r\n* 1 RECENT\r\na OK UID REPLACE completed\r\n");
  CHECK(client->say("b UID FETCH 4,11 FLAGS") ==
        "* 11 UIDFETCH (FLAGS (\\Seen \\Recent))\r\nb OK UID FETCH completed\r\n");
  CHECK(client->say("c REPLACE 1 INBOX {1+}\r\nx").starts_with("c BAD [UIDREQUIRED] "));
}

TEST_CASE("imap: UIDONLY and saved results (RFC 5182, RFC 9586 §3.8)") {
  Five server;
  auto client = server.client();
  CHECK(client->say("a UID SEARCH RETURN (SAVE MIN COUNT) FLAGGED") ==
        "* ESEARCH (TAG \"a\") UID MIN 8 COUNT 2\r\na OK UID SEARCH completed\r\n");
  CHECK(client->say("b UID SEARCH RETURN (ALL) $ UID 9:*") ==
        "* ESEARCH (TAG \"b\") UID ALL 10\r\nb OK UID SEARCH completed\r\n");
  CHECK(client->say("c UID FETCH $ UID") ==
        "* 8 UIDFETCH (UID 8)\r\n* 10 UIDFETCH (UID 10)\r\nc OK UID FETCH completed\r\n");
  CHECK(client->say("d FETCH $ UID").starts_with("d BAD [UIDREQUIRED] "));
  CHECK(client->say("e UID SEARCH RETURN (PARTIAL 1:1) ALL") ==
        "* ESEARCH (TAG \"e\") UID PARTIAL (1:1 2)\r\ne OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: UIDONLY and IMAP4rev2") {
  Five server;
  auto client = server.client("IMAP4rev2 CONDSTORE");
  CHECK(client->say("a UID SEARCH FLAGGED") ==
        "* ESEARCH (TAG \"a\") UID ALL 8,10\r\na OK UID SEARCH completed\r\n");
  server.flag(2, flagged);
  CHECK(client->say("b NOOP") == "* 2 UIDFETCH (FLAGS (\\Flagged) MODSEQ (13))\r\nb OK NOOP completed\r\n");
}

}  // namespace posthorn::imap

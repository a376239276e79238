#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// ENABLE (RFC 5161) and CONDSTORE (RFC 7162 §3.1).
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);
constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);

// Seven messages; the MODSEQ of each is its UID plus 1, so that the mailbox's is 8.
struct Seven : Server {
  Seven() {
    for (int i = 1; i <= 7; ++i) inbox().put(simple_message("m" + std::to_string(i), "x"));
    inbox().claim_recent();
  }
  void flag(storage::Uid uid, std::uint8_t flags = flagged) {
    inbox().change_flags({.uids = testing::uid_set({uid}), .system_flags = flags});
  }
};

}  // namespace

TEST_CASE("imap: ENABLED names what was enabled by this command, each once (RFC 5161 §3.2)") {
  Seven server;
  auto client = Client::logged_in(server);
  CHECK(client->say("a ENABLE X CONDSTORE condstore") == "* ENABLED CONDSTORE\r\na OK ENABLE completed\r\n");
  CHECK(client->say("b ENABLE CONDSTORE") == "* ENABLED\r\nb OK ENABLE completed\r\n");
  CHECK(client->say("c ENABLE QRESYNC") == "* ENABLED QRESYNC\r\nc OK ENABLE completed\r\n");
  auto other = Client::logged_in(server);
  CHECK(other->say("a ENABLE QRESYNC CONDSTORE") ==
        "* ENABLED CONDSTORE QRESYNC\r\na OK ENABLE completed\r\n");
}

TEST_CASE(
    "imap: SELECT tells HIGHESTMODSEQ, and CLOSED where one was selected (RFC 7162 §3.1.2.1, §3.2.11)") {
  Seven server;
  auto client = Client::logged_in(server);
  const std::string first = client->say("a SELECT INBOX (CONDSTORE)");
  CHECK(has(first, "* OK [HIGHESTMODSEQ 8] "));
  CHECK_FALSE(has(first, "[CLOSED]"));
  CHECK(client->say("b EXAMINE INBOX").starts_with("* OK [CLOSED] "));
  // Of a SELECT that fails, too: nothing is selected any more.
  CHECK(client->say("c SELECT nowhere").starts_with("* OK [CLOSED] "));
  CHECK_FALSE(has(client->say("d SELECT INBOX"), "[CLOSED]"));
}

TEST_CASE(
    "imap: what enables CONDSTORE says HIGHESTMODSEQ, changes come with UID and MODSEQ then (RFC 7162 §3.1, "
    "§3.2.4)") {
  for (const char* command :
       {"ENABLE CONDSTORE", "ENABLE QRESYNC", "FETCH 1 MODSEQ", "FETCH 1 UID (CHANGEDSINCE 1)",
        "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Draft)"}) {
    CAPTURE(command);
    Seven server;
    auto client = Client::with_inbox(server);
    server.flag(3);
    CHECK(client->say("a NOOP") == "* 3 FETCH (FLAGS (\\Flagged))\r\na OK NOOP completed\r\n");
    CHECK(has(client->say("b " + std::string(command)), "* OK [HIGHESTMODSEQ 9] "));
    CHECK_FALSE(has(client->say("c " + std::string(command)), "HIGHESTMODSEQ"));
    server.flag(4);
    CHECK(client->say("d NOOP") ==
          "* 4 FETCH (UID 4 FLAGS (\\Flagged) MODSEQ (10))\r\nd OK NOOP completed\r\n");
  }
}

TEST_CASE(
    "imap: a FETCH that is asked for flags alone tells them alone, news with UID and MODSEQ (RFC 7162 "
    "§3.2.4)") {
  Seven server;
  auto client = Client::with_inbox(server, "SELECT INBOX (CONDSTORE)");
  CHECK(client->say("a FETCH 2 FLAGS") == "* 2 FETCH (FLAGS ())\r\na OK FETCH completed\r\n");
  server.flag(2);
  CHECK(client->say("b FETCH 2 FLAGS") ==
        "* 2 FETCH (FLAGS (\\Flagged) UID 2 MODSEQ (9))\r\nb OK FETCH completed\r\n");
  CHECK(has(client->say("c FETCH 1 BODY[TEXT]"), " FLAGS (\\Seen) UID 1 MODSEQ (10))\r\nc OK"));
}

TEST_CASE("imap: FETCH MODSEQ and CHANGEDSINCE (RFC 7162 §3.1.4)") {
  Seven server;
  auto client = Client::with_inbox(server);
  CHECK(has(client->say("a FETCH 1:2 (MODSEQ)"),
            "* 1 FETCH (MODSEQ (2))\r\n* 2 FETCH (MODSEQ (3))\r\na OK FETCH completed\r\n"));
  CHECK(client->say("b UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7)") ==
        "* 7 FETCH (UID 7 FLAGS () MODSEQ (8))\r\nb OK UID FETCH completed\r\n");
  CHECK(client->say("c UID FETCH 1:* (FLAGS) (CHANGEDSINCE 8)") == "c OK UID FETCH completed\r\n");
  // All of them, for clients that don't know a MODSEQ yet.
  CHECK(client->say("z UID FETCH 7:* (FLAGS) (CHANGEDSINCE 0)") ==
        "* 7 FETCH (UID 7 FLAGS () MODSEQ (8))\r\nz OK UID FETCH completed\r\n");
  // What changed since the client was told last counts, and is told.
  server.flag(2);
  CHECK(client->say("d FETCH 1:7 UID (CHANGEDSINCE 8)") ==
        "* 2 FETCH (UID 2 MODSEQ (9) FLAGS (\\Flagged))\r\nd OK FETCH completed\r\n");
  CHECK(client->say("e NOOP") == "e OK NOOP completed\r\n");
}

TEST_CASE("imap: a conditional STORE changes what is unchanged, and names the others (RFC 7162 §3.1.3)") {
  Seven server;
  auto client = Client::with_inbox(server, "SELECT INBOX (CONDSTORE)");
  SUBCASE("all pass") {
    CHECK(client->say("a UID STORE 6,4 (UNCHANGEDSINCE 8) +FLAGS.SILENT (\\Deleted)") ==
          "* 4 FETCH (UID 4 MODSEQ (9))\r\n* 6 FETCH (UID 6 MODSEQ (9))\r\na OK UID STORE completed\r\n");
  }
  SUBCASE("some fail, and are told") {
    server.flag(7, seen);
    server.flag(7);
    CHECK(client->say("d105 STORE 7,5 (UNCHANGEDSINCE 8) FLAGS.SILENT (\\Deleted)") ==
          "* 5 FETCH (UID 5 MODSEQ (11))\r\n* 7 FETCH (UID 7 FLAGS (\\Flagged \\Seen) MODSEQ (10))\r\n"
          "d105 OK [MODIFIED 7] STORE completed, but for some\r\n");
    CHECK(client->say("e UID STORE 3:7 (UNCHANGEDSINCE 5) FLAGS.SILENT (\\Deleted)") ==
          "* 3 FETCH (UID 3 MODSEQ (12))\r\n* 4 FETCH (UID 4 MODSEQ (12))\r\n"
          "e OK [MODIFIED 5:7] UID STORE completed, but for some\r\n");
  }
  SUBCASE("with flags") {
    CHECK(client->say("a STORE 2 (UNCHANGEDSINCE 3) FLAGS (\\Draft)") ==
          "* 2 FETCH (UID 2 FLAGS (\\Draft) MODSEQ (9))\r\na OK STORE completed\r\n");
  }
  SUBCASE("example 11: some are expunged") {
    server.inbox().expunge_now(testing::uid_set({4, 5, 6, 7}), true);
    server.flag(2);
    const std::string said = client->say("B001 STORE 1:7 (UNCHANGEDSINCE 8) FLAGS (\\Seen)");
    CHECK(
        has(said,
            "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (11))\r\n* 3 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (11))"));
    CHECK(has(said, "B001 NO [MODIFIED 2] "));
    // What is held back has a lower MODSEQ than what was told (§3.2).
    CHECK(has(said, "* OK [HIGHESTMODSEQ 8] "));
    const std::string later = client->say("B002 NOOP");
    CHECK(has(later, "* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* OK [HIGHESTMODSEQ "));
  }
}

TEST_CASE("imap: adding and removing flags fails only where these changed (RFC 7162 §3.1.12)") {
  Seven server;
  auto client = Client::with_inbox(server, "SELECT INBOX (CONDSTORE)");
  server.flag(2);
  SUBCASE("another flag changed") {
    CHECK(client->say("a STORE 2 (UNCHANGEDSINCE 8) +FLAGS.SILENT ($Processed)") ==
          "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Processed)\r\n"
          "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Processed \\*)] Flags that "
          "can be changed\r\n"
          "* 2 FETCH (UID 2 FLAGS (\\Flagged $Processed) MODSEQ (10))\r\na OK STORE completed\r\n");
  }
  SUBCASE("this flag changed") {
    CHECK(client->say("a STORE 2 (UNCHANGEDSINCE 8) -FLAGS.SILENT (\\Flagged)") ==
          "* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (9))\r\na OK [MODIFIED 2] STORE completed, but for "
          "some\r\n");
  }
  SUBCASE("all flags are replaced") {
    CHECK(has(client->say("a STORE 2 (UNCHANGEDSINCE 8) FLAGS.SILENT ($Processed)"), "a OK [MODIFIED 2] "));
  }
  SUBCASE("0 tests whether there is a keyword; system flags always are (§3.1.3, example 8)") {
    CHECK(has(client->say("a STORE 3 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)"), "a OK STORE completed"));
    CHECK(has(client->say("a102 STORE 3 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)"),
              "a102 OK [MODIFIED 3] "));
    CHECK(has(client->say("b STORE 3 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)"), "b OK [MODIFIED 3] "));
  }
}

TEST_CASE("imap: STORE .SILENT tells the new MODSEQ to those who want it (RFC 7162 §3.1.4.2, example 14)") {
  Seven server;
  auto client = Client::with_inbox(server, "SELECT INBOX (CONDSTORE)");
  CHECK(client->say("a STORE 7 +FLAGS.SILENT (\\Deleted)") ==
        "* 7 FETCH (UID 7 MODSEQ (9))\r\na OK STORE completed\r\n");
  CHECK(client->say("b STORE 7 +FLAGS.SILENT (\\Deleted)") == "b OK STORE completed\r\n");
  CHECK(client->say("c NOOP") == "c OK NOOP completed\r\n");
}

TEST_CASE("imap: EMAILID is one for copies, MAILBOXID is kept by RENAME (RFC 8474 §4, §5.1)") {
  Seven server;
  auto client = Client::with_inbox(server);
  const std::string created = client->say("a CREATE foo");
  CHECK(created == "a OK [MAILBOXID (F2)] CREATE completed\r\n");
  CHECK(has(client->say("b COPY 3 foo"), "b OK"));
  CHECK(client->say("c FETCH 3 EMAILID") == "* 3 FETCH (EMAILID (M3))\r\nc OK FETCH completed\r\n");
  CHECK(has(client->say("d RENAME foo bar"), "d OK"));
  CHECK(has(client->say("e SELECT bar"), "* OK [MAILBOXID (F2)] "));
  CHECK(client->say("f UID FETCH 1 EMAILID") ==
        "* 1 FETCH (UID 1 EMAILID (M3))\r\nf OK UID FETCH completed\r\n");
}

TEST_CASE("imap: a FETCH that fails tells the changes that it would have told (RFC 7162 §3.2)") {
  Seven server;
  auto client = Client::with_inbox(server);
  client->say("e ENABLE CONDSTORE");
  // The file can't be read, behind the transaction that sets \\Seen.
  server.store.fail({Errc::io, "xyzzy"}, 1);
  std::string said = client->say("a FETCH 1 BODY[]");
  CHECK(said.starts_with("* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ ("));
  CHECK(has(said, ")\r\na NO [UNAVAILABLE] "));
  CHECK(client->say("b NOOP") == "b OK NOOP completed\r\n");
  // No summaries can be had; of what is new to the client, it hears.
  server.inbox().change_flags({.uids = testing::uid_set({3}), .system_flags = flagged});
  server.store.fail({Errc::io, "xyzzy"});
  said = client->say("c FETCH 2:4 (FLAGS ENVELOPE)");
  CHECK(said.starts_with("* 3 FETCH (UID 3 FLAGS (\\Flagged) MODSEQ ("));
  CHECK(has(said, ")\r\nc NO [UNAVAILABLE] "));
  CHECK(client->say("d NOOP") == "d OK NOOP completed\r\n");
}

TEST_CASE("imap: HIGHESTMODSEQ is raised once an expunge that was held back is told (RFC 7162 §6)") {
  Seven server;
  auto client = Client::with_inbox(server);
  client->say("e ENABLE CONDSTORE");
  const std::string before = std::to_string(server.inbox().snapshot()->highest_modseq());
  server.inbox().expunge_now(testing::uid_set({2}), true);
  const std::string after = std::to_string(server.inbox().snapshot()->highest_modseq());
  REQUIRE(before != after);
  CHECK(has(client->say("a FETCH 1 UID"), "* OK [HIGHESTMODSEQ " + before + "] "));
  const std::string said = client->say("b NOOP");
  CHECK(said.starts_with("* 2 EXPUNGE\r\n* OK [HIGHESTMODSEQ " + after + "] "));
  CHECK(client->say("c NOOP") == "c OK NOOP completed\r\n");
}

}  // namespace posthorn::imap

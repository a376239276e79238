#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// QRESYNC (RFC 7162 §3.2).
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);
constexpr std::uint8_t deleted = static_cast<std::uint8_t>(storage::SystemFlag::deleted);

// Ten messages; the MODSEQ of each is its UID plus 1, so that the mailbox's is 11.
struct Ten : Server {
  Ten() {
    for (int i = 1; i <= 10; ++i) inbox().put(simple_message("m" + std::to_string(i), "x"));
    inbox().claim_recent();
    validity = std::to_string(inbox().info().uid_validity);
  }
  void change(storage::Uid uid, std::uint8_t flags = flagged) {
    inbox().change_flags({.uids = testing::uid_set({uid}), .system_flags = flags});
  }
  void expunge(std::initializer_list<storage::Uid> uids) {
    inbox().expunge_now(testing::uid_set(uids), true);
  }

  // What SELECT with `arguments` says behind the mailbox's description.
  std::string resync(const std::string& arguments) {
    auto client = Client::logged_in(*this);
    client->say("e ENABLE QRESYNC");
    const std::string said = client->say("a SELECT INBOX (QRESYNC (" + validity + " " + arguments + "))");
    const std::size_t highest = said.find("[HIGHESTMODSEQ");
    return said.substr(said.find("\r\n", highest) + 2);
  }

  std::string validity;
};

constexpr std::string_view selected = "a OK [READ-WRITE] SELECT completed\r\n";

}  // namespace

TEST_CASE("imap: QRESYNC has to be enabled before it is used (RFC 7162 §3.2.3)") {
  Ten server;
  auto client = Client::with_inbox(server, "SELECT INBOX (CONDSTORE)");
  CHECK(client->say("a SELECT INBOX (QRESYNC (" + server.validity + " 5))").starts_with("a BAD "));
  CHECK(client->say("b UID FETCH 1:* FLAGS (CHANGEDSINCE 5 VANISHED)").starts_with("b BAD "));
  // The mailbox is as it was.
  CHECK(has(client->say("c FETCH 1 UID"), "* 1 FETCH (UID 1)\r\nc OK"));
}

TEST_CASE("imap: what is refused as QRESYNC is not enabled does not enable CONDSTORE (RFC 7162 §3.1)") {
  Ten server;
  auto client = Client::with_inbox(server);
  storage::Uid uid = 5;
  for (const std::string& command : {"SELECT INBOX (QRESYNC (" + server.validity + " 5))",
                                     std::string("SELECT INBOX (CONDSTORE QRESYNC (1 5))"),
                                     std::string("UID FETCH 1:* FLAGS (CHANGEDSINCE 5 VANISHED)")}) {
    CAPTURE(command);
    CHECK(client->say("a " + command) == "a BAD ENABLE QRESYNC first\r\n");
    server.change(uid);
    const std::string number = std::to_string(uid++);
    CHECK(client->say("b NOOP") == "* " + number + " FETCH (FLAGS (\\Flagged))\r\nb OK NOOP completed\r\n");
  }
}

TEST_CASE("imap: SELECT with QRESYNC tells what vanished and what changed since (RFC 7162 §3.2.5.1)") {
  Ten server;
  server.expunge({3});
  server.change(5);
  server.expunge({9, 10});
  CHECK(server.resync("11") ==
        "* VANISHED (EARLIER) 3,9:10\r\n* 4 FETCH (UID 5 FLAGS (\\Flagged) MODSEQ (13))\r\n" +
            std::string(selected));
  CHECK(server.resync("12") ==
        "* VANISHED (EARLIER) 9:10\r\n* 4 FETCH (UID 5 FLAGS (\\Flagged) MODSEQ (13))\r\n" +
            std::string(selected));
  CHECK(server.resync("14") == selected);
  // Beyond what the mailbox has: the client is no further than it is.
  CHECK(server.resync("99") == selected);
  // Of the known UIDs alone.
  CHECK(server.resync("11 1:4,10:20") == "* VANISHED (EARLIER) 3,10\r\n" + std::string(selected));
  CHECK(server.resync("11 20:30") == selected);
  // New messages are told as changed: their MODSEQ is later.
  server.inbox().put("x");
  CHECK(server.resync("14") == "* 8 FETCH (UID 11 FLAGS (\\Recent) MODSEQ (15))\r\n" + std::string(selected));
}

TEST_CASE("imap: another UIDVALIDITY makes the rest of QRESYNC void (RFC 7162 §3.2.5)") {
  Ten server;
  server.expunge({3});
  server.validity = "67890007";
  CHECK(server.resync("5 1:4") == selected);
}

TEST_CASE("imap: where expunges are forgotten, all that is not there vanished (RFC 7162 §3.2.5.1, §3.2.6)") {
  Ten server;
  server.expunge({3});
  server.expunge({6, 7});
  server.inbox().forget_vanished();
  CHECK(server.resync("12") == "* VANISHED (EARLIER) 3,6:7\r\n" + std::string(selected));
  // But for what the client shows to know (§3.2.5.2): its fourth message is UID 5.
  CHECK(server.resync("12 1:10 (4 5)") == "* VANISHED (EARLIER) 6:7\r\n" + std::string(selected));
  CHECK(server.resync("12 1:10 (1,4,6 1,5,9)") == selected);
  CHECK(server.resync("12 1:10 (1,2,6 1,9,10)") == "* VANISHED (EARLIER) 3,6:7\r\n" + std::string(selected));
}

TEST_CASE("imap: UID FETCH with VANISHED (RFC 7162 §3.2.6)") {
  Ten server;
  server.expunge({3});
  auto client = Client::logged_in(server);
  client->say("e ENABLE QRESYNC");
  client->say("s SELECT INBOX");
  server.change(4);
  server.expunge({8});
  // The one that the client takes to be there is told without EARLIER.
  CHECK(client->say("s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 11 VANISHED)") ==
        "* VANISHED (EARLIER) 3\r\n* 3 FETCH (UID 4 FLAGS (\\Flagged) MODSEQ (13))\r\n* VANISHED 8\r\n"
        "s100 OK UID FETCH completed\r\n");
  CHECK(client->say("s101 UID FETCH 4:10 (FLAGS) (CHANGEDSINCE 13 VANISHED)") ==
        "* VANISHED (EARLIER) 8\r\ns101 OK UID FETCH completed\r\n");
}

TEST_CASE("imap: VANISHED in place of EXPUNGE, and HIGHESTMODSEQ (RFC 7162 §3.2.7, §3.2.9, §3.2.10)") {
  Ten server;
  auto client = Client::logged_in(server);
  client->say("e ENABLE QRESYNC");
  client->say("s SELECT INBOX");
  server.change(3, deleted);
  server.change(4, deleted);
  server.change(7, deleted);
  CHECK(has(client->say("n NOOP"), "* 7 FETCH (UID 7 FLAGS (\\Deleted) MODSEQ (14))\r\n"));
  CHECK(client->say("A UID EXPUNGE 1:3") ==
        "* VANISHED 3\r\nA OK [HIGHESTMODSEQ 15] UID EXPUNGE completed\r\n");
  CHECK(client->say("B EXPUNGE") == "* VANISHED 4,7\r\nB OK [HIGHESTMODSEQ 16] EXPUNGE completed\r\n");
  CHECK(client->say("C EXPUNGE") == "C OK EXPUNGE completed\r\n");
  // By others; not behind FETCH by numbers, which says how far it got instead (§3.2).
  server.expunge({10});
  server.change(1);
  CHECK(client->say("D FETCH 1 (FLAGS MODSEQ)") ==
        "* 1 FETCH (FLAGS (\\Flagged) MODSEQ (18) UID 1)\r\n* OK [HIGHESTMODSEQ 16] All changes up to it "
        "were told\r\n"
        "D OK FETCH completed\r\n");
  CHECK(client->say("E NOOP") ==
        "* VANISHED 10\r\n* OK [HIGHESTMODSEQ 18] All changes up to it were told\r\nE OK NOOP completed\r\n");
  // What came and went unseen is not told.
  const storage::Uid unseen = server.inbox().put("x");
  server.inbox().expunge_now(testing::uid_set({unseen}), true);
  CHECK(client->say("F NOOP") == "F OK NOOP completed\r\n");
  // CLOSE tells none (§3.2.8).
  server.change(1, deleted);
  CHECK(client->say("G CLOSE") == "G OK CLOSE completed\r\n");
}

TEST_CASE("imap: MOVE says VANISHED and HIGHESTMODSEQ (RFC 6851 §4.4)") {
  Ten server;
  auto client = Client::logged_in(server);
  client->say("e ENABLE QRESYNC");
  client->say("c CREATE target");
  client->say("s SELECT INBOX");
  const std::string said = client->say("A MOVE 2:3 target");
  CHECK(has(said, "[COPYUID "));
  CHECK(has(said, "\r\n* VANISHED 2:3\r\nA OK [HIGHESTMODSEQ 12] MOVE completed\r\n"));
}

TEST_CASE("imap: nothing vanishes behind a UID SEARCH with sequence numbers (RFC 7162 §3.2.10.2)") {
  for (const char* search : {"1:3", "RETURN (ALL) OR SUBJECT x NOT 2", "(SEEN (UNSEEN *))"}) {
    CAPTURE(search);
    Ten server;
    auto client = Client::with_inbox(server);
    client->say("e ENABLE QRESYNC");
    server.expunge({2});
    CHECK_FALSE(has(client->say("a UID SEARCH " + std::string(search)), "VANISHED"));
    CHECK(has(client->say("b UID SEARCH UID 1:3"), "* VANISHED 2\r\n"));
  }
}

}  // namespace posthorn::imap

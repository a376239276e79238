#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// Several sessions on one mailbox (RFC 3501 §5.2, §5.5, §7.4.1; RFC 2180).
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);
constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);

struct Shared : Server {
  Shared() {
    for (int i = 1; i <= 7; ++i) inbox().put(simple_message("m" + std::to_string(i), "x"));
    inbox().claim_recent();
  }
};

}  // namespace

TEST_CASE("imap: new messages are told behind any command, \\Recent to one session (RFC 3501 §5.2, §2.3.2)") {
  Shared server;
  auto first = Client::with_inbox(server);
  auto second = Client::with_inbox(server);
  server.inbox().put(simple_message("new", "x"));
  CHECK(first->say("a FETCH 1 UID") ==
        "* 1 FETCH (UID 1)\r\n* 8 EXISTS\r\n* 1 RECENT\r\na OK FETCH completed\r\n");
  CHECK(second->say("a LIST \"\" \"\"") ==
        "* LIST (\\Noselect) \"/\" \"\"\r\n* 8 EXISTS\r\n* 0 RECENT\r\na OK LIST completed\r\n");
  CHECK(first->say("b FETCH 8 FLAGS") == "* 8 FETCH (FLAGS (\\Recent))\r\nb OK FETCH completed\r\n");
  CHECK(second->say("b FETCH 8 FLAGS") == "* 8 FETCH (FLAGS ())\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: flags that another session changed are told once (RFC 3501 §5.2)") {
  Shared server;
  auto first = Client::with_inbox(server);
  auto second = Client::with_inbox(server);
  CHECK(has(first->say("a STORE 2 +FLAGS (\\Seen)"), "* 2 FETCH (FLAGS (\\Seen))\r\na OK"));
  CHECK(first->say("b NOOP") == "b OK NOOP completed\r\n");
  CHECK(second->say("a NOOP") == "* 2 FETCH (FLAGS (\\Seen))\r\na OK NOOP completed\r\n");
  CHECK(second->say("b NOOP") == "b OK NOOP completed\r\n");
  // Behind a UID command with the UID.
  server.inbox().change_flags({.uids = testing::uid_set({3}), .system_flags = flagged});
  CHECK(second->say("c UID FETCH 1 UID") ==
        "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3 FLAGS (\\Flagged))\r\nc OK UID FETCH completed\r\n");
  // What a FETCH of flags answers is not told besides.
  server.inbox().change_flags({.uids = testing::uid_set({4}), .system_flags = flagged});
  server.inbox().change_flags({.uids = testing::uid_set({5}), .system_flags = flagged});
  CHECK(second->say("d FETCH 4 FLAGS") ==
        "* 4 FETCH (FLAGS (\\Flagged))\r\n* 5 FETCH (FLAGS (\\Flagged))\r\nd OK FETCH completed\r\n");
}

TEST_CASE(
    "imap: EXPUNGE is never sent behind FETCH, STORE, SEARCH by numbers, and is behind all others (RFC 3501 "
    "§7.4.1)") {
  for (const char* command :
       {"FETCH 7 UID", "STORE 7 +FLAGS (\\Seen)", "SEARCH ALL", "STORE 7 -FLAGS.SILENT (\\Seen)"}) {
    CAPTURE(command);
    Shared server;
    auto client = Client::with_inbox(server);
    server.inbox().expunge_now(testing::uid_set({2}), true);
    CHECK_FALSE(has(client->say("a " + std::string(command)), "EXPUNGE"));
    // A new message meanwhile: EXISTS never goes down (§5.2).
    server.inbox().put("x");
    CHECK(has(client->say("b FETCH 1 UID"), "* 8 EXISTS\r\n"));
    CHECK(client->say("c NOOP") == "* 2 EXPUNGE\r\nc OK NOOP completed\r\n");
    CHECK(has(client->say("d FETCH 2,7 UID"), "* 2 FETCH (UID 3)\r\n* 7 FETCH (UID 8)\r\n"));
  }
  for (const char* command :
       {"NOOP", "CHECK", "UID FETCH 7 UID", "UID STORE 7 +FLAGS (\\Seen)", "UID SEARCH ALL", "EXPUNGE",
        "COPY 7 INBOX", "LIST \"\" \"\"", "STATUS INBOX (MESSAGES)", "CAPABILITY"}) {
    CAPTURE(command);
    Shared server;
    auto client = Client::with_inbox(server);
    server.inbox().expunge_now(testing::uid_set({2}), true);
    CHECK(has(client->say("a " + std::string(command)), "* 2 EXPUNGE\r\n"));
  }
}

TEST_CASE("imap: FETCH of a message that another session expunged (RFC 2180 §4.1)") {
  Shared server;
  auto client = Client::with_inbox(server);
  server.inbox().expunge_now(testing::uid_set({4, 5, 6, 7}), true);
  // What the view still knows is answered.
  CHECK(
      client->say("a FETCH 4 (UID FLAGS RFC822.SIZE)").starts_with("* 4 FETCH (UID 4 FLAGS () RFC822.SIZE "));
  // What it does not is left out, and said.
  const std::string said = client->say("B001 FETCH 3:5 ENVELOPE");
  CHECK(said.starts_with("* 3 FETCH (ENVELOPE "));
  CHECK_FALSE(has(said, "* 4 "));
  CHECK(has(said, "B001 NO [EXPUNGEISSUED] Some of the messages were expunged\r\n"));
  CHECK(client->say("b FETCH 4 BODY.PEEK[]") ==
        "b NO [EXPUNGEISSUED] Some of the messages were expunged\r\n");
  CHECK(client->say("c FETCH 4 BODY[]") == "c NO [EXPUNGEISSUED] Some of the messages were expunged\r\n");
  // Among UIDs it is no error (RFC 3501 §6.4.8), and EXPUNGE may follow.
  CHECK(client->say("d UID FETCH 4 ENVELOPE") ==
        "* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 4 EXPUNGE\r\nd OK UID FETCH completed\r\n");
}

TEST_CASE("imap: STORE on messages that another session expunged (RFC 2180 §4.2)") {
  Shared server;
  auto client = Client::with_inbox(server);
  server.inbox().expunge_now(testing::uid_set({4, 5, 6, 7}), true);
  CHECK(client->say("a STORE 1:7 +FLAGS.SILENT (\\Seen)") == "a OK STORE completed\r\n");
  CHECK(client->say("b STORE 5:7 +FLAGS (\\Seen)") ==
        "b NO [EXPUNGEISSUED] Some of the messages were expunged\r\n");
  CHECK(
      client->say("c STORE 3:5 +FLAGS (\\Flagged)") ==
      "* 3 FETCH (FLAGS (\\Flagged \\Seen))\r\nc NO [EXPUNGEISSUED] Some of the messages were expunged\r\n");
}

TEST_CASE("imap: COPY of messages that another session expunged copies nothing (RFC 2180 §4.4.1)") {
  Shared server;
  server.store.account().mailbox("FRED");
  auto client = Client::with_inbox(server);
  server.inbox().expunge_now(testing::uid_set({4}), true);
  CHECK(client->say("A001 COPY 2,4,6 FRED") ==
        "* 4 EXPUNGE\r\nA001 NO [EXPUNGEISSUED] The messages were expunged\r\n");
  CHECK(client->say("a COPY 2,5 FRED") == "a OK [COPYUID 1002 2,6 1:2] COPY completed\r\n");
  server.inbox().expunge_now(testing::uid_set({5}), true);
  CHECK(client->say("b COPY 4 FRED") == "* 4 EXPUNGE\r\nb NO [EXPUNGEISSUED] The messages were expunged\r\n");
}

TEST_CASE("imap: EXPUNGE takes what others flagged, told or not, and never shown messages vanish unseen") {
  Shared server;
  auto client = Client::with_inbox(server);
  const auto uid = server.inbox().put("x", static_cast<std::uint8_t>(storage::SystemFlag::deleted));
  server.inbox().change_flags({.uids = testing::uid_set({1}),
                               .system_flags = static_cast<std::uint8_t>(storage::SystemFlag::deleted)});
  CHECK(client->say("a EXPUNGE") == "* 1 EXPUNGE\r\na OK EXPUNGE completed\r\n");
  CHECK(server.inbox().octets(uid) == nullptr);
}

TEST_CASE("imap: what happens while a command runs is told behind it") {
  Shared server;
  auto client = Client::with_inbox(server);
  bool once = true;
  server.store.meanwhile = [&] {
    if (!std::exchange(once, false)) return;
    server.inbox().expunge_now(testing::uid_set({3}), true);
    server.inbox().put("x");
    server.inbox().change_flags({.uids = testing::uid_set({1}), .system_flags = seen});
  };
  const std::string said = client->say("a FETCH 1:7 BODY.PEEK[HEADER.FIELDS (X)]");
  CHECK(has(said, "* 8 EXISTS\r\n* 1 RECENT\r\n* 1 FETCH (FLAGS (\\Seen))\r\na NO [EXPUNGEISSUED]"));
  CHECK(client->say("b NOOP") == "* 3 EXPUNGE\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: a message that another program puts back among the others is told as new at the end") {
  Shared server;
  server.inbox().expunge_now(testing::uid_set({3}), true);
  auto client = Client::with_inbox(server);  // 1 2 4 5 6 7
  server.inbox().put_back(3, "x");
  CHECK(client->say("a FETCH 3 UID") == "* 3 FETCH (UID 4)\r\na OK FETCH completed\r\n");
  CHECK(client->say("b NOOP") ==
        "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 7 EXISTS\r\n* 0 RECENT\r\nb OK NOOP "
        "completed\r\n");
  CHECK(client->say("c FETCH 3:4 UID") ==
        "* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\nc OK FETCH completed\r\n");
}

TEST_CASE("imap: IDLE tells at once, until DONE (RFC 2177 §3)") {
  Shared server;
  auto client = Client::with_inbox(server);
  auto other = Client::with_inbox(server);
  CHECK(client->say("A002 IDLE") == "+ idling\r\n");
  server.inbox().put("x");
  CHECK(client->listen() == "* 8 EXISTS\r\n* 1 RECENT\r\n");
  other->say("a STORE 1 +FLAGS ($new \\Deleted)");
  CHECK(client->listen() ==
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $new)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $new \\*)] Flags that can be "
        "changed\r\n"
        "* 1 FETCH (FLAGS (\\Deleted $new))\r\n");
  other->say("b EXPUNGE");
  CHECK(client->listen() == "* 1 EXPUNGE\r\n");
  CHECK(client->say("done") == "A002 OK IDLE completed\r\n");
  CHECK(server.inbox().listeners() == 0);
  server.inbox().put("y");
  CHECK(client->listen() == "");
  CHECK(client->say("b NOOP") == "* 8 EXISTS\r\n* 2 RECENT\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: IDLE tells what had happened before, and anything but DONE is BAD (RFC 2177 §3)") {
  Shared server;
  auto client = Client::with_inbox(server);
  server.inbox().put("x");
  CHECK(client->say("a IDLE") == "+ idling\r\n* 8 EXISTS\r\n* 1 RECENT\r\n");
  CHECK(client->say("b NOOP") == "a BAD DONE expected\r\n");
  CHECK(client->say("c NOOP") == "c OK NOOP completed\r\n");
  // Without a mailbox it waits as well; DONE may come in one piece with the command.
  CHECK(dialogue_after_login("a IDLE\r\nDONE\r\nb NOOP\r\n") ==
        "+ idling\r\na OK IDLE completed\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: IDLE that lasts too long is a timeout, however busy the mailbox (RFC 2177 §3)") {
  Shared server;
  server.settings.idle = Milliseconds(60);
  auto client = Client::with_inbox(server);
  client->say("a IDLE");
  const Milliseconds begin = server.loop.now();
  REQUIRE(testing::run_until(server.loop, [&] {
    if (server.loop.now() - begin < Milliseconds(1'000)) server.inbox().put("x");
    return client->ended();
  }));
  CHECK(server.loop.now() - begin < Milliseconds(1'000));
  CHECK(client->peer().output().ends_with("* BYE Autologout: idle for too long\r\n"));
  CHECK(server.inbox().listeners() == 0);
}

TEST_CASE("imap: a large expunge is told in bounded pieces") {
  Server server;
  storage::UidSet all;
  for (int i = 0; i < 5'000; ++i) all.append(server.inbox().put("x"));
  auto client = Client::with_inbox(server);
  server.inbox().expunge_now(all, true);
  client->peer().hold_writes(true);
  client->peer().send("a NOOP\r\n");
  REQUIRE(testing::run_until(server.loop, [&] { return client->peer().write_waits(); }));
  CHECK(client->connection().output().size() < 40'000);
  client->peer().hold_writes(false);
  const std::string said = client->listen();
  CHECK(said.ends_with("* 1 EXPUNGE\r\n* 0 RECENT\r\na OK NOOP completed\r\n"));
}

TEST_CASE("imap: UIDs that are gone are no error (RFC 3501 §6.4.8)") {
  Shared server;
  server.store.account().mailbox("Trash");
  auto client = Client::with_inbox(server);
  server.inbox().expunge_now(testing::uid_set({2}), true);
  CHECK(client->say("a UID STORE 1:3 +FLAGS (\\Seen)") ==
        "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\n"
        "a OK UID STORE completed\r\n");
  for (const std::string command : {"UID COPY", "UID MOVE"}) {
    const storage::Uid uid = command == "UID COPY" ? 4 : 5;
    server.inbox().expunge_now(testing::uid_set({uid}), true);
    CHECK(client->say("b " + command + " " + std::to_string(uid) + " Trash") ==
          "* 3 EXPUNGE\r\nb OK [EXPUNGEISSUED] The messages were expunged\r\n");
  }
  server.inbox().expunge_now(testing::uid_set({6}), true);
  CHECK(client->say("c UID MOVE 6:7 Trash") ==
        "* OK [COPYUID 1002 7 1] Moved\r\n* 3 EXPUNGE\r\n* 3 EXPUNGE\r\nc OK UID MOVE completed\r\n");
}

}  // namespace posthorn::imap

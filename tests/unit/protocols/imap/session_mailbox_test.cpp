#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);
constexpr std::uint8_t deleted = static_cast<std::uint8_t>(storage::SystemFlag::deleted);

void three_messages(Server& server) {
  server.inbox().put(simple_message("one", "1"), seen, {"$Label1"});
  server.inbox().put(simple_message("two", "2"));
  server.inbox().put(simple_message("three", "3"), deleted);
}

}  // namespace

TEST_CASE("imap: SELECT tells all that RFC 3501 §6.3.1 requires") {
  CHECK(dialogue_after_login("a SELECT inbox\r\n", three_messages) ==
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1 \\*)] Flags that can be "
        "changed\r\n"
        "* 3 EXISTS\r\n"
        "* 3 RECENT\r\n"
        "* OK [UNSEEN 2] The first unseen message\r\n"
        "* OK [UIDVALIDITY 1001] UIDs are valid\r\n"
        "* OK [UIDNEXT 4] Predicted next UID\r\n"
        "* OK [MAILBOXID (F1)] Its id\r\n"
        "* OK [HIGHESTMODSEQ 4] All changes up to it were told\r\n"
        "a OK [READ-WRITE] SELECT completed\r\n");
}

TEST_CASE("imap: EXAMINE is read-only in everything, \\Recent included (RFC 3501 §6.3.2)") {
  const std::string said = dialogue_after_login(
      "a EXAMINE INBOX\r\nb STORE 2 +FLAGS (\\Seen)\r\nc EXPUNGE\r\nd FETCH 2 BODY[TEXT]\r\ne UID MOVE 1 "
      "x\r\n"
      "f CLOSE\r\ng EXAMINE INBOX\r\n",
      [](Server& server) {
        three_messages(server);
        server.store.account().mailbox("x");
      });
  CAPTURE(said);
  CHECK(has(said, "* OK [PERMANENTFLAGS ()] None can be changed\r\n* 3 EXISTS\r\n* 3 RECENT\r\n"));
  CHECK(has(said, "a OK [READ-ONLY] EXAMINE completed\r\n"));
  CHECK(has(said, "b NO [READ-ONLY] "));
  CHECK(has(said, "c NO [READ-ONLY] "));
  CHECK(has(said, "* 2 FETCH (BODY[TEXT] {3}\r\n2\r\n)\r\nd OK"));
  CHECK(has(said, "e NO [READ-ONLY] "));
  CHECK(has(said, "f OK CLOSE completed\r\n"));
  // Nothing was expunged, nothing seen, and the messages are \Recent still.
  CHECK(has(said.substr(said.find("f OK")), "* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 2]"));
}

TEST_CASE("imap: one session alone sees a message as \\Recent (RFC 3501 §2.3.2)") {
  Server server;
  three_messages(server);
  auto first = Client::with_inbox(server);
  auto second = Client::logged_in(server);
  CHECK(has(second->say("a SELECT INBOX"), "* 0 RECENT\r\n"));
  CHECK(first->say("a FETCH 1 FLAGS") ==
        "* 1 FETCH (FLAGS (\\Seen \\Recent $Label1))\r\na OK FETCH completed\r\n");
  CHECK(has(second->say("b SEARCH RECENT"), "* SEARCH\r\n"));
  CHECK(has(first->say("b SEARCH NEW"), "* SEARCH 2 3\r\n"));
}

TEST_CASE("imap: a SELECT that fails leaves nothing selected (RFC 3501 §6.3.1)") {
  CHECK(dialogue_in_inbox("a SELECT nowhere\r\nb CHECK\r\n") ==
        "* OK [CLOSED] The mailbox is not selected any more\r\n"
        "a NO [NONEXISTENT] No such mailbox\r\nb BAD No mailbox is selected\r\n");
}

TEST_CASE(
    "imap: CLOSE expunges without a word, UNSELECT and SELECT do not expunge (RFC 3501 §6.4.2, RFC 3691 "
    "§2)") {
  CHECK(dialogue_in_inbox("a CLOSE\r\nb STATUS INBOX (MESSAGES)\r\n", three_messages) ==
        "a OK CLOSE completed\r\n* STATUS INBOX (MESSAGES 2)\r\nb OK STATUS completed\r\n");
  CHECK(dialogue_in_inbox("a UNSELECT\r\nb STATUS INBOX (MESSAGES)\r\n", three_messages) ==
        "a OK UNSELECT completed\r\n* STATUS INBOX (MESSAGES 3)\r\nb OK STATUS completed\r\n");
  const std::string again = dialogue_in_inbox("a SELECT INBOX\r\n", three_messages);
  CHECK(has(again, "* 3 EXISTS\r\n* 0 RECENT\r\n"));
}

TEST_CASE("imap: a CLOSE whose expunge fails says so and stays (durable before OK)") {
  Server server;
  three_messages(server);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::disk_full, "full"});
  CHECK(client->say("a CLOSE") == "a NO [UNAVAILABLE] No space left on the server\r\n");
  CHECK(client->say("b CLOSE") == "b OK CLOSE completed\r\n");
}

TEST_CASE("imap: EXPUNGE answers per message, in renumbered order (RFC 3501 §6.4.3)") {
  // The example of §6.4.3: 3, 4, 7 and 11 are \Deleted.
  const auto eleven = [](Server& server) {
    for (int i = 1; i <= 11; ++i) {
      server.inbox().put(simple_message("m", "x"), i == 3 || i == 4 || i == 7 || i == 11 ? deleted : seen);
    }
  };
  const std::string said = dialogue_in_inbox("A202 EXPUNGE\r\n", eleven);
  CHECK(said ==
        "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 5 EXPUNGE\r\n* 8 EXPUNGE\r\n* 7 RECENT\r\nA202 OK EXPUNGE "
        "completed\r\n");
}

TEST_CASE("imap: UID EXPUNGE takes those of the set alone (RFC 4315 §2.1)") {
  const auto all_deleted = [](Server& server) {
    for (int i = 0; i < 4; ++i) server.inbox().put(simple_message("m", "x"), deleted);
  };
  const std::string said = dialogue_in_inbox("a UID EXPUNGE 2:3,77\r\nb UID SEARCH ALL\r\n", all_deleted);
  CHECK(said ==
        "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 RECENT\r\na OK UID EXPUNGE completed\r\n"
        "* SEARCH 1 4\r\nb OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: STATUS (RFC 3501 §6.3.10), of the selected mailbox too") {
  CHECK(dialogue_after_login("a STATUS inbox (UIDNEXT MESSAGES RECENT UNSEEN UIDVALIDITY)\r\n",
                             three_messages) ==
        "* STATUS INBOX (UIDNEXT 4 MESSAGES 3 RECENT 3 UNSEEN 2 UIDVALIDITY 1001)\r\na OK STATUS "
        "completed\r\n");
  CHECK(dialogue_in_inbox("a STATUS INBOX (MESSAGES RECENT)\r\n", three_messages) ==
        "* STATUS INBOX (MESSAGES 3 RECENT 0)\r\na OK STATUS completed\r\n");
  CHECK(dialogue_after_login("a STATUS none (MESSAGES)\r\n") == "a NO [NONEXISTENT] No such mailbox\r\n");
}

TEST_CASE("imap: CREATE (RFC 3501 §6.3.3)") {
  CHECK(dialogue_after_login(
            "a CREATE owatagusiam/\r\nb CREATE owatagusiam/blurdybloop\r\nc CREATE foo/bar/zap\r\n"
            "d LIST \"\" \"foo*\"\r\n") ==
        "a OK [MAILBOXID (F2)] CREATE completed\r\nb OK [MAILBOXID (F3)] CREATE completed\r\n"
        "c OK [MAILBOXID (F6)] CREATE completed\r\n"
        "* LIST (\\HasChildren) \"/\" foo\r\n* LIST (\\HasChildren) \"/\" foo/bar\r\n"
        "* LIST (\\HasNoChildren) \"/\" foo/bar/zap\r\nd OK LIST completed\r\n");
  CHECK(dialogue_after_login("a CREATE x\r\nb CREATE x\r\nc CREATE inbox\r\n") ==
        "a OK [MAILBOXID (F2)] CREATE completed\r\nb NO [ALREADYEXISTS] There is such a mailbox already\r\n"
        "c NO [ALREADYEXISTS] There is such a mailbox already\r\n");
  CHECK(has(dialogue_after_login("a CREATE " + std::string(300, 'x') + "\r\n"), "a NO [LIMIT] "));
}

TEST_CASE("imap: names that can not be are refused by every command (issue: storage)") {
  for (const char* name : {"../x", "/etc", "a//b", ".", "..", "\"\"", "a/../b"}) {
    for (const std::string command : {"CREATE", "DELETE", "SELECT", "EXAMINE", "SUBSCRIBE", "UNSUBSCRIBE"}) {
      CAPTURE(command);
      CAPTURE(name);
      CHECK(has(dialogue_after_login("a " + command + " " + name + "\r\n"), "a NO [CANNOT] "));
    }
    CHECK(has(dialogue_after_login("a RENAME INBOX " + std::string(name) + "\r\n"), "a NO [CANNOT] "));
    CHECK(has(dialogue_after_login("a STATUS " + std::string(name) + " (MESSAGES)\r\n"), "a NO [CANNOT] "));
    CHECK(has(dialogue_after_login("a APPEND " + std::string(name) + " {1+}\r\nx\r\n"), "a NO [CANNOT] "));
  }
}

TEST_CASE("imap: special uses (RFC 6154 §2, §3)") {
  CHECK(dialogue_after_login("a CREATE Mine (USE (\\Drafts))\r\nb LIST \"\" Mine\r\n") ==
        "a OK [MAILBOXID (F2)] CREATE completed\r\n* LIST (\\HasNoChildren \\Drafts) \"/\" Mine\r\nb OK LIST "
        "completed\r\n");
  // The examples of §5.2, in their two forms.
  CHECK(dialogue_after_login("t0 CREATE Mine (USE (\\Trash))\r\nt2 LIST \"\" \"M%\" RETURN (SPECIAL-USE)\r\n"
                             "t3 LIST (SPECIAL-USE) \"\" \"*\"\r\n") ==
        "t0 OK [MAILBOXID (F2)] CREATE completed\r\n"
        "* LIST (\\HasNoChildren \\Trash) \"/\" Mine\r\nt2 OK LIST completed\r\n"
        "* LIST (\\HasNoChildren \\Trash) \"/\" Mine\r\nt3 OK LIST completed\r\n");
  for (const char* use : {"\\All", "\\Flagged", "\\Drafts \\Sent", "\\Other"}) {
    CAPTURE(use);
    CHECK(dialogue_after_login("a CREATE M (USE (" + std::string(use) + "))\r\nb SELECT M\r\n") ==
          "a NO [USEATTR] Not with that special use\r\nb NO [NONEXISTENT] No such mailbox\r\n");
  }
  CHECK(dialogue_after_login("a CREATE M (USE ())\r\n") == "a OK [MAILBOXID (F2)] CREATE completed\r\n");
}

TEST_CASE("imap: DELETE leaves what is below, and its name as a level (RFC 3501 §6.3.4)") {
  const auto tree = [](Server& server) {
    server.store.account().mailbox("foo");
    server.store.account().mailbox("foo/bar");
  };
  CHECK(dialogue_after_login(
            "a DELETE foo\r\nb LIST \"\" %\r\nc DELETE foo\r\nd DELETE INBOX\r\ne DELETE none\r\n", tree) ==
        "a OK DELETE completed\r\n"
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect \\HasChildren) \"/\" foo\r\nb OK LIST "
        "completed\r\n"
        "c NO [NONEXISTENT] No such mailbox\r\n"
        "d NO [CANNOT] That can not be done with this mailbox name\r\n"
        "e NO [NONEXISTENT] No such mailbox\r\n");
}

TEST_CASE("imap: who deletes the selected mailbox has none selected; others are told BYE (RFC 2180 §3.3)") {
  Server server;
  server.store.account().mailbox("foo");
  auto deleter = Client::with_inbox(server, "SELECT foo");
  auto worker = Client::with_inbox(server, "SELECT foo");
  auto idler = Client::with_inbox(server, "SELECT foo");
  auto leaver = Client::with_inbox(server, "SELECT foo");
  idler->say("i IDLE");
  CHECK(deleter->say("a DELETE foo") == "a OK DELETE completed\r\n");
  CHECK(deleter->say("b CHECK") == "b BAD No mailbox is selected\r\n");
  CHECK(idler->listen() == "* BYE The selected mailbox was deleted\r\n");
  CHECK(worker->say("c NOOP") ==
        "c NO [NONEXISTENT] The selected mailbox was deleted\r\n* BYE The selected mailbox was deleted\r\n");
  CHECK(has(leaver->say("d SELECT INBOX"), "d OK [READ-WRITE]"));
}

TEST_CASE("imap: RENAME takes what is below along; INBOX's messages move (RFC 3501 §6.3.5)") {
  const auto tree = [](Server& server) {
    server.store.account().mailbox("foo");
    server.store.account().mailbox("foo/bar");
    server.inbox().put(simple_message("m", "x"));
  };
  CHECK(dialogue_after_login("a RENAME foo zap\r\nb LIST \"\" z*\r\nc RENAME INBOX old/mail\r\n"
                             "d STATUS INBOX (MESSAGES)\r\ne STATUS old/mail (MESSAGES)\r\nf RENAME none "
                             "x\r\ng RENAME zap old\r\n",
                             tree) ==
        "a OK RENAME completed\r\n* LIST (\\HasChildren) \"/\" zap\r\n* LIST (\\HasNoChildren) \"/\" "
        "zap/bar\r\n"
        "b OK LIST completed\r\nc OK RENAME completed\r\n* STATUS INBOX (MESSAGES 0)\r\nd OK STATUS "
        "completed\r\n"
        "* STATUS old/mail (MESSAGES 1)\r\ne OK STATUS completed\r\nf NO [NONEXISTENT] No such mailbox\r\n"
        "g NO [ALREADYEXISTS] There is such a mailbox already\r\n");
}

TEST_CASE("imap: a mailbox that is renamed stays selected (RFC 2180 §3.4)") {
  Server server;
  server.store.account().mailbox("foo").put(simple_message("m", "x"));
  auto client = Client::with_inbox(server, "SELECT foo");
  CHECK(client->say("a RENAME foo bar") == "a OK RENAME completed\r\n");
  CHECK(has(client->say("b FETCH 1 UID"), "* 1 FETCH (UID 1)\r\nb OK"));
}

TEST_CASE("imap: LIST (RFC 3501 §6.3.8), with children (RFC 3348)") {
  const auto tree = [](Server& server) {
    for (const char* name : {"INBOX/sub", "a/b/c", "a/d", "Entw\u00fcrfe", "A & B"})
      server.store.account().mailbox(name);
  };
  CHECK(dialogue_after_login("a LIST \"\" \"\"\r\nb LIST foo \"\"\r\n") ==
        "* LIST (\\Noselect) \"/\" \"\"\r\na OK LIST completed\r\n* LIST (\\Noselect) \"/\" \"\"\r\nb OK "
        "LIST completed\r\n");
  CHECK(dialogue_after_login("a LIST \"\" *\r\n", tree) ==
        "* LIST (\\HasNoChildren) \"/\" \"A &- B\"\r\n"
        "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\r\n"
        "* LIST (\\HasChildren) \"/\" INBOX\r\n"
        "* LIST (\\HasNoChildren) \"/\" INBOX/sub\r\n"
        "* LIST (\\Noselect \\HasChildren) \"/\" a\r\n"
        "* LIST (\\Noselect \\HasChildren) \"/\" a/b\r\n"
        "* LIST (\\HasNoChildren) \"/\" a/b/c\r\n"
        "* LIST (\\HasNoChildren) \"/\" a/d\r\n"
        "a OK LIST completed\r\n");
  CHECK(dialogue_after_login(
            "a LIST \"a/\" %\r\nb LIST \"\" inbox\r\nc LIST \"\" \"Entw&APw-%\"\r\nd LIST \"\" none\r\n",
            tree) ==
        "* LIST (\\Noselect \\HasChildren) \"/\" a/b\r\n* LIST (\\HasNoChildren) \"/\" a/d\r\na OK LIST "
        "completed\r\n"
        "* LIST (\\HasChildren) \"/\" INBOX\r\nb OK LIST completed\r\n"
        "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\r\nc OK LIST completed\r\nd OK LIST completed\r\n");
}

TEST_CASE("imap: SUBSCRIBE, UNSUBSCRIBE, LSUB with its rule for % (RFC 3501 §6.3.6, §6.3.7, §6.3.9)") {
  // "foo/bar" is subscribed, "foo" is not; neither needs to exist.
  CHECK(dialogue_after_login(
            "a SUBSCRIBE foo/bar\r\nb LSUB \"\" %\r\nc LSUB \"\" *\r\nd LSUB foo/ %\r\n"
            "e SUBSCRIBE foo\r\nf LSUB \"\" %\r\ng UNSUBSCRIBE foo/bar\r\nh LSUB \"\" *\r\n") ==
        "a OK SUBSCRIBE completed\r\n"
        "* LSUB (\\Noselect) \"/\" foo\r\nb OK LSUB completed\r\n"
        "* LSUB () \"/\" foo/bar\r\nc OK LSUB completed\r\n"
        "* LSUB () \"/\" foo/bar\r\nd OK LSUB completed\r\n"
        "e OK SUBSCRIBE completed\r\n* LSUB () \"/\" foo\r\nf OK LSUB completed\r\n"
        "g OK UNSUBSCRIBE completed\r\n* LSUB () \"/\" foo\r\nh OK LSUB completed\r\n");
}

TEST_CASE("imap: NAMESPACE (RFC 2342 §5)") {
  CHECK(dialogue_after_login("a NAMESPACE\r\n") ==
        "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))\r\na OK NAMESPACE "
        "completed\r\n");
}

TEST_CASE("imap: failures of storage have their response codes, and tell nothing of their cause (RFC 5530)") {
  struct Case {
    Errc code;
    const char* reply;
  };
  for (const Case& c : {Case{Errc::over_quota, "[OVERQUOTA]"}, Case{Errc::denied, "[NOPERM]"},
                        Case{Errc::busy, "[UNAVAILABLE]"}, Case{Errc::in_use, "[INUSE]"},
                        Case{Errc::disk_full, "[UNAVAILABLE]"}, Case{Errc::corrupt, "[CORRUPTION]"},
                        Case{Errc::io, "[UNAVAILABLE]"}, Case{Errc::too_large, "[LIMIT]"}}) {
    Server server;
    auto client = Client::logged_in(server);
    server.store.fail({c.code, "because of xyzzy"});
    const std::string said = client->say("a CREATE x");
    CHECK(has(said, "a NO " + std::string(c.reply)));
    CHECK_FALSE(has(said, "xyzzy"));
  }
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// The commands of RFC 4314, and what sharing changes for a session. Which rights each command takes is gone
// through in session_rights_test.cpp.
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr const char* alice = "alice@example.test";
constexpr const char* bob = "bob@example.test";
const std::string box = "\"Other Users/bob@example.test/Box\"";

testing::MemoryMailbox& bobs(Server& server, const std::string& name = "Box") {
  return server.store.account(bob).mailbox(name);
}
void give(Server& server, std::string_view rights, const std::string& name = "Box") {
  server.store.account(bob).give(name, alice, rights);
}

}  // namespace

TEST_CASE("imap acl: SETACL, GETACL, DELETEACL (RFC 4314 §3.1 to §3.3)") {
  CHECK(dialogue_after_login("a GETACL INBOX\r\n"
                             "b SETACL INBOX bob lrk\r\n"
                             "c SETACL INBOX -Carol@Example.ORG +w\r\n"
                             "d SETACL INBOX anyone l\r\n"
                             "e GETACL INBOX\r\n"
                             "f SETACL INBOX bob +cda\r\n"
                             "g SETACL INBOX bob -kxl\r\n"
                             "h DELETEACL INBOX anyone\r\n"
                             "i DELETEACL INBOX anyone\r\n"
                             "j SETACL INBOX -carol@example.org \"\"\r\n"
                             "k GETACL inbox\r\n") ==
        "* ACL INBOX alice@example.test lrswipkxtecda\r\n"
        "a OK GETACL completed\r\n"
        "b OK SETACL completed\r\n"
        "c OK SETACL completed\r\n"
        "d OK SETACL completed\r\n"
        "* ACL INBOX alice@example.test lrswipkxtecda bob@example.test lrkc -carol@example.org w anyone l\r\n"
        "e OK GETACL completed\r\n"
        "f OK SETACL completed\r\n"
        "g OK SETACL completed\r\n"
        "h OK DELETEACL completed\r\n"
        "i OK DELETEACL completed\r\n"
        "j OK SETACL completed\r\n"
        "* ACL INBOX alice@example.test lrswipkxtecda bob@example.test rteda\r\n"
        "k OK GETACL completed\r\n");
}

TEST_CASE("imap acl: LISTRIGHTS and MYRIGHTS (RFC 4314 §3.4, §3.5)") {
  CHECK(dialogue_after_login("a LISTRIGHTS INBOX Bob\r\n"
                             "b LISTRIGHTS INBOX \"Alice@example.test\"\r\n"
                             "c LISTRIGHTS INBOX -alice\r\n"
                             "d MYRIGHTS INBOX\r\n"
                             "e MYRIGHTS nothing\r\n"
                             "f LISTRIGHTS nothing bob\r\n") ==
        "* LISTRIGHTS INBOX Bob \"\" l r s w i p k x t e c d a\r\n"
        "a OK LISTRIGHTS completed\r\n"
        "* LISTRIGHTS INBOX Alice@example.test lrswipkxtecda\r\n"
        "b OK LISTRIGHTS completed\r\n"
        "* LISTRIGHTS INBOX -alice \"\"\r\n"
        "c OK LISTRIGHTS completed\r\n"
        "* MYRIGHTS INBOX lrswipkxtecda\r\n"
        "d OK MYRIGHTS completed\r\n"
        "e NO [NONEXISTENT] No such mailbox\r\n"
        "f NO [NONEXISTENT] No such mailbox\r\n");
}

TEST_CASE("imap acl: what SETACL refuses (RFC 4314 §3)") {
  const std::string said = dialogue_after_login(
      "a SETACL INBOX \"\" l\r\n"
      "b SETACL INBOX - l\r\n"
      "c SETACL INBOX alice r\r\n"
      "d SETACL INBOX u1 l\r\ne SETACL INBOX u2 l\r\n"
      "f SETACL INBOX u3 l\r\ng SETACL INBOX u4 l\r\n"
      "h SETACL INBOX u5 l\r\n"
      "i SETACL nothing bob l\r\n"
      "j DELETEACL INBOX \"\"\r\n"
      "k LISTRIGHTS INBOX \"\"\r\n");
  CAPTURE(said);
  CHECK(has(said, "a BAD That can be no identifier"));
  CHECK(has(said, "b BAD That can be no identifier"));
  CHECK(has(said, "c NO [CANNOT] "));
  CHECK(has(said, "g OK "));
  CHECK(has(said, "h NO [LIMIT] "));
  CHECK(has(said, "i NO [NONEXISTENT] "));
  CHECK(has(said, "j BAD "));
  CHECK(has(said, "k BAD "));
}

TEST_CASE("imap acl: LIST ... RETURN (MYRIGHTS), of mailboxes that are selected alone (RFC 8440 §3, §4)") {
  CHECK(dialogue_after_login(
            "a CREATE foo\r\nb LIST \"\" * RETURN (MYRIGHTS)\r\n"
            "c SUBSCRIBE foo/bar\r\nd LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (MYRIGHTS)\r\n",
            [](Server& server) { give(server, "lrs"); })
            .substr(std::string_view("a OK [MAILBOXID (F2)] CREATE completed\r\n").size()) ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
        "* MYRIGHTS INBOX lrswipkxtecda\r\n"
        "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"\r\n"
        "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/bob@example.test\"\r\n"
        "* LIST (\\HasNoChildren) \"/\" \"Other Users/bob@example.test/Box\"\r\n"
        "* MYRIGHTS \"Other Users/bob@example.test/Box\" lrs\r\n"
        "* LIST (\\HasNoChildren) \"/\" foo\r\n"
        "* MYRIGHTS foo lrswipkxtecda\r\n"
        "b OK LIST completed\r\n"
        "c OK SUBSCRIBE completed\r\n"
        "* LIST (\\HasNoChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "d OK LIST completed\r\n");
}

TEST_CASE("imap acl: a visible mailbox below one that may not be seen (RFC 4314 §4, LIST)") {
  const auto prepare = [](Server& server) {
    give(server, "lr", "A/B");
    bobs(server, "A").put(simple_message("hidden", "hidden"));
  };
  const std::string said = dialogue_after_login(
      "a LIST \"Other Users/bob@example.test/\" *\r\nb STATUS \"Other Users/bob@example.test/A\" "
      "(MESSAGES)\r\n",
      prepare);
  CAPTURE(said);
  CHECK(has(said, "* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users/bob@example.test/A\"\r\n"));
  CHECK(has(said, "* LIST (\\HasNoChildren) \"/\" \"Other Users/bob@example.test/A/B\"\r\n"));
  CHECK(has(said, "b NO [NONEXISTENT] "));
}

TEST_CASE("imap acl: READ-WRITE and PERMANENTFLAGS say what the rights allow (RFC 4314 §5.1.1, §5.2)") {
  struct Case {
    std::string_view rights;
    std::string_view permanent;
    std::string_view access;
  };
  for (const Case& each :
       {Case{"lr", "* OK [PERMANENTFLAGS ()] None can be changed", "[READ-ONLY]"},
        Case{"lrkxap", "* OK [PERMANENTFLAGS ()] None can be changed", "[READ-ONLY]"},
        Case{"r", "* OK [PERMANENTFLAGS ()] None can be changed", "[READ-ONLY]"},
        Case{"lre", "* OK [PERMANENTFLAGS ()] None can be changed", "[READ-WRITE]"},
        Case{"lri", "* OK [PERMANENTFLAGS ()] None can be changed", "[READ-WRITE]"},
        Case{"lrs", "* OK [PERMANENTFLAGS (\\Seen)] Flags that can be changed", "[READ-WRITE]"},
        Case{"lrt", "* OK [PERMANENTFLAGS (\\Deleted)] Flags that can be changed", "[READ-WRITE]"},
        Case{"lrw", "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft $hot \\*)] Flags that can be changed",
             "[READ-WRITE]"},
        Case{"lrswipkxtea",
             "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $hot \\*)] Flags that can "
             "be "
             "changed",
             "[READ-WRITE]"}}) {
    CAPTURE(each.rights);
    const std::string said = dialogue_after_login("a SELECT " + box + "\r\n", [&](Server& server) {
      bobs(server).put(simple_message("one", "1"), 0, {"$hot"});
      give(server, each.rights);
    });
    CHECK(has(said, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $hot)\r\n"));
    CHECK(has(said, each.permanent));
    CHECK(has(said, "a OK " + std::string(each.access)));
    CHECK(has(said, "* 0 RECENT\r\n"));
  }
}

TEST_CASE("imap acl: rights that change meanwhile count from the next command on (RFC 4314 §5.1.1)") {
  Server server;
  bobs(server).put(simple_message("one", "1"));
  give(server, "lrs");
  auto client = Client::logged_in(server);
  client->say("a SELECT " + box);
  CHECK(has(client->say("b STORE 1 +FLAGS (\\Flagged)"), "b NO [NOPERM] "));
  give(server, "lrsw");
  const std::string told = client->say("c STORE 1 +FLAGS (\\Flagged)");
  CHECK(has(told, "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Seen \\Draft \\*)]"));
  CHECK(has(told, "* 1 FETCH (FLAGS (\\Flagged))"));
  CHECK(has(told, "c OK "));
  give(server, "l");
  bobs(server).put(simple_message("two", "2"));
  const std::string gone = client->say("d FETCH 1:* BODY[]");
  CHECK_FALSE(has(gone, "FETCH ("));
  CHECK_FALSE(has(gone, "EXISTS"));
  CHECK(has(gone, "d NO "));
  CHECK(has(gone, "* BYE "));
}

TEST_CASE("imap acl: IDLE ends where the mailbox may not be read any more") {
  Server server;
  server.store.account(bob);
  bobs(server).put(simple_message("one", "1"));
  give(server, "lr");
  auto client = Client::logged_in(server);
  client->say("a SELECT " + box);
  CHECK(client->say("b IDLE") == "+ idling\r\n");
  bobs(server).put(simple_message("two", "2"));
  CHECK(has(client->listen(), "* 2 EXISTS\r\n"));
  give(server, "l");
  bobs(server).put(simple_message("three", "3"));
  const std::string said = client->listen();
  CHECK_FALSE(has(said, "EXISTS"));
  CHECK(has(said, "* BYE "));
}

TEST_CASE("imap acl: STORE changes what it may, and is no error then (RFC 4314 §4)") {
  Server server;
  bobs(server).put(simple_message("one", "1"), static_cast<std::uint8_t>(storage::SystemFlag::deleted));
  give(server, "lrs");
  auto client = Client::logged_in(server);
  client->say("a SELECT " + box);
  CHECK(client->say("b STORE 1 +FLAGS (\\Seen \\Flagged $hot)") ==
        "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\nb OK STORE completed\r\n");
  CHECK(client->say("c STORE 1 FLAGS ()") == "* 1 FETCH (FLAGS (\\Deleted))\r\nc OK STORE completed\r\n");
  CHECK(client->say("d STORE 1 FLAGS.SILENT (\\Seen \\Answered)") == "d OK STORE completed\r\n");
  CHECK(client->say("e FETCH 1 FLAGS") == "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\ne OK FETCH completed\r\n");
  CHECK(client->say("f STORE 1 -FLAGS (\\Deleted)") == "f NO [NOPERM] Permission denied\r\n");
  CHECK(bobs(server).keywords().empty());
}

TEST_CASE("imap acl: subscriptions to others' mailboxes are one's own") {
  const std::string said = dialogue_after_login(
      "a SUBSCRIBE " + box + "\r\nb LSUB \"\" *\r\nc LIST (SUBSCRIBED) \"\" *\r\nd UNSUBSCRIBE " + box +
          "\r\ne LSUB \"\" *\r\n",
      [](Server& server) { give(server, "lr"); });
  CAPTURE(said);
  CHECK(has(said, "* LSUB () \"/\" " + box + "\r\nb OK"));
  CHECK(has(said, "* LIST (\\Subscribed \\HasNoChildren) \"/\" " + box + "\r\nc OK"));
  CHECK(has(said, "d OK UNSUBSCRIBE completed\r\ne OK"));
}

TEST_CASE("imap acl: COPY, MOVE and REPLACE between accounts (RFC 6851 §3.3)") {
  Server server;
  server.inbox().put(simple_message("one", "1"), 0, {"$hot"});
  server.inbox().put(simple_message("two", "2"));
  bobs(server);
  give(server, "lrswite");
  auto client = Client::with_inbox(server);
  CHECK(client->say("a COPY 1:2 " + box) == "a OK [COPYUID 1002 1:2 1:2] COPY completed\r\n");
  CHECK(client->say("b MOVE 2 " + box) ==
        "* OK [COPYUID 1002 2 3] Moved\r\n* 2 EXPUNGE\r\n* 1 RECENT\r\nb OK MOVE completed\r\n");
  const std::string said = client->say("c REPLACE 1 " + box + " {5+}\r\nhello");
  CAPTURE(said);
  CHECK(has(said, "* OK [APPENDUID 1002 4] Replacement message ready\r\n* 1 EXPUNGE\r\n* 0 RECENT\r\nc OK"));
  CHECK(bobs(server).snapshot()->size() == 4);
  CHECK(server.inbox().snapshot()->size() == 0);
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <initializer_list>

// LIST with selection and return options. The hierarchies are those of the RFCs' own examples; ours has no
// \Marked and no \NoInferiors, tells of children always, and lists by name.
namespace posthorn::imap {
namespace {

using Names = std::initializer_list<const char*>;

std::function<void(Server&)> tree(Names mailboxes) {
  return [mailboxes = std::vector<std::string>(mailboxes.begin(), mailboxes.end())](Server& server) {
    server.inbox();
    for (const std::string& name : mailboxes) server.store.account().mailbox(name);
  };
}

// What `command` is answered with in `mailboxes`, of which `subscribed` are.
std::string listed(const std::string& command, Names mailboxes, Names subscribed) {
  std::string input;
  for (const char* name : subscribed) input += "s SUBSCRIBE " + std::string(name) + "\r\n";
  std::string said = dialogue_after_login(input + "a " + command + "\r\n", tree(mailboxes));
  for (std::size_t i = 0; i < subscribed.size(); ++i) said.erase(0, said.find("\r\n") + 2);
  return said;
}

// §5, example 1.
const Names fruit = {"Fruit",     "Fruit/Apple",        "Fruit/Banana",  "Tofu",
                     "Vegetable", "Vegetable/Broccoli", "Vegetable/Corn"};
const Names eaten = {"INBOX", "Fruit/Banana", "Fruit/Peach", "Vegetable", "Vegetable/Broccoli"};

}  // namespace

TEST_CASE("imap: LIST (SUBSCRIBED) names what is subscribed, whether it exists or not (RFC 5258 §3.1)") {
  // Example 2, and 5 with REMOTE, which adds nothing: no mailbox is remote.
  for (const char* command : {"LIST (SUBSCRIBED) \"\" \"*\"", "LIST (REMOTE SUBSCRIBED) \"\" \"*\"",
                              "LIST (SUBSCRIBED SUBSCRIBED) \"\" *", "LIST (SUBSCRIBED) \"\" (*)",
                              "LIST (SUBSCRIBED) \"\" * RETURN (SUBSCRIBED CHILDREN)"}) {
    CAPTURE(command);
    CHECK(listed(command, fruit, eaten) ==
          "* LIST (\\Subscribed \\HasNoChildren) \"/\" Fruit/Banana\r\n"
          "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" Fruit/Peach\r\n"
          "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
          "* LIST (\\Subscribed \\HasChildren) \"/\" Vegetable\r\n"
          "* LIST (\\Subscribed \\HasNoChildren) \"/\" Vegetable/Broccoli\r\n"
          "a OK LIST completed\r\n");
  }
  // No level above stands for what is below it, as LSUB has it.
  CHECK(listed("LIST (SUBSCRIBED) \"\" %", {"Foo/Baz"}, {"Foo/Baz"}) == "a OK LIST completed\r\n");
}

TEST_CASE("imap: LIST ... RETURN (CHILDREN) and (SUBSCRIBED) add attributes, no names (RFC 5258 §3.2, §4)") {
  // Examples 3 and 4.
  for (const char* command : {"LIST () \"\" \"%\" RETURN (CHILDREN)",
                              "LIST (REMOTE) \"\" % RETURN (CHILDREN)", "LIST \"\" % RETURN ()"}) {
    CAPTURE(command);
    CHECK(listed(command, fruit, {}) ==
          "* LIST (\\HasChildren) \"/\" Fruit\r\n* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
          "* LIST (\\HasNoChildren) \"/\" Tofu\r\n* LIST (\\HasChildren) \"/\" Vegetable\r\n"
          "a OK LIST completed\r\n");
  }
  // Example 6: not the Peach.
  CHECK(listed("LIST (REMOTE) \"\" \"*\" RETURN (SUBSCRIBED)", fruit, eaten) ==
        "* LIST (\\HasChildren) \"/\" Fruit\r\n"
        "* LIST (\\HasNoChildren) \"/\" Fruit/Apple\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" Fruit/Banana\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
        "* LIST (\\HasNoChildren) \"/\" Tofu\r\n"
        "* LIST (\\Subscribed \\HasChildren) \"/\" Vegetable\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" Vegetable/Broccoli\r\n"
        "* LIST (\\HasNoChildren) \"/\" Vegetable/Corn\r\n"
        "a OK LIST completed\r\n");
}

TEST_CASE("imap: LIST with several patterns names each mailbox once (RFC 5258 §3, example 7)") {
  const Names sent = {"Drafts", "Sent/August2004", "Sent/March2004"};
  CHECK(listed("LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\" \"*4\")", sent, {}) ==
        "* LIST (\\HasNoChildren) \"/\" Drafts\r\n* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
        "* LIST (\\HasNoChildren) \"/\" Sent/August2004\r\n* LIST (\\HasNoChildren) \"/\" Sent/March2004\r\n"
        "a OK LIST completed\r\n");
  // The empty pattern matches nothing there; alone in a basic LIST it asks for the separator.
  CHECK(listed("LIST \"\" (\"\" Drafts)", sent, {}) ==
        "* LIST (\\HasNoChildren) \"/\" Drafts\r\na OK LIST completed\r\n");
  for (const char* command :
       {"LIST () \"\" \"\"", "LIST \"\" (\"\")", "LIST \"\" \"\" RETURN ()", "LIST () Drafts \"\""}) {
    CAPTURE(command);
    CHECK(listed(command, sent, {}) == "a OK LIST completed\r\n");
  }
}

TEST_CASE("imap: RECURSIVEMATCH tells of what is below in CHILDINFO (RFC 5258 §3.5, example 8)") {
  const Names foo = {"Foo", "Foo/Bar", "Foo/Baz", "Moo"};
  const std::string recursive = "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"";
  CHECK(listed(recursive, foo, {"Foo/Baz"}) ==
        "* LIST (\\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\na OK LIST completed\r\n");
  // A1.
  CHECK(listed(recursive, foo, {"Foo/Baz", "Foo"}) ==
        "* LIST (\\Subscribed \\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "a OK LIST completed\r\n");
  // A2.
  CHECK(listed(recursive, {"Moo"}, {"Foo/Baz"}) ==
        "* LIST (\\NonExistent \\HasNoChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "a OK LIST completed\r\n");
  // B, C.
  CHECK(listed(recursive, foo, {}) == "a OK LIST completed\r\n");
  CHECK(listed(recursive + " RETURN (CHILDREN)", foo, {"Foo", "Moo"}) ==
        "* LIST (\\Subscribed \\HasChildren) \"/\" Foo\r\n* LIST (\\Subscribed \\HasNoChildren) \"/\" Moo\r\n"
        "a OK LIST completed\r\n");
  // Never without.
  CHECK(listed("LIST (SUBSCRIBED) \"\" %", foo, {"Foo", "Foo/Baz"}) ==
        "* LIST (\\Subscribed \\HasChildren) \"/\" Foo\r\na OK LIST completed\r\n");
  for (const char* command : {"LIST (RECURSIVEMATCH) \"\" *", "LIST (REMOTE RECURSIVEMATCH) \"\" *"}) {
    CHECK(listed(command, foo, {}).starts_with("a BAD "));
  }
}

TEST_CASE(
    "imap: a level that no option selects is named if what is below is not (RFC 5258 §3.3, example 9)") {
  const Names mailboxes = {"foo2",       "foo2/bar1",   "foo2/bar2", "baz2",       "baz2/bar2",
                           "baz2/bar22", "baz2/bar222", "eps2",      "eps2/mamba", "qux2/bar2"};
  const Names subscribed = {"foo2/bar1",   "foo2/bar2", "baz2/bar2",  "baz2/bar22",
                            "baz2/bar222", "eps2",      "eps2/mamba", "qux2/bar2"};
  CHECK(listed("LIST (RECURSIVEMATCH SUBSCRIBED) \"\" \"*2\"", mailboxes, subscribed) ==
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" baz2/bar2\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" baz2/bar22\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" baz2/bar222\r\n"
        "* LIST (\\Subscribed \\HasChildren) \"/\" eps2 (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "* LIST (\\HasChildren) \"/\" foo2 (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" foo2/bar2\r\n"
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" qux2/bar2\r\n"
        "a OK LIST completed\r\n");
}

TEST_CASE("imap: CHILDINFO does not mean \\HasChildren (RFC 5258 §5, example 10)") {
  const Names subscribed = {"foo/bar"};
  CHECK(listed("LIST \"\" (\"foo\" \"foo/*\")", {"foo"}, subscribed) ==
        "* LIST (\\HasNoChildren) \"/\" foo\r\na OK LIST completed\r\n");
  CHECK(listed("LIST (SUBSCRIBED) \"\" \"foo/*\"", {"foo"}, subscribed) ==
        "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" foo/bar\r\na OK LIST completed\r\n");
  CHECK(listed("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" foo RETURN (CHILDREN)", {"foo"}, subscribed) ==
        "* LIST (\\HasNoChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\na OK LIST completed\r\n");
}

TEST_CASE("imap: levels that are no mailboxes (RFC 5258 §5, example 11; RFC 3501 §6.3.8)") {
  CHECK(listed("LIST () \"\" %", {"music/rock"}, {}) ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\NonExistent \\HasChildren) \"/\" music\r\n"
        "a OK LIST completed\r\n");
  CHECK(listed("LIST \"\" m%", {"music/rock"}, {}) ==
        "* LIST (\\Noselect \\HasChildren) \"/\" music\r\na OK LIST completed\r\n");
  CHECK(dialogue_after_login("e ENABLE IMAP4rev2\r\na LIST \"\" m%\r\n", tree({"music/rock"}))
            .ends_with("* LIST (\\NonExistent \\HasChildren) \"/\" music\r\na OK LIST completed\r\n"));
  // A level can be subscribed.
  CHECK(listed("LIST \"\" m% RETURN (SUBSCRIBED)", {"music/rock"}, {"music"}) ==
        "* LIST (\\NonExistent \\Subscribed \\HasChildren) \"/\" music\r\na OK LIST completed\r\n");
}

TEST_CASE("imap: selection options are all to be met (RFC 5258 §3, RFC 6154 §5.1)") {
  CHECK(dialogue_after_login(
            "a CREATE Bin (USE (\\Trash))\r\nb CREATE Out/Mail (USE (\\Sent))\r\nc SUBSCRIBE Out/Mail\r\n"
            "d LIST (SPECIAL-USE SUBSCRIBED) \"\" *\r\ne LIST (SUBSCRIBED SPECIAL-USE RECURSIVEMATCH) \"\" "
            "%\r\n"
            "f LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED)\r\n") ==
        "a OK [MAILBOXID (F2)] CREATE completed\r\nb OK [MAILBOXID (F4)] CREATE completed\r\nc OK SUBSCRIBE "
        "completed\r\n"
        "* LIST (\\Subscribed \\HasNoChildren \\Sent) \"/\" Out/Mail\r\nd OK LIST completed\r\n"
        "* LIST (\\HasChildren) \"/\" Out (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\ne OK LIST completed\r\n"
        "* LIST (\\HasNoChildren \\Trash) \"/\" Bin\r\n"
        "* LIST (\\Subscribed \\HasNoChildren \\Sent) \"/\" Out/Mail\r\nf OK LIST completed\r\n");
}

TEST_CASE("imap: STATUS of HIGHESTMODSEQ (RFC 7162 §3.1.7) and MAILBOXID (RFC 8474 §4.3)") {
  Server server;
  server.inbox().put(simple_message("m", "x"));
  const std::string modseq = std::to_string(server.inbox().snapshot()->highest_modseq());
  const std::string id = "(F" + std::to_string(server.inbox().info().id) + ")";
  auto client = Client::logged_in(server);
  const std::string items = "(HIGHESTMODSEQ " + modseq + " MAILBOXID " + id + ")\r\n";
  CHECK(client->say("a STATUS INBOX (HIGHESTMODSEQ MAILBOXID)") ==
        "* STATUS INBOX " + items + "a OK STATUS completed\r\n");
  CHECK(client->say("b LIST \"\" INBOX RETURN (STATUS (HIGHESTMODSEQ MAILBOXID))") ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX " + items + "b OK LIST completed\r\n");
}

TEST_CASE("imap: XLIST has Gmail's names for special uses, and \\Inbox") {
  CHECK(dialogue_after_login("a CREATE Bin (USE (\\Trash))\r\nb CREATE Bad/Mail (USE (\\Junk))\r\n"
                             "c XLIST \"\" *\r\nd XLIST \"\" Bin\r\n") ==
        "a OK [MAILBOXID (F2)] CREATE completed\r\nb OK [MAILBOXID (F4)] CREATE completed\r\n"
        "* XLIST (\\HasChildren) \"/\" Bad\r\n* XLIST (\\HasNoChildren \\Spam) \"/\" Bad/Mail\r\n"
        "* XLIST (\\HasNoChildren \\Trash) \"/\" Bin\r\n* XLIST (\\HasNoChildren \\Inbox) \"/\" INBOX\r\n"
        "c OK XLIST completed\r\n* XLIST (\\HasNoChildren \\Trash) \"/\" Bin\r\nd OK XLIST completed\r\n");
}

TEST_CASE("imap: a pattern that no name can match lists nothing, and is no error (RFC 5258 §3)") {
  for (const char* command :
       {"LIST \"\" &Jjo", "LIST \"\" \"R&D*\"", "LIST R&D *", "LSUB \"\" &*", "LIST \"\" (& R&D)"}) {
    CAPTURE(command);
    const std::string said = listed(command, {"R&-D"}, {});
    CHECK(said.starts_with("a OK L"));
  }
  CHECK(listed("LIST \"\" (&* INBOX)", {}, {}) ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\na OK LIST completed\r\n");
}

TEST_CASE("imap: LIST ... RETURN (STATUS ...) tells the counts behind each name (RFC 5819 §3)") {
  const auto mail = [](Server& server) {
    for (int i = 0; i < 17; ++i) server.inbox().put(simple_message("m", "x"), i == 0 ? 1 : 0);
    for (int i = 0; i < 30; ++i) {
      server.store.account().mailbox("foo").put(simple_message("m", "x"), i == 0 ? 1 : 0);
    }
    server.store.account().mailbox("bar/below");
  };
  CHECK(dialogue_after_login("A01 LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN))\r\n", mail) ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 17 UNSEEN 16)\r\n"
        "* LIST (\\NonExistent \\HasChildren) \"/\" bar\r\n"
        "* LIST (\\HasNoChildren) \"/\" foo\r\n* STATUS foo (MESSAGES 30 UNSEEN 29)\r\n"
        "A01 OK LIST completed\r\n");
  // None of a name that is there for what is below it, and none of one that does not exist.
  CHECK(dialogue_after_login("s SUBSCRIBE INBOX\r\ns SUBSCRIBE foo/boo\r\ns SUBSCRIBE none\r\n"
                             "A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (STATUS (MESSAGES))\r\n",
                             mail)
            .ends_with("s OK SUBSCRIBE completed\r\n"
                       "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 17)\r\n"
                       "* LIST (\\HasNoChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
                       "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" none\r\n"
                       "A02 OK LIST completed\r\n"));
}

TEST_CASE("imap: a mailbox that goes, or can't be read, while LIST asks for its STATUS (RFC 5819 §2)") {
  Server server;
  server.store.account().mailbox("foo");
  server.store.account().mailbox("goo");
  auto client = Client::logged_in(server);
  server.store.fail({Errc::not_found, "gone"}, 1);
  CHECK(client->say("a LIST \"\" %oo RETURN (STATUS (MESSAGES))") ==
        "* LIST (\\NonExistent \\HasNoChildren) \"/\" foo\r\n"
        "* LIST (\\HasNoChildren) \"/\" goo\r\n* STATUS goo (MESSAGES 0)\r\na OK LIST completed\r\n");
  server.store.fail({Errc::io, "xyzzy"}, 2);
  CHECK(client->say("b LIST \"\" %oo RETURN (STATUS (MESSAGES))") ==
        "* LIST (\\HasNoChildren) \"/\" foo\r\n* STATUS foo (MESSAGES 0)\r\n"
        "* LIST (\\HasNoChildren) \"/\" goo\r\nb OK LIST completed\r\n");
}

TEST_CASE("imap: LIST with STATUS of many mailboxes asks for each once") {
  Server server;
  for (int i = 0; i < 1'000; ++i) server.store.account().mailbox("box" + std::to_string(i));
  auto client = Client::logged_in(server);
  const std::uint64_t before = server.store.operations;
  const std::string said = client->say("a LIST \"\" box* RETURN (STATUS (MESSAGES SIZE))");
  CHECK(server.store.operations - before == 1 + 1'000);
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = said.find("* STATUS box", at)) != std::string::npos; ++at) ++answers;
  CHECK(answers == 1'000);
  CHECK(said.ends_with("a OK LIST completed\r\n"));
}

TEST_CASE("imap: STATUS of SIZE (RFC 8438 §3), DELETED (RFC 9051 §6.3.11) and APPENDLIMIT (RFC 7889 §3.1)") {
  const auto mail = [](Server& server) {
    server.inbox().put(std::string(100, 'x'), static_cast<std::uint8_t>(storage::SystemFlag::deleted));
    server.inbox().put(std::string(23, 'x'));
    server.settings.message_octets = 257'890;
  };
  CHECK(dialogue_after_login("t1 STATUS INBOX (SIZE DELETED APPENDLIMIT MESSAGES)\r\n"
                             "t2 LIST \"\" % RETURN (STATUS (APPENDLIMIT))\r\n",
                             mail) ==
        "* STATUS INBOX (SIZE 123 DELETED 1 APPENDLIMIT 257890 MESSAGES 2)\r\nt1 OK STATUS completed\r\n"
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (APPENDLIMIT 257890)\r\n"
        "t2 OK LIST completed\r\n");
  CHECK(dialogue_after_login("a CAPABILITY\r\n", mail).find(" APPENDLIMIT=257890") != std::string::npos);
}

TEST_CASE(
    "imap: of many deep subscriptions, RECURSIVEMATCH names those levels that it has to (RFC 5258 §3.5)") {
  std::string input;
  std::string all;
  for (int i = 100; i < 130; ++i) {
    const std::string top = "t" + std::to_string(i);
    std::string name = top;
    for (int level = 0; level < 60; ++level) name += "/x";
    input += "s SUBSCRIBE " + name + "\r\n";
    all += "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" " + name + "\r\n";
  }
  const std::string said = dialogue_after_login(
      input + "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" t*\r\nb LIST (SUBSCRIBED RECURSIVEMATCH) \"\" t%\r\n");
  CHECK(said.find(all + "a OK LIST completed\r\n* LIST (\\NonExistent \\HasNoChildren) \"/\" t100 "
                        "(\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n") != std::string::npos);
  CHECK(said.ends_with("t129 (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\nb OK LIST completed\r\n"));
}

}  // namespace posthorn::imap

#include "storage/acl.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

// Each command, and each item of FETCH, SEARCH, STATUS and LIST, on a mailbox of another account, with many
// sets of rights (RFC 4314 §4): it is done where the rights allow it. Where they don't, nothing changes and
// nothing is told; and without `l` the answer is to the octet that of a server on which the mailbox is not
// there (§6).
namespace posthorn::imap {
namespace {

using storage::Right;
using storage::Rights;

constexpr const char* alice = "alice@example.test";
constexpr const char* bob = "bob@example.test";
const std::string box = "\"Other Users/bob@example.test/Box\"";
const std::string in_box = "\"Other Users/bob@example.test/Box/new\"";
const std::string in_target = "\"Other Users/bob@example.test/Target/new\"";
const std::string beside = "\"Other Users/bob@example.test/New\"";
const std::string url = "\"/Other%20Users/bob@example.test/Box/;UID=1\"";

enum class Where { outside, in_inbox, in_box };

struct Case {
  std::string command;
  Where where = Where::outside;
  Rights needed;                // all of them,
  bool any = false;             // or one
  Rights changing;              // without all of these nothing may change; none: nothing ever
  std::string expected = "OK";  // the reply's beginning where the rights are there
};

// Two servers: with the mailbox, and without.
enum class Box { there, missing };

std::unique_ptr<Server> make_server(Box there, Rights rights) {
  auto server = std::make_unique<Server>();
  server->inbox().put(simple_message("mine", "mine"));
  server->store.account(alice).mailbox("Mine");
  auto& account = server->store.account(bob);
  account.give("Target", alice, "lk");
  account.mailbox("Private").put(simple_message("SECRET", "SECRET"), 0, {"$SECRET"});
  if (there == Box::missing) return server;
  auto& mailbox = account.mailbox("Box");
  mailbox.put(simple_message("SECRET", "SECRET"), 0, {"$SECRET"});
  mailbox.put(simple_message("SECRET2", "SECRET"), static_cast<std::uint8_t>(storage::SystemFlag::deleted));
  account.give("Box", alice, to_string(rights));
  return server;
}

void append_fingerprint(std::string& text, testing::MemoryAccount& account) {
  for (const auto& [name, mailbox] : account.mailboxes()) {
    text += name + "(";
    if (mailbox->info().acl) text += storage::to_string(*mailbox->info().acl);
    const auto messages = mailbox->snapshot();
    messages->visit(0, messages->size(), [&](std::uint32_t, const storage::Message& message) {
      text += " " + std::to_string(message.uid) + ":" + std::to_string(message.flags.system) + ":";
      for (std::size_t place = 0; place < mailbox->keywords().size(); ++place) {
        if (message.flags.keywords.has(place)) text += mailbox->keywords()[place];
      }
      text += *mailbox->octets(message.uid);
    });
    text += ")\n";
  }
}

// All that there is, but for subscriptions, which take no rights.
std::string fingerprint(Server& server) {
  std::string text;
  append_fingerprint(text, server.store.account(alice));
  append_fingerprint(text, server.store.account(bob));
  return text;
}

struct Outcome {
  bool selected = true;  // what had to be selected before
  std::string said;
  std::string reply;  // without the tag
  bool changed = false;
};

Outcome run(const Case& each, Box there, Rights rights, const std::string& before) {
  const auto server = make_server(there, rights);
  auto client = Client::logged_in(*server);
  if (!before.empty()) client->say(before);
  Outcome outcome;
  if (each.where == Where::in_inbox) client->say("s SELECT INBOX");
  if (each.where == Where::in_box) outcome.selected = client->say("s SELECT " + box).contains("s OK ");
  const std::string state = fingerprint(*server);
  outcome.said = client->say("t " + each.command);
  outcome.changed = fingerprint(*server) != state;
  const std::size_t tagged = outcome.said.starts_with("t ") ? 0 : outcome.said.find("\r\nt ") + 2;
  outcome.reply = outcome.said.substr(tagged + 2);
  return outcome;
}

std::vector<Rights> sets_of_rights() {
  std::vector<Rights> sets{Rights(), Rights::all()};
  for (const char letter : std::string_view("lrswipkxtea")) {
    const Rights one = *storage::parse_rights(std::string_view(&letter, 1));
    sets.push_back(one);
    sets.push_back(Rights::all().without(one));
    sets.push_back(one | Right::lookup);
    sets.push_back(one | Right::read);
    sets.push_back(one | Right::lookup | Right::read);
    sets.push_back(one | Right::remove_messages | Right::expunge | Right::read);
  }
  return sets;
}

// What must not be in the answer to a command that the rights don't allow.
bool leaks(const std::string& said) { return said.contains("SECRET"); }

void check(const Case& each, Rights rights, const std::string& before) {
  const bool may = each.any ? rights.has_any(each.needed) : each.needed.without(rights).empty();
  const Outcome outcome = run(each, Box::there, rights, before);
  INFO("t ", each.command);
  INFO("rights: ", to_string(rights), " enabled: ", before);
  INFO(outcome.said);
  if (each.where == Where::in_box && !rights.has(Right::read)) {
    CHECK_FALSE(outcome.selected);
    CHECK(outcome.reply.starts_with("BAD No mailbox is selected"));
  } else if (may) {
    CHECK(outcome.reply.starts_with(each.expected));
  } else if (each.where == Where::in_box) {
    // As the target, by its name, it is what is not there to who may not know of it.
    const bool is_target = each.command.contains(box) && !rights.has(Right::lookup);
    CHECK((outcome.reply.starts_with("NO [NOPERM] ") || outcome.reply.starts_with("NO [READ-ONLY] ") ||
           (is_target && outcome.reply.starts_with("NO [TRYCREATE] "))));
    CHECK_FALSE(leaks(outcome.said));
  } else if (rights.has(Right::lookup)) {
    CHECK(outcome.reply.starts_with("NO [NOPERM] "));
    CHECK_FALSE(leaks(outcome.said));
  } else {
    CHECK(outcome.said == run(each, Box::missing, rights, before).said);
    CHECK_FALSE(leaks(outcome.said));
  }
  if (each.changing.empty() || !each.changing.without(rights).empty()) CHECK_FALSE(outcome.changed);
  if (rights == Rights::all() && !each.changing.empty()) CHECK(outcome.changed);
}

const std::string rev2 = "e ENABLE IMAP4rev2 CONDSTORE QRESYNC";

void check_all(const std::vector<Case>& cases, const std::vector<std::string>& enabled = {"", rev2}) {
  for (const Case& each : cases) {
    for (const Rights rights : sets_of_rights()) {
      for (const std::string& before : enabled) check(each, rights, before);
    }
  }
}

}  // namespace

TEST_CASE("imap rights: SELECT, EXAMINE and STATUS take r (RFC 4314 §4)") {
  std::vector<Case> cases{
      {.command = "SELECT " + box, .needed = Right::read},
      {.command = "EXAMINE " + box, .needed = Right::read},
      {.command = "SELECT " + box + " (CONDSTORE)", .needed = Right::read},
  };
  for (const char* item : {"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ",
                           "MAILBOXID", "APPENDLIMIT"}) {
    cases.push_back({.command = "STATUS " + box + " (" + item + ")", .needed = Right::read});
  }
  check_all(cases);
  check_all({{.command = "STATUS " + box + " (RECENT)", .needed = Right::read}}, {""});
  check_all({{.command = "SELECT " + box + " (QRESYNC (1003 1 1:9))", .needed = Right::read}}, {rev2});
}

TEST_CASE("imap rights: messages are put into a mailbox with i (RFC 4314 §4, APPEND and COPY)") {
  check_all({
      {.command = "APPEND " + box + " {5+}\r\nhello", .needed = Right::insert, .changing = Right::insert},
      {.command = "APPEND " + box + " (\\Seen \\Deleted $new) {5+}\r\nhello {5+}\r\nworld",
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "APPEND " + box + " CATENATE (URL \"/INBOX/;UID=1\")",
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "COPY 1 " + box,
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "UID COPY 1 " + box,
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "MOVE 1 " + box,
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "UID MOVE 1 " + box,
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "REPLACE 1 " + box + " {5+}\r\nhello",
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "UID REPLACE 1 " + box + " (\\Seen) {5+}\r\nhello",
       .where = Where::in_inbox,
       .needed = Right::insert,
       .changing = Right::insert},
  });
}

TEST_CASE("imap rights: a literal for a mailbox without i is refused before it is sent") {
  for (const Rights rights : {Rights(), Rights(Right::lookup), Right::lookup | Right::insert}) {
    const auto server = make_server(Box::there, rights);
    auto client = Client::logged_in(*server);
    const std::string said = client->say("t APPEND " + box + " {5}");
    CAPTURE(said);
    const bool may = rights.has(Right::insert);
    CHECK(said.starts_with(may ? "+ " : rights.has(Right::lookup) ? "t NO [NOPERM] " : "t NO [TRYCREATE] "));
  }
}

TEST_CASE("imap rights: CATENATE reads what it may (RFC 4469 §3)") {
  const auto appended = [](Box there, Rights rights) {
    const auto server = make_server(there, rights);
    auto client = Client::logged_in(*server);
    std::string said = client->say("t APPEND INBOX CATENATE (URL " + url + ")");
    const bool added = server->inbox().snapshot()->size() > 1;
    CHECK(added == said.starts_with("t OK "));
    return said;
  };
  for (const Rights rights : sets_of_rights()) {
    const std::string said = appended(Box::there, rights);
    CAPTURE(to_string(rights));
    CAPTURE(said);
    if (rights.has(Right::read)) {
      CHECK(said.starts_with("t OK [APPENDUID "));
    } else if (rights.has(Right::lookup)) {
      CHECK(said.starts_with("t NO [NOPERM] "));
    } else {
      CHECK(said == appended(Box::missing, rights));
    }
  }
}

TEST_CASE("imap rights: mailboxes are made with k, deleted with x, renamed with both (RFC 4314 §4)") {
  const std::string own = "Mine";
  check_all({
      {.command = "CREATE " + in_box, .needed = Right::create, .changing = Right::create},
      {.command = "CREATE " + in_box + " (USE (\\Sent))",
       .needed = Right::create,
       .expected = "NO [CANNOT] "},
      {.command = "CREATE " + box, .needed = Right::lookup, .expected = "NO [ALREADYEXISTS] "},
      {.command = "DELETE " + box, .needed = Right::remove, .changing = Right::remove},
      {.command = "RENAME " + box + " " + in_target, .needed = Right::remove, .changing = Right::remove},
      {.command = "RENAME " + box + " " + beside, .needed = Right::remove, .expected = "NO [NOPERM] "},
      {.command = "RENAME " + box + " Elsewhere", .needed = Right::remove, .expected = "NO [CANNOT] "},
      {.command = "RENAME " + box + " " + in_box, .needed = Right::remove, .expected = "NO ["},
      {.command = "RENAME " + own + " " + in_box, .needed = Right::create, .expected = "NO [CANNOT] "},
      {.command = "RENAME " + own + " " + box, .needed = Right::lookup, .expected = "NO [ALREADYEXISTS] "},
  });
}

TEST_CASE("imap rights: what there is besides is answered as what is not there, whoever's it is") {
  const std::string hidden = "\"Other Users/bob@example.test/Private\"";
  const std::string missing = "\"Other Users/bob@example.test/Nothing\"";
  const std::string nobody = "\"Other Users/nobody@example.test/Private\"";
  const std::vector<std::string> commands = {"SELECT NAME",
                                             "EXAMINE NAME",
                                             "STATUS NAME (MESSAGES)",
                                             "APPEND NAME {5+}\r\nhello",
                                             "CREATE NAME",
                                             "DELETE NAME",
                                             "RENAME NAME x",
                                             "RENAME Mine NAME",
                                             "GETACL NAME",
                                             "MYRIGHTS NAME",
                                             "LISTRIGHTS NAME bob",
                                             "SETACL NAME alice lr",
                                             "DELETEACL NAME alice",
                                             "SUBSCRIBE NAME",
                                             "UNSUBSCRIBE NAME",
                                             "COPY 1 NAME",
                                             "MOVE 1 NAME",
                                             "REPLACE 1 NAME {5+}\r\nhello",
                                             "LIST \"\" NAME",
                                             "LSUB \"\" NAME",
                                             "LIST \"\" NAME RETURN (MYRIGHTS STATUS (MESSAGES))"};
  const auto answer = [](std::string command, const std::string& name) {
    command.replace(command.find("NAME"), 4, name);
    const auto server = make_server(Box::there, Rights::all());
    auto client = Client::with_inbox(*server);
    const std::string state = fingerprint(*server);
    const std::string said = client->say("t " + command);
    CHECK(fingerprint(*server) == state);
    return said;
  };
  for (const std::string& command : commands) {
    CAPTURE(command);
    const std::string said = answer(command, hidden);
    CHECK_FALSE(leaks(said));
    CHECK(said == answer(command, missing));
    CHECK(said == answer(command, nobody));
  }
}

TEST_CASE("imap rights: access control lists take a (RFC 4314 §4)") {
  check_all({
      {.command = "GETACL " + box, .needed = Right::administer},
      {.command = "LISTRIGHTS " + box + " carol", .needed = Right::administer},
      {.command = "SETACL " + box + " carol lr", .needed = Right::administer, .changing = Right::administer},
      {.command = "DELETEACL " + box + " alice", .needed = Right::administer, .changing = Right::administer},
      {.command = "MYRIGHTS " + box, .needed = storage::rights_to_know, .any = true},
  });
}

TEST_CASE("imap rights: SUBSCRIBE and UNSUBSCRIBE tell nothing (RFC 4314 §4)") {
  for (const Rights rights : sets_of_rights()) {
    for (const char* command : {"SUBSCRIBE ", "UNSUBSCRIBE "}) {
      const Case each{.command = command + box};
      CHECK(run(each, Box::there, rights, "").said == run(each, Box::missing, rights, "").said);
    }
  }
}

TEST_CASE(
    "imap rights: LIST in all its forms tells of what has l, of its counts to who has r (RFC 4314 §4)") {
  const std::vector<std::string> commands = {
      "LIST \"\" *",
      "LIST \"\" %",
      "LIST \"\" \"Other Users/%\"",
      "LIST \"\" \"Other Users/%/%\"",
      "LIST \"\" \"Other*Box\"",
      "LIST \"Other Users/bob@example.test/\" %",
      "LIST \"Other Users/bob@example.test/\" Box",
      "LIST () \"\" (INBOX " + box + ")",
      "LIST (SUBSCRIBED) \"\" *",
      "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (CHILDREN MYRIGHTS)",
      "LIST \"\" * RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)",
      "LIST (SPECIAL-USE) \"\" *",
      "LIST \"\" * RETURN (MYRIGHTS)",
      "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE MAILBOXID HIGHESTMODSEQ))",
      "XLIST \"\" *",
      "LSUB \"\" *",
      "NAMESPACE",
  };
  for (const std::string& command : commands) {
    for (const Rights rights : sets_of_rights()) {
      const Case each{.command = command};
      const Outcome outcome = run(each, Box::there, rights, "");
      INFO("t ", command);
      INFO("rights: ", to_string(rights));
      INFO(outcome.said);
      CHECK(outcome.reply.starts_with("OK "));
      CHECK_FALSE(outcome.changed);
      CHECK_FALSE(leaks(outcome.said));
      if (!rights.has(Right::lookup)) CHECK(outcome.said == run(each, Box::missing, rights, "").said);
      const bool tells_counts = outcome.said.contains("STATUS " + box);
      if (command.contains("STATUS")) {
        CHECK(tells_counts == (rights.has(Right::lookup) && rights.has(Right::read)));
      }
      if (command == "LIST \"\" *") CHECK(outcome.said.contains(box) == rights.has(Right::lookup));
    }
  }
}

TEST_CASE("imap rights: FETCH and SEARCH of what is selected, \\Seen with s alone (RFC 4314 §4)") {
  std::vector<Case> cases;
  for (const char* item : {"FLAGS",
                           "UID",
                           "INTERNALDATE",
                           "RFC822.SIZE",
                           "ENVELOPE",
                           "BODY",
                           "BODYSTRUCTURE",
                           "BODY.PEEK[]",
                           "BODY.PEEK[HEADER]",
                           "BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
                           "BODY.PEEK[TEXT]<0.3>",
                           "BODY.PEEK[1]",
                           "BINARY.PEEK[1]",
                           "BINARY.SIZE[1]",
                           "RFC822.HEADER",
                           "MODSEQ",
                           "EMAILID",
                           "THREADID",
                           "SAVEDATE",
                           "PREVIEW",
                           "PREVIEW (LAZY)"}) {
    cases.push_back({.command = "FETCH 1:* (" + std::string(item) + ")", .where = Where::in_box});
    cases.push_back({.command = "UID FETCH 1:* (" + std::string(item) + ")", .where = Where::in_box});
  }
  for (const char* item : {"BODY[]", "BODY[TEXT]", "BODY[1]<0.2>", "BINARY[1]", "RFC822", "RFC822.TEXT"}) {
    cases.push_back({.command = "FETCH 1:* (" + std::string(item) + ")",
                     .where = Where::in_box,
                     .changing = Right::seen});
  }
  for (const char* key : {"ALL", "SUBJECT SECRET", "BODY SECRET", "TEXT SECRET", "KEYWORD $SECRET", "UNSEEN",
                          "SINCE 1-Jan-1990", "LARGER 1", "HEADER Subject SECRET", "MODSEQ 1", "UID 1:*",
                          "RETURN (ALL COUNT SAVE) ALL"}) {
    cases.push_back({.command = "SEARCH " + std::string(key), .where = Where::in_box});
    cases.push_back({.command = "UID SEARCH " + std::string(key), .where = Where::in_box});
  }
  for (const char* command : {"SORT (DATE) UTF-8 TEXT SECRET", "UID SORT (SUBJECT) UTF-8 ALL",
                              "THREAD REFERENCES UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 ALL"}) {
    cases.push_back({.command = command, .where = Where::in_box});
  }
  check_all(cases, {""});
}

TEST_CASE("imap rights: STORE with the right of the flag, EXPUNGE with e (RFC 4314 §4)") {
  const Rights move = Right::remove_messages | Right::expunge;
  check_all({
      {.command = "STORE 1 +FLAGS (\\Seen)",
       .where = Where::in_box,
       .needed = Right::seen,
       .changing = Right::seen},
      {.command = "STORE 1 +FLAGS.SILENT (\\Deleted)",
       .where = Where::in_box,
       .needed = Right::remove_messages,
       .changing = Right::remove_messages},
      {.command = "STORE 2 -FLAGS (\\Deleted)",
       .where = Where::in_box,
       .needed = Right::remove_messages,
       .changing = Right::remove_messages},
      {.command = "STORE 1 FLAGS (\\Flagged $new)",
       .where = Where::in_box,
       .needed = Right::write,
       .changing = Right::write},
      {.command = "UID STORE 1 -FLAGS ($SECRET)",
       .where = Where::in_box,
       .needed = Right::write,
       .changing = Right::write},
      {.command = "EXPUNGE", .where = Where::in_box, .needed = Right::expunge, .changing = Right::expunge},
      {.command = "UID EXPUNGE 1:*",
       .where = Where::in_box,
       .needed = Right::expunge,
       .changing = Right::expunge},
      // Without the right it closes all the same.
      {.command = "CLOSE", .where = Where::in_box, .changing = Right::expunge},
      {.command = "UNSELECT", .where = Where::in_box},
      {.command = "CHECK", .where = Where::in_box},
      {.command = "COPY 1 INBOX", .where = Where::in_box, .changing = Right::read},
      {.command = "UID COPY 1:* INBOX", .where = Where::in_box, .changing = Right::read},
      {.command = "COPY 1 " + box,
       .where = Where::in_box,
       .needed = Right::insert,
       .changing = Right::insert},
      {.command = "MOVE 1 INBOX", .where = Where::in_box, .needed = move, .changing = move},
      {.command = "UID MOVE 1:* INBOX", .where = Where::in_box, .needed = move, .changing = move},
      {.command = "MOVE 1 " + box,
       .where = Where::in_box,
       .needed = move | Right::insert,
       .changing = move | Right::insert},
      {.command = "REPLACE 1 INBOX {5+}\r\nhello", .where = Where::in_box, .needed = move, .changing = move},
      {.command = "UID REPLACE 1 " + box + " {5+}\r\nhello",
       .where = Where::in_box,
       .needed = move | Right::insert,
       .changing = move | Right::insert},
  });
}

TEST_CASE("imap rights: without r, what is selected is read by no command") {
  for (const Rights rights : {Rights(), Rights(Right::lookup), Rights::all().without(Right::read)}) {
    const auto server = make_server(Box::there, Rights::all());
    auto client = Client::logged_in(*server);
    client->say("s SELECT " + box);
    server->store.account(bob).give("Box", alice, to_string(rights));
    const std::string state = fingerprint(*server);
    const std::string said = client->say("t FETCH 1:* (FLAGS BODY[])");
    CAPTURE(said);
    CHECK_FALSE(leaks(said));
    CHECK(said.contains("t NO "));
    CHECK(said.contains("* BYE "));
    CHECK(fingerprint(*server) == state);
  }
}

}  // namespace posthorn::imap

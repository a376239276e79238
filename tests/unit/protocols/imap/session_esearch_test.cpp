#include "protocols/imap/saved_search.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// SEARCH with RETURN, and the result that `$` stands for.
namespace posthorn::imap {
namespace {

constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);
constexpr std::uint8_t deleted = static_cast<std::uint8_t>(storage::SystemFlag::deleted);

// 22 messages with UIDs 101 to 122, of which 2, 10 to 15 and 21 are flagged: RFC 5182 §2.4, example 10.
void twenty_two(Server& server) {
  testing::MemoryMailbox& inbox = server.inbox();
  storage::UidSet first;
  first.append(1, 100);
  for (int i = 1; i <= 100; ++i) inbox.put("x");
  inbox.expunge_now(first, true);
  for (int i = 1; i <= 22; ++i) {
    inbox.put(simple_message("m" + std::to_string(i), "x"),
              i == 2 || (i >= 10 && i <= 15) || i == 21 ? flagged : 0);
  }
  inbox.claim_recent();
}

struct Case {
  const char* said;
  const char* answer;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    CAPTURE(c.said);
    CHECK(dialogue_in_inbox("a " + std::string(c.said) + "\r\n", twenty_two) == c.answer);
  }
}

// What `$` is after the SEARCH command with these return options, as sequence numbers.
std::string saved_by(const std::string& options) {
  const std::string said = dialogue_in_inbox(
      "a SEARCH RETURN (" + options + ") FLAGGED\r\nb SEARCH RETURN (ALL) $\r\n", twenty_two);
  const std::size_t at = said.find("* ESEARCH (TAG \"b\")");
  REQUIRE(at != std::string::npos);
  return said.substr(at + 19, said.find("\r\n", at) - at - 19);
}

}  // namespace

TEST_CASE("imap: SEARCH RETURN answers ESEARCH with what was asked for (RFC 4731 §3.1)") {
  check({
      {"SEARCH RETURN () FLAGGED", "* ESEARCH (TAG \"a\") ALL 2,10:15,21\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (ALL) FLAGGED", "* ESEARCH (TAG \"a\") ALL 2,10:15,21\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (MIN COUNT) FLAGGED",
       "* ESEARCH (TAG \"a\") MIN 2 COUNT 8\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (MAX MIN) FLAGGED", "* ESEARCH (TAG \"a\") MIN 2 MAX 21\r\na OK SEARCH completed\r\n"},
      {"UID SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED",
       "* ESEARCH (TAG \"a\") UID MIN 102 MAX 121 COUNT 8 ALL 102,110:115,121\r\n"
       "a OK UID SEARCH completed\r\n"},
      {"UID SEARCH RETURN (MAX) FLAGGED 1:12",
       "* ESEARCH (TAG \"a\") UID MAX 112\r\na OK UID SEARCH completed\r\n"},
      // Nothing found: no MIN, MAX or ALL, but COUNT.
      {"SEARCH RETURN (MIN MAX ALL) DRAFT", "* ESEARCH (TAG \"a\")\r\na OK SEARCH completed\r\n"},
      {"UID SEARCH RETURN (MIN COUNT) DRAFT",
       "* ESEARCH (TAG \"a\") UID COUNT 0\r\na OK UID SEARCH completed\r\n"},
      // Without RETURN as ever (RFC 3501 §6.4.4).
      {"SEARCH FLAGGED", "* SEARCH 2 10 11 12 13 14 15 21\r\na OK SEARCH completed\r\n"},
  });
}

TEST_CASE("imap: in IMAP4rev2 every SEARCH answers ESEARCH (RFC 9051 §6.4.4, appendix E)") {
  CHECK(dialogue_in_inbox("e ENABLE IMAP4rev2\r\na SEARCH FLAGGED\r\nb UID SEARCH DRAFT\r\n", twenty_two)
            .ends_with("* ESEARCH (TAG \"a\") ALL 2,10:15,21\r\na OK SEARCH completed\r\n"
                       "* ESEARCH (TAG \"b\") UID\r\nb OK UID SEARCH completed\r\n"));
  // There, texts are UTF-8 without a word of it (RFC 9051 §6.4.4.1).
  const auto umlaut = [](Server& server) {
    server.inbox().put("Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx\r\n");
  };
  CHECK(dialogue_in_inbox("e ENABLE IMAP4rev2\r\na SEARCH SUBJECT \"gr\xc3\xbc\"\r\n", umlaut)
            .ends_with("* ESEARCH (TAG \"a\") ALL 1\r\na OK SEARCH completed\r\n"));
}

TEST_CASE("imap: PARTIAL tells a stretch of the results (RFC 9394 §3.1)") {
  check({
      {"UID SEARCH RETURN (PARTIAL -1:-3) FLAGGED",
       "* ESEARCH (TAG \"a\") UID PARTIAL (-1:-3 114:115,121)\r\na OK UID SEARCH completed\r\n"},
      {"UID SEARCH RETURN (PARTIAL 1:3) FLAGGED",
       "* ESEARCH (TAG \"a\") UID PARTIAL (1:3 102,110:111)\r\na OK UID SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL 3:1) FLAGGED",
       "* ESEARCH (TAG \"a\") PARTIAL (3:1 2,10:11)\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL 7:500) FLAGGED",
       "* ESEARCH (TAG \"a\") PARTIAL (7:500 15,21)\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL -8:-4294967295) FLAGGED",
       "* ESEARCH (TAG \"a\") PARTIAL (-8:-4294967295 2)\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL 9:500 COUNT) FLAGGED",
       "* ESEARCH (TAG \"a\") COUNT 8 PARTIAL (9:500 NIL)\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL -9:-10) FLAGGED",
       "* ESEARCH (TAG \"a\") PARTIAL (-9:-10 NIL)\r\na OK SEARCH completed\r\n"},
      {"SEARCH RETURN (PARTIAL 1:5) DRAFT",
       "* ESEARCH (TAG \"a\") PARTIAL (1:5 NIL)\r\na OK SEARCH completed\r\n"},
  });
  CHECK(dialogue_in_inbox("a SEARCH RETURN (PARTIAL 1:2 ALL) ALL\r\n").starts_with("a BAD "));
}

TEST_CASE("imap: UID FETCH with PARTIAL (RFC 9394 §3.3)") {
  check({
      {"UID FETCH 103:120 (UID) (PARTIAL -1:-3)",
       "* 18 FETCH (UID 118)\r\n* 19 FETCH (UID 119)\r\n* 20 FETCH (UID 120)\r\na OK UID FETCH "
       "completed\r\n"},
      {"UID FETCH 1:102,121:900 UID (PARTIAL 2:3)",
       "* 2 FETCH (UID 102)\r\n* 21 FETCH (UID 121)\r\na OK UID FETCH completed\r\n"},
      {"UID FETCH 1:* UID (PARTIAL 23:30)", "a OK UID FETCH completed\r\n"},
  });
  CHECK(dialogue_in_inbox("a FETCH 1:* UID (PARTIAL 1:2)\r\n", twenty_two).starts_with("a BAD "));
}

TEST_CASE("imap: SAVE keeps what the answer speaks of (RFC 5182 §2.4, RFC 9394 §3.2)") {
  CHECK(saved_by("SAVE") == " ALL 2,10:15,21");
  CHECK(saved_by("ALL SAVE") == " ALL 2,10:15,21");
  CHECK(saved_by("SAVE MIN") == " ALL 2");
  CHECK(saved_by("SAVE MAX") == " ALL 21");
  CHECK(saved_by("MAX SAVE MIN") == " ALL 2,21");
  CHECK(saved_by("MAX SAVE MIN COUNT") == " ALL 2,10:15,21");
  CHECK(saved_by("ALL SAVE MIN") == " ALL 2,10:15,21");
  CHECK(saved_by("SAVE PARTIAL -2:-3") == " ALL 14:15");
  CHECK(saved_by("SAVE PARTIAL -2:-3 MIN") == " ALL 2,14:15");
  CHECK(saved_by("SAVE PARTIAL -2:-3 MAX") == " ALL 14:15,21");
  CHECK(saved_by("SAVE PARTIAL -2:-3 MIN MAX") == " ALL 2,14:15,21");
  CHECK(saved_by("SAVE PARTIAL -2:-3 COUNT") == " ALL 2,10:15,21");
  CHECK(saved_by("SAVE PARTIAL 100:200") == "");
  CHECK(saved_by("COUNT") == "");
}

TEST_CASE("imap: SAVE alone is answered by its OK (RFC 5182 §2.2, example 1)") {
  CHECK(dialogue_in_inbox("A282 SEARCH RETURN (SAVE) FLAGGED 1:10\r\nA283 FETCH $ (UID)\r\n", twenty_two) ==
        "A282 OK SEARCH completed\r\n* 2 FETCH (UID 102)\r\n* 10 FETCH (UID 110)\r\nA283 OK FETCH "
        "completed\r\n");
}

TEST_CASE("imap: $ stands wherever a set does, as numbers or UIDs (RFC 5182 §2.1)") {
  const auto with_target = [](Server& server) {
    twenty_two(server);
    server.store.account().mailbox("x");
  };
  const std::string save = "s UID SEARCH RETURN (SAVE) UID 102,110\r\n";
  const auto said = [&](const std::string& command) {
    const std::string all = dialogue_in_inbox(save + "a " + command + "\r\n", with_target);
    return all.substr(all.find("\r\n") + 2);
  };
  CHECK(said("FETCH $ UID") == "* 2 FETCH (UID 102)\r\n* 10 FETCH (UID 110)\r\na OK FETCH completed\r\n");
  CHECK(said("UID FETCH $ UID") ==
        "* 2 FETCH (UID 102)\r\n* 10 FETCH (UID 110)\r\na OK UID FETCH completed\r\n");
  CHECK(said("SEARCH $ SMALLER 4096") == "* SEARCH 2 10\r\na OK SEARCH completed\r\n");
  CHECK(said("UID SEARCH UID $ SMALLER 4096") == "* SEARCH 102 110\r\na OK UID SEARCH completed\r\n");
  CHECK(said("UID SEARCH (OR $ 1,20:21)") == "* SEARCH 101 102 110 120 121\r\na OK UID SEARCH completed\r\n");
  CHECK(said("SEARCH NOT $ 1:3") == "* SEARCH 1 3\r\na OK SEARCH completed\r\n");
  CHECK(said("STORE $ +FLAGS (\\Seen)") ==
        "* 2 FETCH (FLAGS (\\Flagged \\Seen))\r\n* 10 FETCH (FLAGS (\\Flagged \\Seen))\r\n"
        "a OK STORE completed\r\n");
  CHECK(said("COPY $ x") == "a OK [COPYUID 1002 102,110 1:2] COPY completed\r\n");
  CHECK(said("UID COPY $ x") == "a OK [COPYUID 1002 102,110 1:2] UID COPY completed\r\n");
  CHECK(said("MOVE $ x") ==
        "* OK [COPYUID 1002 102,110 1:2] Moved\r\n* 2 EXPUNGE\r\n* 9 EXPUNGE\r\na OK MOVE completed\r\n");
  CHECK(said("STORE $ +FLAGS.SILENT (\\Deleted)\r\nb UID EXPUNGE $") ==
        "a OK STORE completed\r\n* 2 EXPUNGE\r\n* 9 EXPUNGE\r\nb OK UID EXPUNGE completed\r\n");
}

TEST_CASE("imap: $ without messages is valid and matches none (RFC 5182 §2.1, example 6)") {
  const auto with_target = [](Server& server) {
    twenty_two(server);
    server.store.account().mailbox("x");
  };
  // Nothing was saved yet; then nothing was found.
  for (const std::string before : {"", "E282 SEARCH RETURN (SAVE) DRAFT\r\n"}) {
    const std::string said =
        dialogue_in_inbox(before +
                              "a COPY $ x\r\nb FETCH $ UID\r\nc UID MOVE $ x\r\nd UID EXPUNGE $\r\n"
                              "e SEARCH $\r\nf UID FETCH $ UID (PARTIAL 1:2)\r\ng SEARCH 1 NOT $\r\n",
                          with_target);
    CAPTURE(said);
    CHECK(
        said.ends_with("a OK COPY completed\r\nb OK FETCH completed\r\nc OK UID MOVE completed\r\n"
                       "d OK UID EXPUNGE completed\r\n* SEARCH\r\ne OK SEARCH completed\r\n"
                       "f OK UID FETCH completed\r\n* SEARCH 1\r\ng OK SEARCH completed\r\n"));
    CHECK(dialogue_in_inbox(before + "a STORE $ FLAGS ()\r\n", with_target).find("a OK ") !=
          std::string::npos);
  }
}

TEST_CASE("imap: what is expunged is out of $, and the others keep their places (RFC 5182 §2.1)") {
  Server server;
  twenty_two(server);
  auto client = Client::with_inbox(server);
  client->say("a SEARCH RETURN (SAVE) FLAGGED");
  server.inbox().expunge_now(testing::uid_set({101, 102, 112}), true);
  // Not told of yet: what was expunged has its number still.
  CHECK(client->say("b SEARCH RETURN (COUNT) $") ==
        "* ESEARCH (TAG \"b\") COUNT 8\r\nb OK SEARCH completed\r\n");
  CHECK(client->say("c NOOP") == "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 10 EXPUNGE\r\nc OK NOOP completed\r\n");
  CHECK(client->say("d SEARCH RETURN (ALL) $") ==
        "* ESEARCH (TAG \"d\") ALL 8:12,18\r\nd OK SEARCH completed\r\n");
  CHECK(client->say("e UID SEARCH RETURN (ALL) UID $") ==
        "* ESEARCH (TAG \"e\") UID ALL 110:111,113:115,121\r\ne OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: what changes the saved result, and what does not (RFC 5182 §2.1)") {
  const auto after = [](const std::string& command) {
    const std::string said = dialogue_in_inbox(
        "s SEARCH RETURN (SAVE) 2\r\n" + command + "\r\nz SEARCH RETURN (COUNT) $\r\n", [](Server& server) {
          twenty_two(server);
          server.store.account().mailbox("x");
        });
    const std::size_t at = said.find("* ESEARCH (TAG \"z\") COUNT ");
    REQUIRE_MESSAGE(at != std::string::npos, said);
    return said.substr(at + 26, said.find("\r\n", at) - at - 26);
  };
  CHECK(after("a NOOP") == "1");
  CHECK(after("a SEARCH RETURN (SAVE) FLAGGED") == "8");
  CHECK(after("a SEARCH RETURN (SAVE) DRAFT") == "0");
  CHECK(after("a SEARCH FLAGGED") == "1");
  CHECK(after("a SEARCH RETURN (ALL) FLAGGED") == "1");
  // Example 5: NO to a SEARCH that was to save leaves nothing, BAD and other NOs leave it alone.
  CHECK(after("a SEARCH RETURN (SAVE) CHARSET X-KLINGON TEXT x") == "0");
  CHECK(after("a SEARCH CHARSET X-KLINGON TEXT x") == "1");
  CHECK(after("a SEARCH RETURN (SAVE) NONSENSE") == "1");
  // NO at a literal is one too, before the whole command was read.
  const std::string too_long = " SUBJECT {70000+}\r\n" + std::string(70'000, 'x');
  CHECK(after("a SEARCH RETURN (SAVE)" + too_long) == "0");
  CHECK(after("a uid search return (PARTIAL 1:2  min save )" + too_long) == "0");
  CHECK(after("a SEARCH RETURN (ALL)" + too_long) == "1");
  CHECK(after("a SEARCH RETURN (ALL) KEYWORD SAVE" + too_long) == "1");
  CHECK(after("a STATUS {70000+}\r\n" + std::string(70'000, 'x')) == "1");
  CHECK(after("a SELECT INBOX") == "0");
  CHECK(after("a EXAMINE INBOX") == "0");
  CHECK(after("a SELECT x\r\nb SELECT INBOX") == "0");
}

TEST_CASE("imap: a result that is not whole is not saved (RFC 5182 §2.5)") {
  Server server;
  twenty_two(server);
  auto client = Client::with_inbox(server);
  client->say("a SEARCH RETURN (SAVE) 2");
  server.store.fail({Errc::io, "xyzzy"});
  CHECK(client->say("b SEARCH RETURN (SAVE COUNT) SUBJECT m1").starts_with("b NO [NOTSAVED] "));
  CHECK(client->say("c SEARCH $") == "* SEARCH\r\nc OK SEARCH completed\r\n");
}

TEST_CASE("imap: a saved result that is used by the next SEARCH that saves (RFC 5182 §2.3)") {
  CHECK(dialogue_in_inbox("a SEARCH RETURN (SAVE) FLAGGED\r\nb SEARCH RETURN (SAVE ALL) $ 12:22\r\n"
                          "c UID STORE $ +FLAGS.SILENT (\\Deleted)\r\nd SEARCH DELETED\r\n",
                          twenty_two) ==
        "a OK SEARCH completed\r\n* ESEARCH (TAG \"b\") ALL 12:15,21\r\nb OK SEARCH completed\r\n"
        "c OK UID STORE completed\r\n* SEARCH 12 13 14 15 21\r\nd OK SEARCH completed\r\n");
}

TEST_CASE("imap: SEARCH by MODSEQ tells the highest of what it found (RFC 7162 §3.1.5, §3.1.10)") {
  Server server;
  for (int i = 0; i < 3; ++i) server.inbox().put(simple_message("m", "x"));
  server.inbox().change_flags(
      {.uids = testing::uid_set({2}), .how = storage::FlagChange::add, .system_flags = flagged});
  const storage::Snapshot& messages = *server.inbox().snapshot();
  const std::string second = std::to_string(messages.at(1).modseq);
  const std::string third = std::to_string(messages.at(2).modseq);
  REQUIRE(messages.at(1).modseq > messages.at(2).modseq);
  auto client = Client::with_inbox(server);
  client->say("e ENABLE CONDSTORE");
  CHECK(client->say("a SEARCH MODSEQ " + third) ==
        "* SEARCH 2 3 (MODSEQ " + second + ")\r\na OK SEARCH completed\r\n");
  CHECK(client->say("b UID SEARCH MODSEQ \"/flags/\\\\draft\" all " + second) ==
        "* SEARCH 2 (MODSEQ " + second + ")\r\nb OK UID SEARCH completed\r\n");
  CHECK(client->say("c SEARCH OR NOT MODSEQ 0 LARGER 50000") == "* SEARCH\r\nc OK SEARCH completed\r\n");
  CHECK(client->say("d SEARCH RETURN (ALL) MODSEQ " + third) ==
        "* ESEARCH (TAG \"d\") ALL 2:3 MODSEQ " + second + "\r\nd OK SEARCH completed\r\n");
  CHECK(client->say("e SEARCH RETURN (MAX) MODSEQ " + third) ==
        "* ESEARCH (TAG \"e\") MAX 3 MODSEQ " + third + "\r\ne OK SEARCH completed\r\n");
  CHECK(client->say("f SEARCH RETURN (ALL) MODSEQ 1000000") ==
        "* ESEARCH (TAG \"f\")\r\nf OK SEARCH completed\r\n");
  CHECK(client->say("g SEARCH RETURN (SAVE) MODSEQ " + second) == "g OK SEARCH completed\r\n");
  CHECK(client->say("h SEARCH RETURN (ALL) $") == "* ESEARCH (TAG \"h\") ALL 2\r\nh OK SEARCH completed\r\n");
}

TEST_CASE("imap: SEARCH EMAILID finds a message and its copies (RFC 8474 §5.4)") {
  Server server;
  server.inbox().put(simple_message("one", "x"));
  server.inbox().put(simple_message("two", "needle"));
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a FETCH 2 EMAILID");
  const std::size_t at = said.find("EMAILID (");
  REQUIRE_MESSAGE(at != std::string::npos, said);
  const std::string id = said.substr(at + 9, said.find(')', at) - at - 9);
  CHECK(client->say("b SEARCH EMAILID " + id) == "* SEARCH 2\r\nb OK SEARCH completed\r\n");
  CHECK(client->say("c SEARCH NOT EMAILID " + id) == "* SEARCH 1\r\nc OK SEARCH completed\r\n");
  CHECK(client->say("d SEARCH EMAILID " + id + " BODY needle") == "* SEARCH 2\r\nd OK SEARCH completed\r\n");
  CHECK(client->say("e SEARCH EMAILID none") == "* SEARCH\r\ne OK SEARCH completed\r\n");
  client->say("f COPY 2 INBOX");
  CHECK(client->say("g SEARCH EMAILID " + id) == "* SEARCH 2 3\r\ng OK SEARCH completed\r\n");
}

TEST_CASE("imap: ESEARCH of a large mailbox is told in pieces, whole") {
  Server server;
  for (int i = 0; i < 6'000; ++i) server.inbox().put("x", i % 2 == 0 ? flagged : deleted);
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a UID SEARCH RETURN (ALL COUNT) FLAGGED");
  CHECK(said.starts_with("* ESEARCH (TAG \"a\") UID COUNT 3000 ALL 1,3,5,"));
  CHECK(said.ends_with(",5997,5999\r\na OK UID SEARCH completed\r\n"));
}

TEST_CASE("imap: $ hundreds of times in one SEARCH is one set (RFC 5182 §2.1)") {
  Server server;
  for (int i = 0; i < 2'000; ++i) server.inbox().put("x", i % 2 == 0 ? flagged : 0);
  auto client = Client::with_inbox(server);
  client->say("a SEARCH RETURN (SAVE) FLAGGED");
  std::string keys;
  for (int i = 0; i < 450; ++i) keys += " $ UID $";
  CHECK(client->say("b SEARCH RETURN (COUNT) 1:100 NOT 1:50" + keys) ==
        "* ESEARCH (TAG \"b\") COUNT 25\r\nb OK SEARCH completed\r\n");
}

TEST_CASE("imap: what $ stands for is looked up in turns, however many ranges it has") {
  Server server;
  server.inbox().put("x");
  auto client = Client::with_inbox(server);
  const Enabled enabled;
  View view(server.inbox().shared_from_this(), Select::Access::read_only, enabled);
  storage::UidSet saved;
  for (storage::Uid uid = 1; uid < 2'000'000; uid += 2) saved.append(uid);
  view.save_search(saved);
  std::shared_ptr<const Places> places;
  server.group.start([](Connection& connection, const View& of, auto& into) -> Task<void> {
    into = co_await saved_places(connection, of);
  }(client->connection(), view, places));
  int turns = 0;
  for (; !places; ++turns) server.loop.run_once();
  CHECK(places->ranges() == std::vector<Places::Range>{{0, 1}});
  CHECK(turns > 3);
}

TEST_CASE("imap: of what $ stands for, it is told too what vanished (RFC 5182 §2.1, RFC 7162 §3.2.6)") {
  Server server;
  for (int i = 0; i < 6; ++i) server.inbox().put("x");
  auto client = Client::logged_in(server);
  client->say("e ENABLE QRESYNC\r\ns SELECT INBOX\r\na UID SEARCH RETURN (SAVE) UID 2:5");
  server.inbox().expunge_now(testing::uid_set({1, 3}), true);
  client->say("n NOOP");
  CHECK(client->say("b UID FETCH $ UID (CHANGEDSINCE 1 VANISHED)")
            .starts_with("* VANISHED (EARLIER) 3\r\n* 1 FETCH (UID 2"));
}

}  // namespace posthorn::imap

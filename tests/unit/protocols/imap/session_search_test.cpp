#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t bit(storage::SystemFlag flag) { return static_cast<std::uint8_t>(flag); }
constexpr std::int64_t day = 86'400;

// 1: plain, seen, answered. 2: an encoded subject, quoted-printable text, flagged. 3: base64 attachment of
// text, deleted, keyword. 4: no Date, no Subject, draft.
void four(Server& server) {
  testing::MemoryMailbox& inbox = server.inbox();
  inbox.put(
      "From: Smith <smith@example.org>\r\nTo: bob@example.test\r\nSubject: First meeting\r\n"
      "Date: Thu, 1 Feb 1994 23:30:00 -0800\r\nMessage-ID: <m1@example.org>\r\nX-Spam: no way\r\n\r\n"
      "Text of one,\r\nsecond line.\r\n",
      bit(storage::SystemFlag::seen) | bit(storage::SystemFlag::answered), {}, 10 * day);
  inbox.put(
      "From: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>\r\nCc: Team: a@example.test, c@example.test;\r\n"
      "Subject: =?ISO-8859-1?Q?Gr=FC=DFe?= aus\r\n Wien\r\nDate: Wed, 2 Feb 1994 00:30:00 +0100\r\n"
      "References: <m1@example.org>\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6ne=20Gr=\r\n=FC=DFe\r\n",
      bit(storage::SystemFlag::flagged), {}, 11 * day - 1);
  inbox.put(
      "From: bcc@example.test\r\nBcc: hidden@example.test\r\nSubject:\r\nDate: Thu, 3 Feb 1994 00:00:00 "
      "+0000\r\n"
      "Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\nContent-Type: text/plain\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nbmVlZGxlIGluIGJhc2U2NA==\r\n--z\r\nContent-Type: image/png; "
      "name=needlework.png\r\n\r\n"
      "haystack\r\n--z--\r\n",
      bit(storage::SystemFlag::deleted), {"$Junk"}, 12 * day);
  inbox.put("To: smith@example.org\r\n\r\nno date at all\r\n", bit(storage::SystemFlag::draft), {}, 11 * day);
  inbox.claim_recent();
}

// What "SEARCH `keys`" finds, "1 3".
std::string found(const std::string& keys, const std::string& command = "SEARCH") {
  const std::string said = dialogue_in_inbox("a " + command + " " + keys + "\r\n", four);
  REQUIRE_MESSAGE(said.starts_with("* SEARCH"), said);
  const std::size_t end = said.find("\r\n");
  REQUIRE_MESSAGE(said.substr(end) == "\r\na OK " + command + " completed\r\n", said);
  return end == 8 ? "" : said.substr(9, end - 9);
}

}  // namespace

TEST_CASE("imap: SEARCH OLDER and YOUNGER, to the second (RFC 5032)") {
  const auto four_ages = [](Server& server) {
    for (const std::int64_t age : {1'000, 100, 10, 0})
      server.inbox().put("Subject: x\r\n\r\nx\r\n", 0, {}, server.clock.seconds() - age);
    server.inbox().claim_recent();
  };
  const auto found = [&](const std::string& keys) {
    const std::string said = dialogue_in_inbox("c SEARCH " + keys + "\r\n", four_ages);
    return said.substr(0, said.find("\r\n"));
  };
  CHECK(found("YOUNGER 100") == "* SEARCH 2 3 4");
  CHECK(found("YOUNGER 99") == "* SEARCH 3 4");
  CHECK(found("OLDER 100") == "* SEARCH 1 2");
  CHECK(found("OLDER 101") == "* SEARCH 1");
  CHECK(found("older 50 younger 500") == "* SEARCH 2");
  CHECK(found("NOT YOUNGER 4294967295") == "* SEARCH");
  CHECK(found("OLDER 0").starts_with("c BAD "));
  CHECK(found("YOUNGER").starts_with("c BAD "));
  CHECK(found("YOUNGER 4294967296").starts_with("c BAD "));
}

TEST_CASE("imap: SEARCH keys that the view answers (RFC 3501 §6.4.4)") {
  struct Case {
    const char* keys;
    const char* numbers;
  };
  const Case cases[] = {
      {"ALL", "1 2 3 4"},
      {"ANSWERED", "1"},
      {"UNANSWERED", "2 3 4"},
      {"DELETED", "3"},
      {"UNDELETED", "1 2 4"},
      {"DRAFT", "4"},
      {"UNDRAFT", "1 2 3"},
      {"FLAGGED", "2"},
      {"UNFLAGGED", "1 3 4"},
      {"SEEN", "1"},
      {"UNSEEN", "2 3 4"},
      {"KEYWORD $junk", "3"},
      {"UNKEYWORD $Junk", "1 2 4"},
      {"KEYWORD nobody", ""},
      {"UNKEYWORD nobody", "1 2 3 4"},
      {"RECENT", ""},
      {"OLD", "1 2 3 4"},
      {"NEW", ""},
      {"2:3", "2 3"},
      {"*", "4"},
      {"9", ""},
      {"UID 1,3", "1 3"},
      {"UID 9:*", "4"},
      {"BEFORE 12-Jan-1970", "1 2"},
      {"ON 12-Jan-1970", "4"},
      {"SINCE 12-Jan-1970", "3 4"},
      {"LARGER 100", "1 2 3"},
      {"SMALLER 100", "4"},
      {"NOT SEEN", "2 3 4"},
      {"OR SEEN DELETED", "1 3"},
      {"OR (SEEN ANSWERED) (DELETED NOT DRAFT)", "1 3"},
      {"UNSEEN UNDELETED", "2 4"},
      {"NOT (OR SEEN NOT DRAFT)", "4"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.keys);
    CHECK(found(c.keys) == c.numbers);
  }
}

TEST_CASE("imap: SEARCH keys for the header (RFC 3501 §6.4.4), decoded and without case") {
  struct Case {
    std::string keys;
    const char* numbers;
  };
  const Case cases[] = {
      {"FROM smith", "1"},
      {"FROM SMITH@EXAMPLE.ORG", "1"},
      {"FROM \"J\xc3\xbcRGEN\"", "2"},
      {"TO bob", "1"},
      {"TO smith", "4"},
      {"CC c@example", "2"},
      {"CC team", "2"},
      {"BCC hidden", "3"},
      {"SUBJECT meeting", "1"},
      {"CHARSET UTF-8 SUBJECT \"gr\xc3\xbc\xc3\x9f"
       "E AUS WIEN\"",
       "2"},
      {"CHARSET ISO-8859-1 SUBJECT {3+}\r\nGR\xdc", "2"},
      {"SUBJECT \"\"", "1 2 3"},
      {"HEADER Message-ID m1@", "1"},
      {"HEADER References m1@", "2"},
      {"HEADER X-SPAM \"no WAY\"", "1"},
      {"HEADER X-Spam \"\"", "1"},
      {"HEADER X-Spam yes", ""},
      {"NOT HEADER X-Spam \"\"", "2 3 4"},
      // Disregarding time and zone: the day as the sender wrote it; without Date none.
      {"SENTON 1-Feb-1994", "1"},
      {"SENTON 2-Feb-1994", "2"},
      {"SENTBEFORE 3-Feb-1994", "1 2"},
      {"SENTSINCE 2-Feb-1994", "2 3"},
      {"NOT SENTSINCE 1-Jan-1900", "4"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.keys);
    CHECK(found(c.keys) == c.numbers);
  }
}

TEST_CASE("imap: SEARCH BODY and TEXT look into the decoded text (RFC 3501 §6.4.4)") {
  struct Case {
    std::string keys;
    const char* numbers;
  };
  const Case cases[] = {
      {"BODY \"one, second\"", "1"},
      {"BODY smith", ""},
      {"TEXT smith", "1 4"},
      {"BODY \"sch\xc3\xb6ne gr\xc3\xbc\xc3\x9f"
       "e\"",
       "2"},
      {"BODY needle", "3"},
      {"BODY needlework", "3"},
      {"BODY haystack", ""},
      {"BODY \"\"", "1 2 3 4"},
      {"TEXT \"no date\"", "4"},
      {"OR BODY needle TEXT meeting", "1 3"},
      {"NOT BODY needle", "1 2 4"},
      {"BODY needle HEADER Bcc hidden", "3"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.keys);
    CHECK(found(c.keys) == c.numbers);
  }
}

TEST_CASE("imap: UID SEARCH gives UIDs; bare numbers are sequence numbers there too (RFC 3501 §6.4.8)") {
  const auto gaps = [](Server& server) {
    four(server);
    server.inbox().expunge_now(testing::uid_set({1}), true);
  };
  CHECK(dialogue_in_inbox(
            "a UID SEARCH ALL\r\nb SEARCH ALL\r\nc UID SEARCH 1 UID 2:3\r\nd UID SEARCH TEXT smith\r\n",
            gaps) ==
        "* SEARCH 2 3 4\r\na OK UID SEARCH completed\r\n* SEARCH 1 2 3\r\nb OK SEARCH completed\r\n"
        "* SEARCH 2\r\nc OK UID SEARCH completed\r\n* SEARCH 4\r\nd OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: a SEARCH that finds nothing says so; an empty mailbox is no error") {
  CHECK(dialogue_in_inbox("a SEARCH ALL\r\nb UID SEARCH 1:* NOT DELETED\r\n") ==
        "* SEARCH\r\na OK SEARCH completed\r\n* SEARCH\r\nb OK UID SEARCH completed\r\n");
}

TEST_CASE("imap: an unknown charset is NO [BADCHARSET] with those that are known (RFC 3501 §6.4.4)") {
  const std::string said = dialogue_in_inbox("a SEARCH CHARSET X-KLINGON TEXT x\r\n");
  CHECK(said.starts_with("a NO [BADCHARSET ("));
  CHECK(has(said, " UTF-8"));
  CHECK(has(said, ")] "));
}

TEST_CASE(
    "imap: SEARCH goes to the index for what the view leaves open only, and to the files for the rest") {
  Server server;
  for (int i = 0; i < 600; ++i) server.inbox().put(simple_message("s" + std::to_string(i), "text"));
  auto client = Client::with_inbox(server);
  const auto operations_of = [&](const std::string& keys) {
    const std::uint64_t before = server.store.operations;
    CHECK(has(client->say("a SEARCH " + keys), "a OK"));
    return server.store.operations - before;
  };
  CHECK(operations_of("UNSEEN LARGER 1") == 0);
  CHECK(operations_of("SEEN SUBJECT s1") == 0);
  CHECK(operations_of("SUBJECT s59") == 3);
  CHECK(operations_of("1:5 BODY text") == 1 + 1);
  CHECK(operations_of("SUBJECT s599 BODY text") == 3 + 1);
}

TEST_CASE("imap: a message that was expunged meanwhile is not found (RFC 2180 §4.3)") {
  Server server;
  four(server);
  auto client = Client::with_inbox(server);
  server.store.meanwhile = [&] { server.inbox().expunge_now(testing::uid_set({1}), true); };
  CHECK(client->say("a SEARCH TEXT smith") == "* SEARCH 4\r\na OK SEARCH completed\r\n");
  CHECK(client->say("b NOOP") == "* 1 EXPUNGE\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: a SEARCH that could not read every message gives what it found, and NO (RFC 3501 §6.4.4)") {
  Server server;
  for (int i = 0; i < 3; ++i) server.inbox().put(simple_message("m", "needle"));
  auto client = Client::with_inbox(server);
  // The file of the first message, behind all summaries.
  server.store.fail({Errc::io, "xyzzy"}, 1);
  CHECK(client->say("a SEARCH TEXT needle") ==
        "* SEARCH 2 3\r\na NO [UNAVAILABLE] SEARCH could not read all messages\r\n");
  CHECK(client->say("b SEARCH TEXT needle") == "* SEARCH 1 2 3\r\nb OK SEARCH completed\r\n");
  // The index knows nothing of it.
  server.inbox().make_unreadable(2, {Errc::io, "xyzzy"});
  CHECK(client->say("c SEARCH SUBJECT m") ==
        "* SEARCH 1 3\r\nc NO [UNAVAILABLE] SEARCH could not read all messages\r\n");
  CHECK(client->say("d SEARCH RETURN (SAVE COUNT) SUBJECT m") ==
        "d NO [NOTSAVED] SEARCH could not read all messages\r\n");
}

TEST_CASE("imap: hundreds of texts are looked for in one pass over a message, and others have their turn") {
  Server server;
  std::string to = "x1@example.test";
  for (int i = 2; i <= 1'000; ++i) to += ",\r\n x" + std::to_string(i) + "@example.test";
  std::string fields;
  for (int i = 1; i <= 500; ++i) fields += "X-One: zzzz\r\nX-Two: " + std::string(40, 'z') + "\r\n";
  server.inbox().put("To: " + to + "\r\n" + fields + "Subject: s\r\n\r\n" + std::string(5'000, 'z'));
  auto client = Client::with_inbox(server);
  const auto keys = [](const std::string& key, int count) {
    std::string all;
    for (int i = 1; i <= count; ++i) all += key + std::to_string(i) + " ";
    return all;
  };
  const auto turns_of = [&](const std::string& search, std::string_view answer) {
    client->peer().send("a SEARCH " + search + "\r\n");
    int turns = 0;
    std::string said;
    while (said.find("a OK") == std::string::npos) {
      REQUIRE(++turns < 1'000'000);
      server.loop.run_once();
      said += client->peer().take_output();
    }
    CHECK(said == std::string(answer) + "\r\na OK SEARCH completed\r\n");
    return turns;
  };
  const int few = turns_of("SUBJECT s BODY z", "* SEARCH 1") + 2;
  CHECK(turns_of(keys("TO x", 900), "* SEARCH 1") > few);
  CHECK(turns_of(keys("TO x", 900) + "TO x1001", "* SEARCH") > few);
  const std::string in_fields = keys("NOT HEADER X-Two zzzzz", 240) + keys("NOT HEADER X-One zzzzz", 240);
  CHECK(turns_of(in_fields, "* SEARCH 1") > few);
  CHECK(turns_of(keys("NOT TEXT zzzzz", 240) + keys("NOT BODY zzzzz", 240), "* SEARCH 1") > few);
}

TEST_CASE("imap: a long SEARCH on text ends when the connection goes") {
  Server server;
  for (int i = 0; i < 100; ++i) server.inbox().put("Subject: x\r\n\r\n" + std::string(200'000, 'a'));
  auto client = Client::with_inbox(server);
  client->peer().send("a SEARCH BODY needle\r\n");
  const std::uint64_t before = server.store.operations;
  REQUIRE(testing::run_until(server.loop, [&] { return server.store.operations > before + 5; }));
  client->connection().close(CloseReason::shutdown);
  REQUIRE(testing::run_until(server.loop, [&] { return client->ended(); }));
  CHECK(server.store.operations < before + 20);
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);

// The message of RFC 3501 §8.
const std::string sample =
    "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
    "From: Terry Gray <gray@cac.washington.edu>\r\n"
    "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
    "To: imap@cac.washington.edu\r\n"
    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n"
    "\r\n"
    "Body of the message.\r\n";

const std::string nested =
    "From: a@example.test\r\n"
    "Subject: outer\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n"
    "\r\n"
    "preamble\r\n"
    "--x\r\n"
    "Content-Type: text/plain\r\n"
    "\r\n"
    "first\r\n"
    "--x\r\n"
    "Content-Type: message/rfc822\r\n"
    "Content-Description: fwd\r\n"
    "\r\n"
    "From: b@example.test\r\n"
    "Subject: inner\r\n"
    "X-Long: one\r\n"
    " two\r\n"
    "\r\n"
    "inner text\r\n"
    "--x--\r\n";

// What stands in the response to `fetch` of the one message `octets`, behind "* 1 FETCH (" up to ")".
std::string fetched(const std::string& octets, const std::string& items) {
  const std::string said = dialogue_in_inbox("a FETCH 1 " + items + "\r\n",
                                             [&](Server& server) { server.inbox().put(octets, seen); });
  const std::string begin = "* 1 FETCH (";
  const std::string end = ")\r\na OK FETCH completed\r\n";
  REQUIRE_MESSAGE(said.starts_with(begin), said);
  REQUIRE_MESSAGE(said.ends_with(end), said);
  return said.substr(begin.size(), said.size() - begin.size() - end.size());
}

std::string literal(std::string_view octets) {
  return "{" + std::to_string(octets.size()) + "}\r\n" + std::string(octets);
}

}  // namespace

TEST_CASE("imap: FETCH FULL of the sample message (RFC 3501 §8)") {
  const std::string said = dialogue_in_inbox("a003 fetch 1 full\r\n", [](Server& server) {
    server.inbox().put(sample, seen, {}, 837'596'665);  // 17-Jul-1996 02:44:25 -0700
  });
  CHECK(said ==
        "* 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE " +
            std::to_string(sample.size()) +
            " ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((NIL NIL \"imap\" \"cac.washington.edu\")) "
            "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL "
            "NIL "
            "\"<B27397-0100000@cac.washington.edu>\") "
            "BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 22 1))\r\n"
            "a003 OK FETCH completed\r\n");
}

TEST_CASE("imap: sections of BODY[] (RFC 3501 §6.4.5)") {
  const std::string header = sample.substr(0, sample.find("\r\n\r\n") + 4);
  const std::string text = "Body of the message.\r\n";
  struct Case {
    const char* item;
    std::string answer;
  };
  const std::size_t inner_begin = nested.find("From: b@");
  const std::size_t inner_end = nested.find("\r\n--x--");
  const std::string inner = nested.substr(inner_begin, inner_end - inner_begin);
  const std::string inner_header = inner.substr(0, inner.find("\r\n\r\n") + 4);
  SUBCASE("of a message that is no multipart") {
    const Case cases[] = {
        {"BODY[]", "BODY[] " + literal(sample)},
        {"BODY.PEEK[HEADER]", "BODY[HEADER] " + literal(header)},
        {"BODY[TEXT]", "BODY[TEXT] " + literal(text)},
        {"BODY[1]", "BODY[1] " + literal(text)},
        {"BODY[1.MIME]", "BODY[1.MIME] " + literal(header)},
        {"BODY[2]", "BODY[2] NIL"},
        {"BODY[1.HEADER]", "BODY[1.HEADER] NIL"},
        {"RFC822", "RFC822 " + literal(sample)},
        {"RFC822.HEADER", "RFC822.HEADER " + literal(header)},
        {"RFC822.TEXT", "RFC822.TEXT " + literal(text)},
        {"BODY[HEADER.FIELDS (date FROM)]",
         "BODY[HEADER.FIELDS (date FROM)] " + literal(sample.substr(0, sample.find("Subject")) + "\r\n")},
        {"BODY[HEADER.FIELDS (X-None)]", "BODY[HEADER.FIELDS (X-None)] " + literal("\r\n")},
        {"BODY[HEADER.FIELDS.NOT (Date From Subject To cc Message-Id Content-Type)]",
         "BODY[HEADER.FIELDS.NOT (Date From Subject To cc Message-Id Content-Type)] " +
             literal("MIME-Version: 1.0\r\n\r\n")},
    };
    for (const Case& c : cases) CHECK(fetched(sample, c.item) == c.answer);
  }
  SUBCASE("of parts, and of a message in a message") {
    const Case cases[] = {
        {"BODY[1]", "BODY[1] " + literal("first")},
        {"BODY[1.MIME]", "BODY[1.MIME] " + literal("Content-Type: text/plain\r\n\r\n")},
        {"BODY[1.TEXT]", "BODY[1.TEXT] NIL"},
        {"BODY[2]", "BODY[2] " + literal(inner)},
        {"BODY[2.MIME]",
         "BODY[2.MIME] " + literal("Content-Type: message/rfc822\r\nContent-Description: fwd\r\n\r\n")},
        {"BODY[2.HEADER]", "BODY[2.HEADER] " + literal(inner_header)},
        {"BODY[2.TEXT]", "BODY[2.TEXT] " + literal("inner text")},
        {"BODY[2.1]", "BODY[2.1] " + literal("inner text")},
        {"BODY[2.HEADER.FIELDS (X-LONG)]",
         "BODY[2.HEADER.FIELDS (X-LONG)] " + literal("X-Long: one\r\n two\r\n\r\n")},
        {"BODY[3]", "BODY[3] NIL"},
        {"BODY[2.1.1]", "BODY[2.1.1] NIL"},
    };
    for (const Case& c : cases) CHECK(fetched(nested, c.item) == c.answer);
  }
}

TEST_CASE("imap: partial fetches (RFC 3501 §6.4.5)") {
  CHECK(fetched(sample, "BODY[]<0.4>") == "BODY[]<0> {4}\r\nDate");
  CHECK(fetched(sample, "BODY[TEXT]<8.3>") == "BODY[TEXT]<8> {3}\r\nthe");
  CHECK(fetched(sample, "BODY[TEXT]<20.9999>") == "BODY[TEXT]<20> {2}\r\n\r\n");
  CHECK(fetched(sample, "BODY[TEXT]<22.1>") == "BODY[TEXT]<22> {0}\r\n");
  CHECK(fetched(sample, "BODY[]<99999.1>") == "BODY[]<99999> {0}\r\n");
  CHECK(fetched(sample, "BODY[HEADER.FIELDS (cc)]<4.7>") == "BODY[HEADER.FIELDS (cc)]<4> {7}\r\nminutes");
}

TEST_CASE("imap: several items stand in one response, in the order asked for") {
  CHECK(fetched(sample, "(BODY[1]<0.4> UID BODY.PEEK[TEXT]<0.4> RFC822.SIZE)") ==
        "BODY[1]<0> {4}\r\nBody UID 1 BODY[TEXT]<0> {4}\r\nBody RFC822.SIZE " +
            std::to_string(sample.size()));
}

TEST_CASE("imap: BODY[] sets \\Seen and tells it in its response; .PEEK does not (RFC 3501 §6.4.5)") {
  const auto unseen = [](Server& server) {
    for (int i = 0; i < 3; ++i) server.inbox().put("a: b\r\n\r\nx\r\n");
  };
  CHECK(dialogue_in_inbox(
            "a FETCH 1 BODY.PEEK[TEXT]\r\nb FETCH 1:2 BODY[TEXT]\r\nc FETCH 2:3 (FLAGS RFC822.TEXT)\r\n"
            "d FETCH 1:3 RFC822.HEADER\r\ne FETCH 1:3 FLAGS\r\n",
            unseen) ==
        "* 1 FETCH (BODY[TEXT] {3}\r\nx\r\n)\r\na OK FETCH completed\r\n"
        "* 1 FETCH (BODY[TEXT] {3}\r\nx\r\n FLAGS (\\Seen \\Recent))\r\n"
        "* 2 FETCH (BODY[TEXT] {3}\r\nx\r\n FLAGS (\\Seen \\Recent))\r\nb OK FETCH completed\r\n"
        "* 2 FETCH (FLAGS (\\Seen \\Recent) RFC822.TEXT {3}\r\nx\r\n)\r\n"
        "* 3 FETCH (FLAGS (\\Seen \\Recent) RFC822.TEXT {3}\r\nx\r\n)\r\nc OK FETCH completed\r\n"
        "* 1 FETCH (RFC822.HEADER {8}\r\na: b\r\n\r\n)\r\n* 2 FETCH (RFC822.HEADER {8}\r\na: b\r\n\r\n)\r\n"
        "* 3 FETCH (RFC822.HEADER {8}\r\na: b\r\n\r\n)\r\nd OK FETCH completed\r\n"
        "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n* 2 FETCH (FLAGS (\\Seen \\Recent))\r\n"
        "* 3 FETCH (FLAGS (\\Seen \\Recent))\r\ne OK FETCH completed\r\n");
}

TEST_CASE("imap: a \\Seen that can not be stored does not keep the message from being read") {
  Server server;
  server.inbox().put(sample);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::disk_full, "full"}, 1);  // not the summary
  CHECK(client->say("a FETCH 1 BODY[TEXT]") ==
        "* 1 FETCH (BODY[TEXT] {22}\r\nBody of the message.\r\n)\r\na OK FETCH completed\r\n");
  CHECK(server.log.contains("imap.seen_not_set"));
}

TEST_CASE(
    "imap: UID FETCH gives UIDs, asked for or not; UIDs that are not there are no error (RFC 3501 §6.4.8)") {
  const auto gaps = [](Server& server) {
    for (int i = 0; i < 5; ++i) server.inbox().put(sample, seen);
    server.inbox().expunge_now(testing::uid_set({1, 3}), true);
  };
  CHECK(dialogue_in_inbox("a UID FETCH 1:4 FLAGS\r\nb UID FETCH 99 FLAGS\r\nc UID FETCH 559:* UID\r\n"
                          "d UID FETCH * (RFC822.SIZE UID)\r\n",
                          gaps) ==
        "* 1 FETCH (UID 2 FLAGS (\\Seen \\Recent))\r\n* 2 FETCH (UID 4 FLAGS (\\Seen \\Recent))\r\n"
        "a OK UID FETCH completed\r\nb OK UID FETCH completed\r\n"
        "* 3 FETCH (UID 5)\r\nc OK UID FETCH completed\r\n"
        "* 3 FETCH (RFC822.SIZE 364 UID 5)\r\nd OK UID FETCH completed\r\n");
}

TEST_CASE("imap: a sequence number that no message has is BAD (RFC 3501 §9, seq-number)") {
  const auto one = [](Server& server) { server.inbox().put(sample); };
  for (const char* command :
       {"FETCH 2 FLAGS", "FETCH 1:2 FLAGS", "STORE 2 FLAGS ()", "COPY 2 INBOX", "MOVE 1:9 INBOX"}) {
    CAPTURE(command);
    CHECK(dialogue_in_inbox("a " + std::string(command) + "\r\n", one).starts_with("a BAD "));
  }
  CHECK(dialogue_in_inbox("a FETCH * FLAGS\r\n").starts_with("a BAD "));
  CHECK(dialogue_in_inbox("a UID FETCH 1:* FLAGS\r\n") == "a OK UID FETCH completed\r\n");
}

TEST_CASE("imap: overlapping sets name each message once, in ascending order") {
  const auto three = [](Server& server) {
    for (int i = 0; i < 3; ++i) server.inbox().put(sample, seen);
  };
  CHECK(dialogue_in_inbox("a FETCH 3,1:2,2:* UID\r\n", three) ==
        "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\na OK FETCH completed\r\n");
}

TEST_CASE("imap: what the view holds is fetched without a hop to the disk") {
  Server server;
  for (int i = 0; i < 1'000; ++i) server.inbox().put("a: b\r\n\r\nx\r\n");
  auto client = Client::with_inbox(server);
  const std::uint64_t operations = server.store.operations;
  CHECK(has(client->say("a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)"), "* 1000 FETCH (UID 1000 "));
  CHECK(server.store.operations == operations);
  // Summaries come in batches of 256, what is made of them for one item of 1,024.
  CHECK(has(client->say("b FETCH 1:* (ENVELOPE BODY)"), "* 1000 FETCH (ENVELOPE "));
  CHECK(server.store.operations == operations + 4);
  CHECK(has(client->say("c FETCH 1:* ENVELOPE"), "* 1000 FETCH (ENVELOPE "));
  CHECK(
      has(client->say("d FETCH 1:* (FLAGS BODYSTRUCTURE)"), "* 1000 FETCH (FLAGS (\\Recent) BODYSTRUCTURE "));
  CHECK(server.store.operations == operations + 6);
}

TEST_CASE("imap: a large message streams through, whole and in parts") {
  std::string large = "From: a@example.test\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n";
  for (int i = 0; i < 30'000; ++i) large += "line " + std::to_string(i) + " of many\r\n";
  large += "\r\n--y\r\nContent-Type: text/html\r\n\r\nsmall one\r\n--y--\r\n";
  CHECK(fetched(large, "BODY[]") == "BODY[] " + literal(large));
  CHECK(fetched(large, "BODY[2]") == "BODY[2] {9}\r\nsmall one");
  CHECK(fetched(large, "(BODY[]<300000.10> BODY[HEADER])")
            .starts_with("BODY[]<300000> " + literal(large.substr(300'000, 10))));
}

TEST_CASE("imap: a file that proves shorter than it was announced ends the connection") {
  Server server;
  server.inbox().put("a: b\r\n\r\n" + std::string(200'000, 'x'), seen);
  auto client = Client::with_inbox(server);
  server.store.readable = 50'000;
  const std::string said = client->say("a FETCH 1 BODY[]");
  // The client may have heard of 200008 octets: no reply may follow as if they had come.
  CHECK_FALSE(has(said, "a OK"));
  CHECK_FALSE(has(said, "a NO"));
  CHECK(client->ended());
  CHECK(server.log.contains("imap.message_unreadable"));
}

TEST_CASE("imap: what was announced is what comes, of a file that is shorter from the start too") {
  Server server;
  server.inbox().put("a: b\r\n\r\n0123456789", seen);
  server.inbox().shorten(1, 13);
  auto client = Client::with_inbox(server);
  CHECK(client->say("a FETCH 1 (BODY[TEXT] BODY[])") ==
        "* 1 FETCH (BODY[TEXT] {5}\r\n01234 BODY[] {13}\r\na: b\r\n\r\n01234)\r\na OK FETCH completed\r\n");
}

TEST_CASE("imap: reading that fails is NO, and the other messages come (RFC 5530)") {
  Server server;
  server.inbox().put(sample, seen);
  server.inbox().put(sample, seen);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::io, "bad disk"});
  const std::string said = client->say("a FETCH 1:2 BODY[]");
  CHECK(said.starts_with("* 2 FETCH (BODY[] {364}\r\n"));
  CHECK(has(said, "a NO [UNAVAILABLE] "));
  CHECK(server.log.contains("bad disk"));
}

TEST_CASE("imap: a message that the index knows nothing of and that can't be read is not taken for gone") {
  Server server;
  for (int i = 0; i < 3; ++i) server.inbox().put(sample);
  server.inbox().make_unreadable(2, {Errc::io, "bad disk"});
  auto client = Client::with_inbox(server);
  for (const std::string command : {"FETCH", "UID FETCH"}) {
    CAPTURE(command);
    const std::string said = client->say("a " + command + " 1:3 (UID PREVIEW)");
    CHECK(has(said, "* 1 FETCH ("));
    CHECK_FALSE(has(said, "* 2 FETCH ("));
    CHECK(has(said, "* 3 FETCH ("));
    CHECK(has(said, "a NO [UNAVAILABLE] "));
  }
  CHECK(server.log.contains("bad disk"));
  // It has not been read.
  for (const std::string item : {"BODY[TEXT]", "BINARY[1]"}) {
    CAPTURE(item);
    CHECK(has(client->say("b UID FETCH 1:3 " + item), "b NO [UNAVAILABLE] "));
    CHECK(client->say("c SEARCH UNSEEN") == "* SEARCH 2\r\nc OK SEARCH completed\r\n");
    client->say("d STORE 1:3 -FLAGS.SILENT (\\Seen)");
  }
}

TEST_CASE("imap: messages are marked \\Seen shortly before they are sent (RFC 3501 §6.4.5)") {
  Server server;
  for (int i = 0; i < 8; ++i) server.inbox().put("Subject: x\r\n\r\n" + std::string(300'000, 'x'));
  auto client = Client::with_inbox(server);
  client->peer().hold_writes(true);
  client->peer().send("a FETCH 1:8 BODY[]\r\n");
  REQUIRE(testing::run_until(server.loop, [&] { return client->peer().write_waits(); }));
  client->connection().close(CloseReason::peer);
  REQUIRE(testing::run_until(server.loop, [&] { return client->ended(); }));
  int unseen = 0;
  const auto now = server.inbox().snapshot();
  now->visit(0, now->size(), [&](std::uint32_t, const storage::Message& message) {
    if (!message.flags.has(storage::SystemFlag::seen)) ++unseen;
  });
  CHECK(unseen == 5);
}

TEST_CASE("imap: FETCH BODY[] of many messages marks and answers all of them, in whatever groups") {
  Server server;
  for (int i = 0; i < 50; ++i) server.inbox().put("x");
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a FETCH 1:20,31:50 (FLAGS BODY[])");
  for (const int number : {1, 16, 17, 20, 31, 50}) {
    CHECK(has(said, "* " + std::to_string(number) + " FETCH (FLAGS (\\Seen \\Recent) BODY[] {1}\r\nx)\r\n"));
  }
  CHECK(client->say("b SEARCH RETURN (ALL) UNSEEN") ==
        "* ESEARCH (TAG \"b\") ALL 21:30\r\nb OK SEARCH completed\r\n");
}

TEST_CASE("imap: header fields that are kept are given without a look at the message") {
  Server server;
  server.inbox().put(sample, seen);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::io, "bad disk"}, 1);  // all but the summary
  CHECK(
      client->say(
          "a FETCH 1 (BODY.PEEK[HEADER.FIELDS (from X-PRIORITY)] FLAGS BODY[HEADER.FIELDS (To)]<0.6>)") ==
      "* 1 FETCH (BODY[HEADER.FIELDS (from X-PRIORITY)] " +
          literal("From: Terry Gray <gray@cac.washington.edu>\r\n\r\n") +
          " FLAGS (\\Seen \\Recent) BODY[HEADER.FIELDS (To)]<0> {6}\r\nTo: im)\r\na OK FETCH completed\r\n");
  CHECK(has(client->say("b FETCH 1 BODY.PEEK[HEADER.FIELDS (From X-None)]"), "b NO [UNAVAILABLE] "));
}

TEST_CASE("imap: summaries of many messages are never held all at once") {
  Server server;
  server.store.summary_octets = 4'096;
  for (int i = 1; i <= 40; ++i) {
    const bool is_long = i == 7 || i == 20 || i == 33;
    server.inbox().put(simple_message("m" + std::to_string(i), "x"));
    if (is_long) server.inbox().put("Subject: long\r\nTo: " + std::string(6'000, 'a') + "@b\r\n\r\nx");
  }
  const std::uint32_t count = server.inbox().snapshot()->size();
  const auto subjects_of = [](const std::string& said) {
    std::vector<std::string> numbers;
    for (std::size_t at = said.find("* "); at != std::string::npos; at = said.find("\r\n* ", at)) {
      at = said.find_first_of("0123456789", at);
      numbers.push_back(said.substr(at, said.find(' ', at) - at));
    }
    return numbers;
  };
  std::vector<std::string> expected;
  for (std::uint32_t i = 1; i <= count; ++i) expected.push_back(std::to_string(i));

  auto client = Client::with_inbox(server);
  const std::string ascending = client->say("a FETCH 1:* ENVELOPE");
  CHECK(ascending.ends_with("a OK FETCH completed\r\n"));
  CHECK(subjects_of(ascending.substr(0, ascending.rfind("a OK"))) == expected);
  CHECK(server.store.most_summary_octets < 12'000);

  CHECK(client->say("b SEARCH TO aaaa") == "* SEARCH 8 22 36\r\nb OK SEARCH completed\r\n");

  // What a limit leaves is told from the highest UID down (RFC 9738 §3.1).
  server.settings.message_limit = count - 3;
  auto limited = Client::with_inbox(server);
  const std::string descending = limited->say("a FETCH 1:* ENVELOPE");
  CHECK(descending.find("a OK [MESSAGELIMIT ") != std::string::npos);
  expected.erase(expected.begin(), expected.begin() + 3);
  std::ranges::reverse(expected);
  CHECK(subjects_of(descending.substr(0, descending.rfind("a OK"))) == expected);
}

}  // namespace posthorn::imap

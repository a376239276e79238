#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// SAVEDATE (RFC 8514), THREADID (RFC 8474), PREVIEW (RFC 8970).
namespace posthorn::imap {
namespace {

constexpr std::int64_t day = 86'400;

// Saved on 9-Jan-1970, 10-Jan-1970 and 11-Jan-1970; the first and the last are one thread.
void three(Server& server) {
  testing::MemoryMailbox& inbox = server.inbox();
  inbox.put(simple_message("one", "Hello  Bob,\r\nhow are you?\r\n"), 0, {}, 5 * day);
  inbox.put(simple_message("two",
                           "Gr\xc3\xbc\xc3\x9f"
                           "e\r\n"),
            0, {}, 6 * day);
  inbox.put("Content-Type: image/png\r\n\r\nx\r\n", 0, {}, 7 * day);
  inbox.set_origin(1, 9 * day - 1, "T11");
  inbox.set_origin(2, 9 * day, "T22");
  inbox.set_origin(3, 10 * day, "T11");
  inbox.claim_recent();
}

std::string said_to(const std::string& command) { return dialogue_in_inbox("a " + command + "\r\n", three); }

}  // namespace

TEST_CASE("imap: FETCH SAVEDATE (RFC 8514 §4.1)") {
  CHECK(said_to("FETCH 1:2 SAVEDATE") ==
        "* 1 FETCH (SAVEDATE \"09-Jan-1970 23:59:59 +0000\")\r\n"
        "* 2 FETCH (SAVEDATE \"10-Jan-1970 00:00:00 +0000\")\r\na OK FETCH completed\r\n");
  CHECK(said_to("UID FETCH 2 (INTERNALDATE SAVEDATE)") ==
        "* 2 FETCH (UID 2 INTERNALDATE \"07-Jan-1970 00:00:00 +0000\" SAVEDATE \"10-Jan-1970 00:00:00 "
        "+0000\")\r\na OK UID FETCH completed\r\n");
  CHECK(said_to("FETCH 3 (SAVEDATE BODY.PEEK[TEXT] ENVELOPE)")
            .starts_with(
                "* 3 FETCH (SAVEDATE \"11-Jan-1970 00:00:00 +0000\" BODY[TEXT] {3}\r\nx\r\n ENVELOPE ("));
}

TEST_CASE("imap: SEARCH by the save date (RFC 8514 §4.3)") {
  struct Case {
    const char* keys;
    const char* answer;
  };
  const Case cases[] = {
      {"SAVEDON 9-Jan-1970", " 1"},
      {"SAVEDBEFORE 10-Jan-1970", " 1"},
      {"SAVEDSINCE 10-Jan-1970", " 2 3"},
      {"NOT SAVEDON 10-Jan-1970", " 1 3"},
      {"SAVEDSINCE 1-Jan-2020", ""},
      {"SAVEDATESUPPORTED", " 1 2 3"},
      {"NOT SAVEDATESUPPORTED", ""},
      {"OR SAVEDON 9-Jan-1970 BODY how", " 1"},
      {"OR SAVEDON 11-Jan-1970 SUBJECT one", " 1 3"},
      {"SAVEDSINCE 10-Jan-1970 SUBJECT two", " 2"},
      {"SAVEDSINCE 10-Jan-1970 ON 8-Jan-1970", " 3"},
      {"SAVEDBEFORE 11-Jan-1970 NOT BODY how", " 2"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.keys);
    CHECK(said_to(std::string("SEARCH ") + each.keys) ==
          "* SEARCH" + std::string(each.answer) + "\r\na OK SEARCH completed\r\n");
  }
}

TEST_CASE("imap: FETCH THREADID, SEARCH by THREADID and EMAILID (RFC 8474 §5, §6)") {
  CHECK(said_to("FETCH 1:3 THREADID") ==
        "* 1 FETCH (THREADID (T11))\r\n* 2 FETCH (THREADID (T22))\r\n* 3 FETCH (THREADID (T11))\r\n"
        "a OK FETCH completed\r\n");
  CHECK(said_to("FETCH 2 (EMAILID THREADID)") ==
        "* 2 FETCH (EMAILID (M2) THREADID (T22))\r\na OK FETCH completed\r\n");
  struct Case {
    const char* keys;
    const char* answer;
  };
  const Case cases[] = {
      {"THREADID T11", " 1 3"}, {"NOT THREADID T11", " 2"},           {"THREADID t11", ""},
      {"THREADID M2", ""},      {"THREADID T11 BODY how", " 1"},      {"EMAILID M2", " 2"},
      {"EMAILID T22", ""},      {"OR EMAILID M1 EMAILID M3", " 1 3"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.keys);
    CHECK(said_to(std::string("SEARCH ") + each.keys) ==
          "* SEARCH" + std::string(each.answer) + "\r\na OK SEARCH completed\r\n");
  }
}

TEST_CASE("imap: FETCH PREVIEW (RFC 8970 §3)") {
  CHECK(said_to("FETCH 1 PREVIEW") ==
        "* 1 FETCH (PREVIEW \"Hello Bob, how are you?\")\r\na OK FETCH completed\r\n");
  CHECK(said_to("FETCH 1:3 (PREVIEW (LAZY) UID)") ==
        "* 1 FETCH (PREVIEW \"Hello Bob, how are you?\" UID 1)\r\n"
        "* 2 FETCH (PREVIEW {7}\r\nGr\xc3\xbc\xc3\x9f"
        "e UID 2)\r\n"
        "* 3 FETCH (PREVIEW \"\" UID 3)\r\na OK FETCH completed\r\n");
  // It sets no \Seen.
  CHECK(said_to("FETCH 1 (PREVIEW FLAGS)") ==
        "* 1 FETCH (PREVIEW \"Hello Bob, how are you?\" FLAGS ())\r\na OK FETCH completed\r\n");
}

TEST_CASE("imap: PREVIEW (LAZY) is NIL where it would take a look at the message (RFC 8970 §4.1)") {
  const auto forgetful = [](const std::string& command) {
    return dialogue_in_inbox("a " + command + "\r\n", [](Server& server) {
      three(server);
      server.inbox().forget_summary(1);
    });
  };
  CHECK(forgetful("FETCH 1:* PREVIEW (LAZY)") ==
        "* 1 FETCH (PREVIEW NIL)\r\n* 2 FETCH (PREVIEW {7}\r\nGr\xc3\xbc\xc3\x9f"
        "e)\r\n"
        "* 3 FETCH (PREVIEW \"\")\r\na OK FETCH completed\r\n");
  CHECK(forgetful("FETCH 1 PREVIEW") ==
        "* 1 FETCH (PREVIEW \"Hello Bob, how are you?\")\r\na OK FETCH completed\r\n");
  CHECK(forgetful("FETCH 1 (BODY.PEEK[HEADER.FIELDS (X)] PREVIEW (LAZY))").contains(" PREVIEW "));
}

TEST_CASE("imap: a message that is gone has no origin (RFC 2180 §4.1.2)") {
  Server server;
  three(server);
  const auto client = Client::with_inbox(server);
  server.inbox().expunge_now(testing::uid_set({2}), true);
  CHECK(client->say("a FETCH 1:3 (SAVEDATE)") ==
        "* 1 FETCH (SAVEDATE \"09-Jan-1970 23:59:59 +0000\")\r\n"
        "* 3 FETCH (SAVEDATE \"11-Jan-1970 00:00:00 +0000\")\r\n"
        "a NO [EXPUNGEISSUED] Some of the messages were expunged\r\n");
}

TEST_CASE("imap: CAPABILITY tells of SAVEDATE and PREVIEW") {
  const std::string said = dialogue_after_login("a CAPABILITY\r\n");
  CHECK(said.contains(" SAVEDATE"));
  CHECK(said.contains(" PREVIEW"));
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t deleted = static_cast<std::uint8_t>(storage::SystemFlag::deleted);

// EXAMINEd by nobody before: \Recent is left out of the answers.
void three(Server& server) {
  for (int i = 0; i < 3; ++i) server.inbox().put(simple_message("m" + std::to_string(i), "x"));
  server.inbox().claim_recent();
}

}  // namespace

TEST_CASE("imap: STORE answers with the flags of each message (RFC 3501 §6.4.6)") {
  // The example of §6.4.6.
  CHECK(dialogue_in_inbox("A003 STORE 2:3 +FLAGS (\\Deleted)\r\n", three) ==
        "* 2 FETCH (FLAGS (\\Deleted))\r\n* 3 FETCH (FLAGS (\\Deleted))\r\nA003 OK STORE completed\r\n");
  CHECK(
      dialogue_in_inbox(
          "a STORE 1 FLAGS (\\Seen \\Flagged)\r\nb STORE 1 -FLAGS \\Seen\r\nc STORE 1 +FLAGS (\\Flagged)\r\n"
          "d STORE 1 FLAGS ()\r\n",
          three) ==
      "* 1 FETCH (FLAGS (\\Flagged \\Seen))\r\na OK STORE completed\r\n"
      "* 1 FETCH (FLAGS (\\Flagged))\r\nb OK STORE completed\r\n"
      "* 1 FETCH (FLAGS (\\Flagged))\r\nc OK STORE completed\r\n"
      "* 1 FETCH (FLAGS ())\r\nd OK STORE completed\r\n");
}

TEST_CASE("imap: STORE .SILENT has no answer (RFC 3501 §6.4.6)") {
  CHECK(dialogue_in_inbox("a STORE 1:3 +FLAGS.SILENT (\\Seen)\r\nb NOOP\r\nc STORE 1:3 FLAGS.SILENT "
                          "($x)\r\nd FETCH 3 FLAGS\r\n",
                          three) ==
        "a OK STORE completed\r\nb OK NOOP completed\r\n"
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x \\*)] Flags that can be "
        "changed\r\n"
        "c OK STORE completed\r\n* 3 FETCH (FLAGS ($x))\r\nd OK FETCH completed\r\n");
}

TEST_CASE("imap: a STORE .SILENT that meets another session's change is told after all (RFC 3501 §6.4.6)") {
  Server server;
  three(server);
  auto client = Client::with_inbox(server);
  // \Flagged is set by somebody else before the STORE is told.
  server.inbox().change_flags({.uids = testing::uid_set({2}), .system_flags = 4});
  CHECK(client->say("a STORE 1:2 +FLAGS.SILENT (\\Seen)") ==
        "* 2 FETCH (FLAGS (\\Flagged \\Seen))\r\na OK STORE completed\r\n");
}

TEST_CASE("imap: UID STORE answers with UIDs (RFC 3501 §6.4.8)") {
  const auto prepared = [](Server& server) {
    three(server);
    server.inbox().expunge_now(testing::uid_set({1}), true);
  };
  CHECK(dialogue_in_inbox("a UID STORE 1:2 +FLAGS (\\Answered)\r\nb UID STORE 99 +FLAGS (\\Answered)\r\n",
                          prepared) ==
        "* 1 FETCH (UID 2 FLAGS (\\Answered))\r\na OK UID STORE completed\r\nb OK UID STORE completed\r\n");
}

TEST_CASE("imap: a new keyword is announced before the FETCH that shows it (RFC 3501 §7.2.6)") {
  CHECK(dialogue_in_inbox("a STORE 1 +FLAGS ($Forwarded)\r\nb STORE 2 +FLAGS ($forwarded)\r\n", three) ==
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded \\*)] Flags that can "
        "be changed\r\n"
        "* 1 FETCH (FLAGS ($Forwarded))\r\na OK STORE completed\r\n"
        "* 2 FETCH (FLAGS ($Forwarded))\r\nb OK STORE completed\r\n");
}

TEST_CASE("imap: too many keywords are NO [LIMIT] (RFC 5530 §3)") {
  Server server;
  three(server);
  for (int i = 0; i < 256; ++i) server.inbox().put("x", 0, {"k" + std::to_string(i)});
  auto client = Client::logged_in(server);
  CHECK_FALSE(has(client->say("a SELECT INBOX"), "\\*"));
  CHECK(client->say("b STORE 1 +FLAGS (one-more)") == "b NO [LIMIT] Too many keywords in this mailbox\r\n");
}

TEST_CASE("imap: no OK to STORE before it is stored") {
  Server server;
  three(server);
  auto client = Client::with_inbox(server);
  server.store.fail({Errc::disk_full, "full"});
  CHECK(client->say("a STORE 1 +FLAGS (\\Seen)") == "a NO [UNAVAILABLE] No space left on the server\r\n");
  CHECK(client->say("b FETCH 1 FLAGS") == "* 1 FETCH (FLAGS ())\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: COPY and UID COPY with COPYUID (RFC 3501 §6.4.7, RFC 4315 §3)") {
  const auto prepared = [](Server& server) {
    three(server);
    server.inbox().change_flags(
        {.uids = testing::uid_set({2}), .system_flags = deleted, .keywords = {"$Work"}});
    server.store.account().mailbox("MEETING");
  };
  const std::string said = dialogue_in_inbox(
      "A003 COPY 2:3 MEETING\r\nb UID COPY 1,3 MEETING\r\nc COPY 1 nowhere\r\nd UID COPY 77 MEETING\r\n"
      "e SELECT MEETING\r\nf FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n",
      prepared);
  CAPTURE(said);
  CHECK(
      said.starts_with("A003 OK [COPYUID 1002 2:3 1:2] COPY completed\r\n"
                       "b OK [COPYUID 1002 1,3 3:4] UID COPY completed\r\n"
                       "c NO [TRYCREATE] No such mailbox\r\nd OK UID COPY completed\r\n"));
  // Flags, keywords too, go along; in the target it is \Recent.
  CHECK(has(said,
            "* 1 FETCH (FLAGS (\\Deleted \\Recent $Work) BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: "
            "m1\r\n\r\n)"));
}

TEST_CASE("imap: a COPY into the selected mailbox is told as new messages") {
  CHECK(dialogue_in_inbox("a COPY 1 INBOX\r\n", three) ==
        "* 4 EXISTS\r\n* 1 RECENT\r\na OK [COPYUID 1001 1 4] COPY completed\r\n");
}

TEST_CASE("imap: MOVE tells COPYUID, then EXPUNGE (RFC 6851 §3.3, §4.3)") {
  const auto prepared = [](Server& server) {
    three(server);
    server.store.account().mailbox("foo");
  };
  CHECK(dialogue_in_inbox("a UID MOVE 1:2 foo\r\nb MOVE 1 foo\r\nc STATUS foo (MESSAGES)\r\nd UID MOVE 9 "
                          "foo\r\ne UID MOVE 1 nix\r\n",
                          prepared) ==
        "* OK [COPYUID 1002 1:2 1:2] Moved\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\na OK UID MOVE completed\r\n"
        "* OK [COPYUID 1002 3 3] Moved\r\n* 1 EXPUNGE\r\nb OK MOVE completed\r\n"
        "* STATUS foo (MESSAGES 3)\r\nc OK STATUS completed\r\nd OK UID MOVE completed\r\n"
        "e NO [TRYCREATE] No such mailbox\r\n");
}

TEST_CASE("imap: a MOVE within the mailbox gives new UIDs (RFC 6851 §3.3)") {
  CHECK(
      dialogue_in_inbox("a MOVE 1 INBOX\r\n", three) ==
      "* OK [COPYUID 1001 1 4] Moved\r\n* 1 EXPUNGE\r\n* 3 EXISTS\r\n* 1 RECENT\r\na OK MOVE completed\r\n");
}

TEST_CASE("imap: a COPY or MOVE that fails says why and changes nothing") {
  Server server;
  three(server);
  server.store.account().mailbox("foo");
  auto client = Client::with_inbox(server);
  for (const char* command : {"COPY 1 foo", "MOVE 1 foo"}) {
    server.store.fail({Errc::over_quota, "full"}, 1);
    CHECK(client->say("a " + std::string(command)) == "a NO [OVERQUOTA] Over quota\r\n");
  }
  CHECK(has(client->say("b STATUS foo (MESSAGES)"), "MESSAGES 0"));
  CHECK(client->say("c NOOP") == "c OK NOOP completed\r\n");
}

}  // namespace posthorn::imap

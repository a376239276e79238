#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// MESSAGELIMIT and SAVELIMIT (RFC 9738), at 3 and 2 messages.
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t deleted = static_cast<std::uint8_t>(storage::SystemFlag::deleted);

// UIDs 1 to 8 but for 5.
struct Seven : Server {
  Seven() {
    settings.message_limit = 3;
    settings.save_limit = 2;
    for (int i = 1; i <= 8; ++i) inbox().put(simple_message("m" + std::to_string(i), "x"));
    inbox().claim_recent();
    inbox().expunge_now(testing::uid_set({5}), true);
  }
  std::string say(std::string_view line) {
    if (!client) client = Client::with_inbox(*this);
    return client->say(line);
  }
  std::unique_ptr<Client> client;
};

}  // namespace

TEST_CASE("imap: the limits are announced (RFC 9738 §3)") {
  Seven server;
  CHECK(has(server.say("a CAPABILITY"), " MESSAGELIMIT=3 SAVELIMIT=2"));
}

TEST_CASE("imap: FETCH beyond the limit tells the newest, the highest UID first (RFC 9738 §3.1)") {
  Seven server;
  CHECK(server.say("a FETCH 1:* UID") ==
        "* 7 FETCH (UID 8)\r\n* 6 FETCH (UID 7)\r\n* 5 FETCH (UID 6)\r\n"
        "a OK [MESSAGELIMIT 3 6] FETCH completed for the newest messages only\r\n");
  // How a client goes on.
  CHECK(server.say("b UID FETCH 1:5 FLAGS") ==
        "* 4 FETCH (UID 4 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS ())\r\n"
        "b OK [MESSAGELIMIT 3 2] UID FETCH completed for the newest messages only\r\n");
  CHECK(server.say("c UID FETCH 1:1 FLAGS") == "* 1 FETCH (UID 1 FLAGS ())\r\nc OK UID FETCH completed\r\n");
  // What is not there does not count.
  CHECK(server.say("d UID FETCH 4:7 UID") ==
        "* 4 FETCH (UID 4)\r\n* 5 FETCH (UID 6)\r\n* 6 FETCH (UID 7)\r\nd OK UID FETCH completed\r\n");
}

TEST_CASE("imap: FETCH of what is in the index and in files, from the highest UID down") {
  Seven server;
  const std::string said = server.say("a FETCH 1:* (ENVELOPE SAVEDATE EMAILID BODY.PEEK[TEXT])");
  std::size_t at = 0;
  for (const std::string_view subject : {"\"m8\"", "\"m7\"", "\"m6\""}) {
    at = said.find(subject, at);
    CHECK(at != std::string::npos);
  }
  CHECK_FALSE(has(said, "\"m4\""));
}

TEST_CASE("imap: BODY[] beyond the limit marks what it tells, whatever the groups (RFC 9738 §3.1)") {
  Server server;
  server.settings.message_limit = 300;
  for (int i = 0; i < 310; ++i) server.inbox().put("x");
  server.inbox().claim_recent();
  auto client = Client::with_inbox(server);
  const std::string said = client->say("a FETCH 1:* BODY[]");
  std::size_t at = 0;
  for (int number = 310; number > 10; --number) {
    const std::string line = "* " + std::to_string(number) + " FETCH (BODY[] {1}\r\nx FLAGS (\\Seen))\r\n";
    REQUIRE(said.substr(at, line.size()) == line);
    at += line.size();
  }
  CHECK(said.substr(at) == "a OK [MESSAGELIMIT 300 11] FETCH completed for the newest messages only\r\n");
  CHECK(has(client->say("b SEARCH RETURN (ALL) UNSEEN 1:300"), " ALL 1:10\r\n"));
}

TEST_CASE("imap: FETCH beyond the limit, of header fields that are kept") {
  Seven server;
  const std::string said = server.say("a UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])");
  CHECK(said.starts_with(
      "* 7 FETCH (UID 8 BODY[HEADER.FIELDS (Subject)] {15}\r\nSubject: m8\r\n\r\n)\r\n* 6 "));
  CHECK(has(said, "Subject: m6\r\n\r\n)\r\na OK [MESSAGELIMIT 3 6] "));
}

TEST_CASE("imap: what the server tells by itself has no limit (RFC 9738 §3.1)") {
  Seven server;
  server.client = Client::logged_in(server);
  const auto& info = server.inbox().info();
  server.inbox().change_flags({.uids = testing::uid_set({1, 2, 3, 4, 6, 8}), .system_flags = deleted});
  server.say("e ENABLE QRESYNC");
  const std::string said =
      server.say("s SELECT INBOX (QRESYNC (" + std::to_string(info.uid_validity) + " 1))");
  for (const std::string_view uid : {"(UID 1 ", "(UID 4 ", "(UID 8 "}) CHECK(has(said, uid));
  CHECK(has(said, "s OK [READ-WRITE] SELECT completed\r\n"));
  CHECK_FALSE(has(said, "MESSAGELIMIT"));
  // As has what vanished.
  CHECK(has(server.say("a UID FETCH 1:* UID (CHANGEDSINCE 1 VANISHED)"),
            "* VANISHED (EARLIER) 5\r\n* 7 FETCH "));
}

TEST_CASE("imap: the limits where UIDs alone are used (RFC 9586, RFC 9738)") {
  Seven server;
  server.client = Client::logged_in(server);
  server.store.account().mailbox("Archive");
  server.say("e ENABLE UIDONLY\r\ns SELECT INBOX");
  CHECK(server.say("a UID FETCH 1:* FLAGS") ==
        "* 8 UIDFETCH (FLAGS ())\r\n* 7 UIDFETCH (FLAGS ())\r\n* 6 UIDFETCH (FLAGS ())\r\n"
        "a OK [MESSAGELIMIT 3 6] UID FETCH completed for the newest messages only\r\n");
  CHECK(server.say("b UID STORE 1:7 +FLAGS (\\Deleted)") ==
        "* 7 UIDFETCH (FLAGS (\\Deleted))\r\n* 6 UIDFETCH (FLAGS (\\Deleted))\r\n* 4 UIDFETCH (FLAGS "
        "(\\Deleted))\r\n"
        "b OK [MESSAGELIMIT 3 4] UID STORE completed for the newest messages only\r\n");
  CHECK(server.say("c UID SEARCH UIDBEFORE 8 UIDAFTER 3") ==
        "* SEARCH 4 6 7\r\nc OK UID SEARCH completed\r\n");
  CHECK(has(server.say("d UID MOVE 1:* Archive"), "d OK [MESSAGELIMIT 3 6] UID MOVE completed for "));
}

TEST_CASE("imap: with CHANGEDSINCE those that changed count") {
  Seven server;
  server.say("e ENABLE CONDSTORE");
  const auto modseq = std::to_string(server.inbox().snapshot()->highest_modseq());
  server.inbox().change_flags({.uids = testing::uid_set({1, 2, 8}), .system_flags = deleted});
  CHECK(has(server.say("a UID FETCH 1:* UID (CHANGEDSINCE " + modseq + ")"), "a OK UID FETCH completed\r\n"));
}

TEST_CASE("imap: a PARTIAL of FETCH beyond the limit is refused as a whole (RFC 9738 §3.1)") {
  Seven server;
  CHECK(server.say("a UID FETCH 1:* UID (PARTIAL -1:-4)") ==
        "a NO [MESSAGELIMIT 3] Too many messages for one FETCH\r\n");
  CHECK(server.say("b UID FETCH 1:* UID (PARTIAL 1:3)") ==
        "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\nb OK UID FETCH completed\r\n");
}

TEST_CASE("imap: STORE beyond the limit changes the newest (RFC 9738 §3.1)") {
  Seven server;
  CHECK(server.say("a STORE 1:* +FLAGS (\\Seen)") ==
        "* 7 FETCH (FLAGS (\\Seen))\r\n* 6 FETCH (FLAGS (\\Seen))\r\n* 5 FETCH (FLAGS (\\Seen))\r\n"
        "a OK [MESSAGELIMIT 3 6] STORE completed for the newest messages only\r\n");
  CHECK(server.say("b SEARCH RETURN (ALL) UNSEEN UID 1:4") ==
        "* ESEARCH (TAG \"b\") ALL 2:4\r\n"
        "b OK [MESSAGELIMIT 3 2] SEARCH completed for "
        "the newest messages only\r\n");
}

TEST_CASE("imap: where the reply has a code of its own, the limit is told before it (RFC 9738 §3.1)") {
  Seven server;
  server.say("e ENABLE CONDSTORE");
  server.inbox().change_flags({.uids = testing::uid_set({7}), .system_flags = deleted});
  const std::string said = server.say("a UID STORE 1:* (UNCHANGEDSINCE 9) +FLAGS.SILENT (\\Deleted)");
  CHECK(has(said, "* NO [MESSAGELIMIT 3 6] Done for the newest messages only\r\n"));
  CHECK(has(said, "a OK [MODIFIED 7] UID STORE completed, but for some\r\n"));
}

TEST_CASE("imap: COPY is all or nothing (RFC 9738 §3.1)") {
  Seven server;
  auto& archive = server.store.account().mailbox("Archive");
  CHECK(server.say("a COPY 1:3 Archive") == "a NO [MESSAGELIMIT 2 2] Too many messages for one command\r\n");
  CHECK(archive.snapshot()->size() == 0);
  CHECK(has(server.say("b UID COPY 2,5:6 Archive"), "b OK [COPYUID "));
  CHECK(archive.snapshot()->size() == 2);
}

TEST_CASE("imap: MOVE beyond the limit moves the newest (RFC 9738 §3.1)") {
  Seven server;
  auto& archive = server.store.account().mailbox("Archive");
  const std::string said = server.say("a MOVE 1:* Archive");
  CHECK(has(said, " 6:8 1:3] Moved\r\n"));
  CHECK(has(said, "a OK [MESSAGELIMIT 3 6] MOVE completed for the newest messages only\r\n"));
  CHECK(archive.snapshot()->size() == 3);
  CHECK(server.inbox().snapshot()->size() == 4);
}

TEST_CASE("imap: UID EXPUNGE has the limit, EXPUNGE and CLOSE do not (RFC 9738 §3.1)") {
  Seven server;
  server.inbox().change_flags({.uids = testing::uid_set({1, 2, 3, 4, 6}), .system_flags = deleted});
  server.say("n NOOP");
  const std::string said = server.say("a UID EXPUNGE 1:*");
  CHECK(has(said, "a OK [MESSAGELIMIT 3 3] UID EXPUNGE completed for the newest messages only\r\n"));
  CHECK(server.inbox().snapshot()->size() == 4);
  // Only what it would expunge counts.
  CHECK(has(server.say("b UID EXPUNGE 1:*"), "b OK UID EXPUNGE completed\r\n"));
  server.inbox().put("x");
  server.inbox().put("y");
  server.inbox().change_flags({.uids = testing::uid_set({7, 8, 9, 10}), .system_flags = deleted});
  CHECK(has(server.say("c EXPUNGE"), "c OK EXPUNGE completed\r\n"));
  CHECK(server.inbox().snapshot()->size() == 0);
}

TEST_CASE("imap: with QRESYNC the MODSEQ is in the reply, and the limit before it") {
  Seven server;
  server.client = Client::logged_in(server);
  server.say("e ENABLE QRESYNC\r\ns SELECT INBOX");
  server.inbox().change_flags({.uids = testing::uid_set({1, 2, 3, 4}), .system_flags = deleted});
  const std::string said = server.say("a UID EXPUNGE 1:*");
  CHECK(has(said, "* VANISHED 2:4\r\n"));
  CHECK(has(said, "* NO [MESSAGELIMIT 3 2] Done for the newest messages only\r\na OK [HIGHESTMODSEQ "));
}

TEST_CASE("imap: SEARCH looks at the newest, and saves what it found there (RFC 9738 §3.1, §3.4)") {
  Seven server;
  CHECK(server.say("a UID SEARCH ALL") ==
        "* SEARCH 6 7 8\r\na OK [MESSAGELIMIT 3 6] UID SEARCH completed for the newest messages only\r\n");
  CHECK(server.say("b UID SEARCH RETURN (SAVE COUNT) UIDBEFORE 6") ==
        "* ESEARCH (TAG \"b\") UID COUNT 3\r\n"
        "b OK [MESSAGELIMIT 3 2] UID SEARCH completed for the newest messages only\r\n");
  CHECK(server.say("c UID FETCH $ UID") ==
        "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\nc OK UID FETCH completed\r\n");
  CHECK(server.say("d UID SEARCH UIDBEFORE 2") == "* SEARCH 1\r\nd OK UID SEARCH completed\r\n");
  CHECK(server.say("e UID SEARCH UIDAFTER 6 SUBJECT m7") == "* SEARCH 7\r\ne OK UID SEARCH completed\r\n");
  CHECK(server.say("f SEARCH UIDAFTER 8") == "* SEARCH\r\nf OK SEARCH completed\r\n");
}

TEST_CASE("imap: a search of what was saved counts that (RFC 5182 §2.1, RFC 9738 §3.4)") {
  Seven server;
  server.say("a SEARCH RETURN (SAVE) UID 1,3,6");
  CHECK(server.say("b UID SEARCH $") == "* SEARCH 1 3 6\r\nb OK UID SEARCH completed\r\n");
  CHECK(server.say("c UID SEARCH $ UNSEEN $ UIDBEFORE 6") == "* SEARCH 1 3\r\nc OK UID SEARCH completed\r\n");
  CHECK(server.say("d UID SEARCH NOT $") ==
        "* SEARCH 7 8\r\nd OK [MESSAGELIMIT 3 6] UID SEARCH completed for the newest messages only\r\n");
  server.settings.message_limit = 2;
  server.client = Client::with_inbox(server);
  server.say("a SEARCH RETURN (SAVE) UID 1,3\r\n");
  CHECK(server.say("e UID STORE $ +FLAGS.SILENT (\\Seen)") == "e OK UID STORE completed\r\n");
}

TEST_CASE("imap: RETURN tells of the messages that were looked at (RFC 4731 §3.1, RFC 9394 §3.1, RFC 9738)") {
  Seven server;
  const std::string cut = "[MESSAGELIMIT 3 6] UID SEARCH completed for the newest messages only\r\n";
  CHECK(server.say("a UID SEARCH RETURN (MIN MAX COUNT) ALL") ==
        "* ESEARCH (TAG \"a\") UID MIN 6 MAX 8 COUNT 3\r\na OK " + cut);
  CHECK(server.say("b UID SEARCH RETURN (PARTIAL -1:-2) ALL") ==
        "* ESEARCH (TAG \"b\") UID PARTIAL (-1:-2 7:8)\r\nb OK " + cut);
}

TEST_CASE("imap: APPEND of more messages than are allowed stores none (RFC 9738 §3.1)") {
  Seven server;
  server.client = Client::logged_in(server);
  const std::string one = " {3+}\r\nabc";
  CHECK(server.client->send_raw("a APPEND INBOX" + one + one + one + "\r\nb NOOP\r\n") ==
        "a NO [MESSAGELIMIT 2] Too many messages for one APPEND\r\nb OK NOOP completed\r\n");
  CHECK(server.inbox().snapshot()->size() == 7);
  CHECK(has(server.client->send_raw("c APPEND INBOX" + one + one + "\r\n"), "c OK [APPENDUID "));
  CHECK(server.store.live_spools == 0);
}

TEST_CASE("imap: APPEND has a limit of its own, whatever the others are (RFC 9738 §3.1)") {
  Seven server;
  server.settings.message_limit = server.settings.save_limit = 5'000;
  server.client = Client::logged_in(server);
  const auto append = [&](const std::string& one, int count) {
    std::string command = "a APPEND INBOX";
    for (int i = 0; i < count; ++i) command += one;
    return server.client->send_raw(command + "\r\n");
  };
  const std::string refused = "a NO [MESSAGELIMIT 1000] Too many messages for one APPEND\r\n";
  CHECK(append(" {1+}\r\nx", 1'001) == refused);
  CHECK(append(" CATENATE (URL /INBOX;UID=1)", 1'001) == refused);
  CHECK(server.inbox().snapshot()->size() == 7);
  CHECK(has(append(" {1+}\r\nx", 1'000), "a OK [APPENDUID "));
  CHECK(server.inbox().snapshot()->size() == 1'007);
}

TEST_CASE("imap: COPY and APPEND keep to the lower of both limits (RFC 9738 §3)") {
  Seven server;
  server.settings.save_limit = 1'000;
  CHECK(has(server.say("a CAPABILITY"), " MESSAGELIMIT=3 SAVELIMIT=3"));
  server.store.account().mailbox("Archive");
  CHECK(server.say("b COPY 1:4 Archive") == "b NO [MESSAGELIMIT 3 2] Too many messages for one command\r\n");
  CHECK(has(server.say("c COPY 1:3 Archive"), "c OK [COPYUID "));
  const std::string one = " {1+}\r\nx";
  CHECK(has(server.client->send_raw("d APPEND INBOX" + one + one + one + one + "\r\n"),
            "d NO [MESSAGELIMIT 3] "));
}

TEST_CASE("imap: what fails says nothing of a limit") {
  Seven server;
  server.say("n NOOP");
  server.store.fail({Errc::disk_full, "xyzzy"});
  CHECK(server.say("a STORE 1:* +FLAGS (\\Seen)") == "a NO [UNAVAILABLE] No space left on the server\r\n");
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::string message = "Subject: x\r\n\r\ntext\r\n";

}  // namespace

TEST_CASE(
    "imap: APPEND with flags and date, told to the session that has the mailbox selected (RFC 3501 "
    "§6.3.11)") {
  CHECK(
      dialogue_in_inbox("A003 APPEND inbox (\\Seen $Work) \"17-Jul-1996 02:44:25 -0700\" {20}\r\n" + message +
                        "\r\nb FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])\r\n") ==
      "+ OK\r\n"
      "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)\r\n"
      "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] Flags that can be "
      "changed\r\n"
      "* 1 EXISTS\r\n* 1 RECENT\r\nA003 OK [APPENDUID 1001 1] APPEND completed\r\n"
      "* 1 FETCH (FLAGS (\\Seen \\Recent $Work) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" BODY[] {20}\r\n" +
          message + ")\r\nb OK FETCH completed\r\n");
}

TEST_CASE("imap: APPEND without date takes the time of its arrival") {
  CHECK(has(dialogue_in_inbox("a APPEND INBOX {20+}\r\n" + message + "\r\nb FETCH 1 INTERNALDATE\r\n"),
            "INTERNALDATE \"09-Sep-2001 01:46:40 +0000\""));
}

TEST_CASE(
    "imap: APPEND into a mailbox that is not there says TRYCREATE, before the message is sent (RFC 3501 "
    "§6.3.11)") {
  CHECK(dialogue_after_login("a APPEND saved {310}\r\nb NOOP\r\n") ==
        "a NO [TRYCREATE] No such mailbox\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a APPEND saved {20+}\r\n" + message + "\r\nb NOOP\r\n") ==
        "a NO [TRYCREATE] No such mailbox\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: the mailbox of an APPEND may be a literal") {
  CHECK(dialogue_after_login("a APPEND {5}\r\nINBOX (\\Seen) {20}\r\n" + message + "\r\n") ==
        "+ OK\r\n+ OK\r\na OK [APPENDUID 1001 1] APPEND completed\r\n");
}

TEST_CASE("imap: an over-long message is refused without being read (RFC 4469 §5, TOOBIG)") {
  const auto small = [](Server& server) { server.settings.message_octets = 1'000; };
  CHECK(dialogue_after_login("a APPEND INBOX {1001}\r\nb NOOP\r\n", small) ==
        "a NO [TOOBIG] The message is too large\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a APPEND INBOX {99999999999999999999999}\r\nb NOOP\r\n", small) ==
        "a NO [TOOBIG] Too much for one APPEND\r\nb OK NOOP completed\r\n");
  // Sent unasked, it is read past, and not taken for commands (RFC 7888 §4).
  std::string commands;
  while (commands.size() < 1'200) commands += "x LOGOUT\r\n";
  CHECK(dialogue_after_login(
            "a APPEND INBOX {" + std::to_string(commands.size()) + "+}\r\n" + commands + "\r\nb NOOP\r\n",
            small) == "a NO [TOOBIG] The message is too large\r\nb OK NOOP completed\r\n");
  // Beyond what is read past.
  const auto smaller = [](Server& server) {
    server.settings.message_octets = 100;
    server.settings.discarded_octets = 1'000;
  };
  CHECK(dialogue_after_login("a APPEND INBOX {1001+}\r\nxxx", smaller) ==
        "a NO [TOOBIG] The message is too large\r\n* BYE [TOOBIG] The literal is too large\r\n");
}

TEST_CASE("imap: nobody appends before login; little is read for it") {
  CHECK(has(dialogue("a APPEND INBOX {20}\r\nb NOOP\r\n"), "ready\r\na BAD Log in first\r\nb OK"));
  CHECK(has(dialogue("a APPEND INBOX {20+}\r\n" + message + "\r\nb NOOP\r\n"),
            "ready\r\na BAD Log in first\r\nb OK"));
  CHECK(has(dialogue("a APPEND INBOX {41000+}\r\nxxx"), "* BYE [TOOBIG] "));
}

TEST_CASE("imap: a message without octets cancels (RFC 3502 §6.3.11)") {
  CHECK(dialogue_after_login("a APPEND INBOX {0}\r\nb NOOP\r\n") ==
        "a NO [CANNOT] A message has at least one octet\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a APPEND INBOX {20}\r\n" + message + " {0}\r\nb STATUS INBOX (MESSAGES)\r\n") ==
        "+ OK\r\na NO [CANNOT] A message has at least one octet\r\n* STATUS INBOX (MESSAGES 0)\r\nb OK "
        "STATUS completed\r\n");
}

TEST_CASE("imap: several messages in one APPEND (RFC 3502)") {
  CHECK(dialogue_in_inbox("A003 APPEND INBOX (\\Seen) {20}\r\n" + message +
                          " (\\Flagged) \" 7-Feb-1994 22:43:04 -0800\" {20+}\r\n" + message +
                          "\r\nb FETCH 1:2 (FLAGS)\r\n") ==
        "+ OK\r\n* 2 EXISTS\r\n* 2 RECENT\r\nA003 OK [APPENDUID 1001 1:2] APPEND completed\r\n"
        "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n* 2 FETCH (FLAGS (\\Flagged \\Recent))\r\nb OK FETCH "
        "completed\r\n");
}

TEST_CASE("imap: many messages in one APPEND are not held in memory") {
  Server server;
  auto client = Client::logged_in(server);
  const std::string large = "Subject: x\r\n\r\n" + std::string(60'000, 'x');
  std::string command = "a APPEND INBOX";
  for (int i = 0; i < 20; ++i) command += " {" + std::to_string(large.size()) + "+}\r\n" + large;
  CHECK(has(client->send_raw(command + "\r\n"), "a OK [APPENDUID 1001 1:20] "));
  CHECK(server.store.most_spooled < 400'000);
  for (storage::Uid uid = 1; uid <= 20; ++uid) CHECK(*server.inbox().octets(uid) == large);
}

TEST_CASE("imap: no OK to APPEND where a message can't be put aside") {
  Server server;
  auto client = Client::logged_in(server);
  const std::string first = " {300000+}\r\n" + std::string(300'000, 'x');
  client->send_raw("a APPEND INBOX" + first);
  server.store.fail({Errc::io, "disk"}, 1);  // close() goes before
  CHECK(has(client->send_raw(" {20+}\r\n" + message + "\r\n"), "a NO "));
  CHECK(server.inbox().snapshot()->size() == 0);
  CHECK(server.store.live_spools == 0);
}

TEST_CASE("imap: a broken APPEND leaves nothing behind") {
  Server server;
  {
    auto client = Client::logged_in(server);
    CHECK(client->send_raw("a APPEND INBOX {20}\r\n") == "+ OK\r\n");
    CHECK(client->send_raw("Subject:") == "");
    CHECK(server.store.live_spools == 1);
  }
  CHECK(server.store.live_spools == 0);
  CHECK(server.inbox().snapshot()->size() == 0);
  // Rubbish behind the message.
  CHECK(dialogue_after_login("a APPEND INBOX {20+}\r\n" + message +
                             "rubbish\r\nb STATUS INBOX (MESSAGES)\r\n") ==
        "a BAD space expected before message\r\n* STATUS INBOX (MESSAGES 0)\r\nb OK STATUS completed\r\n");
}

TEST_CASE("imap: no OK to APPEND before it is stored; the client's octets are read all the same") {
  for (unsigned skip = 0; skip < 4; ++skip) {
    CAPTURE(skip);
    Server server;
    auto client = Client::logged_in(server);
    server.store.fail({Errc::disk_full, "disk xyzzy"}, skip);  // open, write, close, append
    const std::string said = client->send_raw("a APPEND INBOX {20+}\r\n" + message + "\r\nb NOOP\r\n");
    CHECK(said == "a NO [UNAVAILABLE] No space left on the server\r\nb OK NOOP completed\r\n");
    CHECK(server.inbox().snapshot()->size() == 0);
    CHECK(server.store.live_spools == 0);
  }
}

TEST_CASE("imap: a large message streams to its spool") {
  Server server;
  auto client = Client::logged_in(server);
  const std::string large =
      "Subject: large\r\n\r\n" + std::string(700'000, 'x') + "\r\n.\r\nFrom \x80\xff no end";
  const std::string said =
      client->send_raw("a APPEND INBOX {" + std::to_string(large.size()) + "+}\r\n" + large + "\r\n");
  CHECK(said == "a OK [APPENDUID 1001 1] APPEND completed\r\n");
  CHECK(*server.inbox().octets(1) == large);
}

TEST_CASE("imap: an APPEND that is malformed before its message is refused before that is sent") {
  for (const std::string_view size : {"20", "100016", "99999999999"}) {
    CAPTURE(size);
    const std::string literal = "{" + std::string(size) + "}\r\nb NOOP\r\n";
    CHECK(dialogue_after_login("a APPEND INBOX (\\Recent) " + literal) ==
          "a BAD \\Recent is not a client's to set\r\nb OK NOOP completed\r\n");
    CHECK(dialogue_after_login("a APPEND INBOX \"yesterday\" " + literal) ==
          "a BAD bad day\r\nb OK NOOP completed\r\n");
  }
  CHECK(dialogue_after_login("a APPEND INBOX \"yesterday\" {20+}\r\n" + message + "\r\nb NOOP\r\n") ==
        "a BAD bad day\r\nb OK NOOP completed\r\n");
}

TEST_CASE("imap: flags that are not permanent are passed over (RFC 3501 §7.1, §9)") {
  CHECK(has(dialogue_in_inbox("a APPEND INBOX (\\Forwarded \\Seen) {20+}\r\n" + message +
                              "\r\nb FETCH 1 FLAGS\r\n"),
            "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n"));
}

TEST_CASE("imap: APPENDLIMIT is told, and holds (RFC 7889 §2, §3.1, §4)") {
  const auto small = [](Server& server) { server.settings.message_octets = 19; };
  CHECK(has(dialogue_after_login("t1 CAPABILITY\r\n", small), " APPENDLIMIT=19 "));
  CHECK(dialogue_after_login("t1 STATUS INBOX (APPENDLIMIT MESSAGES)\r\n", small) ==
        "* STATUS INBOX (APPENDLIMIT 19 MESSAGES 0)\r\nt1 OK STATUS completed\r\n");
  CHECK(dialogue_after_login("a APPEND INBOX {20+}\r\n" + message + "\r\n", small) ==
        "a NO [TOOBIG] The message is too large\r\n");
}

TEST_CASE("imap: LITERAL- in place of LITERAL+ (RFC 7888 §5)") {
  const auto minus = [](Server& server) { server.settings.literals = Literals::minus; };
  const std::string capabilities = dialogue_after_login("a CAPABILITY\r\n", minus);
  CHECK(has(capabilities, " LITERAL- "));
  CHECK_FALSE(has(capabilities, "LITERAL+"));
  const std::string most(4096, 'x');
  CHECK(has(dialogue_after_login("a APPEND INBOX {4096+}\r\n" + most + "\r\n", minus), "a OK "));
  CHECK(
      dialogue_after_login("a APPEND INBOX {4097+}\r\n" + most + "x\r\nb NOOP\r\n", minus) ==
      "a BAD [TOOBIG] Literals that are not waited for have at most 4096 octets\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a STATUS {4097+}\r\n" + most + "x (MESSAGES)\r\nb NOOP\r\n", minus) ==
        "a BAD Literals that are not waited for have at most 4096 octets\r\nb OK NOOP completed\r\n");
  CHECK(dialogue_after_login("a APPEND INBOX {4097}\r\n" + most + "x\r\n", minus) ==
        "+ OK\r\na OK [APPENDUID 1001 1] APPEND completed\r\n");
}

TEST_CASE(
    "imap: a message as a literal8 is stored as any; a literal has no NUL (RFC 3501 §9, RFC 3516 §4.4)") {
  CHECK(dialogue_after_login("a APPEND INBOX ~{20+}\r\n" + message + "\r\n") ==
        "a OK [APPENDUID 1001 1] APPEND completed\r\n");
  const std::string nul("a\0b", 3);
  CHECK(dialogue_after_login("a APPEND INBOX {3+}\r\n" + nul + "\r\nb NOOP\r\n") ==
        "a NO [CANNOT] The message has a NUL octet\r\nb OK NOOP completed\r\n");
}

}  // namespace posthorn::imap

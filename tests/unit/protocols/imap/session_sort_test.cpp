#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

// SORT, SORT RETURN and THREAD.
namespace posthorn::imap {
namespace {

constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);

std::string header(std::string_view subject, std::string_view from, std::string_view date,
                   std::string_view more = "") {
  std::string text = "Subject: " + std::string(subject) + "\r\nFrom: " + std::string(from) + "\r\n";
  if (!date.empty()) text += "Date: " + std::string(date) + "\r\n";
  return text + std::string(more) + "\r\nx\r\n";
}

// Five messages with UIDs 101 to 105.
void five(Server& server) {
  testing::MemoryMailbox& inbox = server.inbox();
  storage::UidSet first;
  first.append(1, 100);
  for (int i = 1; i <= 100; ++i) inbox.put("x");
  inbox.expunge_now(first, true);
  inbox.put(header("Re: beta", "Zoe <b@x.example>", "3 Feb 2020 10:00:00 +0000",
                   "Message-ID: <2@x>\r\nReferences: <1@x>\r\nTo: q@x.example\r\n"),
            flagged, {}, 50);
  inbox.put(header("alpha", "=?utf-8?q?=C3=84nne?= <c@x.example>", "1 Feb 2020 10:00:00 +0000",
                   "Message-ID: <3@x>\r\nTo: Paul <p@x.example>\r\n"),
            0, {}, 40);
  inbox.put(header("Beta", "a@x.example", "2 Feb 2020 12:00:00 +0300", "Message-ID: <1@x>\r\n"), flagged, {},
            30);
  inbox.put(header("=?utf-8?q?=C3=A4lpha?=", "B@x.example", "", "Cc: z@x.example\r\n"), 0, {}, 1'580'637'600);
  inbox.put(header("[list] ALPHA (fwd)", "Bob <d@x.example>", "4 Feb 2020 10:00:00 +0000",
                   "Message-ID: <5@x>\r\nReferences: <1@x> <2@x>\r\n\r\nmuch longer"),
            flagged, {}, 10);
  inbox.claim_recent();
}

struct Case {
  std::string said;
  std::string answer;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    CAPTURE(c.said);
    CHECK(dialogue_in_inbox("a " + c.said + "\r\n", five) == c.answer);
  }
}

void check_order(std::initializer_list<std::pair<std::string, std::string>> cases) {
  for (const auto& [criteria, order] : cases) {
    CAPTURE(criteria);
    CHECK(dialogue_in_inbox("a SORT (" + criteria + ") UTF-8 ALL\r\n", five) ==
          "* SORT " + order + "\r\na OK SORT completed\r\n");
  }
}

}  // namespace

TEST_CASE("imap: SORT by each of its criteria (RFC 5256 §3, RFC 5957 §4)") {
  check_order({
      {"ARRIVAL", "5 3 2 1 4"},
      {"REVERSE ARRIVAL", "4 1 2 3 5"},
      // Message 4 has no Date and came on 2 Feb 2020 10:00; 3 was sent at 9:00 UTC.
      {"DATE", "2 3 4 1 5"},
      {"REVERSE DATE", "5 1 4 3 2"},
      // i;unicode-casemap: A before A with diaeresis, "alpha" in any case; ties by number.
      {"SUBJECT", "2 5 4 1 3"},
      {"REVERSE SUBJECT", "1 3 4 2 5"},
      {"SUBJECT REVERSE DATE", "5 2 4 1 3"},
      {"FROM", "3 1 4 2 5"},
      {"DISPLAYFROM", "3 2 4 5 1"},
      {"TO", "3 4 5 2 1"},
      {"DISPLAYTO", "3 4 5 2 1"},
      {"CC", "1 2 3 5 4"},
      {"CC SUBJECT", "2 5 1 3 4"},
  });
}

TEST_CASE("imap: SORT of what is found alone, by number and UID (RFC 5256 §3)") {
  check({
      {"SORT (DATE) UTF-8 FLAGGED", "* SORT 3 1 5\r\na OK SORT completed\r\n"},
      {"UID SORT (DATE) UTF-8 FLAGGED", "* SORT 103 101 105\r\na OK UID SORT completed\r\n"},
      {"UID SORT (DATE) UTF-8 2:4", "* SORT 102 103 104\r\na OK UID SORT completed\r\n"},
      {"SORT (DATE) US-ASCII SUBJECT \"nothing\"", "* SORT\r\na OK SORT completed\r\n"},
      {"SORT (SUBJECT) ISO-8859-1 SUBJECT \"\xe4\"", "* SORT 4\r\na OK SORT completed\r\n"},
  });
}

TEST_CASE("imap: SORT in a charset that is not known (RFC 5256 §3)") {
  CHECK(dialogue_in_inbox("a SORT (DATE) X-NONE ALL\r\nb THREAD REFS X-NONE ALL\r\n", five)
            .starts_with("a NO [BADCHARSET "));
}

TEST_CASE("imap: SORT with RETURN answers ESEARCH, in the order asked for (RFC 5267 §3)") {
  check({
      {"SORT RETURN () (DATE) UTF-8 ALL", "* ESEARCH (TAG \"a\") ALL 2:4,1,5\r\na OK SORT completed\r\n"},
      // Ranges ascend (§3.2).
      {"UID SORT RETURN (ALL) (REVERSE DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") UID ALL 105,101,104,103,102\r\na OK UID SORT completed\r\n"},
      // MIN and MAX are the first and the last (§3.1).
      {"SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") MIN 2 MAX 5 COUNT 5\r\na OK SORT completed\r\n"},
      {"SORT RETURN (MIN MAX COUNT ALL) (DATE) UTF-8 DRAFT",
       "* ESEARCH (TAG \"a\") COUNT 0\r\na OK SORT completed\r\n"},
      {"SORT RETURN (PARTIAL 2:4) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") PARTIAL (2:4 3:4,1)\r\na OK SORT completed\r\n"},
      {"SORT RETURN (PARTIAL 9:4) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") PARTIAL (9:4 1,5)\r\na OK SORT completed\r\n"},
      {"SORT RETURN (PARTIAL -1:-2) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") PARTIAL (-1:-2 1,5)\r\na OK SORT completed\r\n"},
      {"SORT RETURN (PARTIAL -3:-9) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") PARTIAL (-3:-9 2:4)\r\na OK SORT completed\r\n"},
      {"SORT RETURN (PARTIAL 6:9) (DATE) UTF-8 ALL",
       "* ESEARCH (TAG \"a\") PARTIAL (6:9 NIL)\r\na OK SORT completed\r\n"},
  });
}

TEST_CASE("imap: SORT saves what its answer speaks of (RFC 5182 §2, RFC 5267 §3)") {
  const auto saved = [](const std::string& options) {
    const std::string said = dialogue_in_inbox(
        "a SORT RETURN (" + options + ") (DATE) UTF-8 ALL\r\nb SEARCH RETURN (ALL) $\r\n", five);
    const std::size_t at = said.find("* ESEARCH (TAG \"b\")");
    REQUIRE(at != std::string::npos);
    return said.substr(at + 19, said.find("\r\n", at) - at - 19);
  };
  CHECK(saved("SAVE") == " ALL 1:5");
  CHECK(saved("SAVE MIN") == " ALL 2");
  CHECK(saved("SAVE MAX") == " ALL 5");
  CHECK(saved("SAVE MIN COUNT") == " ALL 1:5");
  CHECK(saved("SAVE PARTIAL 2:3") == " ALL 3:4");
  CHECK(saved("SAVE PARTIAL 2:3 MAX") == " ALL 3:5");
  CHECK(dialogue_in_inbox("a SORT RETURN (SAVE) (DATE) UTF-8 FLAGGED\r\nb SORT (DATE) UTF-8 $\r\n", five) ==
        "a OK SORT completed\r\n* SORT 3 1 5\r\nb OK SORT completed\r\n");
  // What is refused saves nothing.
  CHECK(
      dialogue_in_inbox("a SORT RETURN (SAVE) (DATE) UTF-8 ALL\r\nb SORT RETURN (SAVE) (DATE) X-NONE ALL\r\n"
                        "c SEARCH $\r\n",
                        five)
          .ends_with("* SEARCH\r\nc OK SEARCH completed\r\n"));
}

TEST_CASE("imap: SORT tells MODSEQ where it was a key, THREAD never (RFC 7162 §3.1.9, §3.1.10)") {
  const std::string said = dialogue_in_inbox(
      "a SORT (DATE) UTF-8 MODSEQ 1 FLAGGED\r\nb SORT RETURN (ALL) (DATE) UTF-8 MODSEQ 1\r\n"
      "c SORT (DATE) UTF-8 MODSEQ 99999\r\nd UID THREAD REFS UTF-8 MODSEQ 1 UID 104\r\n",
      five);
  CAPTURE(said);
  CHECK(said.contains("* SORT 3 1 5 (MODSEQ "));
  CHECK(said.contains("* ESEARCH (TAG \"b\") ALL 2:4,1,5 MODSEQ "));
  CHECK(said.contains("* SORT\r\nc OK"));
  CHECK(said.contains("* THREAD (104)\r\n"));
  CHECK(said.contains("[HIGHESTMODSEQ "));
}

TEST_CASE("imap: THREAD by each of its algorithms (RFC 5256 §3)") {
  check({
      {"THREAD ORDEREDSUBJECT UTF-8 ALL", "* THREAD (2 5)(3 1)(4)\r\na OK THREAD completed\r\n"},
      {"THREAD REFERENCES UTF-8 ALL", "* THREAD (2)(3 1 5)(4)\r\na OK THREAD completed\r\n"},
      {"UID THREAD REFERENCES UTF-8 ALL",
       "* THREAD (102)(103 101 105)(104)\r\na OK UID THREAD completed\r\n"},
      {"THREAD REFS UTF-8 ALL", "* THREAD (2)(3 1 5)(4)\r\na OK THREAD completed\r\n"},
      // The parent is not among those that match.
      {"THREAD REFERENCES UTF-8 2:5", "* THREAD (2)(3 5)(4)\r\na OK THREAD completed\r\n"},
      {"THREAD REFERENCES UTF-8 DRAFT", "* THREAD\r\na OK THREAD completed\r\n"},
  });
}

TEST_CASE("imap: SORT and THREAD where a message can't be read answer, then NO (RFC 5530 §3)") {
  const auto broken = [](Server& server) {
    five(server);
    server.inbox().make_unreadable(103, Error{Errc::io, "disk on fire"});
  };
  CHECK(dialogue_in_inbox("a SORT (SUBJECT) UTF-8 ALL\r\n", broken) ==
        "* SORT 3 2 5 4 1\r\na NO [UNAVAILABLE] SORT could not read all messages\r\n");
  CHECK(dialogue_in_inbox("a UID THREAD REFERENCES UTF-8 UID 103\r\n", broken) ==
        "* THREAD (103)\r\na NO [UNAVAILABLE] UID THREAD could not read all messages\r\n");
  CHECK(dialogue_in_inbox("a SORT RETURN (SAVE) (SUBJECT) UTF-8 ALL\r\nb SEARCH $\r\n", broken) ==
        "a NO [NOTSAVED] SORT could not read all messages\r\n* SEARCH\r\nb OK SEARCH completed\r\n");
}

TEST_CASE("imap: SORT and THREAD by number hold expunges back, by UID they tell them (RFC 5256 §3)") {
  Server server;
  five(server);
  const auto client = Client::with_inbox(server);
  storage::UidSet gone;
  gone.append(102);
  server.inbox().expunge_now(gone, true);
  CHECK(client->say("a SORT (ARRIVAL) UTF-8 ALL") == "* SORT 5 3 2 1 4\r\na OK SORT completed\r\n");
  CHECK(client->say("a THREAD ORDEREDSUBJECT UTF-8 2") == "* THREAD (2)\r\na OK THREAD completed\r\n");
  CHECK(client->say("a UID SORT (ARRIVAL) UTF-8 FLAGGED") ==
        "* SORT 105 103 101\r\n* 2 EXPUNGE\r\na OK UID SORT completed\r\n");
}

TEST_CASE("imap: SORT and THREAD with UIDONLY enabled (RFC 9586 §3)") {
  const std::string said = dialogue_in_inbox(
      "e ENABLE UIDONLY\r\na SORT (DATE) UTF-8 ALL\r\nb THREAD REFS UTF-8 ALL\r\nc UID SORT (DATE) UTF-8 "
      "1:2\r\n"
      "d UID SORT (DATE) UTF-8 UID 101:102\r\nf UID THREAD REFS UTF-8 UID 101:102\r\n",
      five);
  CAPTURE(said);
  CHECK(said.contains("a BAD [UIDREQUIRED]"));
  CHECK(said.contains("b BAD [UIDREQUIRED]"));
  CHECK(said.contains("c BAD [UIDREQUIRED]"));
  CHECK(said.contains("* SORT 102 101\r\nd OK"));
  CHECK(said.contains("* THREAD (102)(101)\r\nf OK"));
}

TEST_CASE("imap: SORT and THREAD keep to MESSAGELIMIT (RFC 9738 §3.1)") {
  const auto limited = [](Server& server) {
    five(server);
    server.settings.message_limit = 2;
  };
  CHECK(dialogue_in_inbox("a UID SORT (REVERSE DATE) UTF-8 ALL\r\n", limited) ==
        "* SORT 105 104\r\na OK [MESSAGELIMIT 2 104] UID SORT completed for the newest messages only\r\n");
  CHECK(dialogue_in_inbox("a UID THREAD REFS UTF-8 ALL\r\n", limited)
            .ends_with("a OK [MESSAGELIMIT 2 104] UID THREAD completed for the newest messages only\r\n"));
}

TEST_CASE("imap: a SORT without header fields among its criteria reads nothing") {
  Server server;
  five(server);
  const auto client = Client::with_inbox(server);
  CHECK(client->say("a SORT (SIZE ARRIVAL) UTF-8 ALL").contains("* SORT "));
  CHECK(server.store.summary_reads.empty());
  CHECK(client->say("a SORT (DATE) UTF-8 ALL").contains("* SORT "));
  CHECK(server.store.summary_reads.size() == 1);
}

TEST_CASE("imap: SORT and THREAD take a mailbox to be selected") {
  CHECK(dialogue_after_login("a SORT (DATE) UTF-8 ALL\r\nb THREAD REFS UTF-8 ALL\r\n") ==
        "a BAD No mailbox is selected\r\nb BAD No mailbox is selected\r\n");
}

}  // namespace posthorn::imap

#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// What ENABLE IMAP4rev2 changes (RFC 9051 appendix E, whose points are in the names), and what it leaves.
namespace posthorn::imap {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr std::uint8_t seen = static_cast<std::uint8_t>(storage::SystemFlag::seen);
constexpr std::uint8_t flagged = static_cast<std::uint8_t>(storage::SystemFlag::flagged);

constexpr std::string_view composed = "Entw\u00fcrfe";
constexpr std::string_view decomposed = "Entwu\u0308rfe";

// One that enabled IMAP4rev2, without a mailbox.
std::unique_ptr<Client> rev2_client(Server& server) {
  auto client = Client::logged_in(server);
  CHECK(client->say("e ENABLE IMAP4rev2") == "* ENABLED IMAP4rev2\r\ne OK ENABLE completed\r\n");
  return client;
}

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

}  // namespace

TEST_CASE("imap rev2: ENABLE takes it in any case, once, with a mailbox selected too (RFC 9051 §6.3.1)") {
  Server server;
  auto client = Client::with_inbox(server);
  CHECK(client->say("a ENABLE imap4REV2 X-GOOD-IDEA") == "* ENABLED IMAP4rev2\r\na OK ENABLE completed\r\n");
  CHECK(client->say("b ENABLE IMAP4rev2") == "* ENABLED\r\nb OK ENABLE completed\r\n");
  CHECK(client->say("c SEARCH ALL") == "* ESEARCH (TAG \"c\")\r\nc OK SEARCH completed\r\n");
}

TEST_CASE("imap rev2: E 3: STATUS SIZE and DELETED (RFC 9051 §6.3.11)") {
  Server server;
  server.inbox().put("12345", seen);
  server.inbox().put("123", static_cast<std::uint8_t>(storage::SystemFlag::deleted));
  auto client = rev2_client(server);
  CHECK(client->say("a STATUS INBOX (SIZE DELETED UNSEEN MESSAGES)") ==
        "* STATUS INBOX (SIZE 8 DELETED 1 UNSEEN 1 MESSAGES 2)\r\na OK STATUS completed\r\n");
}

TEST_CASE("imap rev2: E 4: SEARCH answers ESEARCH and nothing else (RFC 9051 §6.4.4)") {
  Server server;
  server.inbox().put("x", flagged);
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  CHECK(client->say("a SEARCH FLAGGED") == "* ESEARCH (TAG \"a\") ALL 1\r\na OK SEARCH completed\r\n");
  CHECK(client->say("b UID SEARCH SEEN") == "* ESEARCH (TAG \"b\") UID\r\nb OK UID SEARCH completed\r\n");
  // Texts are UTF-8 without CHARSET (§6.4.4); what is not is BAD.
  server.inbox().put(simple_message("gr\u00fc\u00dfe", "x"));
  CHECK(has(client->say("c SEARCH SUBJECT \"GR\u00dc\""), "* ESEARCH (TAG \"c\") ALL 2\r\n"));
  CHECK(has(client->say("d SEARCH CHARSET UTF-8 SUBJECT \"GR\u00dc\""), "* ESEARCH (TAG \"d\") ALL 2\r\n"));
  CHECK(client->say("f SEARCH SUBJECT \"\xe9\"").starts_with("f BAD "));
  CHECK(client->say("g SEARCH CHARSET X-NONE ALL").starts_with("g NO [BADCHARSET "));
}

TEST_CASE("imap rev2: E 6: parameters in sections are joined (RFC 9051 §7.5.2)") {
  Server server;
  server.inbox().put(
      "Content-Type: text/plain; baz*0=one; baz*1=\" two\"; foo*0*=UTF-8''%C3%BC; foo*1*=%21; "
      "a=b\r\n\r\nx\r\n");
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  CHECK(client->say("a FETCH 1 BODY") ==
        "* 1 FETCH (BODY (\"text\" \"plain\" (\"baz\" \"one two\" \"foo*\" \"\u00fc!\" \"a\" \"b\") NIL NIL "
        "\"7BIT\" 3 1))\r\na OK FETCH completed\r\n");
  auto old = Client::with_inbox(server);
  CHECK(
      has(old->say("a FETCH 1 BODY"), "(\"baz*0\" \"one\" \"baz*1\" \" two\" \"foo*0*\" \"UTF-8''%C3%BC\" "));
}

TEST_CASE("imap rev2: message/global has the form of message/rfc822 (RFC 9051 §9, media-message)") {
  Server server;
  server.inbox().put("Content-Type: message/global\r\n\r\nSubject: \u00fc\r\n\r\nx\r\n");
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  CHECK(has(client->say("a FETCH 1 BODY"), "(BODY (\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 18 (NIL "));
  auto old = Client::with_inbox(server);
  CHECK(has(old->say("a FETCH 1 BODY"), "(BODY (\"message\" \"global\" NIL NIL NIL \"7BIT\" 18))"));
}

TEST_CASE(
    "imap rev2: E 7, E 8: COPYUID of MOVE and UID MOVE; TRYCREATE, and nothing is made (RFC 9051 §6.4.8)") {
  Server server;
  server.inbox().put("1");
  server.inbox().put("2");
  const std::string foo = std::to_string(server.store.account().mailbox("foo").info().uid_validity);
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  CHECK(client->say("a MOVE 1 foo") ==
        "* OK [COPYUID " + foo + " 1 1] Moved\r\n* 1 EXPUNGE\r\na OK MOVE completed\r\n");
  CHECK(has(client->say("b UID MOVE 2 foo"), "* OK [COPYUID " + foo + " 2 2] Moved\r\n"));
  for (const std::string command : {"COPY 1 bar", "UID COPY 1 bar", "MOVE 1 bar", "APPEND bar {1+}\r\nx"}) {
    CAPTURE(command);
    server.inbox().put("x");
    client->say("n NOOP");
    CHECK(has(client->say("c " + command), "c NO [TRYCREATE] "));
  }
  CHECK(has(client->say("d STATUS bar (MESSAGES)"), "d NO [NONEXISTENT] "));
}

TEST_CASE("imap rev2: E 9: CLOSED stands before what is told of the next mailbox (RFC 9051 §7.1)") {
  Server server;
  auto client = rev2_client(server);
  CHECK_FALSE(has(client->say("a SELECT INBOX"), "CLOSED"));
  CHECK(client->say("b EXAMINE INBOX").starts_with("* OK [CLOSED] "));
  // Of a SELECT that fails too; not of CLOSE and UNSELECT.
  CHECK(client->say("c SELECT none").starts_with("* OK [CLOSED] "));
  client->say("d SELECT INBOX");
  CHECK(client->say("e UNSELECT") == "e OK UNSELECT completed\r\n");
  client->say("f SELECT INBOX");
  CHECK(client->say("g CLOSE") == "g OK CLOSE completed\r\n");
}

TEST_CASE("imap rev2: E 10: SELECT and EXAMINE tell LIST, with right attributes (RFC 9051 §6.3.2)") {
  Server server;
  server.store.account().mailbox("Work/Old");
  auto client = rev2_client(server);
  client->say("a CREATE Work (USE (\\Archive))\r\nb SUBSCRIBE Work");
  CHECK(has(client->say("c SELECT INBOX"), "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"));
  CHECK(has(client->say("d SELECT Work"), "* LIST (\\Subscribed \\HasChildren \\Archive) \"/\" Work\r\n"));
  CHECK(has(client->say("e EXAMINE Work/Old"), "* LIST (\\HasNoChildren) \"/\" Work/Old\r\n"));
  CHECK_FALSE(has(Client::logged_in(server)->say("a SELECT INBOX"), "* LIST"));
}

TEST_CASE("imap rev2: E 10: SELECT fails where the list can't be read") {
  Server server;
  auto client = rev2_client(server);
  server.store.fail({Errc::io, "disk on fire"}, 2);
  CHECK(client->say("a SELECT INBOX").starts_with("a NO [UNAVAILABLE] "));
  CHECK(client->say("b CLOSE") == "b BAD No mailbox is selected\r\n");
}

TEST_CASE("imap rev2: E 11, E 12: neither UNSEEN nor RECENT nor \\Recent (RFC 9051 §6.3.2)") {
  Server server;
  server.inbox().put(simple_message("new", "x"));
  auto client = rev2_client(server);
  const std::string said = client->say("b SELECT INBOX");
  CHECK_FALSE(has(said, "RECENT"));
  CHECK_FALSE(has(said, "UNSEEN"));
  CHECK(client->say("c FETCH 1 FLAGS") == "* 1 FETCH (FLAGS ())\r\nc OK FETCH completed\r\n");
  server.inbox().put(simple_message("newer", "x"));
  CHECK(client->say("d NOOP") == "* 2 EXISTS\r\nd OK NOOP completed\r\n");
  for (const std::string command :
       {"SEARCH NEW", "SEARCH OLD", "UID SEARCH NOT RECENT", "SEARCH OR SEEN (NEW)", "STATUS INBOX (RECENT)",
        "LIST \"\" * RETURN (STATUS (MESSAGES RECENT))"}) {
    CAPTURE(command);
    CHECK(client->say("f " + command) == "f BAD IMAP4rev2 has no RECENT\r\n");
  }
  // Whoever did not enable it has them (appendix A).
  server.inbox().put(simple_message("newest", "x"));
  auto old = Client::with_inbox(server);
  CHECK(has(old->say("a STATUS INBOX (RECENT)"), "(RECENT "));
  CHECK(has(old->say("b SEARCH OLD"), "* SEARCH "));
}

TEST_CASE("imap rev2: E 13: PERMANENTFLAGS without \\* once there is no place for keywords (RFC 9051 §7.1)") {
  Server server;
  server.inbox().put("x");
  auto client = rev2_client(server);
  CHECK(has(client->say("s SELECT INBOX"), "\\*)]"));
  for (int begin = 0; begin < 256; begin += 128) {
    std::string keywords;
    for (int i = begin; i < begin + 128; ++i) keywords += " k" + std::to_string(i);
    const std::string said = client->say("a STORE 1 +FLAGS.SILENT (" + keywords.substr(1) + ")");
    CHECK(has(said, "[PERMANENTFLAGS ("));
    CHECK(has(said, "\\*)]") == (begin == 0));
  }
  CHECK(has(client->say("b STORE 1 +FLAGS (one-more)"), "b NO [LIMIT] "));
}

TEST_CASE("imap rev2: E 15: $MDNSent, $Forwarded, $Junk, $NotJunk, $Phishing (RFC 9051 §2.3.2)") {
  Server server;
  server.store.account().mailbox("foo");
  auto client = rev2_client(server);
  client->say("a APPEND INBOX ($MDNSent $Forwarded $Junk) {1+}\r\nx\r\ns SELECT INBOX");
  CHECK(client->say("b STORE 1 +FLAGS ($NotJunk $Phishing)").ends_with("b OK STORE completed\r\n"));
  for (const std::string keyword : {"$MDNSent", "$Forwarded", "$Junk", "$NotJunk", "$Phishing"}) {
    CAPTURE(keyword);
    CHECK(has(client->say("c SEARCH KEYWORD " + keyword), "ALL 1\r\n"));
  }
  client->say("d COPY 1 foo\r\nf MOVE 1 foo\r\ng SELECT foo");
  CHECK(client->say("h FETCH 1:2 FLAGS") ==
        "* 1 FETCH (FLAGS ($MDNSent $Forwarded $Junk $NotJunk $Phishing))\r\n"
        "* 2 FETCH (FLAGS ($MDNSent $Forwarded $Junk $NotJunk $Phishing))\r\nh OK FETCH completed\r\n");
}

TEST_CASE("imap rev2: E 16: names are UTF-8; rev1 has modified UTF-7 (RFC 9051 §5.1, appendix A.1)") {
  Server server;
  auto client = rev2_client(server);
  CHECK(has(client->say("a CREATE " + quoted(composed)), "a OK "));
  CHECK(client->say("b LIST \"\" E*") ==
        "* LIST (\\HasNoChildren) \"/\" " + quoted(composed) + "\r\nb OK LIST completed\r\n");
  CHECK(has(client->say("c STATUS " + quoted(composed) + " (MESSAGES)"), "* STATUS " + quoted(composed)));
  CHECK(client->say("d SELECT \"\xff\"").starts_with("d BAD "));
  CHECK(client->say("f SELECT {1+}\r\n\xff").starts_with("f NO [CANNOT] "));
  auto old = Client::logged_in(server);
  CHECK(old->say("a LIST \"\" E*") ==
        "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\r\na OK LIST completed\r\n");
}

TEST_CASE(
    "imap rev2: E 16: a name that is not in NFC is made so, and OLDNAME tells it (RFC 9051 §5.1, §6.3.9.7)") {
  Server server;
  auto client = rev2_client(server);
  const std::string line = "* LIST (\\HasNoChildren) \"/\" " + quoted(composed) + " (\"OLDNAME\" (" +
                           quoted(decomposed) + "))\r\n";
  const std::string created = client->say("a CREATE " + quoted(decomposed));
  CHECK(created.starts_with(line));
  CHECK(has(created, "a OK [MAILBOXID "));
  CHECK(client->say("b CREATE " + quoted(decomposed)).starts_with("b NO [ALREADYEXISTS] "));
  CHECK(has(client->say("c SELECT " + quoted(decomposed)), line));
  CHECK(client->say("d APPEND " + quoted(decomposed) + " {1+}\r\nx").starts_with(line));
  CHECK(has(client->say("f STATUS " + quoted(decomposed) + " (MESSAGES)"),
            "* STATUS " + quoted(decomposed) + " (MESSAGES 1)\r\n"));
  CHECK(has(client->say("g COPY 1 " + quoted(decomposed)), "g OK [COPYUID "));
  CHECK(has(client->say("h UID MOVE 1 " + quoted(decomposed)), "h OK "));
  CHECK(has(client->say("i SUBSCRIBE " + quoted(decomposed)), "i OK "));
  CHECK(client->say("j LIST (SUBSCRIBED) \"\" " + quoted(decomposed)) ==
        "* LIST (\\Subscribed \\HasNoChildren) \"/\" " + quoted(composed) + "\r\nj OK LIST completed\r\n");
  CHECK(has(client->say("k UNSUBSCRIBE " + quoted(decomposed)), "k OK "));
  client->say("l UNSELECT");
  CHECK(client->say("m DELETE " + quoted(decomposed)) ==
        "* LIST (\\NonExistent \\HasNoChildren) \"/\" " + quoted(composed) + " (\"OLDNAME\" (" +
            quoted(decomposed) + "))\r\nm OK DELETE completed\r\n");
}

TEST_CASE(
    "imap rev2: OLDNAME tells INBOX in another case, as in the sample connection (RFC 9051 §6.3.9.7, §8)") {
  Server server;
  auto client = rev2_client(server);
  const std::string list = "* LIST (\\HasNoChildren) \"/\" ";
  CHECK(has(client->say("a select inbox"), list + "INBOX (\"OLDNAME\" (inbox))\r\n"));
  CHECK(has(client->say("b EXAMINE \"InBox\""), list + "INBOX (\"OLDNAME\" (InBox))\r\n"));
  CHECK(has(client->say("c CREATE {7+}\r\ninbox/x"), list + "INBOX/x (\"OLDNAME\" (inbox/x))\r\n"));
  CHECK(has(client->say("d RENAME Inbox/x inbox/y"), list + "INBOX/y (\"OLDNAME\" (Inbox/x))\r\n"));
  CHECK(has(client->say("e DELETE inbox/y"),
            "* LIST (\\NonExistent \\HasNoChildren) \"/\" INBOX/y (\"OLDNAME\" (inbox/y))\r\n"));
  // INBOX is there behind a RENAME; the others are frequent, and need not tell it.
  CHECK(client->say("f RENAME inbox Saved") == "f OK RENAME completed\r\n");
  CHECK_FALSE(has(client->say("g APPEND inbox {1+}\r\nx"), "OLDNAME"));
  CHECK(has(client->say("h STATUS inbox (MESSAGES)"), "* STATUS INBOX ("));
  CHECK_FALSE(has(Client::logged_in(server)->say("a SELECT inbox"), "LIST"));
}

TEST_CASE("imap rev2: E 16: a mailbox of exactly the name that is given goes before its normal form") {
  Server server;
  server.store.account().mailbox(std::string(decomposed)).put("x");
  auto client = rev2_client(server);
  CHECK(has(client->say("a SELECT " + quoted(decomposed)), "* 1 EXISTS\r\n"));
  CHECK(client->say("b CREATE " + quoted(decomposed)).starts_with("b NO [ALREADYEXISTS] "));
  CHECK(has(client->say("c SELECT " + quoted(composed)), "c NO [NONEXISTENT] "));
  // In modified UTF-7 a name is what it is (appendix A.1).
  auto old = Client::logged_in(server);
  CHECK(has(old->say("a CREATE au&Awg-"), "a OK "));
  CHECK(has(old->say("b LIST \"\" au*"), " au&Awg-\r\n"));
}

TEST_CASE("imap rev2: so does a level of exactly the name, for what is below it") {
  Server server;
  auto& account = server.store.account();
  const std::string parent(decomposed);
  account.mailbox(parent + "/a/" + parent);
  account.mailbox("Plain");
  auto client = rev2_client(server);
  // The level itself is no mailbox; one of the normal form is.
  account.mailbox(std::string(composed)).put("x");
  CHECK(has(client->say("s SELECT " + quoted(parent)), "* 1 EXISTS\r\n"));
  const std::string below = quoted(parent + "/x" + std::string(composed));
  CHECK(has(client->say("a CREATE " + quoted(parent + "/x" + parent)), below + " (\"OLDNAME\" ("));
  CHECK(has(client->say("b RENAME Plain " + quoted(parent + "/Plain")), quoted(parent + "/Plain") + " ("));
  CHECK(has(client->say("c SELECT " + quoted(parent + "/Plain")), "c OK "));
  CHECK(has(client->say("d CREATE " + quoted(parent + "/a/b")), "d OK "));
  CHECK(has(client->say("e CREATE " + quoted(parent + "/a/" + parent + "/" + parent)),
            quoted(parent + "/a/" + parent + "/" + std::string(composed))));
  // What only begins so is another.
  CHECK(has(client->say("f CREATE " + quoted(parent + "s")), quoted(std::string(composed) + "s")));
  CHECK_FALSE(has(client->say("g LIST \"\" *"), '"' + std::string(composed) + '/'));
}

TEST_CASE("imap rev2: STATUS answers for the name that was asked for (RFC 9051 §7.3.4)") {
  Server server;
  server.store.account().mailbox(std::string(composed)).put("x");
  auto client = rev2_client(server);
  CHECK(client->say("a STATUS " + quoted(decomposed) + " (MESSAGES)") ==
        "* STATUS " + quoted(decomposed) + " (MESSAGES 1)\r\na OK STATUS completed\r\n");
}

TEST_CASE("imap rev2: LSUB and XLIST find a decomposed name, and what it is made to") {
  Server server;
  server.store.account().mailbox(std::string(composed));
  auto client = rev2_client(server);
  client->say("s SUBSCRIBE " + quoted(decomposed));
  CHECK(has(client->say("a LSUB \"\" " + quoted(decomposed)), " " + quoted(composed) + "\r\n"));
  CHECK(has(client->say("b XLIST \"\" " + quoted(decomposed)), " " + quoted(composed) + "\r\n"));
  server.store.account().mailbox(std::string(decomposed));
  CHECK(has(client->say("c XLIST \"\" " + quoted(decomposed)), " " + quoted(decomposed) + "\r\n"));
}

TEST_CASE("imap rev2: a URL of CATENATE names a mailbox in any normal form") {
  Server server;
  server.store.account().mailbox(std::string(composed)).put("x");
  auto client = rev2_client(server);
  CHECK(has(client->say("a APPEND INBOX CATENATE (URL \"/Entwu%CC%88rfe/;UID=1\")"), "a OK "));
}

TEST_CASE("imap rev2: RENAME tells the new name with the old one (RFC 9051 §6.3.6, §6.3.9.7)") {
  Server server;
  server.store.account().mailbox("Old/Child");
  auto client = rev2_client(server);
  client->say("a CREATE Old");
  CHECK(client->say("b RENAME Old New") ==
        "* LIST (\\HasChildren) \"/\" New (\"OLDNAME\" (Old))\r\nb OK RENAME completed\r\n");
  CHECK(client->say("c RENAME New " + quoted(decomposed)) ==
        "* LIST (\\HasChildren) \"/\" " + quoted(composed) +
            " (\"OLDNAME\" (New))\r\nc OK RENAME completed\r\n");
  CHECK(client->say("d RENAME " + quoted(decomposed) + " Last") ==
        "* LIST (\\HasChildren) \"/\" Last (\"OLDNAME\" (" + quoted(decomposed) +
            "))\r\nd OK RENAME completed\r\n");
  // INBOX stays; a RENAME that fails tells nothing.
  CHECK(client->say("f RENAME INBOX Saved") == "f OK RENAME completed\r\n");
  CHECK(has(client->say("h RENAME INBOX " + quoted(decomposed)),
            quoted(composed) + " (\"OLDNAME\" (INBOX))\r\nh OK "));
  CHECK(client->say("g RENAME none any") == "g NO [NONEXISTENT] No such mailbox\r\n");
  auto old = Client::logged_in(server);
  CHECK(old->say("a RENAME Last Former") == "a OK RENAME completed\r\n");
}

TEST_CASE("imap rev2: E 17 to 19: what is deprecated is answered to whoever asks for it") {
  Server server;
  server.inbox().put(simple_message("old", "x"));
  auto client = rev2_client(server);
  client->say("s SELECT INBOX\r\nu SUBSCRIBE INBOX");
  CHECK(client->say("a CHECK") == "a OK CHECK completed\r\n");
  CHECK(has(client->say("b LSUB \"\" *"), "* LSUB () \"/\" INBOX\r\n"));
  CHECK(has(client->say("c FETCH 1 RFC822.TEXT"), "* 1 FETCH (RFC822.TEXT {3}\r\nx\r\n"));
}

TEST_CASE("imap rev2: E 21: every FETCH response that nobody asked for has the UID (RFC 9051 §6.3.13)") {
  Server server;
  for (int i = 0; i < 3; ++i) server.inbox().put("x");
  server.inbox().expunge_now(testing::uid_set({1}), true);
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  server.inbox().change_flags({.uids = testing::uid_set({3}), .system_flags = flagged});
  CHECK(client->say("a NOOP") == "* 2 FETCH (UID 3 FLAGS (\\Flagged))\r\na OK NOOP completed\r\n");
  client->say("b IDLE");
  server.inbox().change_flags({.uids = testing::uid_set({2}), .system_flags = seen});
  CHECK(client->listen() == "* 1 FETCH (UID 2 FLAGS (\\Seen))\r\n");
  CHECK(client->say("DONE") == "b OK IDLE completed\r\n");
  // In what was asked for it is not added (§6.4.6, example).
  CHECK(client->say("c STORE 1 +FLAGS (\\Deleted)") ==
        "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\nc OK STORE completed\r\n");
}

TEST_CASE("imap rev2: non-synchronising literals, as LITERAL- has them at least (RFC 9051 §4.3)") {
  Server server;
  auto client = rev2_client(server);
  CHECK(has(client->say("a SELECT {5+}\r\nINBOX"), "a OK "));
  CHECK(client->say("b SEARCH TEXT {0+}\r\n") == "* ESEARCH (TAG \"b\")\r\nb OK SEARCH completed\r\n");
}

TEST_CASE("imap rev2: the search result variable (RFC 9051 §6.4.4.1, table 4)") {
  Server server;
  for (int i = 0; i < 5; ++i) server.inbox().put("x", i == 0 ? seen : flagged);
  auto client = rev2_client(server);
  client->say("s SELECT INBOX");
  CHECK(client->say("a SEARCH RETURN (SAVE) FLAGGED") == "a OK SEARCH completed\r\n");
  CHECK(has(client->say("b SEARCH $"), "* ESEARCH (TAG \"b\") ALL 2:5\r\n"));
  // No SAVE: `$` is what it was, whatever becomes of the SEARCH.
  client->say("c SEARCH SEEN\r\nd SEARCH CHARSET X-NONE ALL\r\nf SEARCH BOGUS");
  CHECK(has(client->say("g UID SEARCH UID $"), "ALL 2:5\r\n"));
  client->say("h SEARCH RETURN (SAVE MIN MAX) FLAGGED");
  CHECK(has(client->say("i SEARCH $"), "ALL 2,5\r\n"));
  CHECK(has(client->say("j SEARCH RETURN (SAVE) CHARSET X-NONE ALL"), "j NO [BADCHARSET "));
  CHECK(client->say("k SEARCH $") == "* ESEARCH (TAG \"k\")\r\nk OK SEARCH completed\r\n");
  CHECK(client->say("l STORE $ +FLAGS (\\Draft)") == "l OK STORE completed\r\n");
  CHECK(client->say("m FETCH $ UID") == "m OK FETCH completed\r\n");
  client->say("n SEARCH RETURN (SAVE) ALL\r\no SELECT INBOX");
  CHECK(client->say("p FETCH $ UID") == "p OK FETCH completed\r\n");
}

TEST_CASE("imap rev2: LIST and STATUS in one command (RFC 9051 §6.3.9.2, §6.3.9.8)") {
  Server server;
  server.store.account().mailbox("bar/below");
  auto client = rev2_client(server);
  CHECK(client->say("a LIST \"\" % RETURN (CHILDREN STATUS (MESSAGES UNSEEN))") ==
        "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 0 UNSEEN 0)\r\n"
        "* LIST (\\NonExistent \\HasChildren) \"/\" bar\r\na OK LIST completed\r\n");
  CHECK(client->say("b LIST (RECURSIVEMATCH) \"\" %").starts_with("b BAD "));
  CHECK(client->say("c LIST (REMOTE RECURSIVEMATCH) \"\" %").starts_with("c BAD "));
  CHECK(client->say("d LIST (BOGUS) \"\" %").starts_with("d BAD "));
  CHECK(client->say("f LIST \"\" % RETURN (BOGUS)").starts_with("f BAD "));
  CHECK(client->say("g LIST (SUBSCRIBED SUBSCRIBED) \"\" %") == "g OK LIST completed\r\n");
}

}  // namespace posthorn::imap

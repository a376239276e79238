#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

namespace {

SearchKey flag(SystemFlag which, bool set = true) { return SearchKey{SearchFlag{which, set}}; }

}  // namespace

TEST_CASE("imap: the commands of any state, and those before login (RFC 3501 §6.1, §6.2)") {
  check_good({
      {"abcd CAPABILITY", "abcd CAPABILITY"},
      {"a002 NOOP", "a002 NOOP"},
      {"A023 LOGOUT", "A023 LOGOUT"},
      {"a006 logout", "a006 LOGOUT"},
      {"a002 STARTTLS", "a002 STARTTLS"},
      {"a001 LOGIN SMITH SESAME", "a001 LOGIN SMITH SESAME"},
      {"A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man", "A001 LOGIN \"FRED FOOBAR\" \"fat man\""},
      {"a LOGIN \"a\\\"b\" \"\\\\\"", "a LOGIN \"a\\\"b\" \"\\\\\""},
      {"a LOGIN joe \"\"", "a LOGIN joe \"\""},
      {"a LOGIN joe p]w", "a LOGIN joe p]w"},
      {"a LOGIN joe {4+}\r\np\r\nw", "a LOGIN joe {4}\r\np\r\nw"},
      {"a LOGIN joe {0}\r\n", "a LOGIN joe \"\""},
      {"a LOGIN j\xc3\xb6 NIL", "a LOGIN {3}\r\nj\xc3\xb6 \"NIL\""},
  });
  CHECK(parsed_as<Login>("LOGIN \"a\\\"b\" \"\\\\\"") == Login{"a\"b", "\\"});
}

TEST_CASE("imap: AUTHENTICATE and its initial response (RFC 3501 §6.2.2, RFC 4959)") {
  check_good({
      {"A001 AUTHENTICATE GSSAPI", "A001 AUTHENTICATE GSSAPI"},
      {"C01 authenticate plain dGVzdAB0ZXN0AHRlc3Q=", "C01 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q="},
      {"C01 AUTHENTICATE EXTERNAL =", "C01 AUTHENTICATE EXTERNAL ="},
      {"C01 AUTHENTICATE PLAIN ", "C01 AUTHENTICATE PLAIN"},
  });
  CHECK(parsed_as<Authenticate>("AUTHENTICATE EXTERNAL =") == Authenticate{"EXTERNAL", ""});
  CHECK(parsed_as<Authenticate>("AUTHENTICATE EXTERNAL") == Authenticate{"EXTERNAL", std::nullopt});
}

TEST_CASE("imap: ID (RFC 2971 §3.1) and ENABLE (RFC 5161 §3.1)") {
  check_good({
      {"a023 ID (\"name\" \"sodr\" \"version\" \"19.34\" \"vendor\" \"Pink Floyd Music Limited\")",
       "a023 ID (\"name\" \"sodr\" \"version\" \"19.34\" \"vendor\" \"Pink Floyd Music Limited\")"},
      {"a042 ID NIL", "a042 ID NIL"},
      {"a042 ID ()", "a042 ID NIL"},
      {"a ID (\"os\" nil)", "a ID (\"os\" NIL)"},
      {"a ID ( \"os\" {3}\r\nBSD )", "a ID (\"os\" \"BSD\")"},
      {"t1 ENABLE CONDSTORE", "t1 ENABLE CONDSTORE"},
      {"t1 ENABLE X-GOOD-IDEA utf8=accept", "t1 ENABLE X-GOOD-IDEA UTF8=ACCEPT"},
  });
  CHECK(parsed_as<Id>("ID (\"os\" NIL)") == Id{{{"os", std::nullopt}}});
}

TEST_CASE("imap: commands that name mailboxes (RFC 3501 §6.3)") {
  check_good({
      {"A142 SELECT INBOX", "A142 SELECT INBOX"},
      {"a002 select inbox", "a002 SELECT INBOX"},
      {"a002 select iNbOx/Work", "a002 SELECT INBOX/Work"},
      {"a002 select inboxes", "a002 SELECT inboxes"},
      {"A932 EXAMINE blurdybloop", "A932 EXAMINE blurdybloop"},
      {"A003 CREATE owatagusiam/", "A003 CREATE owatagusiam"},
      {"A004 CREATE owatagusiam/blurdybloop", "A004 CREATE owatagusiam/blurdybloop"},
      {"a CREATE \"a//\"", "a CREATE a//"},
      {"a CREATE /", "a CREATE /"},
      {"A683 DELETE blurdybloop", "A683 DELETE blurdybloop"},
      {"A683 RENAME blurdybloop sarasoop", "A683 RENAME blurdybloop sarasoop"},
      {"Z433 RENAME INBOX old-mail", "Z433 RENAME INBOX old-mail"},
      {"A002 SUBSCRIBE #news.comp.mail.mime", "A002 SUBSCRIBE #news.comp.mail.mime"},
      {"A002 UNSUBSCRIBE #news.comp.mail.mime", "A002 UNSUBSCRIBE #news.comp.mail.mime"},
      {"a SELECT \"two words\"", "a SELECT \"two words\""},
      {"a SELECT {3}\r\n]()", "a SELECT \"]()\""},
      {"a SELECT \"\"", "a SELECT \"\""},
      {"a NAMESPACE", "a NAMESPACE"},
  });
  CHECK(parsed_as<Create>("CREATE owatagusiam/").mailbox == "owatagusiam");
  CHECK(parsed_as<Select>("EXAMINE x").access == Select::Access::read_only);
}

TEST_CASE(
    "imap: mailbox names are UTF-8 inside, whether they came in modified UTF-7 or raw (RFC 3501 §5.1.3)") {
  const std::string name = "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e";
  CHECK(parsed_as<Select>("SELECT ~peter/mail/&U,BTFw-/&ZeVnLIqe-").mailbox == name);
  CHECK(parsed_as<Select>("SELECT " + name).mailbox == name);
  CHECK(parsed_as<Select>("SELECT \"" + name + "\"").mailbox == name);
  CHECK(parsed_as<Select>("SELECT Tom&-Jerry").mailbox == "Tom&Jerry");
  CHECK(parsed_as<List>("LIST &U,BTFw- &ZeVnLIqe-/%") == List{"\u53f0\u5317", {"\u65e5\u672c\u8a9e/%"}});
  CHECK(parsed_as<List>("LIST (special-use) \"\" *") ==
        List{"", {"*"}, List::Syntax::extended, {.special_use = true}});  // RFC 6154 §5.2
  CHECK(parsed_as<List>("LIST () \"\" % RETURN (SPECIAL-USE)") ==
        List{"", {"%"}, List::Syntax::extended, {}, {.special_use = true}});
  CHECK(to_string({"a", Select{name}}) == "a SELECT ~peter/mail/&U,BTFw-/&ZeVnLIqe-");
}

TEST_CASE("imap: CREATE with special use (RFC 6154 §3, §5.3)") {
  check_good({
      {"t3 CREATE MySpecial (USE (\\Drafts \\Sent))", "t3 CREATE MySpecial (USE (\\Drafts \\Sent))"},
      {"t1 create x (use (\\sent \\SENT \\other))", "t1 CREATE x (USE (\\Sent \\other))"},
      {"t1 CREATE x (USE ())", "t1 CREATE x"},
  });
}

TEST_CASE("imap: LIST and LSUB (RFC 3501 §6.3.8, §6.3.9)") {
  check_good({
      {"A101 LIST \"\" \"\"", "A101 LIST \"\" \"\""},
      {"A102 LIST #news.comp.mail.misc \"\"", "A102 LIST #news.comp.mail.misc \"\""},
      {"A103 LIST /usr/staff/jones \"\"", "A103 LIST /usr/staff/jones \"\""},
      {"A202 LIST ~/Mail/ %", "A202 LIST ~/Mail/ \"%\""},
      {"A82 LIST \"\" *", "A82 LIST \"\" \"*\""},
      {"a list \"\" INBOX*]%", "a LIST \"\" \"INBOX*]%\""},
      {"A002 LSUB \"#news.\" \"comp.mail.*\"", "A002 LSUB #news. \"comp.mail.*\""},
      {"a LIST \"\" {2}\r\n%*", "a LIST \"\" \"%*\""},
  });
}

TEST_CASE("imap: STATUS (RFC 3501 §6.3.10)") {
  check_good({
      {"A042 STATUS blurdybloop (UIDNEXT MESSAGES)", "A042 STATUS blurdybloop (UIDNEXT MESSAGES)"},
      {"a STATUS inbox (messages recent uidnext uidvalidity unseen)",
       "a STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)"},
      {"a STATUS x (UNSEEN UNSEEN)", "a STATUS x (UNSEEN)"},
      {"a STATUS x ( UNSEEN  RECENT ) ", "a STATUS x (UNSEEN RECENT)"},
  });
}

TEST_CASE("imap: APPEND, its message left out (RFC 3501 §6.3.11, RFC 3502)") {
  check_good({
      {"A003 APPEND saved-messages (\\Seen) {310}\r\n", "A003 APPEND saved-messages (\\Seen) {310}\r\n"},
      {"a APPEND x {5+}\r\n", "a APPEND x () {5}\r\n"},
      {"a APPEND x () \" 7-Feb-1994 21:52:25 -0800\" {9}\n",
       "a APPEND x () \"07-Feb-1994 21:52:25 -0800\" {9}\r\n"},
      // flag-extension: not in PERMANENTFLAGS, so passed over (RFC 3501 §7.1, §9).
      {"a APPEND x (\\Forwarded \\Seen) {3}\r\n", "a APPEND x (\\Seen) {3}\r\n"},
      {"a STORE 1 FLAGS \\XYZ", "a STORE 1 FLAGS ()"},
      {"a APPEND {1}\r\nx ($Forwarded \\draft) {0}\r\n ", "a APPEND x (\\Draft $Forwarded) {0}\r\n"},
      {"A003 APPEND saved-messages (\\Seen) {329}\r\n (\\Seen) \" 7-Feb-1994 22:43:04 -0800\" {295}\r\n",
       "A003 APPEND saved-messages (\\Seen) {329}\r\n (\\Seen) \"07-Feb-1994 22:43:04 -0800\" {295}\r\n"},
  });
  const auto append = parsed_as<Append>("APPEND x (\\Seen \\SEEN a A b) {18446744073709551616}\r\n");
  REQUIRE(append.messages.size() == 1);
  CHECK(append.messages[0].flags == FlagList{{SystemFlag::seen}, {"a", "b"}});
  CHECK(append.messages[0].octets() == ~std::uint64_t{0});
}

TEST_CASE("imap: the plain commands of the selected state (RFC 3501 §6.4), IDLE, UNSELECT") {
  check_good({
      {"FXXZ CHECK", "FXXZ CHECK"},
      {"A341 CLOSE", "A341 CLOSE"},
      {"A202 EXPUNGE", "A202 EXPUNGE"},
      {"A101 UID EXPUNGE 3000:3002", "A101 UID EXPUNGE 3000:3002"},
      {"A002 IDLE", "A002 IDLE"},
      {"atag UNSELECT", "atag UNSELECT"},
      {"a NOOP  ", "a NOOP"},
      {"a  uid   expunge  1 ", "a UID EXPUNGE 1"},
  });
}

TEST_CASE("imap: sequence sets stay as written (RFC 3501 §9)") {
  check_good({
      {"a COPY 2,4:7,9,12:* x", "a COPY 2,4:7,9,12:* x"},
      {"a COPY *:4,5:7 x", "a COPY *:4,5:7 x"},
      {"a COPY 4:2 x", "a COPY 4:2 x"},
      {"a COPY * x", "a COPY * x"},
      {"a COPY 1:1,4294967295 x", "a COPY 1,4294967295 x"},
      {"A003 COPY 2:4 MEETING", "A003 COPY 2:4 MEETING"},
      {"a UID MOVE 42:69 foo", "a UID MOVE 42:69 foo"},
      {"a move 1 inbox", "a MOVE 1 INBOX"},
      {"a UID COPY 7 foo", "a UID COPY 7 foo"},
  });
  CHECK(parsed_as<Copy>("COPY *:4,5 x").messages == SequenceSet{{{SequenceRange::largest, 4}, {5, 5}}});
}

TEST_CASE("imap: a range is resolved in either order, and `*` even below its other end (RFC 3501 §9)") {
  CHECK(resolved({2, 4}, 10) == SequenceRange{2, 4});
  CHECK(resolved({4, 2}, 10) == SequenceRange{2, 4});
  CHECK(resolved({SequenceRange::largest, 4}, 10) == SequenceRange{4, 10});
  CHECK(resolved({3291, SequenceRange::largest}, 10) == SequenceRange{10, 3291});
  CHECK(resolved({SequenceRange::largest, SequenceRange::largest}, 10) == SequenceRange{10, 10});
  CHECK(resolved({SequenceRange::largest, SequenceRange::largest}, 0) == SequenceRange{0, 0});
}

TEST_CASE("imap: STORE (RFC 3501 §6.4.6)") {
  check_good({
      {"A003 STORE 2:4 +FLAGS (\\Deleted)", "A003 STORE 2:4 +FLAGS (\\Deleted)"},
      {"a005 store 12 +flags \\deleted", "a005 STORE 12 +FLAGS (\\Deleted)"},
      {"a STORE 1 FLAGS ()", "a STORE 1 FLAGS ()"},
      {"a STORE 1 -FLAGS.SILENT \\Seen $Junk \\Flagged", "a STORE 1 -FLAGS.SILENT (\\Seen \\Flagged $Junk)"},
      {"a UID STORE 1:* flags.silent (\\Answered \\Draft)",
       "a UID STORE 1:* FLAGS.SILENT (\\Answered \\Draft)"},
  });
  const auto store = parsed_as<Store>("UID STORE 9 -FLAGS.SILENT \\Seen");
  CHECK(
      store ==
      Store{
          Numbering::uid, {{{9, 9}}}, Store::Mode::remove, Store::Answer::silent, {{SystemFlag::seen}, {}}});
}

TEST_CASE("imap: the items of FETCH (RFC 3501 §6.4.5)") {
  check_good({
      {"A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
       "A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])"},
      {"a003 fetch 12 full", "a003 FETCH 12 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)"},
      {"a FETCH 1 ALL", "a FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"},
      {"a FETCH 1 Fast", "a FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)"},
      {"a004 fetch 12 body[header]", "a004 FETCH 12 (BODY[HEADER])"},
      {"a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)",
       "a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)"},
      {"a FETCH 1 (BODY BODYSTRUCTURE ENVELOPE UID INTERNALDATE)",
       "a FETCH 1 (BODY BODYSTRUCTURE ENVELOPE UID INTERNALDATE)"},
      {"a FETCH 1 BODY[]", "a FETCH 1 (BODY[])"},
      {"a FETCH 1 body.peek[]<0.2048>", "a FETCH 1 (BODY.PEEK[]<0.2048>)"},
      {"a FETCH 1 BODY[4.2.2.1.MIME]", "a FETCH 1 (BODY[4.2.2.1.MIME])"},
      {"a FETCH 1 BODY[4.1]<512.10>", "a FETCH 1 (BODY[4.1]<512.10>)"},
      {"a FETCH 1 BODY[TEXT]", "a FETCH 1 (BODY[TEXT])"},
      {"a FETCH 1 BODY[3.HEADER]", "a FETCH 1 (BODY[3.HEADER])"},
      {"a FETCH 1 BODY.PEEK[1.HEADER.FIELDS.NOT ( Received \"X Y\" )]",
       "a FETCH 1 (BODY.PEEK[1.HEADER.FIELDS.NOT (Received \"X Y\")])"},
      {"a FETCH 1 BODY[HEADER.FIELDS ({4}\r\nDate)]", "a FETCH 1 (BODY[HEADER.FIELDS (Date)])"},
      {"a FETCH 1 (FLAGS  FLAGS UID)", "a FETCH 1 (FLAGS UID)"},
      {"a UID FETCH 4827313:4828442 FLAGS", "a UID FETCH 4827313:4828442 (FLAGS)"},
  });
  const auto fetch = parsed_as<Fetch>("UID FETCH 7 BODY.PEEK[4.2.HEADER.FIELDS (From)]<5.6>");
  CHECK(fetch.numbering == Numbering::uid);
  REQUIRE(fetch.items.size() == 1);
  CHECK(std::get<FetchBody>(fetch.items[0]) ==
        FetchBody{{{4, 2}, Section::Text::header_fields, {"From"}}, Partial{5, 6}, FetchBody::Seen::peek});
}

TEST_CASE("imap: SEARCH keys (RFC 3501 §6.4.4)") {
  check_good({
      {"A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
       "A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM Smith"},
      {"A283 SEARCH TEXT \"string not in mailbox\"", "A283 SEARCH TEXT \"string not in mailbox\""},
      {"A284 SEARCH CHARSET UTF-8 TEXT {6}\r\n\xd1\x80\xd1\x83\xd1\x81",
       "A284 SEARCH CHARSET UTF-8 TEXT {6}\r\n\xd1\x80\xd1\x83\xd1\x81"},
      {"a UID SEARCH charset us-ascii 100 UID 443:557", "a UID SEARCH CHARSET US-ASCII 100 UID 443:557"},
      {"a SEARCH ALL ANSWERED DELETED DRAFT FLAGGED RECENT SEEN",
       "a SEARCH ALL ANSWERED DELETED DRAFT FLAGGED RECENT SEEN"},
      {"a SEARCH UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN OLD",
       "a SEARCH UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN OLD"},
      {"a SEARCH NEW", "a SEARCH RECENT UNSEEN"},
      {"a SEARCH NOT NEW", "a SEARCH NOT (RECENT UNSEEN)"},
      {"a SEARCH BCC a BODY b CC c FROM d SUBJECT e TO f",
       "a SEARCH BCC a BODY b CC c FROM d SUBJECT e TO f"},
      {"a SEARCH HEADER \"Message-ID\" \"\"", "a SEARCH HEADER Message-ID \"\""},
      {"a SEARCH KEYWORD $Junk UNKEYWORD x", "a SEARCH KEYWORD $Junk UNKEYWORD x"},
      {"a SEARCH BEFORE \"2-Mar-2020\" ON 29-feb-2000 SENTBEFORE 01-Jan-0001",
       "a SEARCH BEFORE 2-Mar-2020 ON 29-Feb-2000 SENTBEFORE 1-Jan-0001"},
      {"a SEARCH SENTON 1-Apr-1999 SENTSINCE 31-Dec-9999",
       "a SEARCH SENTON 1-Apr-1999 SENTSINCE 31-Dec-9999"},
      {"a SEARCH LARGER 4294967296 SMALLER 0", "a SEARCH LARGER 4294967296 SMALLER 0"},
      {"a SEARCH 2,*:4", "a SEARCH 2,*:4"},
      {"a SEARCH *", "a SEARCH *"},
      {"a SEARCH OR SEEN (OLD DRAFT)", "a SEARCH OR SEEN (OLD DRAFT)"},
      {"a SEARCH OR (OR 1 2) 3", "a SEARCH OR OR 1 2 3"},
      {"a SEARCH OR 1 (OR 2 3)", "a SEARCH OR 1 OR 2 3"},
      {"a SEARCH ((SEEN)) (( 1  2 ) 3)", "a SEARCH SEEN ((1 2) 3)"},
  });
}

TEST_CASE("imap: the tree of a search (RFC 3501 §6.4.4)") {
  using enum SystemFlag;
  const auto tree = [](std::string_view keys) {
    return parsed_as<Search>("SEARCH " + std::string(keys)).key;
  };
  CHECK(tree("SEEN") == flag(seen));
  CHECK(tree("NEW") == SearchKey{SearchAnd{{flag(recent), flag(seen, false)}}});
  CHECK(tree("OLD") == flag(recent, false));
  CHECK(tree("NOT DRAFT") == SearchKey{SearchNot{{flag(draft)}}});
  CHECK(tree("OR SEEN DRAFT DELETED") ==
        SearchKey{SearchAnd{{SearchKey{SearchOr{{flag(seen), flag(draft)}}}, flag(deleted)}}});
  CHECK(tree("OR SEEN OR DRAFT DELETED") == SearchKey{SearchOr{{flag(seen), flag(draft), flag(deleted)}}});
  CHECK(tree("UID 5") == SearchKey{SearchNumbers{Numbering::uid, {{{5, 5}}}}});
  CHECK(tree("SENTSINCE 3-Jul-1996") ==
        SearchKey{SearchDate{SearchDate::Of::sent, SearchDate::Relation::since, Day{1996, 7, 3}}});
}

TEST_CASE("imap: an OR chain of a hundred senders is no hundred levels deep") {
  std::string keys;
  for (int i = 0; i < 99; ++i) keys += "OR FROM a" + std::to_string(i) + " ";
  const auto search = parsed_as<Search>("SEARCH " + keys + "FROM z");
  CHECK(std::get<SearchOr>(search.key.key).keys.size() == 100);
}

TEST_CASE("imap: the tag of a command that is refused (RFC 3501 §7.1.3)") {
  CHECK(tag_of("a1 NONSENSE") == "a1");
  CHECK(tag_of("a1") == "a1");
  CHECK(tag_of("a1\r\n") == "a1");
  CHECK(tag_of("a.1] LOGIN \"") == "a.1]");
  CHECK(tag_of("") == "");
  CHECK(tag_of(" a1 NOOP") == "");
  CHECK(tag_of("* OK") == "");
  CHECK(tag_of("+ x") == "");
  CHECK(tag_of("a+1 NOOP") == "");
  CHECK(tag_of(std::string("a\0b NOOP", 8)) == "");
  CHECK(tag_of(std::string(256, 'a') + " NOOP").size() == 256);
  CHECK(tag_of(std::string(257, 'a') + " NOOP") == "");
}

TEST_CASE("imap: DONE ends IDLE, in any case (RFC 2177 §4)") {
  CHECK(is_done("DONE"));
  CHECK(is_done("done "));
  CHECK_FALSE(is_done("a DONE"));
  CHECK_FALSE(is_done("DONE x"));
  CHECK_FALSE(is_done(""));
}

TEST_CASE("imap: date-time (RFC 3501 §9)") {
  CHECK(parse_internal_date("17-Jul-1996 02:44:25 -0700") == InternalDate{837596665, -420});
  CHECK(parse_internal_date(" 1-Jan-1970 00:00:00 +0000") == InternalDate{0, 0});
  CHECK(parse_internal_date("1-Jan-1970 00:00:00 +0000") == InternalDate{0, 0});
  CHECK(parse_internal_date("01-jan-1970 00:30:00 +0530") == InternalDate{1800 - 19800, 330});
  CHECK(parse_internal_date("31-Dec-1998 23:59:60 +0000") == InternalDate{915148800, 0});
  CHECK(parse_internal_date("29-Feb-2000 12:00:00 +0000") == InternalDate{951825600, 0});
  CHECK(parse_internal_date("01-Jan-0000 00:00:00 +0000") == InternalDate{-62167219200, 0});
  for (const char* bad :
       {"", "17-Jul-1996", "17-Jul-1996 02:44:25", "29-Feb-1900 12:00:00 +0000", "32-Jan-2000 00:00:00 +0000",
        "00-Jan-2000 00:00:00 +0000", "1-Foo-2000 00:00:00 +0000", "1-Jan-00 00:00:00 +0000",
        "1-Jan-2000 24:00:00 +0000", "1-Jan-2000 00:60:00 +0000", "1-Jan-2000 00:00:61 +0000",
        "1-Jan-2000 0:00:00 +0000", "1-Jan-2000 00:00:00 GMT", "1-Jan-2000 00:00:00 +00000",
        "1-Jan-2000 00:00:00 +0060", "1-Jan-2000 00:00:00 +0000 "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_internal_date(bad).has_value());
  }
}

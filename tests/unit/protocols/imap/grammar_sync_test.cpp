#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

// CONDSTORE and QRESYNC (RFC 7162), and what clients synchronise and search by beside them.
using namespace posthorn;
using namespace posthorn::imap;

TEST_CASE("imap: SELECT with CONDSTORE (RFC 7162 §3.1.8)") {
  check_good({
      {"a1 SELECT INBOX (CONDSTORE)", "a1 SELECT INBOX (CONDSTORE)"},
      {"a1 examine inbox ( condstore )", "a1 EXAMINE INBOX (CONDSTORE)"},
      {"a1 SELECT INBOX (CONDSTORE CONDSTORE)", "a1 SELECT INBOX (CONDSTORE)"},
      {"a1 SELECT INBOX ", "a1 SELECT INBOX"},
  });
  check_bad({
      {"a SELECT x ()", "no SELECT parameter"},
      {"a SELECT x (CONDSTORE", "space or ')' expected after SELECT parameter"},
      {"a SELECT x(CONDSTORE)", "unexpected text after the command"},
      {"a SELECT x CONDSTORE", "'(' expected before SELECT parameter"},
      {"a SELECT x (CONDSTORE 1)", "unknown SELECT parameter"},
      {"a SELECT x (\"CONDSTORE\")", "unknown SELECT parameter"},
  });
}

TEST_CASE("imap: SELECT with QRESYNC (RFC 7162 §3.2.5)") {
  check_good({
      {"A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
       "A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))"},
      {"A03 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))",
       "A03 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))"},
      {"B04 SELECT INBOX (QRESYNC (67890007 90060115194045000 1:29997 (5000,7500,9000,9990:9999 15000,22500,"
       "27000,29970,29973,29976,29979,29982,29985,29988,29991,29994,29997)))",
       "B04 SELECT INBOX (QRESYNC (67890007 90060115194045000 1:29997 (5000,7500,9000,9990:9999 15000,22500,"
       "27000,29970,29973,29976,29979,29982,29985,29988,29991,29994,29997)))"},
      {"a SELECT x (QRESYNC (1 1))", "a SELECT x (QRESYNC (1 1))"},
      {"a SELECT x (QRESYNC (1 1 (1:2 5,9)))", "a SELECT x (QRESYNC (1 1 (1:2 5,9)))"},
      {"a SELECT x (qresync ( 4294967295  9223372036854775807 9:5 ( 1 7 ) ) condstore)",
       "a SELECT x (CONDSTORE QRESYNC (4294967295 9223372036854775807 9:5 (1 7)))"},
      {"a SELECT x (QRESYNC (1 1 1:4294967295 (1:4294967295 1:4294967295)))",
       "a SELECT x (QRESYNC (1 1 1:4294967295 (1:4294967295 1:4294967295)))"},
  });
  const auto select = parsed_as<Select>("EXAMINE x (QRESYNC (7 8 3:5 (1,2 3:4)))");
  CHECK(select.access == Select::Access::read_only);
  CHECK_FALSE(select.condstore);
  REQUIRE(select.resync.has_value());
  CHECK(*select.resync ==
        QuickResync{7, 8, SequenceSet{{{3, 5}}}, QuickResync::Match{{{{1, 1}, {2, 2}}}, {{{3, 4}}}}});
  CHECK_FALSE(parsed_as<Select>("SELECT x (QRESYNC (7 8 (1 3)))").resync->known_uids.has_value());
}

TEST_CASE("imap: arguments of QRESYNC that are refused (RFC 7162 §3.2.5, §7)") {
  check_bad({
      {"a SELECT x (QRESYNC)", "space expected before arguments of QRESYNC"},
      {"a SELECT x (QRESYNC 1 1)", "'(' expected before UIDVALIDITY"},
      {"a SELECT x (QRESYNC ())", "number expected"},
      {"a SELECT x (QRESYNC (0 1))", "number may not be 0"},
      {"a SELECT x (QRESYNC (4294967296 1))", "number out of range"},
      {"a SELECT x (QRESYNC (1))", "space expected before mod-sequence"},
      {"a SELECT x (QRESYNC (1 0))", "mod-sequence may not be 0"},
      {"a SELECT x (QRESYNC (1 9223372036854775808))", "number out of range"},
      {"a SELECT x (QRESYNC (1 -1))", "number expected"},
      {"a SELECT x (QRESYNC (1 1 *))", "only numbers may stand in known UIDs"},
      {"a SELECT x (QRESYNC (1 1 1:*))", "only numbers may stand in known UIDs"},
      {"a SELECT x (QRESYNC (1 1 $))", "only numbers may stand in known UIDs"},
      {"a SELECT x (QRESYNC (1 1 0:5))", "number may not be 0"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1:* 1:5)))", "only numbers may stand in known sequence numbers"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1 *)))", "only numbers may stand in known UIDs"},
      {"a SELECT x (QRESYNC (1 1 1:5 ($ 1)))", "only numbers may stand in known sequence numbers"},
      {"a SELECT x (QRESYNC (1 1 1:5 ()))", "number expected"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1)))", "space expected before known UIDs"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1,2 3)))", "as many sequence numbers as UIDs expected"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1:4294967295 1)))", "as many sequence numbers as UIDs expected"},
      {"a SELECT x (QRESYNC (1 1 1:5 (2,1 3,4)))", "message sequence match data must ascend"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1,1 3,4)))", "message sequence match data must ascend"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1:3,3:4 1:5)))", "message sequence match data must ascend"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1:2 4:3)))", "message sequence match data must ascend"},
      {"a SELECT x (QRESYNC (1 1 1:5 (1 1) 3))", "')' expected after QRESYNC"},
      {"a SELECT x (QRESYNC (1 1 (1 1) 1:5))", "')' expected after QRESYNC"},
      {"a SELECT x (QRESYNC (1 1 1:5(1 1)))", "')' expected after QRESYNC"},
      {"a SELECT x (QRESYNC (1 1) QRESYNC (1 1))", "QRESYNC stands there twice"},
      {"a SELECT x (QRESYNC (1 1)", "space or ')' expected after SELECT parameter"},
  });
}

TEST_CASE("imap: FETCH with CHANGEDSINCE and VANISHED, and MODSEQ (RFC 7162 §3.1.4, §3.2.6)") {
  check_good({
      {"s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)", "s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)"},
      {"s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
       "s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)"},
      {"a FETCH 1,3,5 (MODSEQ)", "a FETCH 1,3,5 (MODSEQ)"},
      {"a FETCH 1 modseq (changedsince 9223372036854775807)",
       "a FETCH 1 (MODSEQ) (CHANGEDSINCE 9223372036854775807)"},
      // Not of RFC 7162 §7; Thunderbird sends it.
      {"a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)", "a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)"},
      {"a UID FETCH 1 FLAGS (VANISHED CHANGEDSINCE 1)", "a UID FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)"},
  });
  check_bad({
      {"a FETCH 1 FLAGS (CHANGEDSINCE)", "space expected before mod-sequence"},
      {"a FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)", "number out of range"},
      {"a FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", "FETCH modifier stands there twice"},
      {"a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)", "VANISHED is for UID FETCH"},
      {"a FETCH 1 FLAGS (VANISHED)", "VANISHED is for UID FETCH"},
      {"a UID FETCH 1 FLAGS (VANISHED)", "VANISHED needs CHANGEDSINCE"},
      {"a UID FETCH 1 FLAGS (VANISHED PARTIAL 1:2)", "VANISHED needs CHANGEDSINCE"},
      {"a FETCH 1 FLAGS ()", "no FETCH modifier"},
      {"a FETCH 1 FLAGS (CHANGEDSINCE 1", "space or ')' expected after FETCH modifier"},
      {"a FETCH 1 FLAGS (CHANGEDSINCE 1) (CHANGEDSINCE 1)", "unexpected text after the command"},
      {"a FETCH 1 FLAGS(CHANGEDSINCE 1)", "unexpected text after the command"},
  });
}

TEST_CASE("imap: UID FETCH with PARTIAL (RFC 9394 §3.3, §4)") {
  check_good({
      {"10 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-3)",
       "10 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-3)"},
      {"11 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL 1:5)",
       "11 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL 1:5)"},
      {"101 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-30 CHANGEDSINCE 98305)",
       "101 UID FETCH 25900:26600 (UID FLAGS) (CHANGEDSINCE 98305 PARTIAL -1:-30)"},
      {"a UID FETCH 1:* FLAGS (partial 500:400)", "a UID FETCH 1:* (FLAGS) (PARTIAL 500:400)"},
      {"a UID FETCH 1:* FLAGS (PARTIAL 1:4294967295 VANISHED CHANGEDSINCE 1)",
       "a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED PARTIAL 1:4294967295)"},
  });
  CHECK(parsed_as<Fetch>("UID FETCH 1 UID (PARTIAL -4:-2)").partial ==
        PartialRange{PartialRange::From::newest, 4, 2});
  check_bad({
      {"a FETCH 1 FLAGS (PARTIAL 1:2)", "PARTIAL is for UID FETCH"},
      {"a UID FETCH 1 FLAGS (PARTIAL)", "space expected before partial range"},
      {"a UID FETCH 1 FLAGS (PARTIAL 1)", "':' expected in a partial range"},
      {"a UID FETCH 1 FLAGS (PARTIAL 0:1)", "number may not be 0"},
      {"a UID FETCH 1 FLAGS (PARTIAL -0:-1)", "number may not be 0"},
      {"a UID FETCH 1 FLAGS (PARTIAL 1:-2)", "number expected"},
      {"a UID FETCH 1 FLAGS (PARTIAL -1:2)", "'-' expected in a partial range"},
      {"a UID FETCH 1 FLAGS (PARTIAL 1:*)", "number expected"},
      {"a UID FETCH 1 FLAGS (PARTIAL 1:4294967296)", "number out of range"},
      {"a UID FETCH 1 FLAGS (PARTIAL 1:2 PARTIAL 3:4)", "FETCH modifier stands there twice"},
  });
}

TEST_CASE("imap: STORE with UNCHANGEDSINCE (RFC 7162 §3.1.3)") {
  check_good({
      {"a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)",
       "a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)"},
      {"c101 STORE 50:52 (unchangedsince 0) -flags $Processed",
       "c101 STORE 50:52 (UNCHANGEDSINCE 0) -FLAGS ($Processed)"},
      {"a STORE 1 (UNCHANGEDSINCE 9223372036854775807) FLAGS ()",
       "a STORE 1 (UNCHANGEDSINCE 9223372036854775807) FLAGS ()"},
  });
  check_bad({
      {"a STORE 1 () FLAGS ()", "no STORE modifier"},
      {"a STORE 1 (UNCHANGEDSINCE) FLAGS ()", "space expected before mod-sequence"},
      {"a STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS ()", "number out of range"},
      {"a STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1) FLAGS ()", "UNCHANGEDSINCE stands there twice"},
      {"a STORE 1 (UNCHANGEDSINCE 1)FLAGS ()", "space expected before what to store"},
      {"a STORE 1 FLAGS () (UNCHANGEDSINCE 1)", "unexpected text after the command"},
  });
}

TEST_CASE("imap: SEARCH by mod-sequence (RFC 7162 §3.1.5)") {
  check_good({
      {"a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
       "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338"},
      {"t SEARCH OR NOT MODSEQ 720162338 LARGER 50000", "t SEARCH OR NOT MODSEQ 720162338 LARGER 50000"},
      {"a SEARCH modseq \"/FLAGS/$MDNSent\" SHARED 0", "a SEARCH MODSEQ \"/FLAGS/$MDNSent\" shared 0"},
      {"a SEARCH (MODSEQ \"/flags/x\" priv 1 SEEN)", "a SEARCH MODSEQ \"/flags/x\" priv 1 SEEN"},
  });
  CHECK(parsed_as<Search>("SEARCH MODSEQ \"/flags/\\\\Seen\" priv 7").key ==
        SearchKey{SearchModSequence{
            7, SearchModSequence::Entry{"/flags/\\Seen", SearchModSequence::Entry::Of::own}}});
  check_bad({
      {"a SEARCH MODSEQ", "space expected before mod-sequence"},
      {"a SEARCH MODSEQ x", "number expected"},
      {"a SEARCH MODSEQ 9223372036854775808", "number out of range"},
      {"a SEARCH MODSEQ \"/flags/x\" 1", "unknown type of metadata entry"},
      {"a SEARCH MODSEQ \"/flags/x\" all", "space expected before mod-sequence"},
      {"a SEARCH MODSEQ \"/comment\" all 1", "unknown metadata entry"},
      {"a SEARCH MODSEQ \"/flags/\" all 1", "unknown metadata entry"},
      {"a SEARCH MODSEQ \"/flags/\\\\\" all 1", "unknown metadata entry"},
      {"a SEARCH MODSEQ \"/flags/a b\" all 1", "unknown metadata entry"},
      {"a SEARCH MODSEQ \"/flags/\\\\Recent\" all 1", "unknown metadata entry"},
  });
}

TEST_CASE("imap: `$` is what the last search saved, wherever a set may stand (RFC 5182 §2.1, §3)") {
  check_good({
      {"A283 FETCH $ (UID INTERNALDATE FLAGS RFC822.HEADER)",
       "A283 FETCH $ (UID INTERNALDATE FLAGS RFC822.HEADER)"},
      {"A301 UID SEARCH UID $ SMALLER 4096", "A301 UID SEARCH UID $ SMALLER 4096"},
      {"A301 UID SEARCH $ SMALLER 4096", "A301 UID SEARCH $ SMALLER 4096"},
      {"P283 SEARCH CHARSET UTF-8 (OR $ 1,3000:3021) TEXT {8}\r\nYYYYYYYY",
       "P283 SEARCH CHARSET UTF-8 OR $ 1,3000:3021 TEXT YYYYYYYY"},
      {"E283 COPY $ \"Other Messages\"", "E283 COPY $ \"Other Messages\""},
      {"F284 STORE $ +FLAGS.Silent (\\Deleted)", "F284 STORE $ +FLAGS.SILENT (\\Deleted)"},
      {"a UID MOVE $ x", "a UID MOVE $ x"},
      {"a UID EXPUNGE $", "a UID EXPUNGE $"},
      {"a UID STORE $ (UNCHANGEDSINCE 1) FLAGS ()", "a UID STORE $ (UNCHANGEDSINCE 1) FLAGS ()"},
  });
  CHECK(parsed_as<Copy>("COPY $ x").messages == SequenceSet{{}, true});
  check_bad({
      {"a COPY $,1 x", "space expected before mailbox name"},
      {"a COPY 1,$ x", "number expected"},
      {"a COPY $:5 x", "space expected before mailbox name"},
      {"a COPY 5:$ x", "number expected"},
      {"a COPY $$ x", "space expected before mailbox name"},
      {"a SEARCH $1", "unexpected text after the command"},
  });
}

TEST_CASE("imap: SEARCH RETURN (RFC 4731 §3.1, RFC 5182 §2.1, RFC 9394 §3.1)") {
  check_good({
      {"C282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
       "C282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM Smith"},
      {"C283 SEARCH RETURN () TEXT \"string not in mailbox\"",
       "C283 SEARCH RETURN (ALL) TEXT \"string not in mailbox\""},
      {"A282 SEARCH RETURN (SAVE) FLAGGED", "A282 SEARCH RETURN (SAVE) FLAGGED"},
      {"E286 UID SEARCH RETURN (min max all count save) 1",
       "E286 UID SEARCH RETURN (MIN MAX ALL COUNT SAVE) 1"},
      {"a SEARCH RETURN (COUNT COUNT) CHARSET utf-8 ALL", "a SEARCH RETURN (COUNT) CHARSET UTF-8 ALL"},
      {"A01 UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED UNKEYWORD $Junk",
       "A01 UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED UNKEYWORD $Junk"},
      {"A02 UID SEARCH RETURN (SAVE PARTIAL 23500:24000 MIN) ALL",
       "A02 UID SEARCH RETURN (MIN SAVE PARTIAL 23500:24000) ALL"},
  });
  CHECK_FALSE(parsed_as<Search>("SEARCH ALL").returned.has_value());
  CHECK(parsed_as<Search>("SEARCH RETURN () ALL").returned == SearchReturn{.all = true});
  check_bad({
      {"a SEARCH RETURN", "space expected before return options"},
      {"a SEARCH RETURN MIN ALL", "'(' expected before return option"},
      {"a SEARCH RETURN (MIN)", "space expected before search key"},
      {"a SEARCH RETURN (FIRST) ALL", "unknown return option"},
      {"a SEARCH RETURN (RELEVANCY) ALL", "unknown return option"},
      {"a SEARCH RETURN (ALL PARTIAL 1:2) ALL", "only one ALL or PARTIAL may be asked for"},
      {"a SEARCH RETURN (PARTIAL 1:2 ALL) ALL", "only one ALL or PARTIAL may be asked for"},
      {"a SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL", "only one ALL or PARTIAL may be asked for"},
      {"a SEARCH RETURN (PARTIAL 1:*) ALL", "number expected"},
      {"a SEARCH CHARSET UTF-8 RETURN (MIN) ALL", "unknown search key"},
      {"a SEARCH ALL RETURN (MIN)", "unknown search key"},
  });
}

TEST_CASE("imap: object identifiers (RFC 8474 §5, §7)") {
  check_good({
      {"26 fetch 1:* (UID EMAILID THREADID)", "26 FETCH 1:* (UID EMAILID THREADID)"},
      {"27 search emailid M6d99ac3275bb4e THREADID T_64-b",
       "27 SEARCH EMAILID M6d99ac3275bb4e THREADID T_64-b"},
      {"28 SEARCH EMAILID \"M1\"", "28 SEARCH EMAILID M1"},
      {"4 STATUS foo (MAILBOXID)", "4 STATUS foo (MAILBOXID)"},
  });
  check_good({{"a SEARCH EMAILID NIL", "a SEARCH EMAILID \"NIL\""}});
  check_bad({
      {"a SEARCH EMAILID", "space expected before object identifier"},
      {"a SEARCH EMAILID M.1", "bad object identifier"},
      {"a SEARCH EMAILID \"\"", "bad object identifier"},
      {"a SEARCH THREADID (T1)", "object identifier expected"},
  });
  CHECK(parse_command("a SEARCH EMAILID " + std::string(255, 'x')).has_value());
  CHECK(code_of("a SEARCH EMAILID " + std::string(256, 'x')) == Errc::malformed);
}

TEST_CASE("imap: the save date (RFC 8514 §4)") {
  check_good({
      {"a FETCH 998 (UID SAVEDATE)", "a FETCH 998 (UID SAVEDATE)"},
      {"B UID SEARCH SAVEDON \"28-Dec-2014\"", "B UID SEARCH SAVEDON 28-Dec-2014"},
      {"C SEARCH OR SAVEDBEFORE 1-Feb-1994 SAVEDSINCE 1-Mar-1994",
       "C SEARCH OR SAVEDBEFORE 1-Feb-1994 SAVEDSINCE 1-Mar-1994"},
      {"C SEARCH NOT savedatesupported", "C SEARCH NOT SAVEDATESUPPORTED"},
  });
  check_bad({
      {"a SEARCH SAVEDON", "space expected before date"},
  });
}

TEST_CASE("imap: PREVIEW, lazily or not (RFC 8970 §3, §6)") {
  check_good({
      {"A1 FETCH 1 (RFC822.SIZE PREVIEW)", "A1 FETCH 1 (RFC822.SIZE PREVIEW)"},
      {"A1 FETCH 2:4 (PREVIEW (LAZY))", "A1 FETCH 2:4 (PREVIEW (LAZY))"},
      {"A1 FETCH 2:4 (UID preview ( lazy LAZY ) FLAGS)", "A1 FETCH 2:4 (UID PREVIEW (LAZY) FLAGS)"},
      {"A1 FETCH 2 PREVIEW (LAZY)", "A1 FETCH 2 (PREVIEW (LAZY))"},
      {"A1 FETCH 2 PREVIEW (CHANGEDSINCE 5)", "A1 FETCH 2 (PREVIEW) (CHANGEDSINCE 5)"},
      {"A1 FETCH 2 PREVIEW (LAZY) (CHANGEDSINCE 5)", "A1 FETCH 2 (PREVIEW (LAZY)) (CHANGEDSINCE 5)"},
  });
  check_bad({
      {"a FETCH 1 (PREVIEW ())", "unknown FETCH item"},
      {"a FETCH 1 (PREVIEW (EAGER))", "unknown FETCH item"},
      {"a FETCH 1 (PREVIEW (LAZY EAGER))", "unknown FETCH item"},
      {"a FETCH 1 PREVIEW (FUZZY)", "unknown FETCH modifier"},
      {"a FETCH 1 PREVIEW(LAZY)", "unexpected text after the command"},
  });
  std::string name;
  append_response_name(name, FetchAttribute::preview_lazy);
  CHECK(name == "PREVIEW");
}

TEST_CASE("imap: BINARY (RFC 3516 §4.2, §7)") {
  check_good({
      {"001 FETCH 7 BINARY[3]", "001 FETCH 7 (BINARY[3])"},
      {"a FETCH 1 (BINARY[] BINARY.PEEK[1.2]<0.1024> BINARY.SIZE[1.2])",
       "a FETCH 1 (BINARY[] BINARY.PEEK[1.2]<0.1024> BINARY.SIZE[1.2])"},
      {"a UID FETCH 1 binary.size[]", "a UID FETCH 1 (BINARY.SIZE[])"},
  });
  const auto fetch = parsed_as<Fetch>("FETCH 1 BINARY.PEEK[4.2]<5.6>");
  CHECK(fetch.items == std::vector<FetchItem>{FetchBinary{{4, 2}, Partial{5, 6}, FetchBody::Seen::peek}});
  check_bad({
      {"a FETCH 1 BINARY[TEXT]", "part numbers and ']' expected"},
      {"a FETCH 1 BINARY[1.MIME]", "part numbers and ']' expected"},
      {"a FETCH 1 BINARY[1.]", "bad section"},
      {"a FETCH 1 BINARY[0]", "number may not be 0"},
      {"a FETCH 1 BINARY[1", "bad section"},
      {"a FETCH 1 BINARY[1]<0.0>", "count of a partial may not be 0"},
      {"a FETCH 1 (BINARY.SIZE[1]<0.5>)", "space or ')' expected after FETCH item"},
      {"a FETCH 1 BINARY.SIZE.PEEK[1]", "unknown FETCH item"},
  });
  std::string name;
  append_response_name(name, FetchBinary{{4, 2}, Partial{5, 6}, FetchBody::Seen::peek});
  CHECK(name == "BINARY[4.2]<5>");
}

TEST_CASE("imap: Gmail's items are unknown (docs/imap.md says why)") {
  check_bad({
      {"a FETCH 1 X-GM-MSGID", "unknown FETCH item"},
      {"a FETCH 1 (UID X-GM-LABELS)", "unknown FETCH item"},
      {"a STORE 1 +X-GM-LABELS (foo)", "FLAGS or FLAGS.SILENT expected"},
      {"a SEARCH X-GM-RAW \"has:attachment\"", "unknown search key"},
      {"a SEARCH X-GM-THRID 1266894439832287888", "unknown search key"},
  });
}

TEST_CASE("imap: COMPRESS (RFC 4978 §5) and UNAUTHENTICATE (RFC 8437 §6)") {
  check_good({
      {"a COMPRESS DEFLATE", "a COMPRESS DEFLATE"},
      {"a compress deflate ", "a COMPRESS DEFLATE"},
      {"a unauthenticate", "a UNAUTHENTICATE"},
  });
  check_bad({
      {"a COMPRESS", "space expected before compression algorithm"},
      {"a COMPRESS LZ4", "unknown compression algorithm"},
      {"a COMPRESS DEFLATE 9", "unexpected text after the command"},
      {"a COMPRESS \"DEFLATE\"", "unknown compression algorithm"},
      {"a UNAUTHENTICATE now", "unexpected text after the command"},
  });
}

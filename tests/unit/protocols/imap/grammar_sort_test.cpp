#include "tests/unit/protocols/imap/grammar_cases.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

TEST_CASE("imap: SORT, its criteria and its charset (RFC 5256 §5, RFC 5957 §5)") {
  check_good({
      {"A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994", "A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994"},
      {"A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL"},
      {"A284 SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"",
       "A284 SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\""},
      {"a uid sort ( arrival reverse cc ) \"utf-8\" unseen 1:2",
       "a UID SORT (ARRIVAL REVERSE CC) UTF-8 UNSEEN 1:2"},
      {"a SORT (DISPLAYFROM DISPLAYTO FROM SIZE TO REVERSE SIZE) UTF-8 $",
       "a SORT (DISPLAYFROM DISPLAYTO FROM SIZE TO REVERSE SIZE) UTF-8 $"},
  });
  const auto sort = parsed_as<Sort>("UID SORT (REVERSE DATE SUBJECT) utf-8 ALL");
  using Key = SortCriterion::Key;
  CHECK(sort.criteria == std::vector<SortCriterion>{{Key::date, true}, {Key::subject, false}});
  CHECK(sort.search.numbering == Numbering::uid);
  CHECK(sort.search.charset == "UTF-8");
  check_bad({
      {"a SORT", "space expected before sort criteria"},
      {"a SORT DATE UTF-8 ALL", "'(' expected before sort criterion"},
      {"a SORT () UTF-8 ALL", "sort criterion expected"},
      {"a SORT (REVERSE) UTF-8 ALL", "space expected before sort criterion"},
      {"a SORT (REVERSE REVERSE DATE) UTF-8 ALL", "unknown sort criterion"},
      {"a SORT (BCC) UTF-8 ALL", "unknown sort criterion"},
      {"a SORT (DATE)", "space expected before charset"},
      {"a SORT (DATE) \"\" ALL", "charset expected"},
      {"a SORT (DATE) UTF-8", "space expected before search key"},
      {"a SORT (DATE) UTF-8 NONSENSE", "unknown search key"},
  });
  // The charset is no option, UTF8=ACCEPT or not (RFC 6855 §3 speaks of SEARCH).
  check_good({{"a SORT (DATE) UTF-8 ALL", "a SORT (DATE) UTF-8 ALL"}}, utf8_accept);
}

TEST_CASE("imap: SORT with RETURN (RFC 5267 §3, §5)") {
  check_good({
      {"E01 UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk",
       "E01 UID SORT RETURN (ALL) (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk"},
      {"a SORT return (min MAX count Save) (DATE) UTF-8 ALL",
       "a SORT RETURN (MIN MAX COUNT SAVE) (DATE) UTF-8 ALL"},
      {"a SORT RETURN (PARTIAL -1:-100) (DATE) UTF-8 ALL",
       "a SORT RETURN (PARTIAL -1:-100) (DATE) UTF-8 ALL"},
  });
  check_bad({
      {"a SORT RETURN (ALL PARTIAL 1:2) (DATE) UTF-8 ALL", "only one ALL or PARTIAL may be asked for"},
      {"a SORT RETURN (NONSENSE) (DATE) UTF-8 ALL", "unknown return option"},
      {"a SORT RETURN (DATE) UTF-8 ALL", "unknown return option"},
      {"a SORT RETURN (ALL) UTF-8 ALL", "'(' expected before sort criterion"},
  });
}

TEST_CASE("imap: a SORT has a bound on its criteria") {
  const auto sort = [](std::size_t criteria) {
    return "a SORT (DATE" + repeated(" REVERSE SIZE", criteria - 1) + ") UTF-8 ALL";
  };
  CHECK(parse_command(sort(max_sort_criteria)).has_value());
  CHECK(code_of(sort(max_sort_criteria + 1)) == Errc::too_large);
}

TEST_CASE("imap: THREAD and its algorithms (RFC 5256 §5)") {
  check_good({
      {"A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000",
       "A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 5-Mar-2000"},
      {"A284 THREAD ORDEREDSUBJECT US-ASCII TEXT \"gewp\"", "A284 THREAD ORDEREDSUBJECT US-ASCII TEXT gewp"},
      {"A285 UID THREAD references utf-8 1:3 SEEN", "A285 UID THREAD REFERENCES UTF-8 1:3 SEEN"},
      {"a thread Refs utf-8 ALL", "a THREAD REFS UTF-8 ALL"},
  });
  CHECK(parsed_as<Thread>("THREAD REFS UTF-8 ALL").algorithm == Thread::Algorithm::refs);
  check_bad({
      {"a THREAD", "space expected before threading algorithm"},
      {"a THREAD JWZ UTF-8 ALL", "unknown threading algorithm"},
      {"a THREAD (REFS) UTF-8 ALL", "threading algorithm expected"},
      {"a THREAD RETURN (ALL) REFS UTF-8 ALL", "unknown threading algorithm"},
      {"a THREAD REFS", "space expected before charset"},
      {"a THREAD REFS UTF-8", "space expected before search key"},
  });
}

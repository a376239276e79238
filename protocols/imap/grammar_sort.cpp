#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"
#include "protocols/imap/printer_parts.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

// SORT and THREAD (RFC 5256 §5), extended SORT (RFC 5267 §5).
namespace posthorn::imap {

namespace {

Result<SortCriterion> parse_criterion(Cursor& in) {
  using Key = SortCriterion::Key;
  static constexpr std::array keys = {Key::arrival,      Key::cc,         Key::date,
                                      Key::display_from, Key::display_to, Key::from,
                                      Key::size,         Key::subject,    Key::to};
  SortCriterion criterion;
  criterion.reverse = take_word(in, "REVERSE");
  if (criterion.reverse) TRY(in.space("sort criterion"));
  const std::string_view name = in.take_word();
  const auto* key = std::ranges::find_if(keys, [&](Key k) { return equal_ignoring_case(name_of(k), name); });
  if (key == keys.end()) return malformed("unknown sort criterion");
  criterion.key = *key;
  return criterion;
}

// search-criteria: the charset is no option here, UTF8=ACCEPT or not.
Result<> parse_search_criteria(Cursor& in, Search& search) {
  TRY(in.space("charset"));
  search.charset = to_upper(TRY(in.astring("charset")));
  if (search.charset.empty()) return malformed("charset expected");
  search.key = TRY(parse_search_keys(in));
  return {};
}

}  // namespace

Result<Body> parse_sort(Cursor& in, Numbering numbering) {
  Sort sort;
  sort.search.numbering = numbering;
  TRY(in.space("sort criteria"));
  if (take_word(in, "RETURN")) {
    sort.search.returned = TRY(parse_search_return(in));
    TRY(in.space("sort criteria"));
  }
  TRY(parenthesised(in, "sort criterion", [&]() -> Result<> {
    if (sort.criteria.size() == max_sort_criteria) return too_large("too many sort criteria");
    sort.criteria.push_back(TRY(parse_criterion(in)));
    return {};
  }));
  if (sort.criteria.empty()) return malformed("sort criterion expected");
  TRY(parse_search_criteria(in, sort.search));
  return sort;
}

Result<Body> parse_thread(Cursor& in, Numbering numbering) {
  using Algorithm = Thread::Algorithm;
  static constexpr std::array algorithms = {Algorithm::ordered_subject, Algorithm::references,
                                            Algorithm::refs};
  Thread thread;
  thread.search.numbering = numbering;
  TRY(in.space("threading algorithm"));
  const std::string name = TRY(in.atom("threading algorithm"));
  const auto* algorithm =
      std::ranges::find_if(algorithms, [&](Algorithm a) { return equal_ignoring_case(name_of(a), name); });
  if (algorithm == algorithms.end()) return malformed("unknown threading algorithm");
  thread.algorithm = *algorithm;
  TRY(parse_search_criteria(in, thread.search));
  return thread;
}

}  // namespace posthorn::imap

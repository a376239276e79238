#include "protocols/imap/search_keys.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace {

using namespace posthorn;
using namespace posthorn::imap;

storage::UidSet uids(std::initializer_list<storage::Uid> list) {
  storage::UidSet set;
  for (const storage::Uid uid : list) set.append(uid);
  return set;
}

}  // namespace

TEST_CASE("search: what the search index says of a message, and what it leaves open") {
  storage::Mailbox::TextHits hits{.known = uids({1, 2, 3, 4, 5}), .hits = {uids({3}), std::nullopt}};
  const auto by_hits = [&](storage::Uid uid, std::size_t pattern) {
    const storage::Message message{.uid = uid};
    return Candidate{.place = 0, .message = message, .hits = &hits}.by_hits(pattern);
  };
  const auto by_text_hits = [&](storage::Uid uid, std::size_t pattern) {
    const storage::Message message{.uid = uid};
    return Candidate{.place = 0, .message = message, .hits = &hits}.by_text_hits(pattern);
  };
  CHECK(by_hits(2, 0) == Match::no);
  CHECK(by_hits(3, 0) == Match::unknown);
  CHECK(by_text_hits(2, 0) == Match::no);
  CHECK(by_text_hits(3, 0) == Match::unknown);
  // Not known; too short a pattern; one beyond the limit.
  CHECK(by_text_hits(6, 0) == Match::unknown);
  CHECK(by_text_hits(2, 1) == Match::unknown);
  CHECK(by_text_hits(2, 2) == Match::unknown);

  hits.exact = true;
  CHECK(by_text_hits(3, 0) == Match::yes);
  CHECK(by_text_hits(2, 0) == Match::no);
  CHECK(by_text_hits(6, 0) == Match::unknown);
  // Some field has it: not always the one that is asked for.
  CHECK(by_hits(3, 0) == Match::unknown);
}

#include "protocols/imap/places.h"

#include "protocols/imap/search_answer.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

using Ranges = std::vector<Places::Range>;
using From = PartialRange::From;

Ranges partial(const Ranges& places, From from, std::uint32_t first, std::uint32_t last) {
  return Places(places).partial({from, first, last}).ranges();
}

}  // namespace

TEST_CASE("imap: a partial range counts from the oldest or the newest result (RFC 9394 §3.1)") {
  const Ranges some = {{1, 2}, {9, 15}, {20, 21}};  // eight
  CHECK(Places(some).count() == 8);
  CHECK(partial(some, From::oldest, 1, 8) == some);
  CHECK(partial(some, From::newest, 1, 8) == some);
  CHECK(partial(some, From::oldest, 1, 1) == Ranges{{1, 2}});
  CHECK(partial(some, From::newest, 1, 1) == Ranges{{20, 21}});
  CHECK(partial(some, From::oldest, 2, 3) == Ranges{{9, 11}});
  CHECK(partial(some, From::oldest, 3, 2) == Ranges{{9, 11}});
  CHECK(partial(some, From::newest, 3, 2) == Ranges{{13, 15}});
  CHECK(partial(some, From::oldest, 8, 4'294'967'295) == Ranges{{20, 21}});
  CHECK(partial(some, From::newest, 4'294'967'295, 8) == Ranges{{1, 2}});
  CHECK(partial(some, From::oldest, 9, 10).empty());
  CHECK(partial(some, From::newest, 9, 10).empty());
  CHECK(partial({}, From::oldest, 1, 10).empty());
  CHECK(partial({}, From::newest, 1, 10).empty());
}

TEST_CASE("imap: places below one, and from it on") {
  const Places some(Ranges{{1, 2}, {9, 15}, {20, 21}});
  CHECK(some.before(0).empty());
  CHECK(some.before(9).ranges() == Ranges{{1, 2}});
  CHECK(some.before(10).ranges() == Ranges{{1, 2}, {9, 10}});
  CHECK(some.before(21).ranges() == some.ranges());
  CHECK(some.from(0).ranges() == some.ranges());
  CHECK(some.from(10).ranges() == Ranges{{10, 15}, {20, 21}});
  CHECK(some.from(15).ranges() == Ranges{{20, 21}});
  CHECK(some.from(21).empty());
}

TEST_CASE("imap: MODSEQ is that of the messages that the answer speaks of (RFC 4731 §3.2)") {
  std::vector<storage::Message> list;
  for (const storage::ModSeq modseq : {1, 50, 99, 20}) {
    storage::Message message;
    message.uid = static_cast<storage::Uid>(list.size() + 1);
    message.modseq = modseq;
    list.push_back(message);
  }
  const storage::Snapshot messages(list, 5, 99);
  const Places found(Ranges{{1, 4}});
  const auto told = [&](const SearchReturn& returned) {
    return highest_mod_sequence(spoken_of(found, returned), messages);
  };
  CHECK(told({.min = true}) == 50);
  CHECK(told({.max = true}) == 20);
  CHECK(told({.min = true, .max = true}) == 50);
  CHECK(told({.min = true, .count = true}) == 99);
  CHECK(told({.all = true}) == 99);
  CHECK(told({.partial = PartialRange{From::newest, 1, 1}}) == 20);
  CHECK(told({.min = true, .partial = PartialRange{From::newest, 1, 1}}) == 50);
  CHECK(highest_mod_sequence(Places(), messages) == 0);
}

}  // namespace posthorn::imap

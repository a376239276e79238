#include "protocols/imap/resync.h"

#include <doctest/doctest.h>

#include <vector>

namespace posthorn::imap {
namespace {

storage::Snapshot every_third(std::uint32_t last) {
  std::vector<storage::Message> messages;
  for (storage::Uid uid = 3; uid <= last; uid += 3) {
    storage::Message message;
    message.uid = uid;
    messages.push_back(message);
  }
  return {messages, last + 1, 100};
}

SequenceSet set(std::vector<SequenceRange> ranges) { return {.ranges = std::move(ranges), .saved = false}; }

}  // namespace

TEST_CASE("imap: the highest pair that matches tells up to where expunges are known (RFC 7162 §3.2.5.2)") {
  const storage::Snapshot messages = every_third(30'012);
  // The example of §3.2.5.2.
  const QuickResync::Match example{.numbers = set({{5000, 5000}, {7500, 7500}, {9000, 9000}, {9990, 9999}}),
                                   .uids = set({{15000, 15000},
                                                {22500, 22500},
                                                {27000, 27000},
                                                {29970, 29970},
                                                {29973, 29973},
                                                {29976, 29976},
                                                {29979, 29979},
                                                {29982, 29982},
                                                {29985, 29985},
                                                {29988, 29988},
                                                {29991, 29991},
                                                {29994, 29994},
                                                {29997, 29997}})};
  CHECK(matched_below(example, messages) == 29'998);
  // The first pair alone matches.
  CHECK(matched_below({.numbers = set({{4, 4}, {12, 12}}), .uids = set({{12, 12}, {24, 24}})}, messages) ==
        13);
  CHECK(matched_below({.numbers = set({{4, 4}}), .uids = set({{8, 8}})}, messages) == 1);
  // Numbers beyond the mailbox.
  CHECK(matched_below({.numbers = set({{20'000, 20'001}}), .uids = set({{60'000, 60'001}})}, messages) == 1);
  // Runs as long as numbers go cost no more than short ones: of these, number 1 could be UID 3 and is none.
  CHECK(matched_below({.numbers = set({{1, 4'000'000'000}}), .uids = set({{1, 4'000'000'000}})}, messages) ==
        1);
  CHECK(matched_below({.numbers = set({{1, 4'000'000'000}}), .uids = set({{3, 4'000'000'002}})}, messages) ==
        4);
  CHECK(matched_below({.numbers = set({{1, 2}}), .uids = set({{1, 2}})}, storage::Snapshot()) == 1);
}

TEST_CASE("imap: the match restricts what vanished, not what changed (RFC 7162 §3.2.5.2)") {
  const storage::Snapshot messages = every_third(30);
  QuickResync resync{.uid_validity = 1, .mod_sequence = 1};
  CHECK(known_uids(resync, messages).ranges() == std::vector<storage::UidSet::Range>{{1, 30}});
  resync.known_uids = set({{20, 40}, {5, 7}, {7, 10}});
  CHECK(known_uids(resync, messages).ranges() == std::vector<storage::UidSet::Range>{{5, 10}, {20, 30}});
  resync.match = QuickResync::Match{.numbers = set({{2, 2}}), .uids = set({{6, 6}})};
  CHECK(unmatched_uids(resync, messages).ranges() == std::vector<storage::UidSet::Range>{{7, 10}, {20, 30}});
  CHECK(unmatched_uids(resync, storage::Snapshot()).empty());
}

}  // namespace posthorn::imap

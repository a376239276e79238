#include "protocols/imap/resync.h"

#include "protocols/imap/places.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace posthorn::imap {
namespace {

// A run of sequence numbers whose UIDs are as many: number + (uid - number) for each.
struct Run {
  std::uint32_t number;
  std::uint32_t uid;
  std::uint32_t count;
};

std::vector<Run> runs_of(const QuickResync::Match& match) {
  std::vector<Run> runs;
  auto number = match.numbers.ranges.begin();
  auto uid = match.uids.ranges.begin();
  std::uint32_t numbers_used = 0;
  std::uint32_t uids_used = 0;
  while (number != match.numbers.ranges.end() && uid != match.uids.ranges.end()) {
    const std::uint32_t count =
        std::min(number->last - number->first - numbers_used, uid->last - uid->first - uids_used);
    runs.push_back({number->first + numbers_used, uid->first + uids_used, count + 1});
    numbers_used += count + 1;
    uids_used += count + 1;
    if (numbers_used > number->last - number->first) {
      ++number;
      numbers_used = 0;
    }
    if (uids_used > uid->last - uid->first) {
      ++uid;
      uids_used = 0;
    }
  }
  return runs;
}

// The highest UID of the run that stands where the client has it. UIDs ascend at least as fast as numbers,
// so that those above what is looked for are told from those below.
std::optional<storage::Uid> last_match(const Run& run, const storage::Snapshot& messages) {
  if (run.number > messages.size()) return std::nullopt;
  std::uint32_t low = 0;  // how many at the run's begin are not above
  std::uint32_t high = std::min(run.count, messages.size() - run.number + 1);
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (messages.at(run.number - 1 + middle).uid <= std::uint64_t{run.uid} + middle) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  const storage::Uid uid = messages.at(run.number + low - 2).uid;
  if (uid != std::uint64_t{run.uid} + low - 1) return std::nullopt;
  return uid;
}

}  // namespace

storage::Uid matched_below(const QuickResync::Match& match, const storage::Snapshot& messages) {
  const std::vector<Run> runs = runs_of(match);
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (const auto uid = last_match(*run, messages)) return *uid + 1;
  }
  return 1;
}

storage::UidSet known_uids(const QuickResync& resync, const storage::Snapshot& messages) {
  if (resync.known_uids) return uids_below(*resync.known_uids, messages.uid_next());
  storage::UidSet all;
  if (messages.uid_next() > 1) all.append(1, messages.uid_next() - 1);
  return all;
}

storage::UidSet unmatched_uids(const QuickResync& resync, const storage::Snapshot& messages) {
  const storage::UidSet known = known_uids(resync, messages);
  const storage::Uid begin = resync.match ? matched_below(*resync.match, messages) : 1;
  storage::UidSet unmatched;
  for (const auto range : known.ranges()) {
    if (range.last >= begin) unmatched.append(std::max(range.first, begin), range.last);
  }
  return unmatched;
}

}  // namespace posthorn::imap

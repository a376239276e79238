#include "storage/uid_set.h"

#include <algorithm>

namespace posthorn::storage {

void UidSet::append(Uid first, Uid last) {
  if (!ranges_.empty() && first <= ranges_.back().last + 1) {
    ranges_.back().last = std::max(ranges_.back().last, last);
    return;
  }
  ranges_.push_back({first, last});
}

bool UidSet::contains(Uid uid) const {
  const auto after = std::ranges::upper_bound(ranges_, uid, {}, &Range::first);
  return after != ranges_.begin() && uid <= std::prev(after)->last;
}

std::uint64_t UidSet::count() const {
  std::uint64_t count = 0;
  for (const Range& range : ranges_) count += std::uint64_t{range.last} - range.first + 1;
  return count;
}

}  // namespace posthorn::storage

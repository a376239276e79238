#include "protocols/imap/sorting.h"

#include "protocols/imap/sliced_sort.h"

#include <algorithm>
#include <functional>

namespace posthorn::imap {

void Sorting::add(std::uint32_t place, const storage::Message& message, std::string_view encoded) {
  message::SortKeys keys;
  if (!encoded.empty()) {
    const auto read = message::view_sort_keys(encoded);
    if (read) {
      keys = *read;
    } else {
      reading_.fail(read.error());
    }
  }
  sortables_.push_back(maker_.make(place, message, keys));
}

// In steps, as visit() is quicker than at() for each.
Task<void> Sorting::without_keys(const Places& places) {
  constexpr std::uint32_t step = 256;
  for (const Places::Range range : places.ranges()) {
    for (std::uint32_t begin = range.begin; begin < range.end; begin += step) {
      view_.messages().visit(begin, std::min(range.end, begin + step),
                             [this](std::uint32_t place, const storage::Message& message) {
                               sortables_.push_back(maker_.make(place, message, {}));
                             });
      co_await slice_;
    }
  }
}

Task<std::vector<std::uint32_t>> Sorting::run(const Places& places) {
  sortables_.reserve(places.count());
  if (needs_keys_) {
    co_await reading_.run(places, [this](std::uint32_t place, const storage::Message& message,
                                         std::string_view encoded) { add(place, message, encoded); });
  } else {
    co_await without_keys(places);
  }
  co_await sort_in_slices(sortables_, std::less<>(), slice_);
  std::vector<std::uint32_t> sorted;
  sorted.reserve(sortables_.size());
  for (const Sortable& sortable : sortables_) {
    if (sorted.size() % 1'024 == 0) co_await slice_;
    sorted.push_back(sortable.place);
  }
  co_return sorted;
}

}  // namespace posthorn::imap

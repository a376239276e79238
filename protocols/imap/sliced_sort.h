#pragma once

#include "base/task.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace posthorn::imap {

// Sorts in n log n, giving others their turn in between. `before` is a strict order in which no two elements
// are equal, or it does not matter which of them goes first. Both outlive the await.
template <class Element, class Before>
Task<void> sort_in_slices(std::vector<Element>& elements, Before before, Slice& slice) {
  constexpr std::size_t run = 512;
  const auto at = [](std::vector<Element>& of, std::size_t place) {
    return of.begin() + static_cast<std::ptrdiff_t>(std::min(place, of.size()));
  };
  for (std::size_t begin = 0; begin < elements.size(); begin += run) {
    co_await slice;
    std::sort(at(elements, begin), at(elements, begin + run), before);
  }
  std::vector<Element> merged;
  merged.reserve(elements.size());
  for (std::size_t width = run; width < elements.size(); width *= 2) {
    merged.clear();
    for (std::size_t begin = 0; begin < elements.size(); begin += 2 * width) {
      auto left = at(elements, begin);
      const auto middle = at(elements, begin + width);
      auto right = middle;
      const auto end = at(elements, begin + 2 * width);
      for (std::size_t count = 1; left != middle || right != end; ++count) {
        const bool takes_right = left == middle || (right != end && before(*right, *left));
        merged.push_back(std::move(takes_right ? *right++ : *left++));
        if (count % run == 0) co_await slice;
      }
      co_await slice;
    }
    std::swap(elements, merged);
  }
}

}  // namespace posthorn::imap

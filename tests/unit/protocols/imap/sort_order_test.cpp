#include "protocols/imap/sort_order.h"

#include "protocols/imap/sliced_sort.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace posthorn::imap {
namespace {

using Key = SortCriterion::Key;
using message::SortText;

struct Known {
  storage::Message message;
  message::SortKeys keys;
};

Known known(std::int64_t arrival, std::uint64_t size, std::string_view subject = {},
            std::string_view from = {}) {
  Known of;
  of.message.internal_date = arrival;
  of.message.size = size;
  of.keys.texts[static_cast<std::size_t>(SortText::subject)] = subject;
  of.keys.texts[static_cast<std::size_t>(SortText::from)] = from;
  return of;
}

std::vector<std::uint32_t> sorted(const std::vector<Known>& messages,
                                  const std::vector<SortCriterion>& criteria) {
  SortableMaker maker(criteria);
  std::vector<Sortable> sortables;
  for (std::uint32_t i = 0; i < messages.size(); ++i) {
    sortables.push_back(maker.make(i, messages[i].message, messages[i].keys));
  }
  std::ranges::shuffle(sortables, std::mt19937(1));
  std::ranges::sort(sortables, std::less<>());
  std::vector<std::uint32_t> places;
  for (const Sortable& sortable : sortables) places.push_back(sortable.place);
  return places;
}

using Order = std::vector<std::uint32_t>;

// What the RFC says of two messages: below 0 if the first comes first.
int compare(const Known& a, const Known& b, const SortCriterion& criterion) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  const int result = criterion.key == Key::arrival ? order(a.message.internal_date, b.message.internal_date)
                     : criterion.key == Key::size  ? order(a.message.size, b.message.size)
                     : criterion.key == Key::date
                         ? order(a.keys.sent.value_or(a.message.internal_date),
                                 b.keys.sent.value_or(b.message.internal_date))
                         : order(a.keys[criterion.key == Key::from ? SortText::from : SortText::subject],
                                 b.keys[criterion.key == Key::from ? SortText::from : SortText::subject]);
  return criterion.reverse ? -result : result;
}

}  // namespace

TEST_CASE("imap: what SORT compares by, one criterion after the other (RFC 5256 §3)") {
  const std::vector<Known> messages = {known(5, 10, "B", "X"), known(-3, 300, "A", "Y"),
                                       known(5, 2, "AB", ""), known(7, 10, "", "X")};
  CHECK(sorted(messages, {{Key::arrival}}) == Order{1, 0, 2, 3});
  CHECK(sorted(messages, {{Key::arrival, true}}) == Order{3, 0, 2, 1});
  CHECK(sorted(messages, {{Key::size}}) == Order{2, 0, 3, 1});
  CHECK(sorted(messages, {{Key::subject}}) == Order{3, 1, 2, 0});
  CHECK(sorted(messages, {{Key::subject, true}}) == Order{0, 2, 1, 3});
  CHECK(sorted(messages, {{Key::from}, {Key::arrival, true}}) == Order{2, 3, 0, 1});
  CHECK(sorted(messages, {{Key::size}, {Key::subject}}) == Order{2, 3, 0, 1});
  // A key that comes again decides nothing.
  CHECK(sorted(messages, {{Key::size}, {Key::size, true}}) == Order{2, 0, 3, 1});
}

TEST_CASE("imap: SORT DATE takes INTERNALDATE where there is no date sent (RFC 5256 §2.2)") {
  std::vector<Known> messages = {known(5, 1), known(6, 1), known(7, 1)};
  messages[0].keys.sent = 9;
  messages[2].keys.sent = -9;
  CHECK(sorted(messages, {{Key::date}}) == Order{2, 1, 0});
}

TEST_CASE("imap: SORT is in the order of the RFC whatever the messages") {
  std::mt19937 random(5);
  constexpr std::string_view texts[] = {"", "A", "AB", "ABCDEFGH", "ABCDEFGHI", "ABCDEFGH\x01", "B", "\xff"};
  constexpr Key keys[] = {Key::arrival, Key::date, Key::from, Key::size, Key::subject};
  for (int round = 0; round < 300; ++round) {
    std::vector<Known> messages;
    for (int i = 0; i < 30; ++i) {
      messages.push_back(known(static_cast<std::int64_t>(random() % 5) - 2, random() % 4, texts[random() % 8],
                               texts[random() % 8]));
      if (random() % 2 == 0) messages.back().keys.sent = static_cast<std::int64_t>(random() % 5) - 2;
    }
    std::vector<SortCriterion> criteria;
    for (std::size_t left = 1 + random() % 4; left > 0; --left) {
      criteria.push_back({keys[random() % 5], random() % 2 == 0});
    }
    Order expected(messages.size());
    for (std::uint32_t i = 0; i < expected.size(); ++i) expected[i] = i;
    std::ranges::sort(expected, [&](std::uint32_t a, std::uint32_t b) {
      for (const SortCriterion& criterion : criteria) {
        if (const int order = compare(messages[a], messages[b], criterion); order != 0) return order < 0;
      }
      return a < b;
    });
    CHECK(sorted(messages, criteria) == expected);
  }
}

namespace {

Task<void> sort_all(std::vector<int>& numbers) {
  Slice slice;
  co_await sort_in_slices(numbers, std::less<>(), slice);
}

}  // namespace

TEST_CASE("imap: what is sorted in slices is sorted") {
  std::mt19937 random(7);
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 1'024U, 1'025U, 5'000U}) {
    std::vector<int> numbers(size);
    for (int& number : numbers) number = static_cast<int>(random() % 1'000);
    std::vector<int> expected = numbers;
    std::ranges::sort(expected);
    TaskGroup group;
    group.start(sort_all(numbers));
    CHECK(numbers == expected);
  }
}

}  // namespace posthorn::imap

#include "base/task.h"

#include "base/loop.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace posthorn;

namespace {

Task<int> constant(int value) { co_return value; }

Task<std::int64_t> sum_to(int count) {
  std::int64_t sum = 0;
  for (int number = 1; number <= count; ++number) sum += co_await constant(number);
  co_return sum;
}

Task<int> failing() {
  throw std::runtime_error("no");
  co_return 0;
}

Task<void> store_sum(int count, std::int64_t& into) { into = co_await sum_to(count); }

Task<void> rethrow(bool& caught) {
  try {
    co_await failing();
  } catch (const std::runtime_error&) {
    caught = true;
  }
}

Task<void> wait_for(Signal& signal, int& seen) {
  while (seen < 3) {
    co_await signal;
    ++seen;
  }
}

Task<void> fail_at_once() {
  throw std::runtime_error("root");
  co_return;
}

}  // namespace

TEST_CASE("a task starts when it is awaited and hands back its value, however long the chain") {
  TaskGroup group;
  std::int64_t sum = 0;
  // Deep enough to overflow the stack if each await kept a frame on it.
  group.start(store_sum(1'000'000, sum));
  CHECK(sum == 500'000'500'000);
  CHECK(group.size() == 0);
}

TEST_CASE("an exception reaches whoever awaits") {
  TaskGroup group;
  bool caught = false;
  group.start(rethrow(caught));
  CHECK(caught);
}

TEST_CASE("an exception that leaves a root is told and takes nobody down") {
  int failures = 0;
  TaskGroup group([&](std::exception_ptr) { ++failures; });
  group.start(fail_at_once());
  CHECK(failures == 1);
  CHECK(group.size() == 0);
}

TEST_CASE("a signal wakes its waiter, and one notification is kept for the next") {
  TaskGroup group;
  Signal signal;
  int seen = 0;
  group.start(wait_for(signal, seen));
  CHECK(seen == 0);
  signal.notify();
  CHECK(seen == 1);
  bool empty = false;
  group.when_empty([&] { empty = true; });
  signal.notify();
  CHECK_FALSE(empty);
  signal.notify();
  CHECK(seen == 3);
  CHECK(empty);
  signal.notify();
  signal.notify();
  seen = 2;
  group.start(wait_for(signal, seen));
  CHECK(seen == 3);
}

TEST_CASE("a task that was never started frees what it holds") {
  const auto held = std::make_shared<int>(1);
  const auto use = [](std::shared_ptr<int> value) -> Task<int> { co_return *value; };
  {
    const auto task = use(held);
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

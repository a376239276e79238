#include "base/loop.h"

#include "base/offload.h"
#include "base/task.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

using namespace posthorn;

namespace {

Task<void> sleep_then_add(Loop& loop, int milliseconds, std::vector<int>& order) {
  co_await Sleep(loop, Milliseconds(milliseconds));
  order.push_back(milliseconds);
}

Task<void> offload_once(Lane& lane, std::atomic<int>& most, std::atomic<int>& now, std::vector<Errc>& refused,
                        int& done) {
  auto work = [&]() -> Result<int> {
    const int running = ++now;
    int seen = most;
    while (running > seen && !most.compare_exchange_weak(seen, running)) {
    }
    uv_sleep(2);
    --now;
    return 7;
  };
  auto result = co_await Offload(lane, work);
  if (result) {
    CHECK(*result == 7);
    ++done;
  } else {
    refused.push_back(result.error().code);
  }
}

Task<void> offload_throwing(Lane& lane, bool& caught) {
  try {
    auto work = []() -> Result<int> { throw 5; };
    static_cast<void>(co_await Offload(lane, work));
  } catch (int number) {
    caught = number == 5;
  }
}

}  // namespace

TEST_CASE("timers fire in their order and the loop ends when nothing is left") {
  Loop loop;
  TaskGroup group;
  std::vector<int> order;
  for (const int milliseconds : {15, 1, 8}) group.start(sleep_then_add(loop, milliseconds, order));
  loop.run();
  CHECK(order == std::vector<int>{1, 8, 15});
}

TEST_CASE("soon runs from the loop, and what it adds runs in the next turn") {
  Loop loop;
  std::string trail;
  loop.soon([&] {
    trail += 'a';
    loop.soon([&] { trail += 'c'; });
    trail += 'b';
  });
  CHECK(trail.empty());
  loop.run();
  CHECK(trail == "abc");
}

TEST_CASE("a stopped timer stays silent, one that is started again begins anew") {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.start(Milliseconds(1));
  timer.stop();
  loop.run();
  CHECK(fired == 0);
  timer.start(Milliseconds(5000));
  timer.start(Milliseconds(1));
  loop.run();
  CHECK(fired == 1);
}

TEST_CASE("a lane bounds what runs at once and what waits, and refuses the rest as busy") {
  Loop loop;
  Lane lane(loop, "disk", 2, 3);
  TaskGroup group;
  std::atomic<int> most = 0;
  std::atomic<int> now = 0;
  std::vector<Errc> refused;
  int done = 0;
  for (int job = 0; job < 8; ++job) group.start(offload_once(lane, most, now, refused, done));
  CHECK(refused == std::vector<Errc>{Errc::busy, Errc::busy, Errc::busy});
  loop.run();
  CHECK(done == 5);
  CHECK(most <= 2);
  CHECK(group.size() == 0);
}

TEST_CASE("what is thrown on the pool is thrown where it is awaited") {
  Loop loop;
  Lane lane(loop, "disk", 1, 1);
  TaskGroup group;
  bool caught = false;
  group.start(offload_throwing(lane, caught));
  loop.run();
  CHECK(caught);
}

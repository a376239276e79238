#include "base/loop.h"

#include "base/offload.h"
#include "base/task.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace posthorn;

namespace {

Task<void> sleep_then_add(Loop& loop, int milliseconds, std::vector<int>& order) {
  co_await Sleep(loop, Milliseconds(milliseconds));
  order.push_back(milliseconds);
}

struct LaneUse {
  std::atomic<bool> may_go = false;
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  int done = 0;
  std::vector<Errc> refused;
};

Task<void> offload_once(Lane& lane, LaneUse& use) {
  auto work = [&]() -> Result<int> {
    const int running = ++use.now;
    int seen = use.most;
    while (running > seen && !use.most.compare_exchange_weak(seen, running)) {
    }
    use.may_go.wait(false);
    --use.now;
    return 7;
  };
  auto result = co_await Offload(lane, work);
  if (result) {
    CHECK(*result == 7);
    ++use.done;
  } else {
    use.refused.push_back(result.error().code);
  }
}

Task<void> offload_in_turn(Lane& lane, std::vector<std::thread::id>& threads) {
  for (int job = 0; job < 20; ++job) {
    auto work = []() -> Result<std::thread::id> { return std::this_thread::get_id(); };
    threads.push_back((co_await Offload(lane, work)).value());
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
  LaneUse use;
  for (int job = 0; job < 8; ++job) group.start(offload_once(lane, use));
  CHECK(use.refused == std::vector<Errc>{Errc::busy, Errc::busy, Errc::busy});
  use.may_go = true;
  use.may_go.notify_all();
  loop.run();
  CHECK(use.done == 5);
  CHECK(use.most <= 2);
  CHECK(group.size() == 0);
}

TEST_CASE("a lane whose jobs come one after the other needs one thread, which is not the loop's") {
  Loop loop;
  Lane lane(loop, "disk", 8, 1);
  TaskGroup group;
  std::vector<std::thread::id> threads;
  group.start(offload_in_turn(lane, threads));
  loop.run();
  REQUIRE(threads.size() == 20);
  CHECK(std::ranges::count(threads, threads.front()) == 20);
  CHECK(threads.front() != std::this_thread::get_id());
}

TEST_CASE(
    "a loop ends when its lanes have nothing to do, and a lane that never had anything is no hindrance") {
  Loop loop;
  const Lane idle(loop, "hashing", 1, 1);
  loop.run();
  CHECK_FALSE(loop.run_once());
}

TEST_CASE("what is thrown on a lane's thread is thrown where it is awaited") {
  Loop loop;
  Lane lane(loop, "disk", 1, 1);
  TaskGroup group;
  bool caught = false;
  group.start(offload_throwing(lane, caught));
  loop.run();
  CHECK(caught);
}

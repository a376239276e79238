#include "delivery/free_space.h"

#include "tests/support/memory_stream.h"

#include <doctest/doctest.h>

#include <atomic>

namespace posthorn::delivery {
namespace {

class Disk final : public SystemFileSystem {
 public:
  std::atomic<std::uint64_t> free = 100;
  std::atomic<int> asked = 0;
  std::atomic<bool> broken = false;
  Result<std::uint64_t> free_space(const std::string& path) override {
    ++asked;
    CHECK(path == "/data");
    if (broken) return failure(Errc::io, "broken");
    return free.load();
  }
};

struct House {
  Loop loop;
  Lane lane{loop, "disk", 1, 10};
  Disk disk;
  FreeSpace space{lane, disk, "/data", 50};
  TaskGroup group;

  Task<void> ask(std::optional<bool>& answer) {
    const auto room = co_await space.check();
    CHECK((room || room.error().code == Errc::disk_full));
    answer = room.has_value();
  }
  bool has_room() {
    std::optional<bool> answer;
    group.start(ask(answer));
    CHECK(testing::run_until(loop, [&] { return answer.has_value(); }));
    return answer == true;
  }
  void wait(Milliseconds duration) {
    bool over = false;
    Timer timer(loop, [&] { over = true; });
    timer.start(duration);
    CHECK(testing::run_until(loop, [&] { return over; }));
  }
};

TEST_CASE("delivery: below the reserve there is no room; the disk is asked at most once a second") {
  House house;
  CHECK(house.has_room());
  house.disk.free = 49;
  CHECK(house.has_room());
  CHECK(house.disk.asked == 1);
  house.wait(Milliseconds(1010));
  CHECK_FALSE(house.has_room());
  CHECK_FALSE(house.has_room());
  CHECK(house.disk.asked == 2);
  house.space.configure(49);
  CHECK(house.has_room());
}

TEST_CASE("delivery: a disk that cannot be asked has room, and without a reserve none is asked") {
  House house;
  house.disk.broken = true;
  CHECK(house.has_room());
  house.space.configure(0);
  house.wait(Milliseconds(1010));
  CHECK(house.has_room());
  CHECK(house.disk.asked == 1);
}

}  // namespace
}  // namespace posthorn::delivery

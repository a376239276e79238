#include "base/clock.h"

#include <ctime>

namespace posthorn {

std::int64_t SystemClock::microseconds() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace posthorn

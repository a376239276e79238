#pragma once

#include <cstdint>

namespace posthorn {

// Wall-clock time, injected so that tests can move it. Deadlines use the loop's monotonic time instead.
class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since 1970-01-01T00:00:00 UTC.
  virtual std::int64_t microseconds() const = 0;
  std::int64_t seconds() const { return microseconds() / 1'000'000; }
};

class SystemClock final : public Clock {
 public:
  std::int64_t microseconds() const override;
};

}  // namespace posthorn

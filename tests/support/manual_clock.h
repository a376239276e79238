#pragma once

#include "base/clock.h"
#include "base/random.h"

#include <atomic>
#include <cstdint>
#include <cstring>

namespace posthorn::testing {

// A clock that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t seconds = 1'700'000'000) : microseconds_(seconds * 1'000'000) {}
  std::int64_t microseconds() const override { return microseconds_; }
  void advance_seconds(std::int64_t seconds) { microseconds_ += seconds * 1'000'000; }

 private:
  std::atomic<std::int64_t> microseconds_;
};

// Octets that are the same in each run and never repeat in one.
class CountingRandom final : public Random {
 public:
  void fill(void* bytes, std::size_t size) override {
    auto* out = static_cast<unsigned char*>(bytes);
    const std::uint64_t number = ++count_;
    std::memset(out, 0, size);
    for (std::size_t index = 0; index < size && index < 8; ++index) {
      out[size - 1 - index] = static_cast<unsigned char>(number >> (8 * index));
    }
  }

 private:
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace posthorn::testing

#pragma once

#include <chrono>
#include <cstdint>

namespace posthorn::storage {

// The clock that mtimes are of, whatever clock is injected. Nanoseconds since 1970.
inline std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Changes that are closer together may leave a directory with the same mtime.
inline constexpr std::int64_t mtime_tick_ns = 20'000'000;

}  // namespace posthorn::storage

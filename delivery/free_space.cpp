#include "delivery/free_space.h"

namespace posthorn::delivery {
namespace {

constexpr Milliseconds valid_for{1000};

}  // namespace

Task<Result<>> FreeSpace::check() {
  if (reserve_ == 0) co_return Result<>();
  const Milliseconds now = disk_.loop().now();
  if (!asked_ || now - *asked_ >= valid_for) {
    asked_ = now;
    auto ask = [this] { return files_.free_space(path_); };
    const Result<std::uint64_t> found = co_await Offload(disk_, ask);
    if (found) free_ = *found;
  }
  if (free_ >= reserve_) co_return Result<>();
  co_return failure(Errc::disk_full, std::to_string(free_) + " octets are free on the disk of " + path_);
}

}  // namespace posthorn::delivery

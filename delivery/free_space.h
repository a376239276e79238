#pragma once

#include "base/file_system.h"
#include "base/offload.h"
#include "base/task.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace posthorn::delivery {

// Whether a disk has room to take in more. It looks at most once a second, on `disk`; in between, and while
// it looks, the former answer counts.
class FreeSpace {
 public:
  // `path` is a directory on that disk; `reserve` octets are to stay free.
  FreeSpace(Lane& disk, FileSystem& files, std::string path, std::uint64_t reserve)
      : disk_(disk), files_(files), path_(std::move(path)), reserve_(reserve) {}

  void configure(std::uint64_t reserve) { reserve_ = reserve; }
  // Errors: disk_full when less than the reserve is free. A disk that cannot be asked has room.
  Task<Result<>> check();

 private:
  Lane& disk_;
  FileSystem& files_;
  std::string path_;
  std::uint64_t reserve_;
  std::optional<Milliseconds> asked_;
  std::uint64_t free_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace posthorn::delivery

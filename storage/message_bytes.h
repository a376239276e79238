#pragma once

#include "base/file_system.h"
#include "base/offload.h"
#include "storage/store.h"

#include <cstdint>
#include <string>
#include <vector>

namespace posthorn::storage {

// A stored message's file, read as on the wire.
class StoredBytes final : public MessageBytes {
 public:
  // `stored_size` differs from `wire_size` for a file with lines that end in LF alone.
  StoredBytes(Lane& disk, FileSystem& files, File file, std::uint64_t stored_size, std::uint64_t wire_size)
      : disk_(disk),
        files_(files),
        file_(std::move(file)),
        wire_size_(wire_size),
        as_stored_(stored_size == wire_size) {}

  std::uint64_t size() const override { return wire_size_; }
  Task<Result<std::string>> read(std::uint64_t offset, std::size_t size) override;

  // The same, on the caller's thread.
  Result<std::string> read_now(std::uint64_t offset, std::size_t size);

 private:
  Result<std::string> convert(std::uint64_t offset, std::size_t size);

  // A place that conversion has come past, so that it need not begin at the start each time.
  struct Mark {
    std::uint64_t wire = 0;
    std::uint64_t stored = 0;
    bool after_cr = false;
  };

  Lane& disk_;
  FileSystem& files_;
  File file_;
  std::uint64_t wire_size_;
  bool as_stored_;
  std::vector<Mark> marks_{Mark{}};
};

}  // namespace posthorn::storage

#pragma once

#include "base/file_system.h"
#include "base/offload.h"
#include "message/binary_view.h"
#include "storage/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::storage {

// A stored message's file, read as on the wire and as clients see it. It blocks.
class StoredFile {
 public:
  // `stored_size` differs from `wire_size` for a file with lines that end in LF alone.
  StoredFile(FileSystem& files, File file, std::uint64_t stored_size, std::uint64_t wire_size)
      : files_(&files), file_(std::move(file)), wire_size_(wire_size), as_stored_(stored_size == wire_size) {}

  // Of a message with binary parts.
  StoredFile(FileSystem& files, File file, message::BinaryView view)
      : files_(&files),
        file_(std::move(file)),
        wire_size_(view.size()),
        as_stored_(false),
        view_(std::move(view)) {}

  std::uint64_t size() const { return wire_size_; }
  // As MessageBytes::read.
  Result<std::string> read(std::uint64_t offset, std::size_t size);
  // The first octets: `limit` of them, or all.
  Result<std::string> head(std::size_t limit);

 private:
  Result<std::string> read_now(std::uint64_t offset, std::size_t size);
  Result<std::string> convert(std::uint64_t offset, std::size_t size);

  // A place that conversion has come past, so that it need not begin at the start each time.
  struct Mark {
    std::uint64_t wire = 0;
    std::uint64_t stored = 0;
    bool after_cr = false;
  };

  FileSystem* files_;
  File file_;
  std::uint64_t wire_size_;
  bool as_stored_;
  std::optional<message::BinaryView> view_;
  std::vector<Mark> marks_{Mark{}};
};

// The same from the loop thread.
class StoredBytes final : public MessageBytes {
 public:
  StoredBytes(Lane& disk, StoredFile file) : disk_(disk), file_(std::move(file)) {}

  std::uint64_t size() const override { return file_.size(); }
  Task<Result<std::string>> read(std::uint64_t offset, std::size_t size) override;

 private:
  Lane& disk_;
  StoredFile file_;
};

}  // namespace posthorn::storage

#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace posthorn {

// An open file descriptor, closed when it goes.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  // Gives the descriptor away: whoever takes it closes it.
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

struct FileStatus {
  std::int64_t modified_ns = 0;  // mtime, nanoseconds since 1970
  std::uint64_t size = 0;        // octets
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t links = 0;
  bool directory = false;
};

// The system calls by which mail gets onto the disk, as one seam: tests fail them one by one, or record
// them. All of them block. Safe from any thread. Errors are those of system_failure().
class FileSystem {
 public:
  enum class Open {
    read,
    read_regular,  // a regular file alone; not_allowed for a symbolic link, a pipe, ...: none is waited for
    create_new,    // fails with already_exists; 0600
    append,        // makes it if it is not there
    read_write,
    directory,
  };

  virtual ~FileSystem() = default;
  virtual Result<File> open(const std::string& path, Open how) = 0;
  // Writes all of `bytes` at the descriptor's offset.
  virtual Result<> write(const File& file, std::string_view bytes) = 0;
  // Reads up to `size` octets at `offset`; fewer only at the end of the file.
  virtual Result<std::string> read(const File& file, std::uint64_t offset, std::size_t size) = 0;
  virtual Result<> sync(const File& file) = 0;
  // Asks for what was written to go to the disk soon, and does not wait: of many files that are synced one
  // after the other, all but the first are then nearly there.
  virtual void start_sync(const File& /*file*/) {}
  virtual Result<> truncate(const File& file, std::uint64_t size) = 0;
  virtual Result<FileStatus> status(const File& file) = 0;
  virtual Result<FileStatus> status(const std::string& path) = 0;  // does not follow a last symbolic link
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Result<> link(const std::string& existing, const std::string& added) = 0;
  virtual Result<> unlink(const std::string& path) = 0;
  virtual Result<> make_directory(const std::string& path) = 0;  // 0700
  virtual Result<> remove_directory(const std::string& path) = 0;
  // Names in a directory, without "." and "..", in no order.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Octets that an ordinary user can still write there.
  virtual Result<std::uint64_t> free_space(const std::string& path) = 0;

  // Made of the above:
  Result<> sync_directory(const std::string& path);
  Result<std::string> read_whole(const std::string& path, std::size_t limit);
  // Makes the directory and all above it that are missing; each new one's parent is synced.
  Result<> make_directories(const std::string& path);
  // Replaces `path` in one step that is durable: a file beside it, written, synced, renamed over it, the
  // directory synced. A crash leaves the old or the new content.
  Result<> replace(const std::string& path, std::string_view content);
};

class SystemFileSystem : public FileSystem {
 public:
  Result<File> open(const std::string& path, Open how) override;
  Result<> write(const File& file, std::string_view bytes) override;
  Result<std::string> read(const File& file, std::uint64_t offset, std::size_t size) override;
  Result<> sync(const File& file) override;
  void start_sync(const File& file) override;
  Result<> truncate(const File& file, std::uint64_t size) override;
  Result<FileStatus> status(const File& file) override;
  Result<FileStatus> status(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> link(const std::string& existing, const std::string& added) override;
  Result<> unlink(const std::string& path) override;
  Result<> make_directory(const std::string& path) override;
  Result<> remove_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_space(const std::string& path) override;
};

}  // namespace posthorn

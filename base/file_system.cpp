#include "base/file_system.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace posthorn {
namespace {

// Room for a read of up to so many octets costs less than asking how many there are.
constexpr std::size_t largest_guess = 256U << 10U;

FileStatus convert(const struct stat& found) {
  FileStatus status;
  status.modified_ns =
      static_cast<std::int64_t>(found.st_mtim.tv_sec) * 1'000'000'000 + found.st_mtim.tv_nsec;
  status.size = static_cast<std::uint64_t>(found.st_size);
  status.inode = found.st_ino;
  status.device = found.st_dev;
  status.links = found.st_nlink;
  status.directory = S_ISDIR(found.st_mode);
  return status;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<> FileSystem::sync_directory(const std::string& path) {
  const File directory = TRY(open(path, Open::directory));
  return sync(directory);
}

Result<std::string> FileSystem::read_whole(const std::string& path, std::size_t limit) {
  const File file = TRY(open(path, Open::read));
  std::string content = TRY(read(file, 0, limit + 1));
  if (content.size() > limit) return too_large(path + " has more than " + std::to_string(limit) + " octets");
  return content;
}

Result<> FileSystem::make_directories(const std::string& path) {
  const auto there = status(path);
  if (there && there->directory) return {};
  const std::string parent = parent_of(path);
  if (parent != path) TRY(make_directories(parent));
  const auto made = make_directory(path);
  if (!made && made.error().code != Errc::already_exists) return made;
  return sync_directory(parent);
}

Result<> FileSystem::replace(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  // One of a crash before.
  static_cast<void>(unlink(fresh));
  {
    const File file = TRY(open(fresh, Open::create_new));
    TRY(write(file, content));
    TRY(sync(file));
  }
  TRY(rename(fresh, path));
  return sync_directory(parent_of(path));
}

Result<File> SystemFileSystem::open(const std::string& path, Open how) {
  int flags = O_CLOEXEC | O_NOCTTY;
  switch (how) {
    case Open::read: flags |= O_RDONLY; break;
    case Open::read_regular: flags |= O_RDONLY | O_NOFOLLOW | O_NONBLOCK; break;
    case Open::create_new: flags |= O_WRONLY | O_CREAT | O_EXCL; break;
    case Open::append: flags |= O_WRONLY | O_CREAT | O_APPEND; break;
    case Open::read_write: flags |= O_RDWR | O_CREAT; break;
    case Open::directory: flags |= O_RDONLY | O_DIRECTORY; break;
  }
  File file(::open(path.c_str(), flags, S_IRUSR | S_IWUSR));
  if (!file && how == Open::read_regular && errno == ELOOP) {
    return failure(Errc::not_allowed, path + " is a symbolic link");
  }
  if (!file) return system_failure("open " + path);
  if (how == Open::read_regular) {
    struct stat found{};
    if (fstat(file.descriptor(), &found) != 0) return system_failure("fstat " + path);
    if (!S_ISREG(found.st_mode)) return failure(Errc::not_allowed, path + " is no regular file");
  }
  return file;
}

Result<> SystemFileSystem::write(const File& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> SystemFileSystem::read(const File& file, std::uint64_t offset, std::size_t size) {
  if (size > largest_guess) {
    struct stat found{};
    if (fstat(file.descriptor(), &found) != 0) return system_failure("fstat");
    const auto whole = static_cast<std::uint64_t>(found.st_size);
    size = static_cast<std::size_t>(std::min<std::uint64_t>(whole > offset ? whole - offset : 0, size));
  }
  int error = 0;
  std::string bytes;
  bytes.resize_and_overwrite(size, [&](char* octets, std::size_t) {
    std::size_t filled = 0;
    while (filled < size) {
      const ssize_t got =
          pread(file.descriptor(), octets + filled, size - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error = errno;
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  });
  if (error != 0) {
    errno = error;
    return system_failure("read");
  }
  return bytes;
}

void SystemFileSystem::start_sync(const File& file) {
  static_cast<void>(sync_file_range(file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE));
}

Result<> SystemFileSystem::sync(const File& file) {
  if (fsync(file.descriptor()) != 0) return system_failure("fsync");
  return {};
}

Result<> SystemFileSystem::truncate(const File& file, std::uint64_t size) {
  if (ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0) return system_failure("ftruncate");
  return {};
}

Result<FileStatus> SystemFileSystem::status(const File& file) {
  struct stat found{};
  if (fstat(file.descriptor(), &found) != 0) return system_failure("fstat");
  return convert(found);
}

Result<FileStatus> SystemFileSystem::status(const std::string& path) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) return system_failure("stat " + path);
  return convert(found);
}

Result<> SystemFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename " + from);
  return {};
}

Result<> SystemFileSystem::link(const std::string& existing, const std::string& added) {
  if (::link(existing.c_str(), added.c_str()) != 0) return system_failure("link " + existing);
  return {};
}

Result<> SystemFileSystem::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return system_failure("unlink " + path);
  return {};
}

Result<> SystemFileSystem::make_directory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) != 0) return system_failure("mkdir " + path);
  return {};
}

Result<> SystemFileSystem::remove_directory(const std::string& path) {
  if (rmdir(path.c_str()) != 0) return system_failure("rmdir " + path);
  return {};
}

Result<std::vector<std::string>> SystemFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) return system_failure("opendir " + path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return system_failure("readdir " + path);
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Result<std::uint64_t> SystemFileSystem::free_space(const std::string& path) {
  struct statvfs found{};
  if (statvfs(path.c_str(), &found) != 0) return system_failure("statvfs " + path);
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace posthorn

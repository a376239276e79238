// A preload library that writes down, in one total order, what a program does to the files of one folder:
//
//   LD_PRELOAD=librecord_io.so POSTHORN_RECORD_ROOT=/data POSTHORN_RECORD_LOG=/tmp/log posthorn serve ...
//
// From the record, tests/e2e/support/power_cut.py builds the states that a disk could hold after a power cut
// between any two operations. The log is a sparse file that must exist with its full size; it is mapped and
// shared, so that a test reads the number of operations done so far at any time and without a system call:
// what was promised to a client when that number was n must survive every cut at n or later.
//
// Layout of the log, native byte order: a Header, then records of 8-aligned size, each a Record followed by
// its two paths and its payload. An operation and its record are made under one lock, so the order of the
// records is the order in which the operations took effect.
//
// Not seen: stdio's own writes, io_uring, bare syscall(). A test therefore compares the state after the last
// record with the real folder. Shared writable mappings are recorded as such, for the reader to accept or
// refuse.

#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <climits>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace {

enum class Kind : std::uint16_t {
  open = 1,  // path, position = open flags
  write,     // file, position, payload
  truncate,  // file or path, position = new size
  sync,      // file, or folder
  sync_all,  // the whole file system
  rename,    // path, path2, position = renameat2 flags
  link,      // path (or file when the path is empty), path2
  unlink,    // path
  mkdir,     // path
  rmdir,     // path
  map,       // file: a shared writable mapping, whose stores are not seen
};

struct Header {
  std::uint64_t magic;       // "PHRECORD"
  std::uint64_t capacity;    // bytes of the whole log
  std::uint64_t used;        // bytes, this header included
  std::uint64_t operations;  // complete records
  std::uint64_t overflow;    // 1 when a record did not fit: the log is useless
};

struct Record {
  std::uint32_t size;  // with paths, payload and padding
  Kind kind;
  std::uint16_t reserved;
  std::uint32_t file;  // number of the open() that the descriptor came from; 0 for none
  std::uint32_t path_size;
  std::uint32_t path2_size;
  std::uint32_t padding;
  std::int64_t position;
  std::uint64_t payload_size;
};

constexpr std::uint64_t magic_number = 0x44524f4345524850;
constexpr std::size_t descriptors = 1 << 16;

// Which file a descriptor stands for. The inode is compared at each use, as libuv closes by a bare system
// call.
struct Descriptor {
  std::uint32_t file = 0;
  dev_t device = 0;
  ino_t inode = 0;
};

struct Recorder {
  std::mutex mutex;
  std::string root;
  Header* header = nullptr;
  std::uint32_t last_file = 0;
  std::vector<Descriptor> table{descriptors};
};

template <class Function>
Function* next(const char* name) {
  auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (found == nullptr) std::abort();
  return found;
}

#define NEXT(name) static auto* const real = next<decltype(::name)>(#name)

Recorder* start() {
  const char* root = std::getenv("POSTHORN_RECORD_ROOT");
  const char* path = std::getenv("POSTHORN_RECORD_LOG");
  if (root == nullptr || path == nullptr) return nullptr;
  const int log = next<decltype(::open)>("open")(path, O_RDWR | O_CLOEXEC);
  struct stat status{};
  if (log < 0 || ::fstat(log, &status) != 0) std::abort();
  void* memory = next<decltype(::mmap)>("mmap")(nullptr, static_cast<std::size_t>(status.st_size),
                                                PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
  if (memory == MAP_FAILED) std::abort();
  next<decltype(::close)>("close")(log);
  // Never destroyed: threads may still write while the process exits.
  auto* recorder = std::make_unique<Recorder>().release();
  recorder->root = root;
  recorder->header = static_cast<Header*>(memory);
  if (recorder->header->magic != magic_number) {
    recorder->header->capacity = static_cast<std::uint64_t>(status.st_size);
    recorder->header->used = sizeof(Header);
    recorder->header->magic = magic_number;
  }
  return recorder;
}

Recorder* recorder() {
  static Recorder* const instance = start();
  return instance;
}

std::atomic_ref<std::uint64_t> operations(Header* header) { return std::atomic_ref(header->operations); }

void append(Recorder& to, Kind kind, std::uint32_t file, std::string_view path, std::string_view path2,
            std::int64_t position, const iovec* parts = nullptr, std::size_t payload = 0) {
  Header* header = to.header;
  const std::size_t size = (sizeof(Record) + path.size() + path2.size() + payload + 7) / 8 * 8;
  if (header->overflow != 0 || header->used + size > header->capacity || size > UINT32_MAX) {
    header->overflow = 1;
    return;
  }
  const Record record{static_cast<std::uint32_t>(size),
                      kind,
                      0,
                      file,
                      static_cast<std::uint32_t>(path.size()),
                      static_cast<std::uint32_t>(path2.size()),
                      0,
                      position,
                      payload};
  char* out = reinterpret_cast<char*>(header) + header->used;
  const auto put = [&out](const void* from, std::size_t count) {
    if (count > 0) std::memcpy(out, from, count);
    out += count;
  };
  put(&record, sizeof record);
  put(path.data(), path.size());
  put(path2.data(), path2.size());
  for (std::size_t left = payload; left > 0; ++parts) {
    const std::size_t count = std::min(left, parts->iov_len);
    put(parts->iov_base, count);
    left -= count;
  }
  header->used += size;
  operations(header).fetch_add(1, std::memory_order_release);
}

// An absolute path without empty, "." and ".." levels; empty for a path outside the recorded folder.
std::string inside(const Recorder& recorder, int folder, const char* path) {
  std::string whole = path;
  if (whole.empty() || whole.front() != '/') {
    std::array<char, PATH_MAX> base{};
    const std::string link =
        folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
    const ssize_t size = ::readlink(link.c_str(), base.data(), base.size());
    if (size < 0) return {};
    whole = std::string(base.data(), static_cast<std::size_t>(size)) + "/" + whole;
  }
  std::string clean;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find('/', at), whole.size());
    const std::string_view level(whole.data() + at, end - at);
    if (level == "..") {
      clean.resize(clean.empty() ? 0 : clean.rfind('/'));
    } else if (!level.empty() && level != ".") {
      clean.append("/").append(level);
    }
    at = end + 1;
  }
  const bool within = clean.starts_with(recorder.root) &&
                      (clean.size() == recorder.root.size() || clean[recorder.root.size()] == '/');
  return within ? clean : std::string();
}

std::uint32_t file_of(Recorder& recorder, int descriptor) {
  if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= descriptors) return 0;
  Descriptor& entry = recorder.table[static_cast<std::size_t>(descriptor)];
  if (entry.file == 0) return 0;
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || status.st_dev != entry.device || status.st_ino != entry.inode) {
    entry.file = 0;
  }
  return entry.file;
}

void remember(Recorder& recorder, int descriptor, std::uint32_t file) {
  if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= descriptors) return;
  struct stat status{};
  if (file != 0 && ::fstat(descriptor, &status) != 0) return;
  recorder.table[static_cast<std::size_t>(descriptor)] = {file, status.st_dev, status.st_ino};
}

// Runs `operation` and, when it succeeded (>= 0), `note`, both under the lock.
template <class Operation, class Note>
auto recorded(Operation operation, Note note) -> decltype(operation()) {
  Recorder* const active = recorder();
  if (active == nullptr) return operation();
  const std::scoped_lock lock(active->mutex);
  const auto result = operation();
  if (result >= 0) {
    const int saved = errno;
    note(*active, result);
    errno = saved;
  }
  return result;
}

// The same for what happens to a descriptor; anything but a recorded file passes without the lock held.
template <class Operation, class Note>
auto recorded_on(int descriptor, Operation operation, Note note) -> decltype(operation()) {
  Recorder* const active = recorder();
  if (active == nullptr) return operation();
  std::unique_lock lock(active->mutex);
  const std::uint32_t file = file_of(*active, descriptor);
  if (file == 0) {
    lock.unlock();
    return operation();
  }
  const auto result = operation();
  if (result >= 0) {
    const int saved = errno;
    note(*active, file, result);
    errno = saved;
  }
  return result;
}

template <class Open>
int open_recorded(int folder, const char* path, int flags, Open open) {
  return recorded(open, [&](Recorder& to, int descriptor) {
    const std::string full = inside(to, folder, path);
    if (full.empty()) {
      remember(to, descriptor, 0);
      return;
    }
    remember(to, descriptor, ++to.last_file);
    append(to, Kind::open, to.last_file, full, {}, flags);
  });
}

template <class Write>
ssize_t write_recorded(int descriptor, const iovec* parts, Write write) {
  return recorded_on(descriptor, write, [&](Recorder& to, std::uint32_t file, ssize_t count) {
    const off64_t end = ::lseek64(descriptor, 0, SEEK_CUR);
    append(to, Kind::write, file, {}, {}, end - count, parts, static_cast<std::size_t>(count));
  });
}

template <class Write>
ssize_t write_recorded_at(int descriptor, const iovec* parts, off64_t position, Write write) {
  return recorded_on(descriptor, write, [&](Recorder& to, std::uint32_t file, ssize_t count) {
    append(to, Kind::write, file, {}, {}, position, parts, static_cast<std::size_t>(count));
  });
}

// What a copy inside the kernel wrote, read back from the file that it went to.
void append_copied(Recorder& to, int descriptor, std::uint32_t file, off64_t position, std::size_t count) {
  std::vector<char> bytes(count);
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const int again = next<decltype(::open)>("open")(link.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::pread64(again, bytes.data(), count, position);
  next<decltype(::close)>("close")(again);
  if (got != static_cast<ssize_t>(count)) std::abort();
  const iovec part{bytes.data(), count};
  append(to, Kind::write, file, {}, {}, position, &part, count);
}

template <class Operation>
int two_paths(Kind kind, int folder, const char* from, int folder2, const char* target, unsigned flags,
              Operation operation) {
  Recorder* const active = recorder();
  if (active == nullptr) return operation();
  const std::scoped_lock lock(active->mutex);
  const std::string path = inside(*active, folder, from);
  const std::string path2 = inside(*active, folder2, target);
  const int result = operation();
  if (result == 0 && !(path.empty() && path2.empty())) {
    append(*active, kind, 0, path.empty() ? "outside" : path, path2.empty() ? "outside" : path2, flags);
  }
  return result;
}

template <class Operation>
int one_path(Kind kind, int folder, const char* target, std::int64_t position, Operation operation) {
  Recorder* const active = recorder();
  if (active == nullptr) return operation();
  const std::scoped_lock lock(active->mutex);
  const std::string path = inside(*active, folder, target);
  const int result = operation();
  if (result == 0 && !path.empty()) append(*active, kind, 0, path, {}, position);
  return result;
}

template <class Operation>
int duplicated(int descriptor, Operation operation) {
  return recorded(operation, [&](Recorder& to, int copy) { remember(to, copy, file_of(to, descriptor)); });
}

mode_t mode_of(int flags, va_list arguments) {
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return creates ? va_arg(arguments, mode_t) : 0;
}

bool is_shared_and_writable(int protection, int flags) {
  const int type = flags & MAP_TYPE;
  return (protection & PROT_WRITE) != 0 && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE);
}

void note_mapping(int protection, int flags, int descriptor) {
  Recorder* const active = recorder();
  if (active == nullptr || descriptor < 0 || !is_shared_and_writable(protection, flags)) return;
  const std::scoped_lock lock(active->mutex);
  if (const std::uint32_t file = file_of(*active, descriptor); file != 0)
    append(*active, Kind::map, file, {}, {}, 0);
}

}  // namespace

// NOLINTBEGIN: the C library's own names and signatures.
extern "C" {

#define OPEN(name)                                                                        \
  int name(const char* path, int flags, ...) {                                            \
    NEXT(name);                                                                           \
    va_list arguments;                                                                    \
    va_start(arguments, flags);                                                           \
    const mode_t mode = mode_of(flags, arguments);                                        \
    va_end(arguments);                                                                    \
    return open_recorded(AT_FDCWD, path, flags, [&] { return real(path, flags, mode); }); \
  }
#define OPENAT(name)                                                                            \
  int name(int folder, const char* path, int flags, ...) {                                      \
    NEXT(name);                                                                                 \
    va_list arguments;                                                                          \
    va_start(arguments, flags);                                                                 \
    const mode_t mode = mode_of(flags, arguments);                                              \
    va_end(arguments);                                                                          \
    return open_recorded(folder, path, flags, [&] { return real(folder, path, flags, mode); }); \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open64(path, flags); }
int __openat_2(int folder, const char* path, int flags) { return openat(folder, path, flags); }
int __openat64_2(int folder, const char* path, int flags) { return openat64(folder, path, flags); }
int creat(const char* path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return open64(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

#define MKSTEMP(name)                                                                         \
  int name(char* pattern) {                                                                   \
    NEXT(name);                                                                               \
    return open_recorded(AT_FDCWD, pattern, O_CREAT | O_RDWR, [&] { return real(pattern); }); \
  }
#define MKOSTEMP(name)                                                                               \
  int name(char* pattern, int flags) {                                                               \
    NEXT(name);                                                                                      \
    return open_recorded(AT_FDCWD, pattern, O_CREAT | O_RDWR, [&] { return real(pattern, flags); }); \
  }
MKSTEMP(mkstemp)
MKSTEMP(mkstemp64)
MKOSTEMP(mkostemp)
MKOSTEMP(mkostemp64)

int close(int descriptor) {
  NEXT(close);
  if (Recorder* const active = recorder(); active != nullptr) {
    const std::scoped_lock lock(active->mutex);
    if (descriptor >= 0) remember(*active, descriptor, 0);
    return real(descriptor);
  }
  return real(descriptor);
}

int dup(int descriptor) {
  NEXT(dup);
  return duplicated(descriptor, [&] { return real(descriptor); });
}
int dup2(int descriptor, int copy) {
  NEXT(dup2);
  return duplicated(descriptor, [&] { return real(descriptor, copy); });
}
int dup3(int descriptor, int copy, int flags) {
  NEXT(dup3);
  return duplicated(descriptor, [&] { return real(descriptor, copy, flags); });
}

// Locks may wait, so only duplications are made under the recorder's lock.
#define FCNTL(name)                                                                                   \
  int name(int descriptor, int command, ...) {                                                        \
    NEXT(name);                                                                                       \
    va_list arguments;                                                                                \
    va_start(arguments, command);                                                                     \
    void* argument = va_arg(arguments, void*);                                                        \
    va_end(arguments);                                                                                \
    if (command != F_DUPFD && command != F_DUPFD_CLOEXEC) return real(descriptor, command, argument); \
    return duplicated(descriptor, [&] { return real(descriptor, command, argument); });               \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

ssize_t write(int descriptor, const void* bytes, size_t count) {
  NEXT(write);
  const iovec part{const_cast<void*>(bytes), count};
  return write_recorded(descriptor, &part, [&] { return real(descriptor, bytes, count); });
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  NEXT(writev);
  return write_recorded(descriptor, parts, [&] { return real(descriptor, parts, count); });
}

#define PWRITE(name, offset)                                                            \
  ssize_t name(int descriptor, const void* bytes, size_t count, offset position) {      \
    NEXT(name);                                                                         \
    const iovec part{const_cast<void*>(bytes), count};                                  \
    return write_recorded_at(descriptor, &part, position,                               \
                             [&] { return real(descriptor, bytes, count, position); }); \
  }
#define PWRITEV(name, offset)                                                           \
  ssize_t name(int descriptor, const iovec* parts, int count, offset position) {        \
    NEXT(name);                                                                         \
    return write_recorded_at(descriptor, parts, position,                               \
                             [&] { return real(descriptor, parts, count, position); }); \
  }
#define PWRITEV2(name, offset)                                                              \
  ssize_t name(int descriptor, const iovec* parts, int count, offset position, int flags) { \
    NEXT(name);                                                                             \
    const auto write = [&] { return real(descriptor, parts, count, position, flags); };     \
    return position == -1 ? write_recorded(descriptor, parts, write)                        \
                          : write_recorded_at(descriptor, parts, position, write);          \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)
PWRITEV2(pwritev2, off_t)
PWRITEV2(pwritev64v2, off64_t)

#define FTRUNCATE(name, offset)                                                                          \
  int name(int descriptor, offset size) noexcept {                                                       \
    NEXT(name);                                                                                          \
    return recorded_on(                                                                                  \
        descriptor, [&] { return real(descriptor, size); },                                              \
        [&](Recorder& to, std::uint32_t file, int) { append(to, Kind::truncate, file, {}, {}, size); }); \
  }
#define TRUNCATE(name, offset)                                                               \
  int name(const char* path, offset size) noexcept {                                         \
    NEXT(name);                                                                              \
    return one_path(Kind::truncate, AT_FDCWD, path, size, [&] { return real(path, size); }); \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)
TRUNCATE(truncate, off_t)
TRUNCATE(truncate64, off64_t)

// Space that is reserved shows only as a size.
#define FALLOCATE(name, offset)                                              \
  int name(int descriptor, int mode, offset position, offset count) {        \
    NEXT(name);                                                              \
    return recorded_on(                                                      \
        descriptor, [&] { return real(descriptor, mode, position, count); }, \
        [&](Recorder& to, std::uint32_t file, int) {                         \
          struct stat status{};                                              \
          ::fstat(descriptor, &status);                                      \
          append(to, Kind::truncate, file, {}, {}, status.st_size);          \
        });                                                                  \
  }
FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)

#define SYNC(name)                                                                                \
  int name(int descriptor) {                                                                      \
    NEXT(name);                                                                                   \
    return recorded_on(                                                                           \
        descriptor, [&] { return real(descriptor); },                                             \
        [&](Recorder& to, std::uint32_t file, int) { append(to, Kind::sync, file, {}, {}, 0); }); \
  }
SYNC(fsync)
SYNC(fdatasync)

int syncfs(int descriptor) noexcept {
  NEXT(syncfs);
  return recorded_on(
      descriptor, [&] { return real(descriptor); },
      [&](Recorder& to, std::uint32_t, int) { append(to, Kind::sync_all, 0, {}, {}, 0); });
}

int rename(const char* from, const char* target) noexcept {
  NEXT(rename);
  return two_paths(Kind::rename, AT_FDCWD, from, AT_FDCWD, target, 0, [&] { return real(from, target); });
}
int renameat(int folder, const char* from, int folder2, const char* target) noexcept {
  NEXT(renameat);
  return two_paths(Kind::rename, folder, from, folder2, target, 0,
                   [&] { return real(folder, from, folder2, target); });
}
int renameat2(int folder, const char* from, int folder2, const char* target, unsigned flags) noexcept {
  NEXT(renameat2);
  return two_paths(Kind::rename, folder, from, folder2, target, flags,
                   [&] { return real(folder, from, folder2, target, flags); });
}
int link(const char* from, const char* target) noexcept {
  NEXT(link);
  return two_paths(Kind::link, AT_FDCWD, from, AT_FDCWD, target, 0, [&] { return real(from, target); });
}

// A file without a name gets one by AT_EMPTY_PATH or through /proc/self/fd: then the descriptor tells which.
int linkat(int folder, const char* from, int folder2, const char* target, int flags) noexcept {
  NEXT(linkat);
  const auto operation = [&] { return real(folder, from, folder2, target, flags); };
  int descriptor = -1;
  if ((flags & AT_EMPTY_PATH) != 0 && *from == '\0') descriptor = folder;
  if (std::strncmp(from, "/proc/self/fd/", 14) == 0) descriptor = std::atoi(from + 14);
  if (descriptor < 0) return two_paths(Kind::link, folder, from, folder2, target, 0, operation);
  return recorded_on(descriptor, operation, [&](Recorder& to, std::uint32_t file, int) {
    append(to, Kind::link, file, {}, inside(to, folder2, target), 0);
  });
}

int unlink(const char* path) noexcept {
  NEXT(unlink);
  return one_path(Kind::unlink, AT_FDCWD, path, 0, [&] { return real(path); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  NEXT(unlinkat);
  const Kind kind = (flags & AT_REMOVEDIR) != 0 ? Kind::rmdir : Kind::unlink;
  return one_path(kind, folder, path, 0, [&] { return real(folder, path, flags); });
}
int rmdir(const char* path) noexcept {
  NEXT(rmdir);
  return one_path(Kind::rmdir, AT_FDCWD, path, 0, [&] { return real(path); });
}
int remove(const char* path) noexcept {
  const int result = unlink(path);
  return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(path) : result;
}
int mkdir(const char* path, mode_t mode) noexcept {
  NEXT(mkdir);
  return one_path(Kind::mkdir, AT_FDCWD, path, 0, [&] { return real(path, mode); });
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  NEXT(mkdirat);
  return one_path(Kind::mkdir, folder, path, 0, [&] { return real(folder, path, mode); });
}

ssize_t copy_file_range(int source, off64_t* from, int descriptor, off64_t* to_position, size_t count,
                        unsigned flags) {
  NEXT(copy_file_range);
  const off64_t given = to_position == nullptr ? -1 : *to_position;
  return recorded_on(
      descriptor, [&] { return real(source, from, descriptor, to_position, count, flags); },
      [&](Recorder& to, std::uint32_t file, ssize_t copied) {
        const off64_t start = given >= 0 ? given : ::lseek64(descriptor, 0, SEEK_CUR) - copied;
        append_copied(to, descriptor, file, start, static_cast<std::size_t>(copied));
      });
}

#define SENDFILE(name, offset)                                                                 \
  ssize_t name(int descriptor, int source, offset* from, size_t count) noexcept {              \
    NEXT(name);                                                                                \
    return recorded_on(                                                                        \
        descriptor, [&] { return real(descriptor, source, from, count); },                     \
        [&](Recorder& to, std::uint32_t file, ssize_t copied) {                                \
          const off64_t end = ::lseek64(descriptor, 0, SEEK_CUR);                              \
          append_copied(to, descriptor, file, end - copied, static_cast<std::size_t>(copied)); \
        });                                                                                    \
  }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

#define MMAP(name, offset)                                                          \
  void* name(void* address, size_t size, int protection, int flags, int descriptor, \
             offset position) noexcept {                                            \
    NEXT(name);                                                                     \
    void* memory = real(address, size, protection, flags, descriptor, position);    \
    if (memory != MAP_FAILED) note_mapping(protection, flags, descriptor);          \
    return memory;                                                                  \
  }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

}  // extern "C"
// NOLINTEND

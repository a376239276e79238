#pragma once

#include "base/file_system.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::testing {

// The system's files, but calls that change something can be made to fail: one of them, or all from one on,
// which is also how a process looks that was killed there.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Fault {
    once,
    from_then_on,  // all calls: as after a kill
    full,          // from then on those that take space; what frees some works
  };

  // The n-th changing call from now on (0 is the next) fails with `code`.
  void fail(std::uint64_t n, Errc code, Fault how) {
    code_ = code;
    how_ = how;
    failed_ = false;
    first_ = calls_ + n;
  }
  // Calls for which `which` says so fail. It is given the call in words ("unlink /path", "sqlite sync"), and
  // called by one thread at a time.
  void fail_if(std::function<bool(std::string_view)> which, Errc code = Errc::io) {
    const std::scoped_lock lock(mutex_);
    which_ = std::move(which);
    which_code_ = code;
  }
  void heal() {
    first_ = never;
    const std::scoped_lock lock(mutex_);
    which_ = {};
  }
  // Called before each link with the path that is to be linked: what another program does just then.
  void before_link(std::function<void(const std::string&)> act) { before_link_ = std::move(act); }
  // Changing calls so far.
  std::uint64_t calls() const { return calls_; }
  bool has_failed() const { return failed_; }
  // Whether a link gives an io error, as across file systems.
  void forbid_links(bool forbid) { links_forbidden_ = forbid; }

  // Counts a changing call of others (SQLite) too: false when it is to fail.
  bool allow_write() { return attempt("sqlite write").has_value(); }
  bool allow_sync() { return attempt("sqlite sync", Space::none).has_value(); }

  Result<File> open(const std::string& path, Open how) override {
    if (how == Open::create_new || how == Open::append || how == Open::read_write) {
      if (auto allowed = attempt("open " + path); !allowed) return std::unexpected(allowed.error());
    }
    return system_.open(path, how);
  }
  Result<> write(const File& file, std::string_view bytes) override {
    TRY(attempt("write"));
    return system_.write(file, bytes);
  }
  Result<std::string> read(const File& file, std::uint64_t offset, std::size_t size) override {
    return system_.read(file, offset, size);
  }
  Result<> sync(const File& file) override {
    TRY(attempt("sync", Space::none));
    ++syncs_;
    // Not done: tests are many, and power does not fail in them.
    static_cast<void>(file);
    return {};
  }
  Result<> truncate(const File& file, std::uint64_t size) override {
    TRY(attempt("truncate", Space::none));
    return system_.truncate(file, size);
  }
  Result<FileStatus> status(const File& file) override { return system_.status(file); }
  Result<FileStatus> status(const std::string& path) override { return system_.status(path); }
  Result<> rename(const std::string& from, const std::string& to) override {
    TRY(attempt("rename " + from, Space::none));
    return system_.rename(from, to);
  }
  Result<> link(const std::string& existing, const std::string& added) override {
    TRY(attempt("link " + existing));
    if (before_link_) before_link_(existing);
    if (links_forbidden_) return failure(Errc::io, "no links here");
    return system_.link(existing, added);
  }
  Result<> unlink(const std::string& path) override {
    TRY(attempt("unlink " + path, Space::none));
    return system_.unlink(path);
  }
  Result<> make_directory(const std::string& path) override {
    TRY(attempt("mkdir " + path));
    return system_.make_directory(path);
  }
  Result<> remove_directory(const std::string& path) override {
    TRY(attempt("rmdir " + path, Space::none));
    return system_.remove_directory(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override { return system_.list(path); }
  Result<std::uint64_t> free_space(const std::string& path) override { return system_.free_space(path); }

  std::uint64_t syncs() const { return syncs_; }
  // What the call was that failed first.
  std::string failed_call() {
    const std::scoped_lock lock(mutex_);
    return failed_call_;
  }

 private:
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  enum class Space { taken, none };

  Result<> attempt(const std::string& what, Space space = Space::taken) {
    const std::uint64_t call = calls_++;
    {
      const std::scoped_lock lock(mutex_);
      if (which_ && which_(what)) return failure(which_code_, "made to fail: " + what);
    }
    const bool fails = how_ == Fault::once ? call == first_ : call >= first_;
    if (!fails || (how_ == Fault::full && space == Space::none)) return {};
    if (!failed_.exchange(true)) {
      const std::scoped_lock lock(mutex_);
      failed_call_ = what;
    }
    return failure(code_, "made to fail: " + what);
  }

  SystemFileSystem system_;
  std::mutex mutex_;
  std::string failed_call_;
  std::function<bool(std::string_view)> which_;
  Errc which_code_ = Errc::io;
  std::function<void(const std::string&)> before_link_;
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> first_{never};
  std::atomic<Errc> code_{Errc::io};
  std::atomic<Fault> how_{Fault::once};
  std::atomic<bool> failed_{false};
  std::atomic<bool> links_forbidden_{false};
};

}  // namespace posthorn::testing

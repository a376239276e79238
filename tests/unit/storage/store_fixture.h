#pragma once

#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "storage/store.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace posthorn::storage::testing {

using posthorn::testing::CountingRandom;
using posthorn::testing::FaultyFileSystem;
using posthorn::testing::ManualClock;
using posthorn::testing::TemporaryDirectory;

// A log whose lines can be looked at.
class LineLog final : public Log {
 public:
  LineLog() : Log(LogLevel::debug, LogFormat::text) {}
  bool has(std::string_view part) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(lines_, [part](const std::string& line) { return line.contains(part); });
  }
  void clear() {
    const std::scoped_lock lock(mutex_);
    lines_.clear();
  }
  std::string all() const {
    const std::scoped_lock lock(mutex_);
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 protected:
  void emit(LogLevel /*level*/, const std::string& line) override {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(line);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

template <class T>
Task<void> keep_value(Task<T> task, std::optional<T>& value) {
  value.emplace(co_await task);
}
inline Task<void> keep_end(Task<void> task, bool& ended) {
  co_await task;
  ended = true;
}

// A store over a real temporary directory, and a loop that runs while something is waited for.
struct StoreFixture {
  static constexpr const char* alice = "alice@example.test";
  static constexpr const char* bob = "bob@example.test";

  StoreFixture() {
    settings.data = directory.path() + "/data";
    settings.hostname = "mail.example.test";
    settings.spool_memory = 4096;
    start();
  }
  ~StoreFixture() {
    files.heal();
    crash();
  }

  Result<> try_start() {
    auto opened = open_store(lane, files, clock, random, log, settings);
    if (!opened) return std::unexpected(opened.error());
    store = *std::move(opened);
    return {};
  }
  void start() { REQUIRE(try_start()); }
  // Clean end.
  void stop() {
    accounts.clear();
    mailboxes.clear();
    if (!store) return;
    bool ended = false;
    group.start(keep_end(store->close(), ended));
    while (!ended) uv_run(loop.raw(), UV_RUN_ONCE);
    store.reset();
  }
  // As if the process was killed: whatever is under way fails, nothing is written.
  void crash() {
    accounts.clear();
    mailboxes.clear();
    if (!store) return;
    // Background work of the pool comes to its end; none is begun.
    while (uv_loop_alive(loop.raw()) != 0) uv_run(loop.raw(), UV_RUN_ONCE);
    store.reset();
    uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
  void restart() {
    stop();
    start();
  }

  template <class T>
  T wait(Task<T> task) {
    std::optional<T> value;
    group.start(keep_value(std::move(task), value));
    while (!value) uv_run(loop.raw(), UV_RUN_ONCE);
    return *std::move(value);
  }
  void run_for(Milliseconds duration) {
    bool over = false;
    Timer timer(loop, [&over] { over = true; });
    timer.start(duration);
    while (!over) uv_run(loop.raw(), UV_RUN_ONCE);
  }

  Result<std::shared_ptr<Account>> try_account(const std::string& address = alice) {
    return wait(store->open(address));
  }
  Account& account(const std::string& address = alice) {
    auto& kept = accounts[address];
    if (!kept) {
      auto opened = try_account(address);
      REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
      kept = *opened;
    }
    return *kept;
  }
  // Held until close(), so that later calls find it loaded.
  std::shared_ptr<Mailbox> mailbox(const std::string& name = "INBOX", const std::string& address = alice) {
    auto opened = wait(account(address).open(name));
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    mailboxes.push_back(*opened);
    return *opened;
  }
  Counts counts(const std::string& name = "INBOX", const std::string& address = alice) {
    auto found = wait(account(address).status(name));
    REQUIRE_MESSAGE(found, (found ? "" : found.error().detail));
    return *found;
  }

  Result<std::unique_ptr<Spool>> try_spool(std::string_view text) {
    auto spool = store->spool();
    TRY(wait(spool->write(text)));
    TRY(wait(spool->close()));
    return spool;
  }
  std::unique_ptr<Spool> spool(std::string_view text) {
    auto spool = try_spool(text);
    REQUIRE_MESSAGE(spool, (spool ? "" : spool.error().detail));
    return *std::move(spool);
  }
  static std::string letter(std::string_view subject) {
    return "From: Bob <bob@example.test>\r\nTo: alice@example.test\r\nSubject: " + std::string(subject) +
           "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nHello,\r\n" + std::string(subject) + "\r\n";
  }
  Result<> try_deliver(std::string_view text, std::vector<std::string> to = {alice}) {
    const auto message = TRY(try_spool(text));
    return wait(store->deliver(
        {.accounts = std::move(to), .spool = message.get(), .internal_date = clock.seconds()}));
  }
  void deliver(std::string_view text, std::vector<std::string> to = {alice}) {
    auto delivered = try_deliver(text, std::move(to));
    REQUIRE_MESSAGE(delivered, (delivered ? "" : delivered.error().detail));
  }
  Result<Appended> try_append(Mailbox& target, std::string_view text, std::uint8_t flags = 0,
                              std::vector<std::string> keywords = {}) {
    const auto message = TRY(try_spool(text));
    std::vector<Arrival> arrivals{{.spool = message.get(),
                                   .internal_date = 1'600'000'000,
                                   .system_flags = flags,
                                   .keywords = std::move(keywords)}};
    return wait(target.append(std::move(arrivals)));
  }
  Uid append(Mailbox& target, std::string_view text, std::uint8_t flags = 0,
             std::vector<std::string> keywords = {}) {
    auto appended = try_append(target, text, flags, std::move(keywords));
    REQUIRE_MESSAGE(appended, (appended ? "" : appended.error().detail));
    return appended->uids.ranges().front().first;
  }
  Result<Stored> try_store(Mailbox& target, UidSet uids, FlagChange how, std::uint8_t flags,
                           std::vector<std::string> keywords = {}) {
    return wait(target.store(
        {.uids = std::move(uids), .how = how, .system_flags = flags, .keywords = std::move(keywords)}));
  }

  static UidSet uids(std::initializer_list<Uid> list) {
    UidSet set;
    for (const Uid uid : list) set.append(uid);
    return set;
  }
  static UidSet all() {
    UidSet set;
    set.append(1, 0x7fffffff);
    return set;
  }
  static std::vector<Uid> uids_of(const Mailbox& mailbox) {
    std::vector<Uid> list;
    const auto snapshot = mailbox.snapshot();
    snapshot->visit(0, snapshot->size(),
                    [&](std::uint32_t, const Message& message) { list.push_back(message.uid); });
    return list;
  }
  std::string read(Mailbox& mailbox, Uid uid) {
    auto bytes = wait(mailbox.bytes(uid));
    REQUIRE_MESSAGE(bytes, (bytes ? "" : bytes.error().detail));
    std::string whole;
    while (whole.size() < (*bytes)->size()) {
      auto part = wait((*bytes)->read(whole.size(), 65536));
      REQUIRE_MESSAGE(part, (part ? "" : part.error().detail));
      whole += *part;
    }
    return whole;
  }

  std::string account_path(const std::string& address = alice) const {
    const std::size_t at = address.find('@');
    return settings.data + "/mail/" + address.substr(at + 1) + "/" + address.substr(0, at);
  }
  std::string maildir(const std::string& address = alice) const { return account_path(address) + "/Maildir"; }
  static std::vector<std::string> list(const std::string& path) {
    std::vector<std::string> names;
    if (!std::filesystem::exists(path)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  static void put_file(const std::string& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary);
    out << bytes;
  }

  TemporaryDirectory directory;
  LineLog log;
  FaultyFileSystem files;
  ManualClock clock;
  CountingRandom random;
  Loop loop;
  Lane lane{loop, "disk", 4, 1000};
  TaskGroup group;
  StoreSettings settings;
  std::unique_ptr<Store> store;
  std::map<std::string, std::shared_ptr<Account>> accounts;
  std::vector<std::shared_ptr<Mailbox>> mailboxes;
};

constexpr std::uint8_t bit(SystemFlag flag) { return static_cast<std::uint8_t>(flag); }

}  // namespace posthorn::storage::testing

// What operations that share a transaction do to each other, and what is left when that fails: each letter is
// somewhere, whatever happens.
#include "storage/account_disk.h"
#include "storage/folders.h"
#include "storage/messages.h"
#include "storage/upkeep.h"
#include "tests/support/faulty_sqlite.h"
#include "tests/unit/storage/store_fixture.h"

#include <array>
#include <utility>

namespace posthorn::storage::testing {
namespace {

using posthorn::testing::FaultySqlite;

struct BatchFixture : StoreFixture {
  FaultySqlite sqlite{files};
  // The store of the fixture was opened before SQLite was watched.
  BatchFixture() { stop(); }
  ~BatchFixture() {
    // What decides which calls fail is the test's, which is over.
    files.heal();
    crash();
  }

  void fill() {
    start();
    for (const char* subject : {"one", "two", "three"}) deliver(letter(subject));
    append(*mailbox("Archive"), letter("old"));
    stop();
  }
  // How often each subject is in a mailbox.
  std::map<std::string, int> subjects(std::initializer_list<const char*> mailboxes) {
    std::map<std::string, int> found;
    for (const char* name : mailboxes) {
      auto target = mailbox(name);
      for (const Uid uid : uids_of(*target)) {
        const std::string text = read(*target, uid);
        const std::size_t begin = text.find("Subject: ") + 9;
        ++found[text.substr(begin, text.find("\r\n", begin) - begin)];
      }
    }
    return found;
  }
  static auto sqlite_calls() {
    return [](std::string_view call) { return call.starts_with("sqlite"); };
  }
};

enum class End { fails_once, disk_full, killed };

void fail_at(FaultyFileSystem& files, std::uint64_t n, End end) {
  switch (end) {
    case End::fails_once: files.fail(n, Errc::io, FaultyFileSystem::Fault::once); break;
    case End::disk_full: files.fail(n, Errc::disk_full, FaultyFileSystem::Fault::full); break;
    case End::killed: files.fail(n, Errc::io, FaultyFileSystem::Fault::from_then_on); break;
  }
}

// A letter leaves INBOX in the same transaction in which INBOX is listed. Whether any call failed.
bool run_batch(BatchFixture& fixture, bool replace, std::uint64_t n, End end) {
  fixture.start();
  auto inbox = fixture.mailbox();
  auto archive = fixture.mailbox("Archive");
  auto delivered = fixture.spool(BatchFixture::letter("new"));
  auto replacing = fixture.spool(BatchFixture::letter("instead"));
  fixture.run_for(Milliseconds(25));
  // So that INBOX has to be listed.
  BatchFixture::put_file(fixture.maildir() + "/new/1600000001.1.other", BatchFixture::letter("foreign"));
  const std::uint64_t first = fixture.files.calls() + n;
  fail_at(fixture.files, n, end);

  // The first is on its way when the others come: these share a transaction.
  std::optional<Result<>> occupied;
  std::optional<Result<Copied>> moved;
  std::optional<Result<Appended>> replaced;
  std::optional<Result<>> came;
  std::optional<Result<>> polled;
  fixture.group.start(keep_value(archive->poll(), occupied));
  if (replace) {
    fixture.group.start(keep_value(inbox->replace(1, inbox, {.spool = replacing.get()}), replaced));
  } else {
    fixture.group.start(keep_value(inbox->move(BatchFixture::uids({1}), archive, Missing::skip), moved));
  }
  fixture.group.start(keep_value(
      fixture.store->deliver({.accounts = {BatchFixture::alice}, .spool = delivered.get()}), came));
  fixture.group.start(keep_value(inbox->poll(), polled));
  while (!occupied || !came || !polled || !(replace ? replaced.has_value() : moved.has_value()))
    uv_run(fixture.loop.raw(), UV_RUN_ONCE);
  const bool failed = fixture.files.calls() > first;
  const std::string call = fixture.files.failed_call();
  CAPTURE(call);
  const bool left = replace ? replaced->has_value() : moved->has_value();
  inbox.reset();
  archive.reset();
  delivered.reset();
  replacing.reset();
  if (end == End::killed) {
    fixture.crash();
    fixture.files.heal();
    fixture.start();
  }
  fixture.files.heal();
  for (const bool again : {false, true}) {
    CAPTURE(again);
    auto found = fixture.subjects({"INBOX", "Archive"});
    CHECK(found["one"] + found["instead"] >= 1);
    if (!replace) CHECK(found["one"] == 1);
    if (replace && end != End::killed) CHECK(found[left ? "instead" : "one"] == 1);
    // What could not be renamed is tried again some time later.
    if (again || end != End::fails_once) CHECK(found["foreign"] == 1);
    CHECK(found["two"] == 1);
    CHECK(found["old"] == 1);
    if (*came) CHECK(found["new"] == 1);
    if (again) break;
    fixture.restart();
  }
  fixture.stop();
  return failed;
}

void run_batches(End end) {
  BatchFixture fixture;
  fixture.fill();
  const std::string filled = fixture.directory.path() + "/template";
  std::filesystem::rename(fixture.settings.data, filled);
  for (const bool replace : {false, true}) {
    CAPTURE(replace);
    bool failed = true;
    for (std::uint64_t n = 0; failed; ++n) {
      CAPTURE(n);
      REQUIRE(n < 200);
      std::filesystem::remove_all(fixture.settings.data);
      std::filesystem::copy(filled, fixture.settings.data, std::filesystem::copy_options::recursive);
      failed = run_batch(fixture, replace, n, end);
    }
  }
}

}  // namespace

TEST_CASE("crash: killed at each call of a batch that moves a message and lists its mailbox") {
  run_batches(End::killed);
}

TEST_CASE("crash: with each call failing once, a batch that moves a message and lists its mailbox") {
  run_batches(End::fails_once);
}

TEST_CASE("crash: on a disk that is full, a batch that moves a message and lists its mailbox") {
  run_batches(End::disk_full);
}

TEST_CASE_FIXTURE(BatchFixture, "batch: a tombstone is not done with before its file is unlinked") {
  fill();
  {
    DiskContext context{files, clock, random, log, settings};
    AccountDisk disk(context, account_path(), alice);
    Expunge expunge({0, "INBOX"}, uids({1}), true);
    Follow follow;
    const std::array<Operation*, 2> batch{&expunge, &follow};
    bool dead = false;
    files.fail_if([&](std::string_view call) {
      dead = dead || (call.starts_with("unlink") && call.contains("U=1"));
      return dead;
    });
    disk.run(batch, {});
    CHECK_FALSE(expunge.error);
    CHECK(dead);
  }
  files.heal();
  start();
  CHECK(subjects({"INBOX"}) == std::map<std::string, int>{{"two", 1}, {"three", 1}});
}

TEST_CASE_FIXTURE(BatchFixture, "batch: tombstones are done with in the end, and follow-up work ends") {
  fill();
  DiskContext context{files, clock, random, log, settings};
  AccountDisk disk(context, account_path(), alice);
  Expunge expunge({0, "INBOX"}, uids({1}), true);
  Follow follow;
  const std::array<Operation*, 2> batch{&expunge, &follow};
  CHECK(disk.run(batch, {}).restless);
  CHECK_FALSE(disk.index().pending_tombstones(disk.find_folder("INBOX")->row.id)->empty());
  const std::array<Operation*, 1> later{&follow};
  CHECK_FALSE(disk.run(later, {}).restless);
  CHECK(disk.index().pending_tombstones(disk.find_folder("INBOX")->row.id)->empty());
  // A file that can't be unlinked is tried again, without haste.
  Expunge another({0, "INBOX"}, uids({2}), true);
  int attempts = 0;
  files.fail_if([&](std::string_view call) {
    const bool fails = call.starts_with("unlink") && call.contains("U=2");
    if (fails) ++attempts;
    return fails;
  });
  const std::array<Operation*, 1> alone{&another};
  disk.run(alone, {});
  for (int round = 0; round < 3; ++round) {
    CHECK(disk.run(later, {}).restless);
    CHECK_FALSE(follow.more);
    PollMailbox poll(disk.find_folder("INBOX")->row.id);
    const std::array<Operation*, 1> look{&poll};
    disk.run(look, {});
  }
  CHECK(attempts <= 2);
  const std::string lines = log.all();
  const std::size_t told = lines.find("storage.file_stays");
  CHECK(told != std::string::npos);
  CHECK(lines.find("storage.file_stays", told + 1) == std::string::npos);
  files.heal();
  Settle settle;
  const std::array<Operation*, 1> end{&settle};
  disk.run(end, {});
  CHECK(list(maildir() + "/new").size() + list(maildir() + "/cur").size() == 1);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batch: where nobody knows whether a COMMIT was done, a MOVE keeps both files") {
  fill();
  for (const bool same_process : {true, false}) {
    CAPTURE(same_process);
    start();
    auto inbox = mailbox();
    auto archive = mailbox("Archive");
    bool broken = false;
    files.fail_if([&](std::string_view call) {
      broken = broken || call == "sqlite sync";
      return broken && call.starts_with("sqlite");
    });
    CHECK_FALSE(wait(inbox->move(uids({inbox->snapshot()->at(0).uid}), archive, Missing::skip)));
    CHECK(broken);
    inbox.reset();
    archive.reset();
    if (!same_process) crash();
    files.heal();
    if (!same_process) start();
    CHECK(subjects({"INBOX", "Archive"}) ==
          std::map<std::string, int>{{"one", 1}, {"two", 1}, {"three", 1}, {"old", 1}});
    restart();
    CHECK(subjects({"INBOX", "Archive"}).size() == 4);
    stop();
  }
}

TEST_CASE_FIXTURE(BatchFixture, "batch: a mailbox whose DELETE failed is there with all that came since") {
  fill();
  start();
  REQUIRE(wait(account().create("box", SpecialUse::none)));
  append(*mailbox("box"), letter("before"));
  const MailboxId id = mailbox("box")->info().id;
  bool once = true;
  files.fail_if([&](std::string_view call) { return call == "sqlite sync" && std::exchange(once, false); });
  const std::uint64_t before = files.syncs();
  CHECK_FALSE(wait(account().remove("box")));
  // What names it is synced when it is put aside and when it is put back.
  CHECK(files.syncs() - before >= 5);
  files.heal();
  append(*mailbox("box"), letter("after"));
  crash();
  // A power cut that the second rename did not outlive.
  std::filesystem::create_directories(account_path() + "/deleted");
  std::filesystem::rename(maildir() + "/.box", account_path() + "/deleted/" + std::to_string(id) + ".0123");
  start();
  CHECK(subjects({"box"}) == std::map<std::string, int>{{"before", 1}, {"after", 1}});
  CHECK(wait(account().remove("box")));
  crash();
  start();
  CHECK_FALSE(wait(account().open("box")));
}

TEST_CASE_FIXTURE(BatchFixture, "batch: keywords are told although the batch that added them failed once") {
  fill();
  start();
  auto inbox = mailbox();
  bool once = true;
  files.fail_if([&](std::string_view call) { return call == "sqlite sync" && std::exchange(once, false); });
  CHECK_FALSE(try_store(*inbox, uids({1}), FlagChange::add, 0, {"Later"}));
  CHECK_FALSE(once);
  CHECK(try_store(*inbox, uids({1}), FlagChange::add, 0, {"Later"}));
  CHECK(inbox->find_keyword("Later").has_value());
}

TEST_CASE_FIXTURE(BatchFixture, "batch: what a crash left of a MOVE is mended at the second try too") {
  fill();
  start();
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  bool dead = false;
  files.fail_if([&](std::string_view call) { return dead = dead || call.starts_with("sqlite"); });
  CHECK_FALSE(wait(inbox->move(uids({1, 2}), archive, Missing::skip)));
  inbox.reset();
  archive.reset();
  crash();
  files.heal();
  CHECK(list(maildir() + "/.Archive/new").size() == 3);
  start();
  account();
  files.fail_if(sqlite_calls(), Errc::disk_full);
  CHECK_FALSE(wait(account().open("Archive")));
  files.heal();
  CHECK(subjects({"INBOX", "Archive"}) ==
        std::map<std::string, int>{{"one", 1}, {"two", 1}, {"three", 1}, {"old", 1}});
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batch: nothing is done twice where a COMMIT is in doubt and its index is lost") {
  fill();
  start();
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  const std::string index = account_path() + "/index.sqlite";
  bool lost = false;
  files.fail_if([&](std::string_view call) {
    if (call == "sqlite sync" && !lost) {
      lost = true;
      std::filesystem::rename(index, index + ".lost");
    }
    // Until another one is begun.
    return lost && call.starts_with("sqlite") && !std::filesystem::exists(index);
  });
  CHECK_FALSE(wait(inbox->copy(uids({1}), archive, Missing::skip)));
  CHECK(lost);
  files.heal();
  CHECK(subjects({"Archive"})["one"] <= 1);
  CHECK(subjects({"INBOX"}) == std::map<std::string, int>{{"one", 1}, {"two", 1}, {"three", 1}});
  inbox.reset();
  archive.reset();
  restart();
  CHECK(subjects({"Archive"})["one"] <= 1);
  CHECK(subjects({"Archive"})["old"] == 1);
}

TEST_CASE_FIXTURE(BatchFixture, "batch: names that can't follow keep none behind them from following") {
  start();
  account();
  constexpr int stuck = 505;
  constexpr int all = stuck + 3;
  for (int index = 0; index < all; ++index) {
    const std::string kind = index < stuck ? ".stuck" : ".free";
    put_file(maildir() + "/cur/" + std::to_string(1'600'000'000 + index) + kind + ".other:2,", "x");
  }
  auto inbox = mailbox();
  REQUIRE(inbox->snapshot()->size() == all);
  REQUIRE(try_store(*inbox, StoreFixture::all(), FlagChange::add, bit(SystemFlag::flagged)));
  files.fail_if([](std::string_view call) { return call.starts_with("rename ") && call.contains(".stuck"); });
  inbox.reset();
  stop();
  int followed = 0;
  for (const std::string& name : list(maildir() + "/cur")) followed += name.ends_with(":2,F") ? 1 : 0;
  CHECK(followed == all - stuck);
  CHECK(log.has("files=505"));
}

// Else a look would take the letter in the name for another program's wish.
TEST_CASE_FIXTURE(BatchFixture, "batch: a name that followed flags has its old one back if the row has") {
  fill();
  DiskContext context{files, clock, random, log, settings};
  AccountDisk disk(context, account_path(), alice);
  const auto run = [&disk](Operation& operation) {
    const std::array<Operation*, 1> batch{&operation};
    disk.run(batch, {});
  };
  ListFolders folders;
  run(folders);
  const MailboxId id = disk.find_folder("INBOX")->row.id;
  const auto change = [&](FlagChange how) {
    ChangeFlags operation(id, {.uids = uids({1}), .how = how, .system_flags = bit(SystemFlag::deleted)});
    run(operation);
    CHECK_FALSE(operation.error);
  };
  change(FlagChange::add);
  files.fail_if(sqlite_calls(), Errc::disk_full);
  Follow follow;
  run(follow);
  CHECK(follow.error);
  files.heal();
  change(FlagChange::remove);
  disk.find_folder("INBOX")->row.cur_modified = 0;
  PollMailbox poll(id);
  run(poll);
  CHECK(disk.find_folder("INBOX")->row.deleted == 0);
}

TEST_CASE_FIXTURE(BatchFixture, "batch: a file that stays keeps no other tombstones pending") {
  fill();
  DiskContext context{files, clock, random, log, settings};
  AccountDisk disk(context, account_path(), alice);
  Expunge expunge({0, "INBOX"}, uids({1, 2, 3}), true);
  Follow follow;
  const std::array<Operation*, 1> first{&expunge};
  const std::array<Operation*, 1> later{&follow};
  files.fail_if([](std::string_view call) { return call.starts_with("unlink") && call.contains("U=2"); });
  disk.run(first, {});
  disk.find_folder("INBOX")->next_look = {};
  disk.run(later, {});
  const auto pending = disk.index().pending_tombstones(disk.find_folder("INBOX")->row.id);
  REQUIRE(pending);
  REQUIRE(pending->size() == 1);
  CHECK(pending->front().uid == 2);
  CHECK_FALSE(follow.more);
}

}  // namespace posthorn::storage::testing

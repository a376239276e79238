// COPY of many messages: others have their turns in between, and it happens as a whole or not at all.
#include "tests/support/faulty_sqlite.h"
#include "tests/unit/storage/held_copy_fixture.h"

#include <atomic>
#include <set>

namespace posthorn::storage::testing {
namespace {

struct PiecesFixture : HeldCopyFixture {
  std::size_t files_of_archive() const {
    return list(maildir() + "/.Archive/new").size() + list(maildir() + "/.Archive/cur").size();
  }
  // What comes next into the archive is all that is there, under a UID that no copy had.
  void check_untouched() {
    CHECK(archive->snapshot()->size() == 0);
    CHECK(counts("Archive").messages == 0);
    CHECK(files_of_archive() == 0);
    const Uid next = append(*archive, letter("next"));
    CHECK(next > many);
    inbox.reset();
    archive.reset();
    restart();
    CHECK(uids_of(*mailbox("Archive")) == std::vector<Uid>{next});
    CHECK(uids_of(*mailbox()).size() >= many - 1);
    CHECK_FALSE(log.has("storage.mended"));
  }
};

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: others are served before it ends") {
  begin_copy();
  std::optional<Result<Stored>> stored;
  std::optional<Result<std::vector<MailboxInfo>>> listed;
  std::optional<Result<std::shared_ptr<Mailbox>>> opened;
  group.start(keep_value(
      inbox->store({.uids = uids({7}), .how = FlagChange::add, .system_flags = bit(SystemFlag::flagged)}),
      stored));
  group.start(keep_value(account().list(), listed));
  group.start(keep_value(account().open("Archive"), opened));
  CHECK(counts("Archive").messages == 0);
  release();
  run_until(stored);
  run_until(listed);
  run_until(opened);
  CHECK_FALSE(copied);
  REQUIRE(*stored);
  CHECK((*stored)->changed.size() == 1);
  // Nobody sees a part of it.
  REQUIRE(*opened);
  CHECK((**opened)->snapshot()->size() == 0);
  run_until(copied);
  REQUIRE(*copied);
  CHECK((*copied)->target.size() == many);
  CHECK(archive->snapshot()->size() == many);
  CHECK(counts("Archive").messages == many);
  CHECK(counts("Archive").unseen == many);
  CHECK(read(*archive, (*copied)->target.back()) == letter(std::to_string(many - 1)));
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: who changes the target waits, and gets later UIDs") {
  begin_copy();
  const auto message = spool(letter("later"));
  std::vector<Arrival> arrivals{{.spool = message.get(), .internal_date = 1'600'000'000}};
  std::optional<Result<Appended>> appended;
  std::optional<Result<Copied>> second;
  std::optional<Result<>> renamed;
  group.start(keep_value(archive->append(std::move(arrivals)), appended));
  group.start(keep_value(inbox->copy(first_many(), archive, Missing::skip), second));
  group.start(keep_value(account().rename("Archive", "Elsewhere"), renamed));
  release();
  run_until(copied);
  CHECK_FALSE(appended);
  run_until(appended);
  run_until(second);
  run_until(renamed);
  REQUIRE(*copied);
  REQUIRE(*appended);
  REQUIRE(*second);
  REQUIRE(*renamed);
  const Uid later = (*appended)->uids.ranges().front().first;
  CHECK((*copied)->target.back() < later);
  CHECK(later < (*second)->target.front());
  CHECK(archive->info().name == "Elsewhere");
  CHECK(archive->snapshot()->size() == 2 * many + 1);
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: the store closes when it is done") {
  begin_copy();
  bool ended = false;
  group.start(keep_end(store->close(), ended));
  release();
  run_until(copied);
  REQUIRE(*copied);
  while (!ended) uv_run(loop.raw(), UV_RUN_ONCE);
  inbox.reset();
  archive.reset();
  accounts.clear();
  mailboxes.clear();
  store.reset();
  start();
  CHECK(mailbox("Archive")->snapshot()->size() == many);
  CHECK_FALSE(log.has("storage.mended"));
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: a message that is expunged meanwhile") {
  Missing missing = Missing::skip;
  SUBCASE("is left out") {}
  SUBCASE("may not be missing") { missing = Missing::refuse; }
  begin_copy(missing);
  std::optional<Result<UidSet>> expunged;
  group.start(keep_value(inbox->expunge(uids({many}), true), expunged));
  release();
  run_until(copied);
  run_until(expunged);
  REQUIRE(*copied);
  REQUIRE(*expunged);
  if (missing == Missing::skip) {
    CHECK((*copied)->source.size() == many - 1);
    CHECK((*copied)->source.back() == many - 1);
    CHECK(archive->snapshot()->size() == many - 1);
    CHECK(files_of_archive() == many - 1);
  } else {
    CHECK((*copied)->source.empty());
    check_untouched();
  }
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: what can't be done to its end is taken back") {
  std::atomic<std::uint32_t> links = 0;
  std::string_view which;
  std::uint32_t after = 0;  // links
  SUBCASE("a link of a later piece") {
    which = "link";
    after = 100;
  }
  SUBCASE("a link of the first piece") {
    which = "link";
    after = 3;
  }
  SUBCASE("the sync of the directory at the end") {
    which = "sync";
    after = many;
  }
  files.fail_if(
      [&](std::string_view call) {
        const bool fails = call.starts_with(which) && links == after;
        if (call.starts_with("link")) ++links;
        return fails;
      },
      Errc::disk_full);
  copy();
  run_until(copied);
  files.heal();
  REQUIRE_FALSE(*copied);
  CHECK((*copied).error().code == Errc::disk_full);
  check_untouched();
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: the account is read anew meanwhile") {
  begin_copy();
  std::optional<Result<MailboxInfo>> created;
  SUBCASE("as another's CREATE failed half-way") {
    put_file(maildir() + "/.a.b", "no directory");
    group.start(keep_value(account().create("a/b/c", SpecialUse::none), created));
  }
  SUBCASE("as the index was removed") {
    created.emplace(MailboxInfo());
    std::filesystem::remove(account_path() + "/index.sqlite");
  }
  clock.advance_seconds(5);
  release();
  run_until(copied);
  run_until(created);
  files.heal();
  REQUIRE(wait(inbox->poll()));
  REQUIRE(wait(archive->poll()));
  CHECK(inbox->snapshot()->size() == many);
  // Whichever: as was said.
  CHECK(archive->snapshot()->size() == (*copied ? many : 0));
  CHECK(files_of_archive() == (*copied ? many : 0));
}

TEST_CASE_FIXTURE(PiecesFixture,
                  "copy in pieces: after a crash, of the copies only that of a message that was expunged "
                  "meanwhile is there") {
  inbox.reset();
  archive.reset();
  stop();
  {
    posthorn::testing::FaultySqlite sqlite{files};
    start();
    inbox = mailbox();
    archive = mailbox("Archive");
    // All is over as soon as the expunge is committed.
    bool dead = false;
    files.fail_if([&](std::string_view call) {
      if (call.starts_with("link")) held.wait(true);
      dead = dead || call.starts_with("unlink " + maildir() + "/new/");
      return dead;
    });
    copy();
    std::optional<Result<UidSet>> expunged;
    group.start(keep_value(inbox->expunge(uids({1}), true), expunged));
    release();
    run_until(copied);
    run_until(expunged);
    CHECK_FALSE(*copied);
    REQUIRE(*expunged);
    inbox.reset();
    archive.reset();
    crash();
    files.heal();
  }
  CHECK(files_of_archive() > 0);
  start();
  CHECK(mailbox()->snapshot()->size() == many - 1);
  // Nothing tells that it is not all that there is of an acknowledged message.
  REQUIRE(mailbox("Archive")->snapshot()->size() == 1);
  CHECK(read(*mailbox("Archive"), mailbox("Archive")->snapshot()->at(0).uid) == letter("0"));
  stop();
  CHECK(files_of_archive() == 1);
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: an index of the middle of it takes no message away later") {
  begin_copy();
  std::optional<Result<Stored>> stored;
  group.start(keep_value(
      inbox->store({.uids = uids({7}), .how = FlagChange::add, .system_flags = bit(SystemFlag::flagged)}),
      stored));
  release();
  run_until(stored);
  const std::string index = account_path() + "/index.sqlite";
  const std::string kept = directory.path() + "/kept.sqlite";
  for (const char* suffix : {"", "-wal"}) std::filesystem::copy_file(index + suffix, kept + suffix);
  run_until(copied);
  REQUIRE(*copied);
  REQUIRE(wait(inbox->expunge(all(), true)));
  inbox.reset();
  archive.reset();
  SUBCASE("after a clean end") { stop(); }
  SUBCASE("after a crash") { crash(); }
  std::filesystem::remove(index + "-shm");
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(kept + suffix, index + suffix,
                               std::filesystem::copy_options::overwrite_existing);
  }
  start();
  // Each letter is somewhere: one whose file the crash left in its old place, which that index does not know
  // as expunged, may be there alone.
  std::set<std::string> letters;
  for (const char* name : {"INBOX", "Archive"}) {
    const auto target = mailbox(name);
    for (const Uid uid : uids_of(*target)) CHECK(letters.insert(read(*target, uid)).second);
  }
  CHECK(letters.size() == many);
}

TEST_CASE_FIXTURE(PiecesFixture, "copy in pieces: a crash leaves all of it or nothing") {
  inbox.reset();
  archive.reset();
  stop();
  posthorn::testing::FaultySqlite sqlite{files};
  start();
  std::uint64_t calls = 0;
  for (int round = 0; round < 12; ++round) {
    inbox = mailbox();
    archive = mailbox("Archive");
    const std::uint32_t before = archive->snapshot()->size();
    const Uid next = archive->snapshot()->uid_next();
    const std::uint64_t begin = files.calls();
    // The first one tells how many calls there are.
    if (round > 0)
      files.fail(calls * static_cast<std::uint64_t>(round) / 12, Errc::io,
                 FaultyFileSystem::Fault::from_then_on);
    copied.reset();
    copy();
    run_until(copied);
    const bool done = copied->has_value();
    if (round == 0) calls = files.calls() - begin;
    REQUIRE(done == (round == 0));
    inbox.reset();
    archive.reset();
    crash();
    files.heal();
    start();
    inbox = mailbox();
    archive = mailbox("Archive");
    CAPTURE(round);
    CHECK(inbox->snapshot()->size() == many);
    const std::uint32_t after = archive->snapshot()->size();
    if (done) CHECK(after == before + many);
    CHECK((after == before || after == before + many));
    CHECK(counts("Archive").messages == after);
    if (after > before) CHECK(archive->snapshot()->at(before).uid >= next);
    inbox.reset();
    archive.reset();
    restart();
    CHECK(files_of_archive() == after);
  }
  crash();
}

}  // namespace
}  // namespace posthorn::storage::testing

// Many at once, much at once, and the bounds of it.
#include "storage/state_file.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct LoadFixture : StoreFixture {
  struct Flight {
    std::unique_ptr<Spool> spool;
    std::optional<Result<>> result;
  };
  // Delivers all at the same time; gives what failed.
  std::size_t deliver_together(std::size_t count, const std::vector<std::string>& to) {
    std::vector<Flight> flights(count);
    for (std::size_t index = 0; index < count; ++index) {
      Flight& flight = flights[index];
      flight.spool = spool(letter("n" + std::to_string(index)));
      group.start(keep_value(store->deliver({.accounts = to, .spool = flight.spool.get()}), flight.result));
    }
    std::size_t failed = 0;
    for (Flight& flight : flights) {
      while (!flight.result) uv_run(loop.raw(), UV_RUN_ONCE);
      if (!*flight.result) ++failed;
    }
    return failed;
  }
  std::string subject(Mailbox& target, Uid uid) {
    const std::string text = read(target, uid);
    const std::size_t begin = text.find("Subject: ") + 9;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
};

}  // namespace

TEST_CASE_FIXTURE(LoadFixture,
                  "load: deliveries at the same time share their syncs, and each is there once") {
  auto inbox = mailbox();
  deliver(letter("first"));
  const std::uint64_t before = files.syncs();
  CHECK(deliver_together(100, {alice}) == 0);
  // One of its own each, and the directory's of a batch.
  CHECK(files.syncs() - before < 110);
  REQUIRE(inbox->snapshot()->size() == 101);
  std::vector<std::string> subjects;
  for (const Uid uid : uids_of(*inbox)) subjects.push_back(subject(*inbox, uid));
  std::ranges::sort(subjects);
  CHECK(std::ranges::adjacent_find(subjects) == subjects.end());
}

TEST_CASE_FIXTURE(LoadFixture, "load: deliveries to several accounts at the same time") {
  account(bob);
  CHECK(deliver_together(20, {alice, bob}) == 0);
  CHECK(counts().messages == 20);
  CHECK(counts("INBOX", bob).messages == 20);
}

TEST_CASE_FIXTURE(LoadFixture, "load: changes of thousands of messages are one transaction each") {
  auto inbox = mailbox();
  std::vector<std::unique_ptr<Spool>> spools;
  std::vector<Arrival> arrivals;
  for (int index = 0; index < 3000; ++index) {
    spools.push_back(spool(letter("m")));
    arrivals.push_back({.spool = spools.back().get()});
  }
  auto appended = wait(inbox->append(std::move(arrivals)));
  REQUIRE(appended);
  CHECK(appended->uids.count() == 3000);
  const ModSeq before = inbox->snapshot()->highest_modseq();
  auto stored = try_store(*inbox, all(), FlagChange::add, bit(SystemFlag::deleted));
  REQUIRE(stored);
  CHECK(stored->changed.size() == 3000);
  CHECK(inbox->snapshot()->highest_modseq() == before + 1);
  auto archive = mailbox("Archive");
  auto copied = wait(inbox->copy(all(), archive, Missing::skip));
  REQUIRE(copied);
  CHECK(copied->target.size() == 3000);
  auto expunged = wait(inbox->expunge(all(), false));
  REQUIRE(expunged);
  CHECK(expunged->count() == 3000);
  CHECK(counts().messages == 0);
  CHECK(counts().octets == 0);
  CHECK(counts("Archive").deleted == 3000);
}

TEST_CASE_FIXTURE(LoadFixture, "load: few indexes are open at a time, and nothing is lost by closing them") {
  stop();
  settings.open_indexes = 2;
  start();
  auto held = mailbox();
  deliver(letter("first"));
  for (int round = 0; round < 3; ++round) {
    for (int index = 0; index < 5; ++index) {
      deliver(letter("r" + std::to_string(round)), {"u" + std::to_string(index) + "@example.test"});
    }
    run_for(Milliseconds(20));
  }
  // Evicted, so its state file has exact values.
  CHECK(content(maildir() + "/posthorn-mailbox").contains("settled yes\nuid-next 2\n"));
  deliver(letter("second"));
  CHECK(uids_of(*held) == std::vector<Uid>{1, 2});
  CHECK(read(*held, 1) == letter("first"));
  for (int index = 0; index < 5; ++index) {
    CHECK(counts("INBOX", "u" + std::to_string(index) + "@example.test").messages == 3);
  }
}

TEST_CASE_FIXTURE(LoadFixture, "load: the WAL is brought into the index behind the scenes") {
  auto inbox = mailbox();
  const std::string wal = account_path() + "/index.sqlite-wal";
  std::uintmax_t largest = 0;
  for (int round = 0; round < 60; ++round) {
    CHECK(deliver_together(100, {alice}) == 0);
    largest = std::max(largest, std::filesystem::file_size(wal));
  }
  CHECK(largest < 16U << 20U);
  CHECK(std::filesystem::file_size(account_path() + "/index.sqlite") > 100'000);
  CHECK_FALSE(log.has("index_lost"));
  CHECK(inbox->snapshot()->size() == 6000);
}

TEST_CASE_FIXTURE(LoadFixture, "spool: a message beyond the limit is refused and the rest of it dropped") {
  stop();
  settings.message_size = 10'000;
  start();
  auto spool = store->spool();
  REQUIRE(wait(spool->write(std::string(10'000, 'x'))));
  auto refused = wait(spool->write("y"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK_FALSE(wait(spool->write(std::string(100, 'z'))));
  CHECK_FALSE(wait(spool->close()));
  CHECK(spool->size() == 10'000);
  spool.reset();
  CHECK(list(settings.data + "/spool").empty());
}

TEST_CASE_FIXTURE(LoadFixture, "spool: dropped without a delivery, it leaves nothing") {
  {
    auto large = spool(std::string(50'000, 'x'));
    CHECK(list(settings.data + "/spool").size() == 1);
  }
  CHECK(list(settings.data + "/spool").empty());
  // What a crash left.
  stop();
  put_file(settings.data + "/spool/0123", "half a letter");
  start();
  CHECK(list(settings.data + "/spool").empty());
}

TEST_CASE_FIXTURE(LoadFixture,
                  "storage: a message is written where links are impossible too (EXDEV, EMLINK, EPERM)") {
  account(bob);
  files.forbid_links(true);
  const std::string large = letter("large") + std::string(300'000, 'x');
  deliver(large, {alice, bob});
  auto inbox = mailbox();
  CHECK(read(*inbox, 1) == large);
  CHECK(read(*mailbox("INBOX", bob), 1) == large);
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->move(uids({1}), archive, Missing::skip)));
  CHECK(read(*archive, 1) == large);
  CHECK(inbox->snapshot()->size() == 0);
  CHECK(list(maildir() + "/tmp").empty());
}

TEST_CASE_FIXTURE(LoadFixture, "storage: UIDs end before 2^31, and none is used twice") {
  account();
  stop();
  auto state = parse_folder_state(content(maildir() + "/posthorn-mailbox"));
  REQUIRE(state);
  state->uid_next = 0x7ffffffe;
  put_file(maildir() + "/posthorn-mailbox", to_string(*state));
  start();
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  const auto refused = try_deliver(letter("three"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(uids_of(*inbox) == std::vector<Uid>{0x7ffffffe, 0x7fffffff});
  inbox.reset();
  restart();
  CHECK(uids_of(*mailbox()) == std::vector<Uid>{0x7ffffffe, 0x7fffffff});
}

TEST_CASE_FIXTURE(LoadFixture, "storage: one POP3 session at a time has the maildrop (RFC 1939 §3)") {
  CHECK(account().lock_maildrop());
  CHECK_FALSE(account().lock_maildrop());
  account().unlock_maildrop();
  CHECK(account().lock_maildrop());
}

TEST_CASE_FIXTURE(LoadFixture, "storage: calls after close() are refused, not lost") {
  auto inbox = mailbox();
  auto message = spool(letter("late"));
  bool ended = false;
  group.start(keep_end(store->close(), ended));
  auto late = wait(store->deliver({.accounts = {alice}, .spool = message.get()}));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::unavailable);
  while (!ended) uv_run(loop.raw(), UV_RUN_ONCE);
}

TEST_CASE_FIXTURE(LoadFixture, "load: an account removed amid deliveries is forgotten") {
  stop();
  settings.open_indexes = 1;
  start();
  account();
  std::vector<Flight> flights(200);
  for (Flight& flight : flights) {
    flight.spool = spool(letter("x"));
    group.start(
        keep_value(store->deliver({.accounts = {alice}, .spool = flight.spool.get()}), flight.result));
  }
  CHECK(wait(store->remove_account(alice)));
  for (Flight& flight : flights) {
    while (!flight.result) uv_run(loop.raw(), UV_RUN_ONCE);
  }
  flights.clear();
  accounts.clear();
  for (const char* other : {bob, "carol@example.test", "dave@example.test"}) deliver(letter("y"), {other});
  run_for(Milliseconds(20));
  CHECK(counts("INBOX", bob).messages == 1);
}

TEST_CASE_FIXTURE(LoadFixture,
                  "load: an account that is removed while a letter to several waits is not made again") {
  // Alice's index has to be opened first, Bob's is open.
  account(bob);
  auto message = spool(letter("x"));
  std::optional<Result<>> removed;
  std::optional<Result<>> delivered;
  group.start(keep_value(store->remove_account(bob), removed));
  group.start(keep_value(store->deliver({.accounts = {alice, bob}, .spool = message.get()}), delivered));
  while (!removed || !delivered) uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(*removed);
  CHECK_FALSE(*delivered);
  CHECK_FALSE(std::filesystem::exists(account_path(bob)));
  CHECK(counts().messages == 0);
}

}  // namespace posthorn::storage::testing

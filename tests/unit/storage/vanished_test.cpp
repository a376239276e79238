#include "storage/maildir_name.h"
#include "tests/unit/storage/store_fixture.h"

// What is remembered of expunged messages (RFC 7162 §3.2.6), and ids (RFC 8474 §5.1).
namespace posthorn::storage::testing {
namespace {

UidSet range(Uid first, Uid last) {
  UidSet set;
  set.append(first, last);
  return set;
}

struct VanishedFixture : StoreFixture {
  VanishedFixture() {
    for (int i = 0; i < 8; ++i) deliver(letter("m"));
  }
  UidSet vanished(Mailbox& mailbox, ModSeq since, UidSet within) {
    auto found = wait(mailbox.vanished_since(since, std::move(within)));
    REQUIRE_MESSAGE(found, (found ? "" : found.error().detail));
    return *found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(VanishedFixture, "storage: what vanished since a MODSEQ is remembered, also by a restart") {
  auto inbox = mailbox();
  const ModSeq before = inbox->snapshot()->highest_modseq();
  REQUIRE(wait(inbox->expunge(uids({2, 3}), true)));
  const ModSeq between = inbox->snapshot()->highest_modseq();
  REQUIRE(wait(inbox->expunge(uids({7}), true)));
  const ModSeq after = inbox->snapshot()->highest_modseq();
  for (int round = 0; round < 2; ++round) {
    CHECK(vanished(*inbox, before, range(1, 8)) == uids({2, 3, 7}));
    CHECK(vanished(*inbox, between, range(1, 8)) == uids({7}));
    CHECK(vanished(*inbox, after, range(1, 8)).empty());
    CHECK(vanished(*inbox, before, range(3, 6)) == uids({3}));
    inbox.reset();
    restart();
    inbox = mailbox();
    CHECK(inbox->snapshot()->highest_modseq() == after);
  }
}

TEST_CASE_FIXTURE(VanishedFixture,
                  "storage: after the index was lost, all that is not there may have vanished") {
  ModSeq before = 0;
  {
    auto inbox = mailbox();
    before = inbox->snapshot()->highest_modseq();
    REQUIRE(wait(inbox->expunge(uids({2, 8}), true)));
  }
  SUBCASE("between two runs") {
    stop();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
    }
    start();
  }
  SUBCASE("while the server runs") { std::filesystem::remove(account_path() + "/index.sqlite"); }
  auto inbox = mailbox();
  REQUIRE(wait(inbox->poll()));
  CHECK(vanished(*inbox, before, range(1, 5)) == uids({2}));
  CHECK(vanished(*inbox, before, range(1, 20)).contains(8));
  // From then on it is remembered anew.
  const ModSeq now = inbox->snapshot()->highest_modseq();
  CHECK(now > before + 1);
  CHECK(vanished(*inbox, now, range(1, 8)).empty());
  REQUIRE(wait(inbox->expunge(uids({5}), true)));
  CHECK(vanished(*inbox, now, range(1, 8)) == uids({5}));
}

TEST_CASE_FIXTURE(VanishedFixture,
                  "storage: beyond a limit the oldest expunges are forgotten (RFC 7162 §3.2.6)") {
  stop();
  settings.remembered_expunges = 16;
  start();
  for (int i = 0; i < 42; ++i) deliver(letter("m"));
  auto inbox = mailbox();
  std::vector<ModSeq> before;  // by UID - 1
  for (Uid uid = 1; uid <= 40; ++uid) {
    before.push_back(inbox->snapshot()->highest_modseq());
    REQUIRE(wait(inbox->expunge(uids({uid}), true)));
  }
  const ModSeq now = inbox->snapshot()->highest_modseq();
  SUBCASE("in the background") { run_for(Milliseconds(2500)); }
  SUBCASE("at a clean end") {
    inbox.reset();
    restart();
    inbox = mailbox();
  }
  CHECK(vanished(*inbox, now, range(1, 60)).empty());
  CHECK(vanished(*inbox, before[38], range(1, 60)) == uids({39, 40}));
  CHECK(vanished(*inbox, before[26], range(1, 30)) == range(27, 30));
  CHECK(vanished(*inbox, before[20], range(1, 60)).contains(60));
  CHECK(vanished(*inbox, before[0], range(1, 45)) == range(1, 40));
  CHECK(vanished(*inbox, 1, range(1, 60)).contains(55));
  // A file that comes back under a UID that may have been forgotten gets another one.
  put_file(maildir() + "/cur/1600000000.x.host,S=5,W=5,U=3:2,S", "x: y\n");
  put_file(maildir() + "/cur/1600000000.z.host,S=5,W=5,U=30:2,S", "x: y\n");
  REQUIRE(wait(inbox->poll()));
  CHECK_FALSE(inbox->snapshot()->find(3));
  CHECK_FALSE(inbox->snapshot()->find(30));
  CHECK(inbox->snapshot()->size() == 12);
}

TEST_CASE_FIXTURE(VanishedFixture, "storage: many expunges at once may be forgotten at once") {
  stop();
  settings.remembered_expunges = 3;
  start();
  auto inbox = mailbox();
  const ModSeq before = inbox->snapshot()->highest_modseq();
  REQUIRE(wait(inbox->expunge(range(1, 6), true)));
  const ModSeq after = inbox->snapshot()->highest_modseq();
  inbox.reset();
  restart();
  inbox = mailbox();
  CHECK(vanished(*inbox, before, range(1, 20)) == [] {
    UidSet gone = range(1, 6);
    gone.append(9, 20);
    return gone;
  }());
  CHECK(vanished(*inbox, after, range(1, 20)).empty());
  // After a crash the rows that it took keep their UIDs.
  deliver(letter("new"));
  inbox.reset();
  crash();
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
  start();
  CHECK(mailbox()->snapshot()->find(9));
}

TEST_CASE_FIXTURE(VanishedFixture, "storage: a new mailbox has nothing to remember") {
  REQUIRE(wait(account().create("new", SpecialUse::none)));
  auto made = mailbox("new");
  CHECK(vanished(*made, 1, range(1, 100)).empty());
}

TEST_CASE_FIXTURE(VanishedFixture,
                  "storage: a conditional change passes over others' flags (RFC 7162 §3.1.12)") {
  auto inbox = mailbox();
  const auto known = inbox->snapshot();
  const ModSeq since = known->highest_modseq();
  REQUIRE(try_store(*inbox, uids({1, 2}), FlagChange::add, bit(SystemFlag::flagged)));
  REQUIRE(try_store(*inbox, uids({2}), FlagChange::add, bit(SystemFlag::seen)));
  auto store = [&](FlagChange how, std::uint8_t flags, ModSeq unchanged_since,
                   std::vector<std::string> keywords) {
    auto stored = wait(inbox->store({.uids = uids({1, 2, 3}),
                                     .how = how,
                                     .system_flags = flags,
                                     .keywords = std::move(keywords),
                                     .unchanged_since = unchanged_since,
                                     .known = known}));
    REQUIRE(stored);
    return stored->modified;
  };
  CHECK(store(FlagChange::add, bit(SystemFlag::seen), since, {}) == uids({2}));
  CHECK(store(FlagChange::replace, bit(SystemFlag::draft), since, {}) == uids({1, 2, 3}));
  CHECK(store(FlagChange::add, 0, 0, {"$MDNSent"}).empty());
  CHECK(store(FlagChange::add, 0, 0, {"$MDNSent"}) == uids({1, 2, 3}));
  CHECK(store(FlagChange::add, bit(SystemFlag::seen), 0, {}) == uids({1, 2, 3}));
}

TEST_CASE_FIXTURE(VanishedFixture,
                  "storage: an email id is one for a message and its copies (RFC 8474 §5.1)") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(uids({2, 5}), archive, Missing::skip)));
  const auto of_inbox = wait(inbox->email_ids(range(1, 8)));
  const auto of_archive = wait(archive->email_ids(range(1, 2)));
  REQUIRE(of_inbox);
  REQUIRE(of_archive);
  REQUIRE(of_inbox->size() == 8);
  REQUIRE(of_archive->size() == 2);
  CHECK((*of_archive)[0].id == (*of_inbox)[1].id);
  CHECK((*of_archive)[1].id == (*of_inbox)[4].id);
  CHECK((*of_inbox)[0].id != (*of_inbox)[1].id);
}

TEST_CASE("storage: an objectid is letters, digits, '-' and '_', different for different ids (RFC 8474 §7)") {
  CHECK(object_id("1700000000.M1-2.host") == "M1700000000__M1-2__host");
  CHECK(object_id("a_b c") == "Ma_5fb_20c");
  const std::string longer(300, '.');
  CHECK(object_id(longer).size() == 255);
  CHECK(object_id(longer) != object_id(longer + "."));
}

}  // namespace posthorn::storage::testing

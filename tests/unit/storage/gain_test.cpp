// What messages gain where each of their lines ends in CR LF, and how the index came to know it.
#include "base/sqlite.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct GainFixture : StoreFixture {
  std::map<Uid, std::uint64_t> gains(Mailbox& mailbox) {
    const auto found = wait(mailbox.gains());
    REQUIRE_MESSAGE(found, (found ? "" : found.error().detail));
    std::map<Uid, std::uint64_t> gains;
    for (const auto& gain : *found) gains[gain.uid] = gain.octets;
    return gains;
  }
  void lose_index() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
    }
  }
  using Gains = std::map<Uid, std::uint64_t>;
};

}  // namespace

TEST_CASE_FIXTURE(GainFixture, "storage: what a message gains is known from its arrival on") {
  auto inbox = mailbox();
  append(*inbox, letter("whole"));
  append(*inbox, letter("without end") + "x");
  append(*inbox, letter("bare") + "a\nb\n");
  append(*inbox, letter("large") + std::string(20'000, 'x'));
  const Gains known{{2, 2}, {3, 2}, {4, 2}};
  CHECK(gains(*inbox) == known);
  auto archive = mailbox("Archive");
  REQUIRE(wait(inbox->copy(uids({1, 2}), archive, Missing::skip)));
  CHECK(gains(*archive) == Gains{{2, 2}});
  REQUIRE(wait(inbox->expunge(uids({3}), true)));
  inbox.reset();
  restart();
  CHECK(gains(*mailbox()) == Gains{{2, 2}, {4, 2}});
}

TEST_CASE_FIXTURE(GainFixture, "storage: of other programs' files it is measured") {
  mailbox();
  put_file(maildir() + "/new/1700000001.M1P1.elsewhere", "Subject: a\r\n\r\nb\nc\r\nd");
  put_file(maildir() + "/new/1700000002.M1P2.elsewhere", "Subject: a\n\nb\nc");
  put_file(maildir() + "/new/1700000003.M1P3.elsewhere", "Subject: a\n\nb\nc\n");
  auto inbox = mailbox();
  REQUIRE(inbox->snapshot()->size() == 3);
  CHECK(gains(*inbox) == Gains{{1, 3}, {2, 2}});
}

TEST_CASE_FIXTURE(GainFixture, "storage: after a loss of the index the ends of the files tell it") {
  auto inbox = mailbox();
  append(*inbox, letter("whole"));
  append(*inbox, letter("without end") + "x");
  append(*inbox, letter("bare end") + "a\n");
  append(*inbox, "");
  inbox.reset();
  stop();
  lose_index();
  start();
  for (int round = 0; round < 2; ++round) CHECK(gains(*mailbox()) == Gains{{2, 2}, {3, 1}});
  // From then on the index says it.
  run_for(Milliseconds(10));
  REQUIRE(wait(mailbox()->poll()));
  stop();
  auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::read_write);
  REQUIRE(index);
  CHECK(index->integer("SELECT count(*) FROM message WHERE gain IS NULL") == 0);
  CHECK(index->integer("SELECT sum(gain) FROM message") == 3);
}

TEST_CASE_FIXTURE(GainFixture, "storage: more messages than one look takes") {
  auto inbox = mailbox();
  for (int i = 0; i < 300; ++i) append(*inbox, i % 100 == 0 ? "x" : "x\r\n");
  inbox.reset();
  stop();
  lose_index();
  start();
  CHECK(gains(*mailbox()) == Gains{{1, 2}, {101, 2}, {201, 2}});
}

TEST_CASE_FIXTURE(GainFixture, "storage: an index of version 4 is migrated, not made anew") {
  auto inbox = mailbox();
  append(*inbox, letter("whole"));
  append(*inbox, letter("without end") + "x");
  append(*inbox, "Message-ID: <one@two.test>\r\n" + letter("with a key"));
  const ModSeq before = inbox->snapshot()->highest_modseq();
  REQUIRE(wait(inbox->expunge(uids({1}), true)));
  inbox.reset();
  stop();
  {
    auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::read_write);
    REQUIRE(index);
    REQUIRE(
        index->run("DROP INDEX message_gain; ALTER TABLE message DROP COLUMN gain;"
                   "DROP INDEX thread_used; ALTER TABLE thread DROP COLUMN used;"
                   "ALTER TABLE account DROP COLUMN thread_keys;"
                   "ALTER TABLE mailbox DROP COLUMN forgotten_uid;"
                   "DROP INDEX message_shared; ALTER TABLE message DROP COLUMN summary_key;"
                   "DROP TABLE unused_summary; DROP TABLE removed_mailbox;"
                   "DROP TABLE envelope_form; DROP TABLE structure_form;"
                   "DROP TABLE sort_form; DROP TABLE thread_form;"
                   "ALTER TABLE summary RENAME COLUMN octets TO encoded; PRAGMA user_version=4;"));
  }
  start();
  inbox = mailbox();
  CHECK_FALSE(log.has("storage.index_rebuilt"));
  CHECK(uids_of(*inbox) == std::vector<Uid>{2, 3});
  CHECK(gains(*inbox) == Gains{{2, 2}});
  const auto vanished = wait(inbox->vanished_since(before, uids({1, 2, 3})));
  REQUIRE(vanished);
  CHECK(*vanished == uids({1}));
  inbox.reset();
  stop();
  auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::read_write);
  REQUIRE(index);
  const auto keys = index->integer("SELECT count(*) FROM thread");
  REQUIRE(keys);
  CHECK(*keys > 0);
  CHECK(index->integer("SELECT thread_keys FROM account") == *keys);
}

}  // namespace posthorn::storage::testing

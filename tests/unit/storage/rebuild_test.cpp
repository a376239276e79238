// What is left when the index is gone (design, decision 6).
#include "base/sqlite.h"
#include "message/summary_codec.h"
#include "tests/unit/storage/outside_fixture.h"

namespace posthorn::storage::testing {

TEST_CASE_FIXTURE(OutsideFixture,
                  "rebuild: an index deleted or overwritten while stopped comes back as it was") {
  fill();
  stop();
  start();
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  const std::string inbox_before = describe(*inbox);
  const std::string archive_before = describe(*archive);
  const auto folders_before = wait(account().list());
  inbox.reset();
  archive.reset();
  for (int kind = 0; kind < 9; ++kind) {
    CAPTURE(kind);
    stop();
    // What is in the WAL still counts if only the index's file is overwritten: then nothing is lost.
    const bool with_wal = kind >= 6;
    if (!with_wal) {
      for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
    }
    switch (kind % 6) {
      case 0: std::filesystem::remove(index_path()); break;
      case 1: put_file(index_path(), "rubbish"); break;
      case 2: put_file(index_path(), std::string(100'000, 'r')); break;
      case 3: put_file(index_path(), ""); break;
      case 4: std::filesystem::resize_file(index_path(), std::filesystem::file_size(index_path()) / 2); break;
      default: {
        // Of another version.
        std::filesystem::remove(index_path());
        auto other = Database::open(index_path(), Database::Mode::create);
        REQUIRE(other);
        REQUIRE(other->run("CREATE TABLE x (y); PRAGMA user_version=1;"));
      }
    }
    start();
    CHECK(describe(*mailbox()) == inbox_before);
    CHECK(describe(*mailbox("Archive")) == archive_before);
    const auto folders = wait(account().list());
    REQUIRE(folders);
    REQUIRE(folders->size() == folders_before->size());
    for (std::size_t index = 0; index < folders->size(); ++index) {
      CHECK((*folders)[index].name == (*folders_before)[index].name);
      CHECK((*folders)[index].id == (*folders_before)[index].id);
      CHECK((*folders)[index].uid_validity == (*folders_before)[index].uid_validity);
      CHECK((*folders)[index].special_use == (*folders_before)[index].special_use);
    }
    CHECK(std::ranges::count(*wait(account().subscriptions()), "Lists/Ärger") == 1);
    const auto found = wait(mailbox()->summaries(all()));
    REQUIRE(found);
    CHECK(found->list.size() == 3);
    if (!with_wal || kind == 6) CHECK(log.has("index_rebuilt"));
    log.clear();
  }
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "rebuild: an index deleted or overwritten while running comes back as it was") {
  fill();
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  // A change that no file name has yet.
  REQUIRE(try_store(*inbox, uids({3}), FlagChange::add, bit(SystemFlag::answered), {"Late"}));
  const std::string inbox_before = describe(*inbox);
  const std::string archive_before = describe(*archive);
  const ModSeq modseq_before = inbox->snapshot()->highest_modseq();
  for (int kind = 0; kind < 5; ++kind) {
    CAPTURE(kind);
    switch (kind) {
      case 0: std::filesystem::remove(index_path()); break;
      case 1:
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
        break;
      case 2: {
        // In place, the same inode.
        std::fstream file(index_path(), std::ios::in | std::ios::out | std::ios::binary);
        file << std::string(50'000, 'r');
        break;
      }
      case 3: put_file(index_path(), "rubbish"); break;
      default: std::filesystem::remove(index_path() + "-wal");
    }
    poll(*inbox);
    CHECK(describe(*inbox) == inbox_before);
    CHECK(describe(*archive) == archive_before);
    CHECK(inbox->snapshot()->highest_modseq() >= modseq_before);
    CHECK(read(*archive, 1) == letter("0"));
    CHECK(counts().messages == 3);
    CHECK(std::filesystem::exists(index_path()));
    CHECK(log.has("index_lost"));
    log.clear();
  }
  deliver(letter("after"));
  CHECK(uids_of(*inbox).back() == 7);
  CHECK(std::ranges::count(*wait(account().subscriptions()), "Lists/Ärger") == 1);
  inbox.reset();
  archive.reset();
  restart();
  CHECK(uids_of(*mailbox()) == std::vector<Uid>{2, 3, 5, 7});
}

TEST_CASE_FIXTURE(OutsideFixture, "rebuild: with the index gone, reading goes on") {
  fill();
  auto inbox = mailbox();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  CHECK(read(*inbox, 2).ends_with(letter("1")));
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  const auto found = wait(inbox->summaries(all()));
  REQUIRE(found);
  CHECK(found->list.size() == 3);
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "storage: messages that are gone, and summaries that are, are passed over") {
  for (int i = 1; i <= 7; ++i) deliver(letter(std::to_string(i)));
  auto inbox = mailbox();
  REQUIRE(wait(inbox->expunge(uids({3}), true)));
  // Its summary stays where it was, for the copy.
  REQUIRE(wait(inbox->move(uids({7}), mailbox("Archive"), Missing::skip)));
  CHECK(wait(inbox->summaries(uids({3, 7})))->list.empty());
  {
    auto index = Database::open(index_path(), Database::Mode::read_write);
    REQUIRE(index);
    const std::int64_t mailbox_key = static_cast<std::int64_t>(inbox->info().id) << 31;
    REQUIRE(index->execute("DELETE FROM summary WHERE key = ?1", mailbox_key + 2));
    // Of an older version.
    REQUIRE(index->execute("UPDATE summary SET octets = X'01' WHERE key = ?1", mailbox_key + 5));
  }
  const auto given = [&](Effort effort) {
    const auto found = wait(inbox->summaries(all(), effort));
    REQUIRE(found);
    std::string said;
    for (const auto& each : found->list) {
      said += std::to_string(each.uid) + ":" + *message::decode_envelope(each.encoded)->subject + " ";
    }
    return said;
  };
  CHECK(given(Effort::look_up) == "1:1 4:4 6:6 ");
  CHECK(given(Effort::full) == "1:1 2:2 4:4 5:5 6:6 ");
  run_for(Milliseconds(50));
  CHECK(given(Effort::look_up) == "1:1 2:2 4:4 5:5 6:6 ");
}

TEST_CASE_FIXTURE(OutsideFixture,
                  "storage: summaries are given by the megabyte, kept or worked out just now") {
  std::string large = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int part = 0; part < 2; ++part) {
    large += "--b\r\nContent-Type: a/b";
    for (int i = 0; i < 200; ++i) large += ";\r\n a" + std::to_string(i) + "=" + std::string(1'000, 'x');
    large += "\r\n\r\n";
  }
  for (int i = 0; i < 5; ++i) deliver(large);
  const auto check = [&] {
    std::vector<std::size_t> counts;
    UidSet left = all();
    std::vector<Uid> given;
    while (!left.empty()) {
      const auto found = wait(mailbox()->summaries(left));
      REQUIRE(found);
      counts.push_back(found->list.size());
      for (const auto& summary : found->list) {
        CHECK(summary.encoded.size() > 400'000);
        given.push_back(summary.uid);
      }
      left = UidSet();
      for (Uid uid = found->rest.value_or(6); uid <= 5; ++uid) left.append(uid);
    }
    CHECK(counts == std::vector<std::size_t>{2, 2, 1});
    CHECK(given == std::vector<Uid>{1, 2, 3, 4, 5});
  };
  check();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  restart();
  check();
  check();
}

TEST_CASE_FIXTURE(OutsideFixture, "rebuild: keywords beyond the 26th come back from their file") {
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  std::vector<std::string> many;
  for (int index = 0; index < 256; ++index) many.push_back("k" + std::to_string(index));
  REQUIRE(try_store(*inbox, uids({1}), FlagChange::add, 0, many));
  REQUIRE(try_store(*inbox, uids({2}), FlagChange::add, 0, {"k3", "k100", "k255"}));
  auto refused = try_store(*inbox, uids({2}), FlagChange::add, 0, {"one-too-many"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  const std::string before = describe(*inbox);
  inbox.reset();
  stop();
  std::filesystem::remove(index_path());
  start();
  CHECK(describe(*mailbox()) == before);
}

TEST_CASE_FIXTURE(OutsideFixture, "rebuild: after a crash as well, UIDNEXT is never lower and MODSEQ grows") {
  fill();
  auto inbox = mailbox();
  const auto before = inbox->snapshot();
  const std::uint32_t validity = inbox->info().uid_validity;
  inbox.reset();
  // Names follow flags within this time.
  run_for(Milliseconds(2000));
  crash();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_path() + suffix);
  start();
  inbox = mailbox();
  CHECK(inbox->info().uid_validity == validity);
  CHECK(inbox->snapshot()->uid_next() >= before->uid_next());
  CHECK(inbox->snapshot()->highest_modseq() > before->highest_modseq());
  CHECK(uids_of(*inbox) == std::vector<Uid>{2, 3, 5});
  for (std::uint32_t index = 0; index < 3; ++index) {
    CHECK(inbox->snapshot()->at(index).flags == before->at(index).flags);
    CHECK(inbox->snapshot()->at(index).modseq > before->highest_modseq());
  }
}

TEST_CASE_FIXTURE(OutsideFixture, "rebuild: an index of a newer version is neither dropped nor used") {
  deliver(letter("one"));
  stop();
  {
    auto other = Database::open(index_path(), Database::Mode::create);
    REQUIRE(other);
    REQUIRE(other->run("PRAGMA user_version=999;"));
  }
  start();
  const auto refused = try_account();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
  CHECK(std::filesystem::file_size(index_path()) > 0);
}

}  // namespace posthorn::storage::testing

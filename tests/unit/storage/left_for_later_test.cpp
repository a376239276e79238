// What is done after the reply: files of many expunged messages, summaries that nobody needs any more.
#include "message/summary_codec.h"
#include "storage/account_disk.h"
#include "storage/folders.h"
#include "storage/messages.h"
#include "storage/upkeep.h"
#include "tests/unit/storage/store_fixture.h"

#include <array>

namespace posthorn::storage::testing {
namespace {

struct LaterFixture : StoreFixture {
  static constexpr std::size_t many = 250;

  void fill(const char* name, std::size_t count) {
    auto target = mailbox(name);
    for (std::size_t each = 0; each < count; ++each) append(*target, letter(std::to_string(each)));
    target.reset();
    stop();
    disk.emplace(context, account_path(), alice);
  }
  Outcome run(Operation& operation) {
    const std::array<Operation*, 1> batch{&operation};
    Outcome outcome = disk->run(batch, {});
    CHECK_FALSE(operation.error);
    return outcome;
  }
  void expunge(const char* name, UidSet uids) {
    Expunge operation({0, name}, std::move(uids), true);
    run(operation);
  }
  // Until there is no more to do; how often.
  int follow() {
    for (int round = 1;; ++round) {
      Follow operation;
      const bool restless = run(operation).restless;
      REQUIRE(round < 100);
      if (operation.more) continue;
      CHECK_FALSE(restless);
      return round;
    }
  }
  MailboxId id(const char* name) { return disk->find_folder(name)->row.id; }
  std::size_t files_in(const std::string& directory) const {
    return list(directory + "/new").size() + list(directory + "/cur").size();
  }
  std::int64_t summaries() {
    return disk->index().database().integer("SELECT count(*) FROM summary").value_or(-1);
  }
  std::int64_t rows(const std::string& table, MailboxId of) {
    return disk->index()
        .database()
        .integer("SELECT count(*) FROM " + table + " WHERE mailbox = ?1", of)
        .value_or(-1);
  }
  // They are in the index, not worked out anew.
  void check_summaries(const char* name, UidSet uids) {
    const auto found = disk->summaries(id(name), uids, Effort::full, Form::summary);
    REQUIRE(found);
    CHECK(found->present.list.size() == uids.count());
    CHECK(found->worked_out.empty());
  }

  DiskContext context{files, clock, random, log, settings};
  std::optional<AccountDisk> disk;
};

TEST_CASE_FIXTURE(LaterFixture, "later: files of many expunged messages are no new messages meanwhile") {
  fill("INBOX", many);
  expunge("INBOX", all());
  const std::size_t left = files_in(maildir());
  CHECK(left > 0);
  CHECK(left < many);
  put_file(maildir() + "/new/1600000001.1.other", letter("foreign"));
  PollMailbox poll(id("INBOX"));
  run(poll);
  CHECK(disk->find_folder("INBOX")->row.messages == 1);
  CHECK(files_in(maildir()) == left + 1);
  CHECK(follow() > 1);
  CHECK(files_in(maildir()) == 1);
  CHECK(disk->index().pending_tombstones(id("INBOX"))->empty());
  CHECK(summaries() == 1);
}

TEST_CASE_FIXTURE(LaterFixture, "later: what was left is unlinked in the end") {
  fill("Archive", many);
  expunge("Archive", all());
  REQUIRE(files_in(maildir() + "/.Archive") > 0);
  SUBCASE("after a crash") {}
  SUBCASE("at the end of the account's use") {
    Settle settle;
    run(settle);
    CHECK(files_in(maildir() + "/.Archive") == 0);
  }
  disk.reset();
  start();
  CHECK(mailbox("Archive")->snapshot()->size() == 0);
  stop();
  CHECK(files_in(maildir() + "/.Archive") == 0);
}

TEST_CASE_FIXTURE(LaterFixture, "later: what was left does not come back with an index that is made anew") {
  fill("INBOX", many);
  expunge("INBOX", all());
  REQUIRE(files_in(maildir()) > 0);
  std::filesystem::remove(account_path() + "/index.sqlite");
  ReadCounts counts("INBOX");
  run(counts);
  CHECK(counts.counts.messages == 0);
  CHECK(files_in(maildir()) == 0);
}

TEST_CASE_FIXTURE(LaterFixture, "later: folders that were swapped have their own summaries, as have copies") {
  for (const char* name : {"Archive", "Sent"}) append(*mailbox(name), letter(name));
  for (const char* name : {"Archive", "Sent"})
    REQUIRE(wait(mailbox(name)->copy(all(), mailbox("Trash"), Missing::skip)));
  stop();
  std::filesystem::rename(maildir() + "/.Archive", maildir() + "/.other");
  std::filesystem::rename(maildir() + "/.Sent", maildir() + "/.Archive");
  std::filesystem::rename(maildir() + "/.other", maildir() + "/.Sent");
  start();
  for (int round = 0; round < 2; ++round) {
    for (const char* name : {"Archive", "Sent", "Trash"}) {
      const auto target = mailbox(name);
      const auto found = wait(target->summaries(all(), Effort::full));
      REQUIRE(found);
      REQUIRE(found->list.size() == target->snapshot()->size());
      for (const auto& each : found->list) {
        const auto envelope = message::decode_envelope(each.encoded);
        REQUIRE(envelope);
        CHECK(read(*target, each.uid).contains("Subject: " + std::string(*envelope->subject) + "\r\n"));
      }
    }
    run_for(Milliseconds(10));
  }
}

TEST_CASE_FIXTURE(LaterFixture, "later: a mailbox that is renamed takes what was left along") {
  fill("Archive", many);
  expunge("Archive", all());
  RenameFolder rename("Archive", "Elsewhere");
  run(rename);
  REQUIRE(files_in(maildir() + "/.Elsewhere") > 0);
  follow();
  CHECK(files_in(maildir() + "/.Elsewhere") == 0);
  CHECK_FALSE(log.has("storage.mended"));
}

TEST_CASE_FIXTURE(LaterFixture, "later: runs and single messages are expunged alike") {
  fill("INBOX", 60);
  UidSet gone;
  for (const auto& [first, last] : {std::pair<Uid, Uid>{1, 20}, {22, 22}, {24, 30}, {40, 60}})
    gone.append(first, last);
  ListFolders folders;
  run(folders);
  const ModSeq before = disk->find_folder("INBOX")->row.modseq;
  expunge("INBOX", gone);
  const auto vanished = disk->vanished_since(id("INBOX"), before);
  REQUIRE(vanished);
  REQUIRE(*vanished);
  CHECK(**vanished == gone);
  CHECK(disk->find_folder("INBOX")->row.messages == 60 - gone.count());
  follow();
  CHECK(files_in(maildir()) == 60 - gone.count());
  CHECK(summaries() == static_cast<std::int64_t>(60 - gone.count()));
}

TEST_CASE_FIXTURE(LaterFixture, "later: rows of a mailbox that was deleted go bit by bit") {
  fill("Archive", 500);
  ListFolders folders;
  run(folders);
  TransferMessages copy(id("Archive"), uids({7}), id("Sent"), Transfer::copy, Missing::skip);
  run(copy);
  expunge("Archive", uids({9}));
  const MailboxId archive = id("Archive");
  RemoveFolder remove("Archive");
  CHECK(run(remove).restless);
  CHECK(rows("message", archive) == 499);
  Follow once;
  run(once);
  CHECK(once.more);
  CHECK(rows("message", archive) > 0);
  CHECK(rows("message", archive) < 499);
  SUBCASE("while the account is in use") {}
  SUBCASE("also after its next opening") {
    disk.emplace(context, account_path(), alice);
    CHECK(run(folders).restless);
  }
  follow();
  CHECK(rows("message", archive) == 0);
  CHECK(rows("tombstone", archive) == 0);
  CHECK(summaries() == 1);
  check_summaries("Sent", uids({1}));
}

TEST_CASE_FIXTURE(LaterFixture,
                  "later: a folder that is put back has its messages, not what was left of it") {
  fill("Archive", 500);
  ListFolders folders;
  run(folders);
  const MailboxId archive = id("Archive");
  const std::string kept = directory.path() + "/kept";
  std::filesystem::copy(maildir() + "/.Archive", kept, std::filesystem::copy_options::recursive);
  expunge("Archive", uids({9}));
  RemoveFolder remove("Archive");
  run(remove);
  std::filesystem::rename(kept, maildir() + "/.Archive");
  run(folders);
  REQUIRE(id("Archive") == archive);
  ReadCounts counts("Archive");
  run(counts);
  CHECK(counts.counts.messages == 500);
  follow();
  CHECK(rows("message", archive) == 500);
  CHECK(rows("tombstone", archive) == 0);
}

TEST_CASE_FIXTURE(LaterFixture, "later: a summary stays as long as a copy shares it") {
  fill("INBOX", 3);
  ListFolders folders;
  run(folders);
  TransferMessages copy(id("INBOX"), all(), id("Archive"), Transfer::copy, Missing::skip);
  run(copy);
  CHECK(summaries() == 3);
  check_summaries("Archive", uids({1, 2, 3}));
  expunge("INBOX", uids({1, 2}));
  follow();
  CHECK(summaries() == 3);
  check_summaries("Archive", uids({1, 2, 3}));
  TransferMessages move(id("Archive"), uids({2}), id("Sent"), Transfer::move, Missing::skip);
  run(move);
  expunge("Archive", uids({1}));
  follow();
  CHECK(summaries() == 2);
  check_summaries("Archive", uids({3}));
  check_summaries("Sent", uids({1}));
  SUBCASE("its mailbox is deleted, the message that it was made for stays") {
    RemoveFolder remove("Archive");
    run(remove);
    follow();
    CHECK(summaries() == 2);
    check_summaries("INBOX", uids({3}));
  }
  SUBCASE("the mailbox of the last copy is deleted") {
    RemoveFolder remove("Sent");
    run(remove);
    follow();
    CHECK(summaries() == 1);
  }
}

}  // namespace
}  // namespace posthorn::storage::testing

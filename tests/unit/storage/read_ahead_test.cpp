#include "storage/read_ahead.h"

#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct ReadAheadFixture : StoreFixture {
  ReadAheadFixture() {
    for (const char* subject : {"one", "two", "three", "four"}) deliver(letter(subject));
    inbox = mailbox();
  }
  void remove_file(Uid uid) {
    const std::string mark = ",U=" + std::to_string(uid);
    for (const std::string& name : list(maildir() + "/new")) {
      if (name.ends_with(mark)) std::filesystem::remove(maildir() + "/new/" + name);
    }
  }
  Result<std::string> head(ReadAhead& ahead, Uid uid) {
    return wait(ahead.head(*inbox, uid, uids({1, 2, 3, 4})));
  }

  std::shared_ptr<Mailbox> inbox;
};

TEST_CASE_FIXTURE(ReadAheadFixture, "messages that are asked for in order are read several at once") {
  ReadAhead ahead({.each = 65'536, .all = letter("one").size() + 1});
  CHECK(head(ahead, 1) == letter("one"));
  remove_file(2);
  CHECK(head(ahead, 2) == letter("two"));
  remove_file(3);
  const auto gone = head(ahead, 3);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::not_found);
  CHECK(head(ahead, 4) == letter("four"));
}

TEST_CASE_FIXTURE(ReadAheadFixture, "messages that are asked for out of order are each the right one") {
  ReadAhead ahead({.each = 65'536, .all = 1U << 20U});
  CHECK(head(ahead, 3) == letter("three"));
  CHECK(head(ahead, 1) == letter("one"));
  CHECK(head(ahead, 4) == letter("four"));
  CHECK(head(ahead, 4) == letter("four"));
}

TEST_CASE_FIXTURE(ReadAheadFixture, "of a message that is longer than the limit comes the beginning") {
  ReadAhead ahead({.each = 10, .all = 15});
  CHECK(head(ahead, 1) == letter("one").substr(0, 10));
  CHECK(head(ahead, 2) == letter("two").substr(0, 10));
}

TEST_CASE_FIXTURE(ReadAheadFixture,
                  "one message comes with the hop even where nothing may be held beside it") {
  const auto heads = wait(inbox->heads(uids({1, 2}), {.each = 65'536, .all = 0}));
  REQUIRE(heads.size() == 1);
  CHECK(heads.front().uid == 1);
  CHECK(heads.front().octets == letter("one"));
}

TEST_CASE_FIXTURE(ReadAheadFixture, "a file that another program has renamed is found among others") {
  const std::string name = list(maildir() + "/new").front();
  std::filesystem::rename(maildir() + "/new/" + name, maildir() + "/cur/" + name + ":2,S");
  const auto heads = wait(inbox->heads(uids({1, 2, 3, 4}), {.each = 65'536, .all = 1U << 20U}));
  REQUIRE(heads.size() == 4);
  CHECK(heads.front().octets == letter("one"));
}

TEST_CASE_FIXTURE(ReadAheadFixture, "a message that was expunged between others is passed over") {
  REQUIRE(wait(inbox->expunge(uids({2}), true)));
  ReadAhead ahead({.each = 65'536, .all = 1U << 20U});
  CHECK(head(ahead, 1) == letter("one"));
  CHECK(head(ahead, 3) == letter("three"));
}

}  // namespace
}  // namespace posthorn::storage::testing

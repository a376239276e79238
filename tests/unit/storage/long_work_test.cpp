// Who only looks is not kept waiting by an operation about many messages.
#include "tests/unit/storage/held_copy_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct LongWorkFixture : HeldCopyFixture {
  void end_copy() {
    CHECK_FALSE(copied);
    release();
    run_until(copied);
    REQUIRE(*copied);
    CHECK((*copied)->target.size() == many);
  }
};

TEST_CASE_FIXTURE(LongWorkFixture, "a poll beside a long COPY gives at once, and is made up for") {
  put_file(maildir() + "/new/1600000001.1.other", letter("foreign"));
  begin_copy();
  CHECK(wait(inbox->poll()));
  CHECK(inbox->snapshot()->size() == many);
  end_copy();
  for (int turn = 0; turn < 1000 && inbox->snapshot()->size() == many; ++turn)
    uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(inbox->snapshot()->size() == many + 1);
}

TEST_CASE_FIXTURE(LongWorkFixture,
                  "STATUS beside a long COPY tells what was committed, and the rest after it") {
  const auto before = wait(account().status("INBOX"));
  begin_copy();
  const auto meanwhile = wait(account().status("INBOX"));
  const auto target = wait(account().status("Archive"));
  REQUIRE(before);
  REQUIRE(meanwhile);
  REQUIRE(target);
  CHECK(*meanwhile == *before);
  CHECK(target->messages == 0);
  end_copy();
  const auto after = wait(account().status("Archive"));
  REQUIRE(after);
  CHECK(after->messages == many);
  CHECK(after->unseen == many);
}

TEST_CASE_FIXTURE(LongWorkFixture, "STATUS beside a long COPY waits where the index does not know yet") {
  append(*mailbox("Sent"), letter("sent"));
  mailboxes.clear();
  inbox.reset();
  archive.reset();
  stop();
  std::filesystem::remove(account_path() + "/index.sqlite");
  start();
  inbox = mailbox();
  archive = mailbox("Archive");
  begin_copy();
  std::optional<Result<Counts>> status;
  group.start(keep_value(account().status("Sent"), status));
  end_copy();
  run_until(status);
  REQUIRE(*status);
  CHECK((*status)->messages == 1);
}

TEST_CASE_FIXTURE(LongWorkFixture, "STATUS of no mailbox is refused beside a long COPY too") {
  begin_copy();
  std::optional<Result<Counts>> status;
  group.start(keep_value(account().status("Nowhere"), status));
  end_copy();
  run_until(status);
  REQUIRE_FALSE(*status);
  CHECK(status->error().code == Errc::not_found);
}

}  // namespace
}  // namespace posthorn::storage::testing

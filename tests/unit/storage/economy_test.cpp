// What a change of many messages costs.
#include "base/sqlite.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct EconomyFixture : StoreFixture {
  // Messages that share one file.
  void append_many(Mailbox& target, std::size_t count) {
    const auto message = spool(letter("many"));
    const Arrival arrival{.spool = message.get(), .internal_date = 1'600'000'000};
    REQUIRE(wait(target.append(std::vector<Arrival>(count, arrival))));
  }
  std::uint64_t syncs_of_copy(std::size_t count) {
    auto inbox = mailbox();
    auto archive = mailbox("Archive");
    append_many(*inbox, count);
    std::atomic<std::uint64_t> syncs = 0;
    files.fail_if([&syncs](std::string_view call) {
      if (call == "sync") ++syncs;
      return false;
    });
    const auto copied = wait(inbox->copy(all(), archive, Missing::skip));
    files.heal();
    REQUIRE(copied);
    CHECK(copied->source.size() >= count);
    return syncs;
  }
};

TEST_CASE_FIXTURE(EconomyFixture, "COPY of many messages costs as many syncs as COPY of a few") {
  const std::uint64_t few = syncs_of_copy(3);
  CHECK(few > 0);
  CHECK(syncs_of_copy(1500) <= few + 2);
}

TEST_CASE_FIXTURE(EconomyFixture,
                  "a folder that was listed after a start need not be listed after the next") {
  append_many(*mailbox(), 2001);
  restart();
  run_for(Milliseconds(100));
  mailbox();
  stop();
  auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::read_only);
  REQUIRE(index);
  CHECK(index->integer("SELECT count(*) FROM mailbox WHERE messages = 2001 AND new_modified <> 0 AND "
                       "cur_modified <> 0") == 1);
}

}  // namespace
}  // namespace posthorn::storage::testing

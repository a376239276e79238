// Small forms of summaries: kept from a message's arrival to its end, made anew where they are missing.
#include "base/sqlite.h"
#include "message/summary_codec.h"
#include "storage/account_disk.h"
#include "storage/upkeep.h"
#include "tests/unit/storage/store_fixture.h"

#include <array>

namespace posthorn::storage::testing {
namespace {

// "1 SUBJECT": what a maker of version '1' gives.
Result<std::string> subject_form(std::string_view summary) {
  return "1 " + TRY(message::decode_envelope(summary)).subject.value_or("");
}
Result<std::string> newer_subject_form(std::string_view summary) {
  return "2 " + TRY(message::decode_envelope(summary)).subject.value_or("");
}
Result<std::string> no_form(std::string_view /*summary*/) { return failure(Errc::corrupt, "no form"); }

struct FormFixture : StoreFixture {
  FormFixture() { use({'1', subject_form}); }
  void use(FormMaker maker) {
    stop();
    settings.forms.envelope = maker;
    start();
  }
  // "UID:FORM " of each.
  std::string given(const char* name, UidSet uids = all(), Effort effort = Effort::full) {
    const auto found = wait(mailbox(name)->summaries(std::move(uids), effort, Form::envelope));
    REQUIRE(found);
    std::string said;
    for (const auto& each : found->list) said += std::to_string(each.uid) + ":" + each.encoded + " ";
    return said;
  }
  Database index() {
    auto opened = Database::open(account_path() + "/index.sqlite", Database::Mode::read_write);
    REQUIRE(opened);
    return *std::move(opened);
  }
  std::int64_t count_forms() { return index().integer("SELECT count(*) FROM envelope_form").value_or(-1); }
};

TEST_CASE_FIXTURE(FormFixture, "forms: made at arrival, shared by copies, gone with the last of them") {
  deliver(letter("a"));
  append(*mailbox(), letter("b"));
  CHECK(given("INBOX", all(), Effort::look_up) == "1:1 a 2:1 b ");
  REQUIRE(wait(mailbox()->copy(all(), mailbox("Archive"), Missing::skip)));
  CHECK(given("Archive", all(), Effort::look_up) == "1:1 a 2:1 b ");
  CHECK(count_forms() == 2);
  REQUIRE(wait(mailbox()->expunge(uids({1, 2}), true)));
  REQUIRE(wait(mailbox("Archive")->expunge(uids({1}), true)));
  CHECK(given("INBOX").empty());
  CHECK(given("Archive", all(), Effort::look_up) == "2:1 b ");
  stop();
  DiskContext context{files, clock, random, log, settings};
  AccountDisk disk(context, account_path(), alice);
  Follow follow;
  const std::array<Operation*, 1> batch{&follow};
  disk.run(batch, {});
  CHECK_FALSE(follow.error);
  CHECK(count_forms() == 1);
}

TEST_CASE_FIXTURE(FormFixture, "forms: made and kept where they are missing") {
  for (const char* subject : {"a", "b", "c"}) deliver(letter(subject));
  REQUIRE(wait(mailbox()->copy(all(), mailbox("Archive"), Missing::skip)));
  SUBCASE("an index of an older version has none") {
    stop();
    REQUIRE(index().run("DELETE FROM envelope_form"));
    start();
  }
  SUBCASE("the summary is missing too") {
    stop();
    REQUIRE(index().run("DELETE FROM envelope_form; DELETE FROM summary"));
    start();
  }
  SUBCASE("the index was lost") {
    stop();
    std::filesystem::remove(account_path() + "/index.sqlite");
    start();
  }
  SUBCASE("one is") { REQUIRE(index().run("DELETE FROM envelope_form WHERE octets = CAST('1 b' AS BLOB)")); }
  CHECK(given("Archive") == "1:1 a 2:1 b 3:1 c ");
  CHECK(given("INBOX") == "1:1 a 2:1 b 3:1 c ");
  stop();
  start();
  CHECK(given("Archive", all(), Effort::look_up) == "1:1 a 2:1 b 3:1 c ");
  CHECK(given("INBOX", all(), Effort::look_up) == "1:1 a 2:1 b 3:1 c ");
}

TEST_CASE_FIXTURE(FormFixture, "forms: what an older maker made is made anew") {
  deliver(letter("a"));
  use({'2', newer_subject_form});
  CHECK(given("INBOX", all(), Effort::look_up).empty());
  CHECK(given("INBOX") == "1:2 a ");
  deliver(letter("b"));
  CHECK(given("INBOX", all(), Effort::look_up) == "1:2 a 2:2 b ");
}

TEST_CASE_FIXTURE(FormFixture, "forms: one that can't be made keeps no message away") {
  deliver(letter("a"));
  use({'2', no_form});
  deliver(letter("b"));
  const auto found = wait(mailbox()->summaries(all(), Effort::full, Form::envelope));
  REQUIRE(found);
  CHECK(found->list.empty());
  CHECK(found->unread == uids({1, 2}));
  CHECK(found->why);
  CHECK(wait(mailbox()->summaries(all()))->list.size() == 2);
}

TEST_CASE_FIXTURE(FormFixture, "forms: nobody gets one that is not kept") {
  deliver(letter("a"));
  const auto found = wait(mailbox()->summaries(all(), Effort::full, Form::structure));
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::not_found);
}

TEST_CASE_FIXTURE(FormFixture, "forms: a huge one is not kept, but given") {
  const std::string subject(70'000, 'x');
  deliver(letter(subject));
  CHECK(count_forms() == 0);
  CHECK(given("INBOX") == "1:1 " + subject + " ");
  run_for(Milliseconds(10));
  CHECK(count_forms() == 0);
}

TEST_CASE_FIXTURE(FormFixture, "forms: one that is made no more does not stay as it was") {
  deliver(letter("a"));
  REQUIRE(count_forms() == 1);
  stop();
  REQUIRE(index().run("DELETE FROM summary"));
  use({'1', no_form});
  REQUIRE(wait(mailbox()->summaries(all()))->list.size() == 1);
  run_for(Milliseconds(10));
  stop();
  CHECK(count_forms() == 0);
}

TEST_CASE_FIXTURE(FormFixture, "forms: where many are missing, not more than usual are made at a time") {
  auto inbox = mailbox();
  const auto message = spool(letter("many"));
  std::vector<Arrival> arrivals(300, Arrival{.spool = message.get(), .internal_date = 1'600'000'000});
  REQUIRE(wait(inbox->append(std::move(arrivals))));
  REQUIRE(index().run("DELETE FROM envelope_form"));
  const auto found = wait(inbox->summaries(all(), Effort::full, Form::envelope));
  REQUIRE(found);
  CHECK(found->list.size() == 256);
  CHECK(found->rest == 257);
}

TEST_CASE_FIXTURE(FormFixture, "forms: more of them come at a time than summaries") {
  auto inbox = mailbox();
  const auto message = spool(letter("many"));
  std::vector<Arrival> arrivals(300, Arrival{.spool = message.get(), .internal_date = 1'600'000'000});
  REQUIRE(wait(inbox->append(std::move(arrivals))));
  const auto summaries = wait(inbox->summaries(all()));
  REQUIRE(summaries);
  CHECK(summaries->list.size() == 256);
  CHECK(summaries->rest == 257);
  const auto forms = wait(inbox->summaries(all(), Effort::full, Form::envelope));
  REQUIRE(forms);
  CHECK(forms->list.size() == 300);
  CHECK_FALSE(forms->rest);
}

}  // namespace
}  // namespace posthorn::storage::testing

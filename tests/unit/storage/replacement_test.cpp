// A message takes another one's place (RFC 8508 §3.4), also across a crash.
#include "storage/replacement.h"

#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct ReplacementFixture : StoreFixture {
  Result<Appended> try_replace(Mailbox& from, Uid uid, const std::shared_ptr<Mailbox>& to,
                               std::string_view text, std::vector<std::string> keywords = {}) {
    const auto message = TRY(try_spool(text));
    return wait(from.replace(uid, to,
                             {.spool = message.get(),
                              .internal_date = 1'600'000'000,
                              .system_flags = bit(SystemFlag::draft),
                              .keywords = std::move(keywords)}));
  }
  std::vector<std::string> notes() { return list(account_path() + "/replacing"); }
  // As a crash leaves it that came when both files were there.
  void write_note(MailboxId from, Uid replaced, MailboxId to, Uid uid) {
    std::filesystem::create_directories(account_path() + "/replacing");
    put_file(account_path() + "/replacing/" + to_string(Replacement{from, replaced, to, uid}), "");
  }
  void lose_index() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(account_path() + "/index.sqlite" + suffix);
    }
  }
};

}  // namespace

TEST_CASE("storage: the name of a note is four numbers, and nothing else is a note") {
  const Replacement replacement{.from = 1700000000, .replaced = 4, .to = 18, .uid = 2147483647};
  CHECK(to_string(replacement) == "1700000000.4-18.2147483647");
  CHECK(parse_replacement("1700000000.4-18.2147483647") == replacement);
  for (const std::string_view name :
       {"", "1", "1.2", "1.2-3", "1.2-3.", "1.2-3.4 ", "1.2-3.4.5", "0.2-3.4", "1.2-3.04", "1.2-3.2147483648",
        "1.2-3.99999999999999999999", "-1.2-3.4", "1.2.3.4", "a.2-3.4", "1.2-3.4\n"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_replacement(name));
  }
}

TEST_CASE_FIXTURE(ReplacementFixture, "storage: REPLACE takes one message away and puts the other in") {
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  const ModSeq before = inbox->snapshot()->highest_modseq();
  SUBCASE("in the same mailbox") {
    const auto replaced = try_replace(*inbox, 1, inbox, letter("new"), {"Work"});
    REQUIRE(replaced);
    CHECK(replaced->uids == uids({3}));
    CHECK(replaced->uid_validity == inbox->info().uid_validity);
    CHECK(uids_of(*inbox) == std::vector<Uid>{2, 3});
    CHECK(inbox->snapshot()->at(1).flags.system == bit(SystemFlag::draft));
    // RFC 8508 §4.5.
    CHECK(inbox->snapshot()->highest_modseq() > before);
    const auto vanished = wait(inbox->vanished_since(before, all()));
    REQUIRE(vanished);
    CHECK(vanished->contains(1));
  }
  SUBCASE("in another mailbox") {
    auto sent = mailbox("Sent");
    const auto replaced = try_replace(*inbox, 2, sent, letter("new"));
    REQUIRE(replaced);
    CHECK(replaced->uid_validity == sent->info().uid_validity);
    CHECK(uids_of(*inbox) == std::vector<Uid>{1});
    CHECK(uids_of(*sent) == std::vector<Uid>{1});
    CHECK(read(*sent, 1) == letter("new"));
  }
  SUBCASE("of one that is gone, nothing is put in") {
    const auto replaced = try_replace(*inbox, 7, inbox, letter("new"));
    REQUIRE(replaced);
    CHECK(replaced->uids.empty());
    CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
    CHECK(notes().empty());
  }
  SUBCASE("of too many keywords, nothing is changed") {
    std::vector<std::string> keywords;
    for (int i = 0; i < 300; ++i) keywords.push_back("k" + std::to_string(i));
    const auto replaced = try_replace(*inbox, 1, inbox, letter("new"), keywords);
    REQUIRE_FALSE(replaced);
    CHECK(replaced.error().code == Errc::too_large);
    CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
  }
  SUBCASE("in a mailbox that was deleted, nothing is changed") {
    auto archive = mailbox("Archive");
    REQUIRE(wait(account().remove("Archive")));
    const auto replaced = try_replace(*inbox, 1, archive, letter("new"));
    REQUIRE_FALSE(replaced);
    CHECK(replaced.error().code == Errc::not_found);
    CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
  }
}

TEST_CASE_FIXTURE(ReplacementFixture, "storage: a note is there before the message, and goes behind it") {
  auto inbox = mailbox();
  deliver(letter("one"));
  REQUIRE(try_replace(*inbox, 1, inbox, letter("new")));
  CHECK(notes().size() == 1);
  SUBCASE("soon") {
    // File names are followed within 2 s, and notes with them.
    for (int turn = 0; turn < 40 && !notes().empty(); ++turn) run_for(Milliseconds(100));
  }
  SUBCASE("at a clean end") { stop(); }
  CHECK(notes().empty());
}

TEST_CASE_FIXTURE(ReplacementFixture, "storage: REPLACE costs two syncs more than APPEND") {
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  REQUIRE(try_replace(*inbox, 1, inbox, letter("new")));  // makes the folder of the notes
  const std::uint64_t begin = files.syncs();
  append(*inbox, letter("three"));
  const std::uint64_t between = files.syncs();
  REQUIRE(try_replace(*inbox, 2, inbox, letter("newer")));
  // One for the note; SQLite's own, of the commit, is not counted here.
  CHECK(files.syncs() - between == between - begin + 1);
}

TEST_CASE_FIXTURE(ReplacementFixture,
                  "storage: the old message goes at the next opening, if the new one is there") {
  auto inbox = mailbox();
  auto sent = mailbox("Sent");
  const MailboxId from = inbox->info().id;
  const MailboxId to = sent->info().id;
  deliver(letter("one"));
  deliver(letter("two"));
  append(*sent, letter("new"));
  inbox.reset();
  sent.reset();
  stop();
  bool both_stay = false;
  SUBCASE("with its index") { write_note(from, 1, to, 1); }
  SUBCASE("after a loss of the index") {
    write_note(from, 1, to, 1);
    lose_index();
  }
  SUBCASE("it is not there") {
    write_note(from, 1, to, 2);
    both_stay = true;
  }
  SUBCASE("its mailbox is not there") {
    write_note(from, 1, to + 100, 1);
    both_stay = true;
  }
  SUBCASE("the old one's mailbox is not there") {
    write_note(from + 100, 1, to, 1);
    both_stay = true;
  }
  SUBCASE("what is no note stays without effect") {
    std::filesystem::create_directories(account_path() + "/replacing");
    put_file(account_path() + "/replacing/README", "x");
    both_stay = true;
  }
  start();
  CHECK(counts("Sent").messages == 1);
  CHECK(uids_of(*mailbox()) == (both_stay ? std::vector<Uid>{1, 2} : std::vector<Uid>{2}));
  CHECK(log.has("storage.replace_finished") == !both_stay);
  stop();
  CHECK((notes().empty() || notes() == std::vector<std::string>{"README"}));
  start();
  CHECK(uids_of(*mailbox()).size() == (both_stay ? 2 : 1));
}

TEST_CASE_FIXTURE(ReplacementFixture, "storage: sessions hear of what the opening finishes") {
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  append(*inbox, letter("new"));
  const auto before = inbox->snapshot();
  write_note(inbox->info().id, 2, inbox->info().id, 3);
  // The index is lost under the running server.
  std::filesystem::remove(account_path() + "/index.sqlite");
  REQUIRE(wait(inbox->poll()));
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 3});
  CHECK(inbox->snapshot()->highest_modseq() > before->highest_modseq());
}

}  // namespace posthorn::storage::testing

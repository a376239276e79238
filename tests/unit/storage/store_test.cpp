#include "storage/store.h"

#include "message/summary_codec.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {

TEST_CASE_FIXTURE(StoreFixture,
                  "storage: a new account has INBOX and the mailboxes of special use (RFC 6154 §2)") {
  auto mailboxes_found = wait(account().list());
  REQUIRE(mailboxes_found);
  std::string text;
  for (const MailboxInfo& each : *mailboxes_found) {
    text += each.name + std::string(name_of(each.special_use)) + " ";
    CHECK(each.uid_validity > 0);
    CHECK(each.id > 0);
  }
  CHECK(text == "INBOX Archive\\Archive Drafts\\Drafts Junk\\Junk Sent\\Sent Trash\\Trash ");
  CHECK(list(maildir()) == std::vector<std::string>{".Archive", ".Drafts", ".Junk", ".Sent", ".Trash", "cur",
                                                    "new", "posthorn-account", "posthorn-mailbox",
                                                    "posthorn-subscriptions", "tmp"});
}

TEST_CASE_FIXTURE(StoreFixture, "storage: what is delivered is there at once, byte for byte") {
  auto inbox = mailbox();
  CHECK(inbox->snapshot()->size() == 0);
  deliver(letter("one"));
  CHECK(uids_of(*inbox) == std::vector<Uid>{1});
  CHECK(read(*inbox, 1) == letter("one"));
  const std::string large = letter("large") + std::string(300'000, 'x') + "\r\n";
  deliver(large);
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2});
  CHECK(read(*inbox, 2) == large);
  CHECK(inbox->snapshot()->at(1).size == large.size());
  CHECK(inbox->snapshot()->at(0).internal_date == clock.seconds());
  CHECK(inbox->snapshot()->uid_next() == 3);
  auto head = wait(inbox->head(2, 10));
  REQUIRE(head);
  CHECK(*head == large.substr(0, 10));
  const Counts there = counts();
  CHECK(there.messages == 2);
  CHECK(there.unseen == 2);
  CHECK(there.recent == 2);
  CHECK(there.octets == large.size() + letter("one").size());
  CHECK(there.uid_next == 3);
  CHECK(list(settings.data + "/spool").empty());
}

TEST_CASE_FIXTURE(StoreFixture, "storage: summaries are made at arrival") {
  deliver(letter("one"));
  deliver(letter("two"));
  auto inbox = mailbox();
  auto found = wait(inbox->summaries(all()));
  REQUIRE(found);
  REQUIRE(found->list.size() == 2);
  const auto envelope = message::decode_envelope(found->list[1].encoded);
  REQUIRE(envelope);
  CHECK(envelope->subject == "two");
}

TEST_CASE_FIXTURE(StoreFixture, "storage: all is as it was after a clean restart") {
  deliver(letter("one"));
  auto inbox = mailbox();
  REQUIRE(try_store(*inbox, uids({1}), FlagChange::add, bit(SystemFlag::seen), {"$Forwarded"}));
  const auto before = inbox->snapshot();
  const auto info = inbox->info();
  inbox.reset();
  restart();
  log.clear();
  auto again = mailbox();
  CHECK(again->info().uid_validity == info.uid_validity);
  CHECK(again->info().id == info.id);
  CHECK(again->snapshot()->uid_next() == before->uid_next());
  CHECK(again->snapshot()->highest_modseq() == before->highest_modseq());
  REQUIRE(again->snapshot()->size() == 1);
  CHECK(again->snapshot()->at(0) == before->at(0));
  CHECK(again->keywords() == std::vector<std::string>{"$Forwarded"});
  CHECK_FALSE(log.has("mended"));
}

TEST_CASE_FIXTURE(StoreFixture, "storage: flags, keywords and modseqs change together (RFC 7162 §3.1)") {
  auto inbox = mailbox();
  for (int index = 0; index < 3; ++index) deliver(letter("m"));
  const ModSeq before = inbox->snapshot()->highest_modseq();
  auto stored = try_store(*inbox, all(), FlagChange::add, bit(SystemFlag::flagged), {"Work", "work"});
  REQUIRE(stored);
  CHECK(stored->changed.size() == 3);
  CHECK(inbox->keywords() == std::vector<std::string>{"Work"});
  CHECK(inbox->find_keyword("WORK") == 0);
  CHECK(inbox->snapshot()->highest_modseq() > before);
  stored = try_store(*inbox, all(), FlagChange::add, bit(SystemFlag::flagged));
  REQUIRE(stored);
  CHECK(stored->changed.empty());
  stored = try_store(*inbox, uids({2}), FlagChange::replace, bit(SystemFlag::seen));
  REQUIRE(stored);
  REQUIRE(stored->changed.size() == 1);
  CHECK(stored->changed[0] == inbox->snapshot()->at(1));
  CHECK(inbox->snapshot()->at(1).flags.system == bit(SystemFlag::seen));
  CHECK(inbox->snapshot()->at(1).flags.keywords.empty());
  // UNCHANGEDSINCE refuses what changed later.
  auto refused = wait(inbox->store({.uids = all(),
                                    .how = FlagChange::remove,
                                    .system_flags = bit(SystemFlag::flagged),
                                    .unchanged_since = inbox->snapshot()->at(0).modseq}));
  REQUIRE(refused);
  CHECK(refused->modified == uids({2}));
  CHECK(refused->changed.size() == 2);
}

TEST_CASE_FIXTURE(StoreFixture, "storage: expunged messages go from every place") {
  auto inbox = mailbox();
  for (int index = 0; index < 4; ++index) deliver(letter("m"));
  REQUIRE(try_store(*inbox, uids({2, 4}), FlagChange::add, bit(SystemFlag::deleted)));
  CHECK(counts().deleted == 2);
  auto expunged = wait(inbox->expunge(uids({1, 2}), false));
  REQUIRE(expunged);
  CHECK(*expunged == uids({2}));
  expunged = wait(inbox->expunge(uids({1}), true));
  REQUIRE(expunged);
  CHECK(*expunged == uids({1}));
  CHECK(uids_of(*inbox) == std::vector<Uid>{3, 4});
  CHECK(list(maildir() + "/new").size() + list(maildir() + "/cur").size() == 2);
  CHECK(counts().messages == 2);
  CHECK(counts().deleted == 1);
  deliver(letter("m"));
  CHECK(uids_of(*inbox) == std::vector<Uid>{3, 4, 5});
}

TEST_CASE_FIXTURE(StoreFixture,
                  "storage: COPY links, MOVE leaves nothing behind (RFC 3501 §6.4.7, RFC 6851)") {
  auto inbox = mailbox();
  auto archive = mailbox("Archive");
  for (int index = 0; index < 3; ++index) deliver(letter(std::to_string(index)));
  REQUIRE(try_store(*inbox, uids({2}), FlagChange::add, bit(SystemFlag::seen), {"a", "b"}));
  REQUIRE(try_append(*archive, letter("x"), 0, {"b"}));
  auto copied = wait(inbox->copy(uids({2, 3}), archive, Missing::skip));
  REQUIRE(copied);
  CHECK(copied->source == std::vector<Uid>{2, 3});
  CHECK(copied->target == std::vector<Uid>{2, 3});
  CHECK(copied->uid_validity == archive->info().uid_validity);
  CHECK(read(*archive, 2) == letter("1"));
  const Message& copy = archive->snapshot()->at(1);
  CHECK(copy.flags.has(SystemFlag::seen));
  CHECK(copy.flags.keywords.has(*archive->find_keyword("a")));
  CHECK(copy.flags.keywords.has(*archive->find_keyword("b")));
  CHECK(copy.internal_date == clock.seconds());
  CHECK(uids_of(*inbox) == std::vector<Uid>{1, 2, 3});
  auto moved = wait(inbox->move(uids({1, 2, 9}), archive, Missing::skip));
  REQUIRE(moved);
  CHECK(moved->source == std::vector<Uid>{1, 2});
  CHECK(moved->target == std::vector<Uid>{4, 5});
  CHECK(uids_of(*inbox) == std::vector<Uid>{3});
  CHECK(read(*archive, 4) == letter("0"));
  CHECK(list(maildir() + "/new").size() + list(maildir() + "/cur").size() == 1);
  auto found = wait(archive->summaries(all()));
  REQUIRE(found);
  CHECK(found->list.size() == 5);
}

TEST_CASE_FIXTURE(StoreFixture, "storage: a message for several accounts is written once and linked") {
  account(bob);
  deliver(letter("both"), {alice, bob});
  auto one = mailbox();
  auto other = mailbox("INBOX", bob);
  CHECK(read(*one, 1) == letter("both"));
  CHECK(read(*other, 1) == letter("both"));
  const auto name = list(maildir() + "/new").at(0);
  CHECK(std::filesystem::hard_link_count(maildir() + "/new/" + name) == 2);
  CHECK(list(settings.data + "/spool").empty());
}

TEST_CASE_FIXTURE(StoreFixture, "storage: one process owns the data (a second one is told so)") {
  const auto second = open_store(lane, files, clock, random, log, settings);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::in_use);
}

TEST_CASE_FIXTURE(StoreFixture, "storage: data of a newer version is refused, in words") {
  stop();
  put_file(settings.data + "/version", "posthorn-data 2\n");
  const auto started = try_start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::unavailable);
  CHECK(started.error().detail.contains("newer"));
}

namespace {
struct CountingListener final : Listener {
  int calls = 0;
  void mailbox_changed() override { ++calls; }
};
}  // namespace

TEST_CASE_FIXTURE(StoreFixture, "storage: listeners hear of a delivery, not on the caller's stack") {
  auto inbox = mailbox();
  CountingListener listener;
  inbox->add_listener(listener);
  deliver(letter("one"));
  run_for(Milliseconds(1));
  CHECK(listener.calls == 1);
  inbox->remove_listener(listener);
  deliver(letter("two"));
  run_for(Milliseconds(1));
  CHECK(listener.calls == 1);
}

TEST_CASE_FIXTURE(StoreFixture, "storage: one session alone is shown a message as recent (RFC 3501 §2.3.2)") {
  deliver(letter("one"));
  deliver(letter("two"));
  auto inbox = mailbox();
  CHECK(inbox->claim_recent() == 1);
  CHECK(inbox->claim_recent() == 3);
  CHECK(counts().recent == 0);
  deliver(letter("three"));
  CHECK(counts().recent == 1);
  inbox.reset();
  restart();
  inbox = mailbox();
  CHECK(inbox->claim_recent() == 3);
  CHECK(list(maildir() + "/new").size() == 1);
  CHECK(list(maildir() + "/cur").size() == 2);
}

}  // namespace posthorn::storage::testing

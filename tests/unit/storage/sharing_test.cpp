// Mailboxes that others share, over a real store: access control lists in folders, and who learns of them.
#include "storage/acl.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

constexpr const char* bobs = "Other Users/bob@example.test/";

struct SharingFixture : StoreFixture {
  // As alice may see it.
  Account& user(const std::string& address = alice) {
    auto& kept = users[address];
    if (!kept) {
      auto opened = wait(store->open_for(address));
      REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
      kept = *opened;
    }
    return *kept;
  }
  ~SharingFixture() { users.clear(); }
  void start_anew() {
    users.clear();
    restart();
  }
  void create(const std::string& name, const std::string& address = bob) {
    REQUIRE(wait(account(address).create(name, SpecialUse::none)));
  }
  void share(const std::string& name, const std::string& identifier, std::string_view rights,
             const std::string& address = bob) {
    auto shared = wait(account(address).share(name, identifier, *parse_rights_change(rights)));
    REQUIRE_MESSAGE(shared, (shared ? "" : shared.error().detail));
  }
  std::vector<std::string> seen(const std::string& address = alice) {
    const auto list = wait(user(address).list());
    REQUIRE(list);
    std::vector<std::string> names;
    for (const MailboxInfo& each : *list) {
      if (each.name.contains('/')) names.push_back(each.name);
    }
    return names;
  }
  std::shared_ptr<Mailbox> open(const std::string& name) {
    auto opened = wait(user().open(name));
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    return *opened;
  }
  std::string rights_on(const std::string& name) {
    const auto found = wait(user().find(name));
    return found ? to_string(found->rights) : std::string(name_of(found.error().code));
  }

  std::map<std::string, std::shared_ptr<Account>> users;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(SharingFixture, "sharing: nobody sees what is shared with nobody") {
  create("Box");
  CHECK(seen().empty());
  const auto opened = wait(user().open(std::string(bobs) + "Box"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::not_found);
  // Nor is an account made by asking for it.
  CHECK_FALSE(wait(user().open("Other Users/carol@example.test/INBOX")));
  CHECK(list(settings.data + "/mail/example.test") == Names{"alice", "bob"});
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: a list in the folder survives restarts, RENAME, and the loss of indexes") {
  create("Box");
  share("Box", "Alice@Example.test", "lr");
  CHECK(seen() == Names{std::string(bobs) + "Box"});
  CHECK(content(maildir(bob) + "/.Box/posthorn-acl") == "posthorn-acl 1\nlr alice@example.test\n");
  REQUIRE(wait(account(bob).rename("Box", "Other")));
  CHECK(seen() == Names{std::string(bobs) + "Other"});
  start_anew();
  CHECK(rights_on(std::string(bobs) + "Other") == "lr");
  users.clear();
  stop();
  std::filesystem::remove(account_path(bob) + "/index.sqlite");
  std::filesystem::remove(settings.data + "/shares.sqlite");
  start();
  CHECK(rights_on(std::string(bobs) + "Other") == "lr");
  users.clear();
  stop();
  put_file(settings.data + "/shares.sqlite", std::string(5'000, 'x'));
  std::filesystem::remove(settings.data + "/shares.sqlite-wal");
  start();
  CHECK(seen() == Names{std::string(bobs) + "Other"});
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: what is taken away is gone at once, and DELETE takes the list (RFC 4314 §4)") {
  create("Box");
  share("Box", alice, "lr");
  const auto box = open(std::string(bobs) + "Box");
  append(*mailbox("Box", bob), letter("one"));
  CHECK(uids_of(*box) == std::vector<Uid>{1});
  share("Box", alice, "-r");
  CHECK(box->deleted());
  append(*mailbox("Box", bob), letter("two"));
  CHECK(uids_of(*box) == std::vector<Uid>{1});
  CHECK(wait(box->bytes(1)).error().code == Errc::denied);
  share("Box", alice, "");
  CHECK(wait(box->bytes(1)).error().code == Errc::not_found);
  CHECK(seen().empty());
  share("Box", alice, "lr");
  REQUIRE(wait(account(bob).remove("Box")));
  create("Box");
  CHECK(seen().empty());
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: a new mailbox inherits the list of the one above it (RFC 4314 §4)") {
  create("Box");
  share("Box", alice, "lrk");
  REQUIRE(wait(user().create(std::string(bobs) + "Box/a/b", SpecialUse::none)));
  CHECK(seen() ==
        Names{std::string(bobs) + "Box", std::string(bobs) + "Box/a", std::string(bobs) + "Box/a/b"});
  share("Box", alice, "");
  CHECK(rights_on(std::string(bobs) + "Box/a/b") == "lrk");
  start_anew();
  CHECK(rights_on(std::string(bobs) + "Box/a/b") == "lrk");
  create("Elsewhere");
  CHECK(rights_on(std::string(bobs) + "Elsewhere") == "not_found");
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: two users of a mailbox see each other's changes") {
  create("Box");
  share("Box", alice, "lrswite");
  const auto box = open(std::string(bobs) + "Box");
  const auto his = mailbox("Box", bob);
  const Uid uid = append(*box, letter("one"), bit(SystemFlag::flagged), {"$hot"});
  CHECK(uids_of(*his) == std::vector<Uid>{uid});
  REQUIRE(try_store(*box, uids({uid}), FlagChange::add, bit(SystemFlag::seen)));
  CHECK(his->snapshot()->at(0).flags.has(SystemFlag::seen));
  CHECK(box->snapshot() == his->snapshot());
  // \Recent is the owner's.
  CHECK(box->claim_recent() == box->snapshot()->uid_next());
  CHECK(his->first_recent() == uid);
  CHECK(wait(user().status(std::string(bobs) + "Box"))->recent == 0);
  CHECK(counts("Box", bob).recent == 1);
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: flags that may not be set are left out (RFC 4314 §4)") {
  create("Box");
  const auto his = mailbox("Box", bob);
  share("Box", alice, "lriws");
  const auto box = open(std::string(bobs) + "Box");
  const auto all_flags =
      static_cast<std::uint8_t>(bit(SystemFlag::seen) | bit(SystemFlag::deleted) | bit(SystemFlag::answered));
  append(*box, letter("one"), all_flags, {"$hot"});
  CHECK(his->snapshot()->at(0).flags.system == (bit(SystemFlag::seen) | bit(SystemFlag::answered)));
  CHECK_FALSE(his->snapshot()->at(0).flags.keywords.empty());
  share("Box", alice, "lrit");
  append(*box, letter("two"), all_flags, {"$hot", "$new"});
  CHECK(his->snapshot()->at(1).flags.system == bit(SystemFlag::deleted));
  CHECK(his->snapshot()->at(1).flags.keywords.empty());
  CHECK(his->keywords() == Names{"$hot"});
  // STORE replaces what it may.
  REQUIRE(try_store(*box, uids({1}), FlagChange::replace, all_flags, {"$new"}));
  CHECK(his->snapshot()->at(0).flags.system == all_flags);
  CHECK(his->keywords() == Names{"$hot"});
  CHECK_FALSE(his->snapshot()->at(0).flags.keywords.empty());
  CHECK(try_store(*box, uids({1}), FlagChange::add, bit(SystemFlag::seen)).error().code == Errc::denied);
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: COPY and MOVE between accounts") {
  create("Box");
  share("Box", alice, "lrswite");
  const auto box = open(std::string(bobs) + "Box");
  const auto inbox = open("INBOX");
  for (int i = 0; i < 70; ++i) append(*inbox, letter(std::to_string(i)), bit(SystemFlag::flagged), {"$hot"});
  auto copied = wait(inbox->copy(all(), box, Missing::skip));
  REQUIRE_MESSAGE(copied, (copied ? "" : copied.error().detail));
  CHECK(copied->source.size() == 70);
  CHECK(copied->target.size() == 70);
  CHECK(copied->uid_validity == box->info().uid_validity);
  CHECK(read(*box, 70) == read(*inbox, 70));
  CHECK(box->snapshot()->at(69).flags == inbox->snapshot()->at(69).flags);
  CHECK(box->snapshot()->at(69).internal_date == 1'600'000'000);
  auto moved = wait(box->move(uids({1, 2, 99}), inbox, Missing::skip));
  REQUIRE(moved);
  CHECK(moved->source == std::vector<Uid>{1, 2});
  CHECK(moved->target == std::vector<Uid>{71, 72});
  CHECK(uids_of(*box).front() == 3);
  // Nothing where one is missing that may not be.
  CHECK(wait(box->move(uids({3, 99}), inbox, Missing::refuse))->source.empty());
  CHECK(uids_of(*box).front() == 3);
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: a MOVE between accounts that can't write loses nothing") {
  create("Box");
  share("Box", alice, "lrswite");
  const auto box = open(std::string(bobs) + "Box");
  append(*box, letter("one"));
  const auto inbox = open("INBOX");
  files.fail(0, Errc::io, FaultyFileSystem::Fault::from_then_on);
  CHECK_FALSE(wait(box->move(all(), inbox, Missing::skip)));
  files.heal();
  CHECK(uids_of(*box) == std::vector<Uid>{1});
  CHECK(uids_of(*inbox).empty());
  REQUIRE(wait(box->move(all(), inbox, Missing::skip)));
  CHECK(uids_of(*inbox).size() == 1);
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: who gets the name of an account that was removed gets no rights of it") {
  create("Box");
  share("Box", alice, "lr");
  share("Box", "-alice@example.test", "r");
  share("Box", "anyone", "l");
  users.clear();
  accounts.erase(alice);
  REQUIRE(wait(store->remove_account(alice)));
  CHECK(rights_on(std::string(bobs) + "Box") == "l");
  CHECK(content(maildir(bob) + "/.Box/posthorn-acl") == "posthorn-acl 1\nl anyone\n");
  // And what a removed account shared is gone with it.
  accounts.erase(bob);
  REQUIRE(wait(store->remove_account(bob)));
  CHECK(seen().empty());
  CHECK(list(settings.data + "/mail/example.test") == Names{"alice"});
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: mailboxes of the organisation") {
  const std::string office = "+shared@example.test";
  create("News", office);
  share("News", "anyone", "lr", office);
  CHECK(seen() == Names{"Shared/News"});
  CHECK(open("Shared/News")->info().name == "Shared/News");
  CHECK(seen("carol@example.com").empty());
  // It has no Drafts, Sent or Trash; and INBOX is nobody's.
  const auto mailboxes = wait(account(office).list());
  CHECK(mailboxes->size() == 2);
  CHECK_FALSE(wait(user().open("Shared/INBOX")));
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: a mailbox of one's own with such a name goes first, and none is made") {
  create("Shared/News", alice);
  CHECK(seen() == Names{"Shared/News"});
  CHECK(open("Shared/News")->rights() == Rights::all());
  for (const char* name : {"Shared/More", "Shared/News/x", "Other Users", "Other Users/bob@example.test"}) {
    CAPTURE(name);
    const auto created = wait(user().create(name, SpecialUse::none));
    REQUIRE_FALSE(created);
    CHECK(created.error().code == Errc::denied);
  }
  REQUIRE(wait(user().rename("Shared/News", "News")));
  CHECK(wait(user().rename("News", "Shared/News")).error().code == Errc::denied);
  REQUIRE(wait(user().remove("News")));
}

TEST_CASE_FIXTURE(SharingFixture,
                  "sharing: the owner's rights can't be given or taken, and entries are bounded") {
  settings.acl_entries = 2;
  restart();
  create("Box");
  const auto error = [&](const std::string& identifier) {
    const auto shared = wait(account(bob).share("Box", identifier, *parse_rights_change("l")));
    return shared ? Errc::io : shared.error().code;
  };
  CHECK(error(bob) == Errc::not_allowed);
  CHECK(error("-bob") == Errc::not_allowed);
  CHECK(error("") == Errc::malformed);
  share("Box", "a", "l");
  share("Box", "b", "l");
  CHECK(error("c") == Errc::too_large);
  CHECK(wait(account(bob).share("Nothing", "a", {})).error().code == Errc::not_found);
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: a damaged list gives nobody any rights") {
  create("Box");
  share("Box", alice, "lr");
  users.clear();
  stop();
  put_file(maildir(bob) + "/.Box/posthorn-acl", "posthorn-acl 1\nlr alice@example.test\nlr");
  start();
  CHECK(seen().empty());
  CHECK(log.has("storage.acl_damaged"));
}

TEST_CASE_FIXTURE(SharingFixture, "sharing: a list that can't be written gives no rights") {
  create("Box");
  share("Box", "carol", "l");
  files.fail(0, Errc::io, FaultyFileSystem::Fault::from_then_on);
  CHECK_FALSE(wait(account(bob).share("Box", alice, *parse_rights_change("lr"))));
  files.heal();
  CHECK(seen().empty());
  CHECK(wait(account(bob).sharing("Box"))->acl->entries().size() == 1);
}

}  // namespace posthorn::storage::testing

// Which mailboxes there are.
#include "base/sqlite.h"
#include "tests/unit/storage/store_fixture.h"

namespace posthorn::storage::testing {
namespace {

struct FoldersFixture : StoreFixture {
  std::vector<std::string> names(const std::string& address = alice) {
    auto found = wait(account(address).list());
    REQUIRE_MESSAGE(found, (found ? "" : found.error().detail));
    std::vector<std::string> list;
    for (const MailboxInfo& each : *found) list.push_back(each.name);
    return list;
  }
  bool has(const std::string& name) {
    const auto all = names();
    return std::ranges::find(all, name) != all.end();
  }
  MailboxInfo info(const std::string& name) {
    auto found = wait(account().list());
    REQUIRE(found);
    const auto place = std::ranges::find(*found, name, &MailboxInfo::name);
    REQUIRE(place != found->end());
    return *place;
  }
  Errc create_error(const std::string& name) {
    auto created = wait(account().create(name, SpecialUse::none));
    REQUIRE_FALSE(created);
    return created.error().code;
  }
  void create(const std::string& name) {
    auto created = wait(account().create(name, SpecialUse::none));
    REQUIRE_MESSAGE(created, (created ? "" : created.error().detail));
    CHECK(created->name == name);
  }
};

}  // namespace

TEST_CASE_FIXTURE(FoldersFixture, "folders: CREATE makes the levels above too (RFC 3501 §6.3.3)") {
  create("a/b/c");
  for (const char* name : {"a", "a/b", "a/b/c"}) CHECK(has(name));
  CHECK(create_error("a/b") == Errc::already_exists);
  CHECK(create_error("inbox") == Errc::already_exists);
  create("Entwürfe 2/v1.0");
  CHECK(std::filesystem::exists(maildir() + "/.Entw&APw-rfe 2.v1&AC4-0/cur"));
  CHECK(std::filesystem::exists(maildir() + "/.a/maildirfolder"));
  auto special = wait(account().create("Alles", SpecialUse::all));
  REQUIRE(special);
  restart();
  CHECK(info("Alles").special_use == SpecialUse::all);
  CHECK(has("a/b/c"));
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: names that can't be are refused by every call, and touch nothing") {
  using namespace std::string_literals;
  const auto before = names();
  for (const std::string& name :
       {"../x"s, "/etc"s, "a//b"s, "a\0b"s, "."s, ".."s, ""s, "a/"s, "a/../../b"s}) {
    CAPTURE(name);
    const auto refused = [](const auto& result) {
      return !result && result.error().code == Errc::not_allowed;
    };
    CHECK(refused(wait(account().create(name, SpecialUse::none))));
    CHECK(refused(wait(account().open(name))));
    CHECK(refused(wait(account().status(name))));
    CHECK(refused(wait(account().remove(name))));
    CHECK(refused(wait(account().rename(name, "ok"))));
    CHECK(refused(wait(account().rename("Sent", name))));
    CHECK(refused(wait(account().subscribe(name, true))));
    CHECK(refused(wait(account().subscribe(name, false))));
    auto message = spool(letter("x"));
    CHECK(refused(wait(store->deliver({.accounts = {alice}, .mailbox = name, .spool = message.get()}))));
  }
  CHECK(create_error(std::string(300, 'x')) == Errc::too_large);
  CHECK(names() == before);
  CHECK(list(account_path()) == std::vector<std::string>{"Maildir", "deleted", "index.sqlite",
                                                         "index.sqlite-shm", "index.sqlite-wal"});
}

TEST_CASE_FIXTURE(
    FoldersFixture,
    "folders: DELETE leaves the children, and UIDVALIDITY never comes again (RFC 3501 §6.3.4)") {
  create("a/b");
  auto a = mailbox("a");
  auto inside = mailbox("a/b");
  append(*a, letter("x"));
  append(*inside, letter("y"));
  const auto before = info("a");
  REQUIRE(wait(account().remove("a")));
  CHECK(a->deleted());
  CHECK_FALSE(has("a"));
  CHECK(has("a/b"));
  CHECK_FALSE(inside->deleted());
  auto refused = try_append(*a, letter("x"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_found);
  create("a");
  CHECK(info("a").uid_validity > before.uid_validity);
  CHECK(info("a").id != before.id);
  CHECK(counts("a").messages == 0);
  auto again = wait(account().remove("nothing"));
  CHECK(again.error().code == Errc::not_found);
  CHECK(wait(account().remove("InBox")).error().code == Errc::not_allowed);
  restart();
  CHECK(list(account_path() + "/deleted").empty());
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: RENAME takes the children along, and open mailboxes (RFC 3501 §6.3.5)") {
  create("a/b/c");
  create("ab");
  auto inside = mailbox("a/b");
  append(*inside, letter("y"), bit(SystemFlag::seen));
  const auto before = info("a/b");
  REQUIRE(wait(account().rename("a", "x/y")));
  CHECK(inside->info().name == "x/y/b");
  CHECK_FALSE(inside->deleted());
  CHECK(read(*inside, 1) == letter("y"));
  append(*inside, letter("z"));
  for (const char* name : {"x", "x/y", "x/y/b", "x/y/b/c", "ab"}) CHECK(has(name));
  CHECK_FALSE(has("a"));
  CHECK_FALSE(has("a/b"));
  CHECK(info("x/y/b").id == before.id);
  CHECK(info("x/y/b").uid_validity == before.uid_validity);
  CHECK(wait(account().rename("x", "Sent")).error().code == Errc::already_exists);
  CHECK(wait(account().rename("x", "x/z")).error().code == Errc::not_allowed);
  CHECK(wait(account().rename("nothing", "z")).error().code == Errc::not_found);
  CHECK(wait(account().rename("x", std::string(200, 'x'))).has_value());
  CHECK(wait(account().rename(std::string(200, 'x'), std::string(238, 'y'))).error().code == Errc::too_large);
  restart();
  CHECK(counts(std::string(200, 'x') + "/y/b").messages == 2);
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: RENAME of INBOX moves its messages and leaves it (RFC 3501 §6.3.5)") {
  create("INBOX/child");
  auto inbox = mailbox();
  deliver(letter("one"));
  deliver(letter("two"));
  REQUIRE(try_store(*inbox, uids({2}), FlagChange::add, bit(SystemFlag::flagged), {"Work"}));
  const auto before = info("INBOX");
  REQUIRE(wait(account().rename("inbox", "Old/mail")));
  CHECK(inbox->snapshot()->size() == 0);
  CHECK(info("INBOX").id == before.id);
  CHECK(info("INBOX").uid_validity == before.uid_validity);
  CHECK(has("INBOX/child"));
  auto old = mailbox("Old/mail");
  CHECK(old->snapshot()->size() == 2);
  CHECK(read(*old, 2) == letter("two"));
  CHECK(old->snapshot()->at(1).flags.has(SystemFlag::flagged));
  CHECK(old->snapshot()->at(1).flags.keywords.has(*old->find_keyword("work")));
  deliver(letter("three"));
  CHECK(uids_of(*inbox) == std::vector<Uid>{3});
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: subscriptions are of names, whether there or not (RFC 3501 §6.3.6)") {
  // A new account is subscribed to what it has.
  CHECK(wait(account().subscriptions()) ==
        std::vector<std::string>{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"});
  for (const char* name : {"Archive", "Drafts", "INBOX", "Junk", "Trash"}) {
    REQUIRE(wait(account().subscribe(name, false)));
  }
  REQUIRE(wait(account().subscribe("not/there", true)));
  REQUIRE(wait(account().subscribe("inbox", true)));
  REQUIRE(wait(account().subscribe("inbox", true)));
  const std::vector<std::string> expected{"INBOX", "Sent", "not/there"};
  CHECK(wait(account().subscriptions()) == expected);
  restart();
  CHECK(wait(account().subscriptions()) == expected);
  REQUIRE(wait(account().subscribe("Sent", false)));
  CHECK(wait(account().subscriptions()) == std::vector<std::string>{"INBOX", "not/there"});
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: those that others make, rename and remove are seen without a restart") {
  names();
  namespace fs = std::filesystem;
  fs::create_directories(maildir() + "/.Lists.cpp/cur");
  fs::create_directories(maildir() + "/.Lists.cpp/new");
  fs::create_directories(maildir() + "/.Not&a&folder/cur");
  fs::create_directories(maildir() + "/.no-folder");
  CHECK(has("Lists/cpp"));
  CHECK_FALSE(has("Lists"));
  put_file(maildir() + "/.Lists.cpp/new/1700000000.1.other", letter("foreign"));
  CHECK(counts("Lists/cpp").messages == 1);
  const auto before = info("Lists/cpp");
  fs::rename(maildir() + "/.Lists.cpp", maildir() + "/.C++");
  CHECK(has("C++"));
  CHECK_FALSE(has("Lists/cpp"));
  CHECK(info("C++").id == before.id);
  CHECK(info("C++").uid_validity == before.uid_validity);
  CHECK(counts("C++").messages == 1);
  // A copy is a mailbox of its own.
  fs::copy(maildir() + "/.C++", maildir() + "/.Copy", fs::copy_options::recursive);
  CHECK(has("Copy"));
  CHECK(info("Copy").id != before.id);
  CHECK(counts("Copy").messages == 1);
  auto open = mailbox("Copy");
  fs::rename(maildir() + "/.Copy", maildir() + "/.Moved");
  REQUIRE(wait(open->poll()));
  CHECK(open->info().name == "Moved");
  CHECK(read(*open, 1) == letter("foreign"));
  fs::remove_all(maildir() + "/.Moved");
  CHECK_FALSE(wait(open->poll()));
  CHECK(open->deleted());
  CHECK_FALSE(has("Moved"));
}

TEST_CASE_FIXTURE(FoldersFixture, "folders: a limit on their number") {
  stop();
  settings.mailboxes_per_account = 8;
  start();
  create("seven");
  create("eight");
  CHECK(create_error("nine") == Errc::too_large);
}

TEST_CASE_FIXTURE(FoldersFixture, "folders: DELETE does not follow symbolic links out of the account") {
  create("x");
  const std::string outside = directory.path() + "/outside";
  std::filesystem::create_directories(outside);
  put_file(outside + "/precious", "1");
  std::filesystem::create_symlink(outside, maildir() + "/.x/cur/link");
  std::filesystem::create_symlink(outside + "/precious", maildir() + "/.x/new/1700000000.1.link");
  auto x = mailbox("x");
  CHECK(x->snapshot()->size() == 0);
  REQUIRE(wait(account().remove("x")));
  restart();
  account();
  CHECK(list(account_path() + "/deleted").empty());
  CHECK(content(outside + "/precious") == "1");
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: an account that is removed is gone, and begins anew with other numbers") {
  auto inbox = mailbox();
  deliver(letter("one"));
  const auto before = info("INBOX");
  REQUIRE(wait(store->remove_account(alice)));
  CHECK(inbox->deleted());
  CHECK_FALSE(std::filesystem::exists(account_path()));
  CHECK_FALSE(try_append(*inbox, letter("x")));
  CHECK_FALSE(std::filesystem::exists(account_path()));
  CHECK(wait(store->remove_account("nobody@example.test")));
  accounts.clear();
  clock.advance_seconds(1000);
  CHECK(info("INBOX").uid_validity > before.uid_validity);
  CHECK(counts().messages == 0);
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: a rename that a crash cut off, and that can't be finished, locks nobody out") {
  create("old");
  create("old/below");
  deliver(letter("one"));
  stop();
  {
    auto index = Database::open(account_path() + "/index.sqlite", Database::Mode::create);
    REQUIRE(index);
    REQUIRE(index->run("INSERT INTO intent (source, target) VALUES ('old', 'new');"));
  }
  std::filesystem::create_directories(maildir() + "/.new/cur");
  put_file(maildir() + "/.new/cur/1600000001.1.other:2,", letter("in the way"));
  start();
  CHECK(has("new"));
  CHECK(has("old"));
  CHECK(counts("new").messages == 1);
  CHECK(counts().messages == 1);
  CHECK(log.has("rename_given_up"));
  restart();
  CHECK(has("new"));
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: one that a DELETE put aside, but did not end, is never taken for deleted") {
  create("box");
  append(*mailbox("box"), letter("one"));
  const MailboxId id = mailbox("box")->info().id;
  stop();
  const std::string aside = account_path() + "/deleted/" + std::to_string(id) + ".0123";
  std::filesystem::create_directories(account_path() + "/deleted");
  std::filesystem::rename(maildir() + "/.box", aside);
  files.fail_if(
      [](std::string_view call) { return call.starts_with("rename ") && call.contains("/deleted/"); });
  start();
  for (int attempt = 0; attempt < 2; ++attempt) CHECK_FALSE(try_account());
  CHECK(std::filesystem::exists(aside));
  files.heal();
  CHECK(mailbox("box")->snapshot()->size() == 1);
  CHECK(log.has("folder_brought_back"));
}

TEST_CASE_FIXTURE(FoldersFixture,
                  "folders: what is left of an account is unlinked, also if its removal failed") {
  deliver(letter("one"));
  bool aside = false;
  files.fail_if([&](std::string_view call) {
    aside = aside || (call.starts_with("rename ") && call.ends_with("/alice"));
    return aside && call == "sync";
  });
  CHECK_FALSE(wait(store->remove_account(alice)));
  CHECK(aside);
  files.heal();
  const std::uint64_t before = files.syncs();
  CHECK(wait(store->remove_account(alice)));
  CHECK(files.syncs() > before);
  while (!list(settings.data + "/deleted").empty() && uv_loop_alive(loop.raw()) != 0)
    uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(list(settings.data + "/deleted").empty());
}

}  // namespace posthorn::storage::testing

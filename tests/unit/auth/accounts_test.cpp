#include "auth/accounts.h"

#include "auth/schema.h"
#include "tests/unit/auth/temporary_accounts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace posthorn::auth {
namespace {

using test::credentials_of;
using test::TemporaryAccounts;
using Strings = std::vector<std::string>;

template <class T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

// example.test with alice and bob, other.test with carol.
struct Populated : TemporaryAccounts {
  Populated() {
    const auto rows = credentials_of("secret");
    REQUIRE(accounts->add_domain("example.test"));
    REQUIRE(accounts->add_domain("other.test"));
    for (const char* name : {"bob@example.test", "alice@example.test", "carol@other.test"}) {
      REQUIRE(accounts->add_account(name, rows));
    }
  }
  Directory::Resolution resolve(std::string_view address) {
    CAPTURE(address);
    auto resolution = accounts->resolve(address);
    REQUIRE_MESSAGE(resolution, (resolution ? "" : resolution.error().detail));
    std::ranges::sort(resolution->accounts);
    return *resolution;
  }
};

TEST_CASE("accounts: domains are added, listed and removed") {
  TemporaryAccounts t;
  CHECK(t.accounts->add_domain("Example.TEST"));
  CHECK(
      t.accounts->add_domain("b\xc3\xbc"
                             "cher.example"));
  CHECK(code_of(t.accounts->add_domain("example.test")) == Errc::already_exists);
  CHECK(code_of(t.accounts->add_domain("exa mple")) == Errc::malformed);
  CHECK(*t.accounts->domains() == Strings{"example.test", "xn--bcher-kva.example"});
  CHECK(*t.accounts->is_local_domain("EXAMPLE.test"));
  CHECK(
      *t.accounts->is_local_domain("B\xc3\x9c"
                                   "CHER.example"));
  CHECK_FALSE(*t.accounts->is_local_domain("elsewhere.test"));
  CHECK(code_of(t.accounts->remove_domain("elsewhere.test")) == Errc::not_found);
  CHECK(t.accounts->remove_domain("example.test"));
  CHECK_FALSE(*t.accounts->is_local_domain("example.test"));
}

TEST_CASE("accounts: a domain with accounts stays; without them it goes, and its aliases with it") {
  Populated t;
  REQUIRE(t.accounts->add_alias("info@example.test", "alice@example.test"));
  const Result<> refused = t.accounts->remove_domain("example.test");
  CHECK(code_of(refused) == Errc::in_use);
  CHECK(refused.error().detail == "the domain example.test still has accounts (2)");
  CHECK(t.accounts->accounts("example.test")->size() == 2);
  REQUIRE(t.accounts->remove_account("alice@example.test"));
  REQUIRE(t.accounts->remove_account("bob@example.test"));
  CHECK(t.accounts->remove_domain("example.test"));
  CHECK(*t.accounts->accounts() == Strings{"carol@other.test"});
  CHECK(t.accounts->aliases()->empty());
  Database database = *Database::open(t.path(), Database::Mode::read_only);
  CHECK(*database.integer("SELECT count(*) FROM credential") == 2);
}

TEST_CASE("accounts: a removal is on record until it is finished, and its name is not free before") {
  Populated t;
  CHECK(t.accounts->unfinished_removals()->empty());
  REQUIRE(t.accounts->remove_account("Alice@example.test"));
  CHECK(*t.accounts->unfinished_removals() == Strings{"alice@example.test"});
  CHECK(*t.accounts->removal_is_unfinished("ALICE@example.test"));
  CHECK_FALSE(*t.accounts->removal_is_unfinished("bob@example.test"));
  CHECK(code_of(t.accounts->add_account("alice@example.test", credentials_of("x"))) == Errc::in_use);
  // Asked for once more, it is the same removal.
  CHECK(t.accounts->remove_account("alice@example.test"));
  // It outlives the domain, and this process.
  REQUIRE(t.accounts->remove_account("bob@example.test"));
  REQUIRE(t.accounts->remove_domain("example.test"));
  REQUIRE(t.accounts->add_domain("example.test"));
  t.accounts.reset();
  t.accounts = *Accounts::open(t.path());
  CHECK(*t.accounts->unfinished_removals() == Strings{"alice@example.test", "bob@example.test"});
  CHECK(t.accounts->finish_removal("ALICE@example.test"));
  CHECK(*t.accounts->unfinished_removals() == Strings{"bob@example.test"});
  CHECK(t.accounts->add_account("alice@example.test", credentials_of("x")));
  CHECK(code_of(t.accounts->remove_account("carol@example.test")) == Errc::not_found);
}

TEST_CASE("accounts: accounts are added, listed and removed") {
  Populated t;
  const auto rows = credentials_of("secret");
  CHECK(*t.accounts->add_account("Dave@EXAMPLE.test", rows) == "dave@example.test");
  CHECK(code_of(t.accounts->add_account("DAVE@example.test", rows)) == Errc::already_exists);
  CHECK(code_of(t.accounts->add_account("dave@elsewhere.test", rows)) == Errc::not_found);
  CHECK(code_of(t.accounts->add_account("dave", rows)) == Errc::malformed);
  CHECK(code_of(t.accounts->add_account("dave+tag@example.test", rows)) == Errc::not_allowed);
  CHECK(code_of(t.accounts->add_account("\"two words\"@example.test", rows)) == Errc::not_allowed);
  CHECK(*t.accounts->accounts() ==
        Strings{"alice@example.test", "bob@example.test", "dave@example.test", "carol@other.test"});
  CHECK(*t.accounts->accounts("OTHER.test") == Strings{"carol@other.test"});
  CHECK(code_of(t.accounts->accounts("elsewhere.test")) == Errc::not_found);
  CHECK(*t.accounts->has_account("ALICE@example.test"));
  CHECK_FALSE(*t.accounts->has_account("nobody@example.test"));
  CHECK(t.accounts->remove_account("Alice@example.test"));
  CHECK_FALSE(*t.accounts->has_account("alice@example.test"));
  CHECK(t.accounts->finish_removal("alice@example.test"));
  CHECK(code_of(t.accounts->remove_account("alice@example.test")) == Errc::not_found);
  CHECK(code_of(t.accounts->credential({"alice", "example.test"}, argon2id)) == Errc::not_found);
}

TEST_CASE("accounts: which of several exist is told in one go") {
  Populated t;
  CHECK(*t.accounts->existing({"carol@other.test", "dave@example.test", "alice@example.test"}) ==
        Strings{"carol@other.test", "alice@example.test"});
  CHECK(t.accounts->existing({})->empty());
}

TEST_CASE("accounts: a password is replaced as a whole, by all its rows") {
  Populated t;
  const AddressName alice{"alice", "example.test"};
  const std::string before = *t.accounts->credential(alice, argon2id);
  CHECK(*verify_password(before, "secret"));
  CHECK(t.accounts->set_password("ALICE@example.test", credentials_of("changed")));
  const std::string after = *t.accounts->credential(alice, argon2id);
  CHECK(*verify_password(after, "changed"));
  CHECK_FALSE(*verify_password(after, "secret"));
  CHECK(t.accounts->credential(alice, scram_sha_256)->starts_with("SCRAM-SHA-256$4096:"));
  CHECK(*verify_password(*t.accounts->credential({"bob", "example.test"}, argon2id), "secret"));
  CHECK(code_of(t.accounts->set_password("nobody@example.test", credentials_of("x"))) == Errc::not_found);

  // A refresh on the ground of a row that is no more there changes nothing.
  CHECK(t.accounts->refresh_credentials(alice, argon2id, before, credentials_of("secret")));
  CHECK(*t.accounts->credential(alice, argon2id) == after);
  CHECK(t.accounts->refresh_credentials(alice, argon2id, after, credentials_of("changed")));
  CHECK(*t.accounts->credential(alice, argon2id) != after);
}

TEST_CASE("accounts: aliases are added, listed and removed") {
  Populated t;
  CHECK(t.accounts->add_alias("Team@example.test", "Alice@example.test"));
  CHECK(t.accounts->add_alias("team@example.test", "carol@other.test"));
  CHECK(t.accounts->add_alias("all@example.test", "team@example.test"));
  CHECK(code_of(t.accounts->add_alias("team@example.test", "alice@EXAMPLE.test")) == Errc::already_exists);
  CHECK(code_of(t.accounts->add_alias("bob@example.test", "alice@example.test")) == Errc::already_exists);
  CHECK(code_of(t.accounts->add_alias("x@elsewhere.test", "alice@example.test")) == Errc::not_found);
  CHECK(code_of(t.accounts->add_alias("x@example.test", "nobody@example.test")) == Errc::not_found);
  CHECK(code_of(t.accounts->add_alias("x+y@example.test", "alice@example.test")) == Errc::not_allowed);
  CHECK(code_of(t.accounts->add_account("team@example.test", credentials_of("x"))) == Errc::already_exists);
  const auto all = *t.accounts->aliases();
  REQUIRE(all.size() == 3);
  CHECK(all[0].address == "all@example.test");
  CHECK(all[1].target == "alice@example.test");
  CHECK(all[2].target == "carol@other.test");
  CHECK(t.accounts->remove_alias("TEAM@example.test", "alice@example.test"));
  CHECK(code_of(t.accounts->remove_alias("team@example.test", "alice@example.test")) == Errc::not_found);
  CHECK(t.accounts->remove_alias("team@example.test"));
  CHECK(t.accounts->aliases()->size() == 1);
}

TEST_CASE(
    "accounts: where mail goes: accounts, subaddresses, aliases near and far (RFC 5321 §3.9, RFC 5233)") {
  Populated t;
  REQUIRE(t.accounts->add_alias("team@example.test", "alice@example.test"));
  REQUIRE(t.accounts->add_alias("team@example.test", "bob+work@example.test"));
  // Its domain goes again.
  REQUIRE(t.accounts->add_domain("elsewhere.test"));
  REQUIRE(t.accounts->add_account("someone@elsewhere.test", credentials_of("x")));
  REQUIRE(t.accounts->add_alias("team@example.test", "Someone@elsewhere.test"));
  REQUIRE(t.accounts->remove_account("someone@elsewhere.test"));
  REQUIRE(t.accounts->remove_domain("elsewhere.test"));
  REQUIRE(t.accounts->add_alias("all@other.test", "team@example.test"));
  REQUIRE(t.accounts->add_alias("all@other.test", "carol@other.test"));
  REQUIRE(t.accounts->add_alias("all@other.test", "alice@example.test"));
  CHECK(t.resolve("ALICE@Example.test").accounts == Strings{"alice@example.test"});
  CHECK(t.resolve("alice+Tag@example.test").accounts == Strings{"alice@example.test"});
  CHECK(t.resolve("\"alice\"@example.test").accounts == Strings{"alice@example.test"});
  const auto all = t.resolve("all+x@other.test");
  CHECK(all.accounts == Strings{"alice@example.test", "bob@example.test", "carol@other.test"});
  CHECK(all.remote == Strings{"someone@elsewhere.test"});

  CHECK(code_of(t.accounts->resolve("nobody@example.test")) == Errc::not_found);
  CHECK(code_of(t.accounts->resolve("+alice@example.test")) == Errc::not_found);
  CHECK(code_of(t.accounts->resolve("alice@elsewhere.test")) == Errc::denied);
  CHECK(code_of(t.accounts->resolve("alice@[192.0.2.1]")) == Errc::denied);
  CHECK(code_of(t.accounts->resolve("alice")) == Errc::malformed);
  CHECK(code_of(t.accounts->resolve("al..ice@example.test")) == Errc::malformed);
}

TEST_CASE("accounts: postmaster and abuse always exist (RFC 5321 §4.5.1, RFC 2142)") {
  Populated t;
  // bob was there before alice.
  for (const char* address : {"postmaster", "PostMaster", "postmaster@example.test", "Abuse@example.test"}) {
    CHECK(t.resolve(address).accounts == Strings{"bob@example.test"});
  }
  CHECK(t.resolve("postmaster@other.test").accounts == Strings{"carol@other.test"});
  REQUIRE(t.accounts->add_alias("postmaster@example.test", "alice@example.test"));
  CHECK(t.resolve("postmaster").accounts == Strings{"alice@example.test"});
  CHECK(t.resolve("abuse@example.test").accounts == Strings{"bob@example.test"});
  REQUIRE(t.accounts->add_account("abuse@example.test", credentials_of("x")));
  CHECK(t.resolve("abuse@example.test").accounts == Strings{"abuse@example.test"});
  REQUIRE(t.accounts->add_domain("empty.test"));
  // Somebody may be there later: no permanent refusal.
  CHECK(code_of(t.accounts->resolve("postmaster@empty.test")) == Errc::io);
  CHECK(code_of(t.accounts->resolve("abuse")) == Errc::malformed);
  TemporaryAccounts none;
  CHECK(code_of(none.accounts->resolve("postmaster")) == Errc::io);
}

TEST_CASE("accounts: postmaster is read where its aliases lead to nobody (RFC 5321 §4.5.1)") {
  Populated t;
  // An account that is gone.
  REQUIRE(t.accounts->add_alias("postmaster@example.test", "carol@other.test"));
  REQUIRE(t.accounts->add_alias("chief@other.test", "postmaster@example.test"));
  REQUIRE(t.accounts->remove_account("carol@other.test"));
  CHECK(t.resolve("postmaster@example.test").accounts == Strings{"bob@example.test"});
  CHECK(t.resolve("postmaster@example.test").nowhere == Strings{"carol@other.test"});
  CHECK(t.resolve("postmaster+tag@example.test").accounts == Strings{"bob@example.test"});
  CHECK(t.resolve("chief@other.test").accounts == Strings{"bob@example.test"});
  CHECK(t.resolve("postmaster").accounts == Strings{"bob@example.test"});
  // A domain that is gone.
  REQUIRE(t.accounts->remove_domain("other.test"));
  CHECK(t.resolve("postmaster@example.test").accounts == Strings{"bob@example.test"});
  CHECK(t.resolve("postmaster@example.test").remote == Strings{"carol@other.test"});
  // A circle.
  REQUIRE(t.accounts->add_alias("a@example.test", "bob@example.test"));
  REQUIRE(t.accounts->add_alias("abuse@example.test", "a@example.test"));
  REQUIRE(t.accounts->add_alias("a@example.test", "abuse@example.test"));
  REQUIRE(t.accounts->remove_alias("a@example.test", "bob@example.test"));
  CHECK(t.resolve("abuse@example.test").accounts == Strings{"bob@example.test"});
}

TEST_CASE("accounts: postmaster alone is the host's own domain's, or that of the first that has somebody") {
  TemporaryAccounts t;
  for (const char* domain : {"empty.test", "first.test", "host.test", "mx.host.test"}) {
    REQUIRE(t.accounts->add_domain(domain));
  }
  REQUIRE(t.accounts->add_account("ann@first.test", credentials_of("x")));
  const auto reads = [&](std::string_view hostname) {
    const auto resolved = t.accounts->resolve("postmaster", hostname);
    REQUIRE(resolved);
    return resolved->accounts;
  };
  CHECK(reads("") == Strings{"ann@first.test"});
  CHECK(reads("mail.host.test") == Strings{"ann@first.test"});
  REQUIRE(t.accounts->add_account("bob@host.test", credentials_of("x")));
  CHECK(reads("mail.HOST.test") == Strings{"bob@host.test"});
  CHECK(reads("host.test") == Strings{"bob@host.test"});
  CHECK(reads("mx.host.test") == Strings{"bob@host.test"});
  CHECK(reads("otherhost.test") == Strings{"ann@first.test"});
  CHECK(reads("localhost") == Strings{"ann@first.test"});
  REQUIRE(t.accounts->add_account("eve@mx.host.test", credentials_of("x")));
  CHECK(reads("mx.host.test") == Strings{"eve@mx.host.test"});
}

TEST_CASE("accounts: an alias to another server is refused; targets that go are told and passed over") {
  Populated t;
  const auto remote = t.accounts->add_alias("team@example.test", "x@remote.test");
  CHECK(code_of(remote) == Errc::not_allowed);
  CHECK(remote.error().detail.find("x@remote.test is on another server") != std::string::npos);
  REQUIRE(t.accounts->add_alias("team@example.test", "alice@example.test"));
  REQUIRE(t.accounts->add_alias("team@example.test", "carol+x@other.test"));
  REQUIRE(t.accounts->add_alias("all@example.test", "carol@other.test"));
  const auto shown = [](const Result<std::vector<Alias>>& aliases) {
    REQUIRE(aliases);
    Strings texts;
    for (const Alias& alias : *aliases) texts.push_back(alias.address + " " + alias.target);
    return texts;
  };
  const Strings both{"all@example.test carol@other.test", "team@example.test carol+x@other.test"};
  CHECK(shown(t.accounts->aliases_to("Carol@other.test")) == both);
  CHECK(shown(t.accounts->aliases_into("other.test")) == both);
  CHECK(shown(t.accounts->aliases_to("arol@other.test")).empty());
  CHECK(shown(t.accounts->aliases_into("ther.test")).empty());
  REQUIRE(t.accounts->remove_account("carol@other.test"));
  CHECK(t.resolve("team@example.test").accounts == Strings{"alice@example.test"});
  CHECK(t.resolve("team@example.test").nowhere == Strings{"carol@other.test"});
  CHECK(code_of(t.accounts->resolve("all@example.test")) == Errc::not_found);
}

TEST_CASE("accounts: aliases that run in circles or into nothing end") {
  Populated t;
  REQUIRE(t.accounts->add_alias("a@example.test", "alice@example.test"));
  REQUIRE(t.accounts->add_alias("b@example.test", "a@example.test"));
  REQUIRE(t.accounts->add_alias("a@example.test", "b@example.test"));
  CHECK(t.resolve("b@example.test").accounts == Strings{"alice@example.test"});
  REQUIRE(t.accounts->remove_account("alice@example.test"));
  CHECK(code_of(t.accounts->resolve("a@example.test")) == Errc::not_found);
}

TEST_CASE("accounts: what one address is multiplied to is bounded; what one alias may have is within it") {
  Populated t;
  {
    Database database = *Database::open(t.path(), Database::Mode::read_write);
    REQUIRE(database.run(
        "WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < 1000), "
        "list (name) AS (VALUES ('one'), ('two')) "
        "INSERT INTO alias SELECT domain.id, list.name, list.name || n || '@elsewhere.test' "
        "FROM domain, number, list WHERE domain.name = 'example.test'"));
  }
  CHECK(code_of(t.accounts->add_alias("one@example.test", "alice@example.test")) == Errc::too_large);
  CHECK(t.resolve("one@example.test").remote.size() == 1000);
  CHECK(t.resolve("one+tag@example.test").remote.size() == 1000);
  REQUIRE(t.accounts->add_alias("both@example.test", "one@example.test"));
  REQUIRE(t.accounts->add_alias("both@example.test", "two@example.test"));
  CHECK(code_of(t.accounts->resolve("both@example.test")) == Errc::too_large);
}

TEST_CASE("accounts: an address in another domain is refused as that, however long its local part") {
  Populated t;
  const std::string longer(65, 'u');
  CHECK(code_of(t.accounts->resolve(longer + "@remote.test")) == Errc::denied);
  CHECK(code_of(t.accounts->resolve(longer + "@example.test")) == Errc::malformed);
  CHECK(code_of(t.accounts->resolve(longer + "@example..test")) == Errc::malformed);
  CHECK(t.resolve("alice+" + longer + "@example.test").accounts == Strings{"alice@example.test"});
}

TEST_CASE("accounts: an alias is not made while the accounts cannot be read") {
  Populated t;
  {
    Database database = *Database::open(t.path(), Database::Mode::read_write);
    REQUIRE(database.run("ALTER TABLE account RENAME TO out_of_reach"));
  }
  // Where it would lead is another server: looked at only once the name is known to be free.
  CHECK(code_of(t.accounts->add_alias("info@example.test", "someone@remote.test")) == Errc::io);
}

TEST_CASE("accounts: another process's change is seen at once, and both may write") {
  Populated t;
  auto other = Accounts::open(t.path());
  REQUIRE(other);
  REQUIRE((*other)->add_account("dave@example.test", credentials_of("x")));
  CHECK(*t.accounts->has_account("dave@example.test"));
  REQUIRE(t.accounts->remove_account("dave@example.test"));
  CHECK_FALSE(*(*other)->has_account("dave@example.test"));
}

TEST_CASE("accounts: safe from any thread") {
  Populated t;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&t, &right, i] {
      for (int j = 0; j < 20; ++j) {
        const std::string name = "x" + std::to_string(i) + "@example.test";
        if (t.accounts->add_alias(name, "alice@example.test") && t.accounts->resolve(name) &&
            t.accounts->remove_alias(name)) {
          ++right;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 80);
}

TEST_CASE("accounts: the file is private, survives, and a broken or newer one is refused in words") {
  Populated t;
  struct stat status{};
  REQUIRE(stat(t.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  t.accounts.reset();
  t.accounts = *Accounts::open(t.path());
  CHECK(t.accounts->accounts()->size() == 3);
  t.accounts.reset();
  {
    Database database = *Database::open(t.path(), Database::Mode::read_write);
    REQUIRE(database.run("PRAGMA user_version = 99"));
  }
  const auto newer = Accounts::open(t.path());
  CHECK(code_of(newer) == Errc::not_allowed);
  CHECK(newer.error().detail.find("version 99") != std::string::npos);
  CHECK(newer.error().detail.find("newer Posthorn") != std::string::npos);
  CHECK(code_of(Accounts::open((t.folder / "missing" / "accounts.sqlite").string())) == Errc::not_found);
  std::ofstream(t.path()) << std::string(5000, 'x');
  const auto broken = Accounts::open(t.path());
  CHECK(code_of(broken) == Errc::corrupt);
  CHECK(broken.error().detail.find(t.path()) != std::string::npos);
}

TEST_CASE("accounts: an older file is brought up to date in one step, with a copy kept") {
  TemporaryAccounts t;
  const std::string path = (t.folder / "old.sqlite").string();
  const char* const first[] = {"CREATE TABLE a (x INTEGER);"};
  const char* const both[] = {first[0], "ALTER TABLE a ADD COLUMN y INTEGER;"};
  const char* const broken[] = {first[0], "ALTER TABLE a ADD COLUMN z INTEGER; SELECT * FROM nowhere;"};
  Database database = *Database::open(path, Database::Mode::create);
  REQUIRE(migrate(database, path, first));
  REQUIRE(database.run("INSERT INTO a (x) VALUES (7)"));
  CHECK_FALSE(std::filesystem::exists(path + ".v0"));

  CHECK_FALSE(migrate(database, path, broken));
  CHECK(*database.integer("PRAGMA user_version") == 1);
  CHECK_FALSE(database.run("SELECT z FROM a"));

  REQUIRE(migrate(database, path, both));
  CHECK(*database.integer("PRAGMA user_version") == 2);
  CHECK(*database.integer("SELECT x FROM a WHERE y IS NULL") == 7);
  Database copy = *Database::open(path + ".v1", Database::Mode::read_write);
  CHECK(*copy.integer("SELECT x FROM a") == 7);
  CHECK(*copy.integer("PRAGMA user_version") == 1);
  CHECK_FALSE(copy.run("SELECT y FROM a"));
  REQUIRE(migrate(database, path, both));
}

}  // namespace
}  // namespace posthorn::auth

#include "server/data.h"

#include "server/administration.h"
#include "temporary_folder.h"
#include "tests/support/memory_stream.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::MemoryLog;
using posthorn::testing::run_until;
using posthorn::testing::TemporaryFolder;

namespace {

// A data directory that this process owns.
struct Fixture {
  Fixture() {
    settings.server.data.value = folder / "data";
    std::filesystem::create_directory(folder / "data");
    settings.auth.hash_ops.value = 1;
    settings.auth.hash_memory_kib.value = 8;
    settings.auth.scram_iterations.value = 4096;
  }

  TemporaryFolder folder;
  Settings settings{folder / "posthorn.toml"};
  Loop loop;
  MemoryLog log;
};

Task<void> ask(Administration& administration, control::Request request,
               std::optional<control::Reply>& reply) {
  reply = co_await administration.run(std::move(request));
}

// Makes an account's mail folder, as its first letter does.
Task<void> open_mail(Data& data, std::string address, bool& opened) {
  opened = (co_await data.store().open(std::move(address))).has_value();
}

Task<void> close(Data& data) { co_await data.close(); }

}  // namespace

TEST_CASE("data: one process owns it") {
  Fixture fixture;
  const auto data = Data::open(fixture.loop, fixture.log, fixture.settings);
  REQUIRE(data);
  const auto second = Data::open(fixture.loop, fixture.log, fixture.settings);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::in_use);
}

TEST_CASE("data: a new account gets no letters of a former one, wherever its removal was cut off") {
  Fixture fixture;
  const auto data = Data::open(fixture.loop, fixture.log, fixture.settings);
  REQUIRE(data);
  auth::Accounts& accounts = (*data)->accounts();
  Administration administration(accounts, (*data)->store(), (*data)->accounts_lane(), (*data)->hashing(),
                                fixture.settings.password_cost());
  TaskGroup group;
  const auto run = [&](control::Request request) {
    std::optional<control::Reply> reply;
    group.start(ask(administration, std::move(request), reply));
    CHECK(run_until(fixture.loop, [&] { return reply.has_value(); }));
    return *std::move(reply);
  };
  const std::string alice = "alice@example.test";
  const control::Request add{"account.add", {{"address", alice}, {"password", "secret"}}};
  const std::string mail = fixture.folder / "data/mail/example.test/alice";
  const auto make_mail = [&] {
    bool opened = false;
    group.start(open_mail(**data, alice, opened));
    CHECK(run_until(fixture.loop, [&] { return group.size() == 0; }));
    CHECK(opened);
    CHECK(std::filesystem::exists(mail));
  };
  // From here on it is as if the process had died between the two halves of a removal.
  const auto half_removed = [&] {
    make_mail();
    CHECK(accounts.remove_account(alice));
    CHECK(std::filesystem::exists(mail));
  };
  REQUIRE(run({"domain.add", {{"domain", "example.test"}}}).ok);
  REQUIRE(run(add).ok);

  half_removed();
  CHECK(run(add).ok);
  CHECK_FALSE(std::filesystem::exists(mail));

  // Whoever wants the mail kept is not to lose it by asking.
  half_removed();
  control::Request adopt = add;
  adopt.arguments["adopt_mail"] = "yes";
  const auto kept = run(adopt);
  CHECK_FALSE(kept.ok);
  CHECK(kept.error.find("removal is not finished") != std::string::npos);
  CHECK(std::filesystem::exists(mail));
  const std::string elsewhere = fixture.folder / "elsewhere";
  std::filesystem::rename(mail, elsewhere);
  CHECK(run(add).ok);
  CHECK(run({"account.remove", {{"address", alice}}}).ok);
  std::filesystem::rename(elsewhere, mail);
  CHECK(run(adopt).ok);
  CHECK(std::filesystem::exists(mail));

  half_removed();
  CHECK(run({"account.remove", {{"address", alice}}}).ok);
  CHECK_FALSE(std::filesystem::exists(mail));
  CHECK_FALSE(run({"account.remove", {{"address", alice}}}).ok);

  REQUIRE(run(add).ok);
  half_removed();
  CHECK(run({"domain.remove", {{"domain", "example.test"}, {"with_accounts", "yes"}}}).ok);
  CHECK_FALSE(std::filesystem::exists(mail));

  REQUIRE(run({"domain.add", {{"domain", "example.test"}}}).ok);
  REQUIRE(run(add).ok);
  half_removed();
  group.start(administration.finish_removals(fixture.log));
  CHECK(run_until(fixture.loop, [&] { return group.size() == 0; }));
  CHECK_FALSE(std::filesystem::exists(mail));
  CHECK(fixture.log.contains("account.removal_finished account=" + alice));

  // A second half that fails says so, and can be said again.
  REQUIRE(run(add).ok);
  make_mail();
  // What went before is removed behind the reply.
  const auto nothing_aside = [&] {
    std::error_code missing;
    return std::filesystem::is_empty(fixture.folder / "data/deleted", missing);
  };
  CHECK(run_until(fixture.loop, nothing_aside));
  std::filesystem::remove_all(fixture.folder / "data/deleted");
  std::ofstream(fixture.folder / "data/deleted") << "in the way";
  const auto failed = run({"account.remove", {{"address", alice}}});
  CHECK_FALSE(failed.ok);
  CHECK(failed.error.starts_with("the account " + alice + " is gone, but its mail is not ("));
  CHECK_FALSE(run(add).ok);
  CHECK(std::filesystem::exists(mail));
  std::filesystem::remove(fixture.folder / "data/deleted");
  CHECK(run({"account.remove", {{"address", alice}}}).ok);
  CHECK_FALSE(std::filesystem::exists(mail));

  // Mail without an account or a record of its removal: accounts.sqlite was lost.
  make_mail();
  const auto refused = run(add);
  CHECK_FALSE(refused.ok);
  CHECK(refused.error.find("--adopt-mail") != std::string::npos);
  CHECK(std::filesystem::exists(mail));
  CHECK(run(adopt).ok);
  CHECK(std::filesystem::exists(mail));
  group.start(close(**data));
  CHECK(run_until(fixture.loop, [&] { return group.size() == 0; }));
}

TEST_CASE("data: commands make and remove accounts; who is locked out is told of before the mail goes") {
  Fixture fixture;
  const auto data = Data::open(fixture.loop, fixture.log, fixture.settings);
  REQUIRE(data);
  Administration administration((*data)->accounts(), (*data)->store(), (*data)->accounts_lane(),
                                (*data)->hashing(), fixture.settings.password_cost());
  std::vector<std::string> removed;
  administration.when_locked_out([&](const std::string& account) { removed.push_back(account); });
  TaskGroup group;
  const auto run = [&](control::Request request) {
    std::optional<control::Reply> reply;
    group.start(ask(administration, std::move(request), reply));
    CHECK(run_until(fixture.loop, [&] { return reply.has_value(); }));
    return *std::move(reply);
  };
  CHECK(run({"domain.add", {{"domain", "example.test"}}}).ok);
  CHECK(run({"account.add", {{"address", "Alice@example.test"}, {"password", "secret"}}}).ok);
  CHECK_FALSE(run({"account.add", {{"address", "bob@example.test"}, {"password", "caf\xe9"}}}).ok);
  CHECK(run({"account.list", {}}).lines == std::vector<std::string>{"alice@example.test"});
  CHECK(run({"account.remove", {{"address", "ALICE@example.test"}}}).ok);
  CHECK(removed == std::vector<std::string>{"alice@example.test"});
  CHECK_FALSE(run({"account.remove", {{"address", "alice@example.test"}}}).ok);
  CHECK(removed.size() == 1);

  CHECK(run({"domain.add", {{"domain", "other.test"}}}).ok);
  CHECK(run({"account.add", {{"address", "bob@other.test"}, {"password", "secret"}}}).ok);
  CHECK(run({"account.password", {{"address", "BOB@other.test"}, {"password", "secret"}}}).ok);
  CHECK(removed.back() == "bob@other.test");
  // Aliases that lead nowhere from now on are named.
  CHECK(run({"alias.add", {{"alias", "a@example.test"}, {"target", "bob@other.test"}}}).ok);
  CHECK_FALSE(run({"alias.add", {{"alias", "a@example.test"}, {"target", "x@remote.test"}}}).ok);
  const auto lost = run({"account.remove", {{"address", "bob@other.test"}}});
  REQUIRE(lost.warnings.size() == 1);
  CHECK(lost.warnings[0].starts_with("the alias a@example.test still leads to bob@other.test, which gets"));
  CHECK(run({"domain.remove", {{"domain", "other.test"}}}).warnings == lost.warnings);

  // What users of a domain share goes with it, and not by mistake.
  CHECK(run({"domain.add", {{"domain", "other.test"}}}).ok);
  CHECK(run({"mailbox.list", {{"owner", "other.test"}}}).lines.empty());
  CHECK(run({"mailbox.add", {{"owner", "other.test"}, {"mailbox", "News"}}}).ok);
  const control::Request share{
      "mailbox.share", {{"owner", "other.test"}, {"mailbox", "News"}, {"who", "Anyone"}, {"rights", "lr"}}};
  CHECK(run(share).ok);
  CHECK(run({"mailbox.list", {{"owner", "other.test"}}}).lines == std::vector<std::string>{"News"});
  CHECK(run({"mailbox.rights", {{"owner", "other.test"}, {"mailbox", "News"}}}).lines ==
        std::vector<std::string>{"anyone lr"});
  CHECK_FALSE(run({"mailbox.list", {{"owner", "unknown.test"}}}).ok);
  CHECK_FALSE(run({"mailbox.list", {{"owner", "nobody@example.test"}}}).ok);
  const auto with_mail = run({"domain.remove", {{"domain", "other.test"}}});
  CHECK_FALSE(with_mail.ok);
  CHECK(with_mail.error.contains("shared mailboxes"));
  CHECK(run({"domain.remove", {{"domain", "other.test"}, {"with_accounts", "yes"}}}).ok);
  CHECK(run({"domain.add", {{"domain", "other.test"}}}).ok);
  CHECK(run({"mailbox.list", {{"owner", "other.test"}}}).lines.empty());

  // An empty argument is not one that was not given.
  for (const auto& [command, argument] : std::vector<std::pair<std::string, std::string>>{
           {"alias.remove", "target"}, {"account.list", "domain"}}) {
    const auto empty = run({command, {{"alias", "a@example.test"}, {argument, ""}}});
    CHECK_FALSE(empty.ok);
    CHECK(empty.error.find("got \"\"") != std::string::npos);
  }
  CHECK(run({"alias.list", {}}).lines.size() == 1);
  CHECK(run({"account.add", {{"address", "bad"}, {"password", "x"}}})
            .error.starts_with("ADDRESS: expected the address of an account, such as ann@example.org, got "
                               "\"bad\""));
  group.start(close(**data));
  CHECK(run_until(fixture.loop, [&] { return group.size() == 0; }));
}

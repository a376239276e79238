#include "delivery/local_delivery.h"

#include "tests/support/fake_store.h"

#include <doctest/doctest.h>

#include <map>

namespace posthorn::delivery {
namespace {

class FakeDirectory final : public auth::Directory {
 public:
  std::map<std::string, Resolution> known;
  Task<Result<bool>> is_local_domain(std::string domain) override { co_return domain == "example.test"; }
  Task<Result<Resolution>> resolve(std::string address) override {
    const auto found = known.find(address);
    if (found == known.end()) co_return not_found(address);
    co_return found->second;
  }
  Task<Result<std::vector<std::string>>> existing(std::vector<std::string> accounts) override {
    std::erase_if(accounts, [this](const std::string& account) { return !known.contains(account); });
    co_return accounts;
  }
};

class FixedClock final : public Clock {
 public:
  std::int64_t microseconds() const override { return 1'700'000'000'000'000; }
};

struct House {
  testing::MemoryLog log;
  FakeDirectory directory;
  testing::FakeStore store;
  FixedClock clock;
  LocalDelivery delivery{directory, store, clock, log};

  House() {
    directory.known["alice@example.test"] = {{"alice@example.test"}, {}};
    directory.known["bob@example.test"] = {{"bob@example.test"}, {}};
    directory.known["team@example.test"] = {{"alice@example.test", "bob@example.test"}, {}};
  }
};

// Awaits `task`, which the fakes never suspend.
template <class T>
T now(Task<T> task) {
  std::optional<T> value;
  TaskGroup group;
  struct Run {
    static Task<void> it(Task<T> its_task, std::optional<T>& its_value) {
      its_value.emplace(co_await its_task);
    }
  };
  group.start(Run::it(std::move(task), value));
  REQUIRE(value);
  return *std::move(value);
}

// As a session does.
void add(smtp::Envelope& envelope, smtp::Recipient recipient) {
  envelope.recipients.push_back(std::move(recipient.address));
  envelope.accounts.insert(recipient.accounts.begin(), recipient.accounts.end());
}

TEST_CASE("delivery: an address becomes its accounts") {
  House house;
  const auto team = now(house.delivery.admit({}, "team@example.test"));
  REQUIRE(team);
  CHECK(team->address == "team@example.test");
  CHECK(team->accounts == std::vector<std::string>{"alice@example.test", "bob@example.test"});
  const auto nobody = now(house.delivery.admit({}, "nobody@example.test"));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == Errc::not_found);
}

TEST_CASE("delivery: an alias that leads to another server alone is refused, and logged") {
  House house;
  house.directory.known["away@example.test"] = {{}, {"x@far.example"}};
  const auto away = now(house.delivery.admit({.session = "s7"}, "away@example.test"));
  REQUIRE_FALSE(away);
  CHECK(away.error().code == Errc::unavailable);
  CHECK(house.log.contains("delivery.alias_target_lost session=s7"));
  CHECK(house.log.contains("address=away@example.test target=x@far.example lost=1 accounts=0"));
}

TEST_CASE("delivery: targets of an alias that are gone are passed over, and logged") {
  House house;
  house.directory.known["team@example.test"] = {
      {"alice@example.test"}, {"x@far.example"}, {"gone@example.test"}};
  const auto team = now(house.delivery.admit({}, "team@example.test"));
  REQUIRE(team);
  CHECK(team->accounts == std::vector<std::string>{"alice@example.test"});
  CHECK(house.log.contains("address=team@example.test target=x@far.example lost=2 accounts=1"));
}

TEST_CASE("delivery: an account gets a message once, however many of its addresses it was sent to") {
  House house;
  smtp::Envelope envelope;
  for (const char* address : {"team@example.test", "alice@example.test", "alice@example.test"}) {
    auto recipient = now(house.delivery.admit(envelope, address));
    REQUIRE(recipient);
    add(envelope, *std::move(recipient));
  }
  const auto spool = house.delivery.spool();
  REQUIRE(now(spool->write("text")));
  REQUIRE(now(house.delivery.accept(envelope, *spool)));
  REQUIRE(house.store.deliveries.size() == 1);
  const auto& delivered = house.store.deliveries[0];
  CHECK(delivered.accounts == std::vector<std::string>{"alice@example.test", "bob@example.test"});
  CHECK(delivered.mailbox == "INBOX");
  CHECK(delivered.content == "text");
  CHECK(delivered.internal_date == 1'700'000'000);
}

TEST_CASE("delivery: what storage refuses is not accepted") {
  House house;
  house.store.failure = Error{Errc::disk_full, "full"};
  const auto spool = house.delivery.spool();
  smtp::Envelope envelope;
  add(envelope, *now(house.delivery.admit(envelope, "alice@example.test")));
  const auto accepted = now(house.delivery.accept(envelope, *spool));
  REQUIRE_FALSE(accepted);
  CHECK(accepted.error().code == Errc::disk_full);
}

TEST_CASE("delivery: an account that was removed after RCPT gets nothing, and none is left to say 250 for") {
  House house;
  smtp::Envelope envelope;
  add(envelope, *now(house.delivery.admit(envelope, "team@example.test")));
  const auto spool = house.delivery.spool();
  house.directory.known.erase("bob@example.test");
  REQUIRE(now(house.delivery.accept(envelope, *spool)));
  REQUIRE(house.store.deliveries.size() == 1);
  CHECK(house.store.deliveries[0].accounts == std::vector<std::string>{"alice@example.test"});
  CHECK(house.log.contains("delivery.account_removed"));
  house.directory.known.erase("alice@example.test");
  const auto nobody = now(house.delivery.accept(envelope, *spool));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == Errc::not_found);
  CHECK(house.store.deliveries.size() == 1);
}

}  // namespace
}  // namespace posthorn::delivery

#include "auth/turns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::auth {
namespace {

using Standing = Turns::Standing;

// Those who want turns, each until the test ends it.
struct Visitor {
  std::string network;
  std::string user;
  Signal end;
  std::optional<Errc> refused;
  std::string words;
  bool has_turn = false;
};

struct Office {
  Loop loop;
  std::map<std::string, Throttle::Record> records;
  Turns turns;
  std::vector<std::unique_ptr<Visitor>> visitors;
  std::vector<std::string> called;  // by network, or its user where one is named
  TaskGroup group;

  explicit Office(Turns::Settings settings)
      : turns(loop, settings, [this](const std::string& network) {
          const auto found = records.find(network);
          return found == records.end() ? Throttle::Record{0, 20} : found->second;
        }) {}
  ~Office() { finish(); }

  Task<void> visit(Visitor& visitor, Standing standing) {
    auto turn = co_await turns.take(visitor.network, visitor.user, standing);
    if (!turn) {
      visitor.refused = turn.error().code;
      visitor.words = turn.error().detail;
      co_return;
    }
    visitor.has_turn = true;
    called.push_back(visitor.user.empty() ? visitor.network : visitor.user);
    co_await visitor.end;
    visitor.has_turn = false;
  }
  Visitor& comes(const std::string& network, Standing standing = Standing::stranger,
                 const std::string& user = "") {
    visitors.push_back(std::make_unique<Visitor>());
    Visitor& visitor = *visitors.back();
    visitor.network = network;
    visitor.user = user;
    group.start(visit(visitor, standing));
    loop.run();
    return visitor;
  }
  void come(int count, const std::string& network) {
    for (int i = 0; i < count; ++i) comes(network);
  }
  // The turn of one who has one ends.
  bool ends() {
    const auto found = std::ranges::find_if(visitors, [](const auto& visitor) { return visitor->has_turn; });
    if (found == visitors.end()) return false;
    (*found)->end.notify();
    loop.run();
    return true;
  }
  void finish() {
    while (ends()) {
    }
    CHECK(group.size() == 0);
    CHECK(turns.waiting() == 0);
  }
  // The next `count` that are called.
  std::vector<std::string> next(std::size_t count) {
    called.clear();
    while (called.size() < count && ends()) {
    }
    return called;
  }
};

TEST_CASE("turns: so many at once, in the order in which they came") {
  Office office({2, 10, 10});
  for (const char* user : {"1", "2", "3", "4"}) office.comes("a", Standing::stranger, user);
  CHECK(office.called == std::vector<std::string>{"1", "2"});
  CHECK(office.turns.waiting() == 2);
  office.finish();
  CHECK(office.called == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("turns: a burst of one network delays that network alone") {
  Office office({1, 100, 1000});
  office.come(28, "guesser");
  office.comes("owner");
  CHECK(office.next(1) == std::vector<std::string>{"owner"});
  // So it is among those who are vouched for.
  Office even({1, 100, 1000});
  even.come(1, "first");
  for (const char* network : {"a", "a", "a", "b", "b", "c"}) even.comes(network, Standing::vouched);
  CHECK(even.next(3) == std::vector<std::string>{"a", "b", "a"});
}

TEST_CASE("turns: the network with the least to its charge goes first") {
  Office office({1, 100, 1000});
  office.records["guesser"] = {1.5, 18};
  office.comes("busy");
  for (const char* network : {"guesser", "three", "three", "three", "two", "two"}) office.comes(network);
  CHECK(office.next(2) == std::vector<std::string>{"two", "two"});
}

TEST_CASE("turns: who is vouched for goes first, and guessers last") {
  Office office({1, 100, 1000});
  office.records["guesser"] = {3, 17};
  office.comes("busy");
  office.comes("guesser");
  office.comes("stranger");
  office.comes("home", Standing::vouched);
  CHECK(office.next(3) == std::vector<std::string>{"home", "stranger", "guesser"});
}

TEST_CASE("turns: a login lets those go first who wait under its name in its network") {
  Office office({1, 100, 1000});
  office.come(3, "home");
  office.comes("home", Standing::stranger, "alice");
  office.comes("home", Standing::stranger, "bob");
  office.comes("elsewhere", Standing::stranger, "alice elsewhere");
  office.turns.vouch("home", "alice");
  office.turns.vouch("home", "nobody");
  office.turns.vouch("nowhere", "alice");
  CHECK(office.next(2) == std::vector<std::string>{"alice", "alice elsewhere"});
}

TEST_CASE("turns: networks with guesses leave a place to others") {
  Office office({2, 100, 1000});
  for (const char* network : {"g1", "g2", "g3"}) {
    office.records[network] = {1, 19};
    office.comes(network);
  }
  CHECK(office.called == std::vector<std::string>{"g1"});
  CHECK(office.comes("owner").has_turn);
}

TEST_CASE("turns: a network has no more turns at once than guesses left until its block") {
  Office office({4, 100, 1000});
  office.records["near"] = {0, 2};
  office.come(4, "near");
  CHECK(office.called.size() == 2);
  CHECK(office.comes("other").has_turn);
  // One at least, so that somebody finds out.
  Office last({4, 100, 1000});
  last.records["near"] = {0, 0};
  last.come(2, "near");
  CHECK(last.called.size() == 1);
}

TEST_CASE("turns: nobody waits for ever") {
  Office office({1, 100, 1000});
  office.comes("busy");
  office.records["guesser"] = {9, 11};
  office.comes("guesser");
  std::vector<std::string> order;
  for (int i = 0; i < 8; ++i) {
    office.comes("home " + std::to_string(i), Standing::vouched);
    for (const std::string& name : office.next(1)) order.push_back(name);
  }
  CHECK(std::ranges::count(order, "guesser") == 1);
}

TEST_CASE("turns: too many of a network are refused, those of others are not") {
  Office office({1, 3, 1000});
  office.come(4, "guesser");
  CHECK(office.comes("guesser").refused == Errc::busy);
  CHECK_FALSE(office.comes("owner").refused);
  CHECK_FALSE(office.comes("guesser", Standing::vouched).refused);
}

TEST_CASE("turns: when too many wait in all, the network with the most loses its last") {
  Office office({1, 100, 6});
  office.come(1, "busy");
  office.come(3, "a");
  office.come(2, "b");
  office.come(1, "c");
  CHECK_FALSE(office.comes("owner").refused);
  long refused = 0;
  for (const auto& visitor : office.visitors) {
    if (!visitor->refused) continue;
    ++refused;
    CHECK(visitor->network == "a");
  }
  CHECK(refused == 1);
  CHECK(office.turns.waiting() == 6);
  // Nobody has more than the newcomer would have.
  Office even({1, 100, 2});
  even.come(1, "busy");
  even.come(1, "a");
  even.come(1, "b");
  CHECK(even.comes("c").refused == Errc::busy);
}

TEST_CASE("turns: strangers who wait one a network do not keep out who is vouched for") {
  Office office({1, 100, 2});
  office.come(1, "busy");
  office.come(1, "a");
  office.come(1, "b");
  CHECK_FALSE(office.comes("home", Standing::vouched, "owner").refused);
  CHECK(std::ranges::count_if(office.visitors, [](const auto& visitor) { return !!visitor->refused; }) == 1);
  CHECK(office.turns.waiting() == 2);
  CHECK_FALSE(office.comes("home", Standing::vouched, "family").refused);
  CHECK(office.turns.waiting() == 2);
  // When all who wait are vouched for, one more is refused, in words that do not blame his network.
  Visitor& late = office.comes("home", Standing::vouched, "late");
  CHECK(late.refused == Errc::busy);
  CHECK(late.words == "too many logins of all networks wait for hashing");
  CHECK(office.next(2) == std::vector<std::string>{"owner", "family"});
}

}  // namespace
}  // namespace posthorn::auth

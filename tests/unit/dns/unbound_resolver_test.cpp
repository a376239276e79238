#include "dns/unbound_resolver.h"

#include "dns/records.h"
#include "tests/support/name_server.h"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>
#include <string>

using namespace posthorn;
using namespace posthorn::dns;
using namespace std::string_literals;
using posthorn::testing::NameServer;
using posthorn::testing::wire_name;

namespace {

struct ResolverFixture {
  ~ResolverFixture() {
    if (resolver) resolver->close();
    uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
  void start() {
    auto made = UnboundResolver::make(loop, settings);
    REQUIRE_MESSAGE(made, (made ? "" : made.error().detail));
    resolver = *std::move(made);
  }
  static Task<void> keep(Resolver& of, std::string name, Type type, std::optional<Result<Answer>>& answer) {
    answer.emplace(co_await of.look_up(std::move(name), type));
  }
  void ask(std::string name, Type type, std::optional<Result<Answer>>& answer) {
    group.start(keep(*resolver, std::move(name), type, answer));
  }
  Result<Answer> ask(std::string name, Type type) {
    std::optional<Result<Answer>> answer;
    ask(std::move(name), type, answer);
    while (!answer) uv_run(loop.raw(), UV_RUN_ONCE);
    return *std::move(answer);
  }

  Loop loop;
  NameServer server{loop};
  ResolverSettings settings{.servers = {server.address()}, .trust_anchor_files = {}};
  TaskGroup group;
  std::unique_ptr<UnboundResolver> resolver;
};

}  // namespace

TEST_CASE_FIXTURE(ResolverFixture, "dns: records, and where there are none") {
  server.add("example.test", 15, "\0\x0a"s + wire_name("mx.example.test"));
  server.add("example.test", 15, "\0\x14"s + wire_name("other.example.test"));
  server.add("mx.example.test", 1, "\x7f\0\0\x02"s);
  start();
  const auto found = ask("example.test", Type::mx);
  REQUIRE_MESSAGE(found, found.error().detail);
  CHECK(found->exists);
  CHECK_FALSE(found->secure);
  CHECK(found->name == "example.test");
  CHECK(found->lifetime.count() > 0);
  REQUIRE(found->records.size() == 2);
  CHECK(parse_mx(found->records[0]).value().host.ends_with(".example.test"));
  const auto address = ask("mx.example.test.", Type::a);
  REQUIRE(address);
  CHECK(parse_address(address->records.at(0)).value() == "127.0.0.2");
  const auto none = ask("mx.example.test", Type::aaaa);
  REQUIRE(none);
  CHECK(none->exists);
  CHECK(none->records.empty());
  const auto no_name = ask("nowhere.example.test", Type::mx);
  REQUIRE(no_name);
  CHECK_FALSE(no_name->exists);
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: what was asked once is known for a while") {
  server.add("example.test", 1, "\x7f\0\0\x02"s);
  start();
  REQUIRE(ask("example.test", Type::a));
  const std::size_t questions = server.questions();
  REQUIRE(ask("EXAMPLE.test", Type::a));
  CHECK(server.questions() == questions);
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: no answer, and one that is none, may pass") {
  server.fail("servfail.test", 2);
  server.keep_silent_about("silent.test");
  settings.timeout = Milliseconds(300);
  start();
  for (const std::string& name : {"servfail.test"s, "silent.test"s}) {
    CAPTURE(name);
    const auto answer = ask(name, Type::mx);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::unavailable);
  }
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: what is no name is not asked for") {
  start();
  for (const std::string& name : {""s, std::string(300, 'a'), std::string(64, 'a') + ".test", "a..test"s}) {
    CAPTURE(name);
    const auto answer = ask(name, Type::a);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::malformed);
  }
  CHECK(server.questions() == 0);
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: too many open questions are refused") {
  server.keep_silent_about("silent.test");
  server.keep_silent_about("also.test");
  settings.at_once = 2;
  settings.timeout = Milliseconds(300);
  start();
  std::optional<Result<Answer>> first;
  std::optional<Result<Answer>> second;
  ask("silent.test", Type::a, first);
  ask("also.test", Type::a, second);
  const auto third = ask("third.test", Type::a);
  REQUIRE_FALSE(third);
  CHECK(third.error().code == Errc::busy);
  while (!first || !second) uv_run(loop.raw(), UV_RUN_ONCE);
  CHECK(ask("third.test", Type::a));
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: open questions end with the server") {
  server.keep_silent_about("silent.test");
  start();
  std::optional<Result<Answer>> answer;
  ask("silent.test", Type::a, answer);
  for (int turn = 0; turn < 3; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
  CHECK_FALSE(answer);
  resolver->close();
  for (int turn = 0; turn < 3; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
  REQUIRE(answer);
  CHECK(answer->error().code == Errc::unavailable);
  CHECK_FALSE(ask("other.test", Type::a));
}

TEST_CASE_FIXTURE(ResolverFixture, "dns: settings that can't be used are named") {
  SUBCASE("a server") { settings.servers = {"nonsense"}; }
  SUBCASE("a file of trust anchors") { settings.trust_anchor_files = {"/nowhere/nonsense"}; }
  const auto made = UnboundResolver::make(loop, settings);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Errc::malformed);
  CHECK(made.error().detail.contains("nonsense"));
}

#include "auth/password_authenticator.h"
#include "auth/sasl.h"
#include "base/bound_channel.h"
#include "tests/support/stream_pair.h"
#include "tests/unit/auth/scram_client.h"
#include "tests/unit/auth/temporary_accounts.h"

#include <doctest/doctest.h>

#include <functional>
#include <utility>

namespace posthorn::auth {
namespace {

using test::cheap;
using test::credentials_of;

class CollectingLog final : public Log {
 public:
  CollectingLog() : Log(LogLevel::debug, LogFormat::text) {}
  std::string text;
  bool has(std::string_view part) const { return text.find(part) != std::string::npos; }

 protected:
  void emit(LogLevel, const std::string& line) override { text += line + "\n"; }
};

AuthSettings quick() {
  AuthSettings settings;
  settings.cost = cheap;
  settings.guess_delay_max = std::chrono::seconds(0);
  return settings;
}

struct Server : test::TemporaryAccounts {
  Loop loop;
  CollectingLog log;
  Lane disk{loop, "disk", 2, 100};
  Lane hashing{loop, "hashing", 2, 100};
  PasswordAuthenticator authenticator;
  TaskGroup tasks{[](std::exception_ptr) { FAIL("a task threw"); }};

  explicit Server(AuthSettings settings = quick()) : authenticator(*accounts, disk, hashing, settings) {
    REQUIRE(accounts->add_domain("example.test"));
    REQUIRE(accounts->add_account("alice@example.test", credentials_of("secret")));
  }
};

// What carries the messages between a ScramClient and the server, and keeps them.
struct Lines final : SaslChannel {
  test::ScramClient client;
  std::string server_first;
  std::string server_final;
  std::function<void()> before_proof;          // called when the server's first message has come
  std::optional<std::string> last_answer{""};  // to its signature; nothing: the client cancels

  Task<Result<std::string>> ask(std::string challenge) override {
    if (server_first.empty()) {
      server_first = std::move(challenge);
      if (before_proof) before_proof();
      co_return client.final(server_first);
    }
    server_final = std::move(challenge);
    if (!last_answer) co_return malformed("cancelled");
    co_return *last_answer;
  }
};

// One login of a client that speaks TLS, unless told otherwise, at an address.
struct Attempt {
  std::unique_ptr<Connection> connection;
  Lines lines;
  std::optional<Result<Login>> outcome;
  std::string mechanism = "SCRAM-SHA-256";

  Attempt(Server& server, std::string password, std::string address = "192.0.2.1") {
    Peer peer;
    peer.address = std::move(address);
    connection = std::make_unique<Connection>(
        server.loop, server.log, std::move(test::make_stream_pair(server.loop).first), std::move(peer), "s1");
    connection->set_tls({"TLSv1.3", "x", ""});
    lines.client.password = std::move(password);
  }
  std::string account() const { return outcome && *outcome ? (*outcome)->address : "nobody"; }
  Errc error() const {
    REQUIRE(outcome);
    REQUIRE_FALSE(*outcome);
    return outcome->error().code;
  }
};

Task<void> enter(PasswordAuthenticator& authenticator, Attempt& attempt, std::string first) {
  attempt.outcome = co_await authenticate(authenticator, *attempt.connection, Service::imap,
                                          attempt.mechanism, std::move(first), attempt.lines);
}

void log_in(Server& server, Attempt& attempt, std::string_view user) {
  server.tasks.start(enter(server.authenticator, attempt, attempt.lines.client.first(user, "client")));
  server.loop.run();
}

std::string salt_for(Server& server, std::string_view user) {
  Attempt attempt(server, "x");
  log_in(server, attempt, user);
  CHECK(attempt.error() == Errc::denied);
  return std::string(test::ScramClient::attribute(attempt.lines.server_first, ",s="));
}

TEST_CASE("scram login: the right password lets in, and the client sees the server's signature") {
  Server server;
  Attempt attempt(server, "secret");
  log_in(server, attempt, "Alice@EXAMPLE.test");
  CHECK(attempt.account() == "alice@example.test");
  CHECK(attempt.lines.client.is_signature(attempt.lines.server_final));
  CHECK(
      server.log.has("auth.ok session=s1 address=192.0.2.1 user=alice@example.test service=imap "
                     "mechanism=SCRAM-SHA-256"));
}

TEST_CASE("scram login: a wrong password is refused without a signature, as one that was sent is") {
  Server server;
  Attempt attempt(server, "wrong");
  log_in(server, attempt, "alice@example.test");
  CHECK(attempt.error() == Errc::denied);
  CHECK(attempt.lines.server_final.empty());
  CHECK(server.log.has("mechanism=SCRAM-SHA-256 reason=\"wrong user or password\""));
}

TEST_CASE("scram login: who is not there looks like who is, also after a restart (RFC 5802 §9)") {
  Server server;
  const std::string nobody = salt_for(server, "nobody@example.test");
  CHECK(nobody.size() == salt_for(server, "alice@example.test").size());
  CHECK(salt_for(server, "NoBody@example.test") == nobody);
  CHECK(salt_for(server, "somebody@example.test") != nobody);
  CHECK(salt_for(server, "no address") == salt_for(server, "no address"));
  PasswordAuthenticator again(*server.accounts, server.disk, server.hashing, quick());
  Attempt attempt(server, "x");
  server.tasks.start(enter(again, attempt, attempt.lines.client.first("nobody@example.test", "client")));
  server.loop.run();
  CHECK(attempt.lines.server_first.find(",s=" + nobody + ",i=4096") != std::string::npos);
  auto reopened = Accounts::open(server.path());
  REQUIRE(reopened);
  CHECK(*(*reopened)->secret("made-up salts") == *server.accounts->secret("made-up salts"));
  CHECK(*server.accounts->secret("made-up salts") != *server.accounts->secret("another"));
}

TEST_CASE("scram login: guesses are counted; who is blocked there gets no challenge") {
  Server server;
  for (int i = 0; i < 20; ++i) {
    Attempt guess(server, "guess" + std::to_string(i));
    log_in(server, guess, "alice@example.test");
    CHECK(guess.error() == Errc::denied);
  }
  CHECK(server.log.has("auth.blocked session=s1 address=192.0.2.1 network=192.0.2.1 seconds=600"));
  Attempt right(server, "secret");
  log_in(server, right, "alice@example.test");
  CHECK(right.error() == Errc::denied);
  CHECK(right.lines.server_first.empty());
  Attempt elsewhere(server, "secret", "192.0.2.2");
  log_in(server, elsewhere, "alice@example.test");
  CHECK(elsewhere.account() == "alice@example.test");
}

TEST_CASE("scram login: of guesses that wait with their proofs, no more count than one after the other") {
  Server server;
  std::vector<std::unique_ptr<Attempt>> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(std::make_unique<Attempt>(server, "guess" + std::to_string(i)));
    server.tasks.start(enter(server.authenticator, *all.back(),
                             all.back()->lines.client.first("alice@example.test", "client")));
  }
  server.loop.run();
  std::size_t verified = 0;
  for (std::size_t at = 0; (at = server.log.text.find("reason=\"wrong user", at)) != std::string::npos;
       ++at) {
    ++verified;
  }
  CHECK(verified == 20);
}

TEST_CASE("scram login: a wrong proof is delayed") {
  AuthSettings settings = quick();
  settings.guess_delay_max = std::chrono::seconds(1);
  Server server(settings);
  Attempt guess(server, "wrong");
  const Milliseconds begin = server.loop.now();
  log_in(server, guess, "alice@example.test");
  CHECK(guess.error() == Errc::denied);
  CHECK(server.loop.now() - begin >= Milliseconds(1000));
}

TEST_CASE("scram login: nobody acts for another") {
  Server server;
  Attempt own(server, "secret");
  own.lines.client.header = own.lines.client.binding = "n,a=ALICE@example.test,";
  log_in(server, own, "alice@example.test");
  CHECK(own.account() == "alice@example.test");
  Attempt other(server, "secret");
  other.lines.client.header = other.lines.client.binding = "n,a=bob@example.test,";
  log_in(server, other, "alice@example.test");
  CHECK(other.error() == Errc::denied);
  CHECK(server.log.has("reason=\"may not act for another\""));
}

TEST_CASE("scram login: nothing without TLS where no password may be sent") {
  Server server;
  Attempt attempt(server, "secret");
  attempt.connection->set_tls({});
  log_in(server, attempt, "alice@example.test");
  CHECK(attempt.error() == Errc::not_allowed);
  CHECK(attempt.lines.server_first.empty());
}

TEST_CASE("scram login: a client that does not take the signature is not let in") {
  Server server;
  Attempt cancelled(server, "secret");
  cancelled.lines.last_answer.reset();
  log_in(server, cancelled, "alice@example.test");
  CHECK(cancelled.error() == Errc::malformed);
  Attempt talkative(server, "secret");
  talkative.lines.last_answer = "more";
  log_in(server, talkative, "alice@example.test");
  CHECK(talkative.error() == Errc::malformed);
  CHECK_FALSE(server.log.has("auth.ok"));
}

TEST_CASE("scram login: an account that is changed or removed during the exchange is not let in") {
  Server server;
  Attempt changed(server, "secret");
  changed.lines.before_proof = [&] {
    REQUIRE(server.accounts->set_password("alice@example.test", credentials_of("changed")));
  };
  log_in(server, changed, "alice@example.test");
  CHECK(changed.error() == Errc::denied);
  CHECK(server.log.has("reason=\"password was changed\""));
  Attempt removed(server, "changed");
  removed.lines.before_proof = [&] { REQUIRE(server.accounts->remove_account("alice@example.test")); };
  log_in(server, removed, "alice@example.test");
  CHECK(removed.error() == Errc::denied);
  CHECK(server.log.has("reason=\"account was removed\""));
}

TEST_CASE("scram login: when the accounts cannot be read, nobody is told that his password is wrong") {
  Server server;
  {
    Database database = *Database::open(server.path(), Database::Mode::read_write);
    REQUIRE(database.run("DROP TABLE credential"));
  }
  Attempt attempt(server, "secret");
  log_in(server, attempt, "alice@example.test");
  CHECK(attempt.error() == Errc::busy);
  CHECK(server.log.has("auth.unavailable"));
}

// A stream that says what binds to it.
struct Bound final : Stream, BoundChannel {
  std::string channel_binding(std::string_view type) const override {
    return type == "tls-exporter" ? "exported octets" : "";
  }
  Task<ReadEvent> read_some(std::string&, std::size_t) override { throw ConnectionClosed(CloseReason::peer); }
  void wake_reader() override {}
  Task<void> write(std::string_view) override { co_return; }
  Task<void> end_writing() override { co_return; }
  void close(CloseReason, std::string_view) override {}
};

void bind(Attempt& attempt) {
  attempt.connection->replace_stream([](std::unique_ptr<Stream>) { return std::make_unique<Bound>(); });
}

TEST_CASE(
    "scram login: -PLUS is offered where there is something to bind to, and binds to it (RFC 5802 §6)") {
  Server server;
  Attempt attempt(server, "secret");
  CHECK(offered_mechanisms(server.authenticator, *attempt.connection) ==
        std::vector<std::string_view>{"SCRAM-SHA-256", "PLAIN", "LOGIN"});
  bind(attempt);
  CHECK(offered_mechanisms(server.authenticator, *attempt.connection) ==
        std::vector<std::string_view>{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"});
  attempt.mechanism = "scram-sha-256-plus";
  attempt.lines.client.header = "p=tls-exporter,,";
  attempt.lines.client.binding = "p=tls-exporter,,exported octets";
  log_in(server, attempt, "alice@example.test");
  CHECK(attempt.account() == "alice@example.test");
  CHECK(server.log.has("mechanism=SCRAM-SHA-256-PLUS"));
}

TEST_CASE("scram login: who is in between, or hides -PLUS, is found out, and logged; it is no guess") {
  Server server;
  Attempt between(server, "secret");
  bind(between);
  between.mechanism = "SCRAM-SHA-256-PLUS";
  between.lines.client.header = "p=tls-exporter,,";
  between.lines.client.binding = "p=tls-exporter,,octets of another";
  log_in(server, between, "alice@example.test");
  CHECK(between.error() == Errc::denied);
  CHECK(server.log.has("reason=\"the channel binding does not match\""));
  Attempt downgraded(server, "secret");
  bind(downgraded);
  downgraded.lines.client.header = downgraded.lines.client.binding = "y,,";
  log_in(server, downgraded, "alice@example.test");
  CHECK(downgraded.error() == Errc::denied);
  CHECK(server.log.has("the client was kept from seeing"));
}

}  // namespace
}  // namespace posthorn::auth

#include "auth/account_directory.h"
#include "auth/password_authenticator.h"
#include "auth/sasl.h"
#include "tests/support/stream_pair.h"
#include "tests/unit/auth/temporary_accounts.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

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
  settings.connections_per_account = 2;
  return settings;
}

// A server with alice and bob, whose hashes are counted.
struct Server : test::TemporaryAccounts {
  Loop loop;
  CollectingLog log;
  Lane disk;
  Lane hashing;
  std::mutex mutex;
  std::function<void()> while_verifying;
  std::optional<Error> failure_to_verify;
  std::vector<std::string> verified;  // the rows that passwords were verified with
  PasswordAuthenticator authenticator;
  TaskGroup tasks{[this](std::exception_ptr) { ++thrown; }};
  int thrown = 0;

  explicit Server(AuthSettings settings = quick())
      : disk(loop, "disk", 2, 100),
        hashing(loop, "hashing", settings.turns.at_once, 100),
        authenticator(*accounts, disk, hashing, settings,
                      [this](const std::string& stored, std::string_view password) -> Result<bool> {
                        const std::lock_guard lock(mutex);
                        verified.push_back(stored);
                        if (while_verifying) while_verifying();
                        if (failure_to_verify) return std::unexpected(*failure_to_verify);
                        return verify_password(stored, password);
                      }) {
    REQUIRE(accounts->add_domain("example.test"));
    REQUIRE(accounts->add_account("alice@example.test", credentials_of("secret")));
    REQUIRE(accounts->add_account("bob@example.test", credentials_of("hidden")));
  }
  std::size_t verified_so_far() {
    const std::lock_guard lock(mutex);
    return verified.size();
  }
};

Peer peer_at(std::string address, bool trusted = false) {
  Peer peer;
  peer.loopback = address == "127.0.0.1";
  peer.address = std::move(address);
  peer.trusted = trusted;
  return peer;
}

struct Client {
  test::StreamPair streams;
  Connection connection;
  std::optional<Result<Login>> outcome;
  bool closed = false;

  explicit Client(Server& server, Peer peer = peer_at("127.0.0.1"))
      : streams(test::make_stream_pair(server.loop)),
        connection(server.loop, server.log, std::move(streams.first), std::move(peer), "s1") {}
  std::string account() const { return outcome && *outcome ? (*outcome)->address : "nobody"; }
  Errc error() const {
    REQUIRE(outcome);
    REQUIRE_FALSE(*outcome);
    return outcome->error().code;
  }
};

Task<void> log_in(Server& server, Client& client, Credentials credentials) {
  try {
    client.outcome =
        co_await server.authenticator.login(client.connection, Service::imap, std::move(credentials));
  } catch (const ConnectionClosed&) {
    client.closed = true;
  }
}

void attempt(Server& server, Client& client, std::string user, std::string password, std::string other = "") {
  client.outcome.reset();
  server.tasks.start(
      log_in(server, client, {std::move(other), std::move(user), std::move(password), "PLAIN"}));
  server.loop.run();
  CHECK(server.tasks.size() == 0);
  CHECK(server.thrown == 0);
}

TEST_CASE("auth: a right password lets in, under the canonical address") {
  Server server;
  Client client(server);
  attempt(server, client, "Alice@EXAMPLE.test", "secret");
  CHECK(client.account() == "alice@example.test");
  CHECK(server.log.has(
      "auth.ok session=s1 address=127.0.0.1 user=alice@example.test service=imap mechanism=PLAIN"));
  CHECK_FALSE(server.log.has("secret"));
}

TEST_CASE(
    "auth: an unknown user and a wrong password cost one hash of the same cost, and get the same words") {
  Server server;
  std::vector<std::string> details;
  for (const char* user : {"alice@example.test", "nobody@example.test", "nobody@elsewhere.test", "nobody", "",
                           "alice+tag@example.test", "\xff\xfe@x"}) {
    CAPTURE(user);
    Client client(server);
    server.verified.clear();
    attempt(server, client, user, "wrong");
    CHECK(client.error() == Errc::denied);
    details.push_back(client.outcome->error().detail);
    REQUIRE(server.verified.size() == 1);
    CHECK_FALSE(has_other_cost(server.verified[0], cheap));
  }
  CHECK(std::ranges::count(details, details.front()) == static_cast<long>(details.size()));
  CHECK(
      server.log.has("auth.failed session=s1 address=127.0.0.1 user=nobody@example.test service=imap "
                     "mechanism=PLAIN reason=\"wrong user or password\""));
  CHECK_FALSE(server.log.has("=wrong "));
}

TEST_CASE("auth: passwords that nobody can have cost the same") {
  Server server;
  for (const std::string& password : {std::string(), std::string(5000, 'x'), std::string("sec\nret")}) {
    Client client(server);
    server.verified.clear();
    attempt(server, client, "alice@example.test", password);
    CHECK(client.error() == Errc::denied);
    CHECK(server.verified.size() == 1);
  }
}

TEST_CASE("auth: nobody acts for another (RFC 4616 §2)") {
  Server server;
  Client client(server);
  attempt(server, client, "alice@example.test", "secret", "ALICE@example.test");
  CHECK(client.account() == "alice@example.test");
  for (const char* other : {"bob@example.test", "alice", "root", "nobody@example.test"}) {
    Client stranger(server);
    attempt(server, stranger, "alice@example.test", "secret", other);
    CHECK(stranger.error() == Errc::denied);
  }
}

TEST_CASE("auth: where a password may be sent without TLS") {
  struct {
    AllowPlaintext allow;
    bool loopback;
    bool far;
  } const cases[] = {{AllowPlaintext::never, false, false},
                     {AllowPlaintext::loopback, true, false},
                     {AllowPlaintext::always, true, true}};
  for (const auto& c : cases) {
    AuthSettings settings = quick();
    settings.allow_plaintext = c.allow;
    Server server(settings);
    for (const bool is_near : {true, false}) {
      Client client(server, peer_at(is_near ? "127.0.0.1" : "192.0.2.1"));
      const bool allowed = is_near ? c.loopback : c.far;
      CHECK(server.authenticator.plaintext_allowed(client.connection) == allowed);
      CHECK(offered_mechanisms(server.authenticator, client.connection).empty() != allowed);
      server.verified.clear();
      attempt(server, client, "alice@example.test", "secret");
      CHECK(client.outcome->has_value() == allowed);
      if (!allowed) {
        CHECK(client.error() == Errc::not_allowed);
        CHECK(server.verified.empty());
      }
      client.connection.set_tls({"TLSv1.3", "TLS_AES_128_GCM_SHA256", ""});
      CHECK(server.authenticator.plaintext_allowed(client.connection));
      CHECK(offered_mechanisms(server.authenticator, client.connection) ==
            std::vector<std::string_view>{"SCRAM-SHA-256", "PLAIN", "LOGIN"});
    }
  }
}

TEST_CASE("auth: an account has so many connections, and gets them back") {
  Server server;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Client>(server));
  for (auto& client : clients) attempt(server, *client, "alice@example.test", "secret");
  CHECK(clients[1]->account() == "alice@example.test");
  CHECK(clients[2]->error() == Errc::in_use);
  Client bob(server);
  attempt(server, bob, "bob@example.test", "hidden");
  CHECK(bob.account() == "bob@example.test");
  Client trusted(server, peer_at("127.0.0.1", true));
  attempt(server, trusted, "alice@example.test", "secret");
  CHECK(trusted.account() == "alice@example.test");
  trusted.outcome.reset();
  clients[0]->outcome.reset();
  attempt(server, *clients[2], "alice@example.test", "secret");
  CHECK(clients[2]->account() == "alice@example.test");
}

TEST_CASE("auth: a failure holds its own connection; a right password is not delayed by it") {
  AuthSettings settings = quick();
  settings.guess_delay_max = std::chrono::seconds(1);
  Server server(settings);
  Client guesser(server);
  Client owner(server);
  const Milliseconds start = server.loop.now();
  server.tasks.start(log_in(server, guesser, {"", "alice@example.test", "wrong", ""}));
  while (server.tasks.size() > 0 && !server.log.has("auth.failed")) server.loop.run_once();
  server.tasks.start(log_in(server, owner, {"", "alice@example.test", "secret", ""}));
  while (!owner.outcome) server.loop.run_once();
  CHECK(owner.account() == "alice@example.test");
  CHECK_FALSE(guesser.outcome);
  server.loop.run();
  CHECK(guesser.error() == Errc::denied);
  CHECK(server.loop.now() - start >= Milliseconds(1000));
}

TEST_CASE("auth: a connection that closes ends its delay") {
  AuthSettings settings = quick();
  settings.guess_delay_max = std::chrono::seconds(15);
  Server server(settings);
  Client guesser(server);
  server.tasks.start(log_in(server, guesser, {"", "alice@example.test", "wrong", ""}));
  while (!server.log.has("auth.failed")) server.loop.run_once();
  guesser.connection.close(CloseReason::shutdown);
  server.loop.run();
  CHECK(guesser.closed);
  CHECK(server.tasks.size() == 0);
}

TEST_CASE("auth: an address that goes on guessing is blocked, without a hash; who was in before is not") {
  Server server;
  const auto from = [&](const char* address, const std::string& user, const std::string& password) {
    Client client(server, peer_at(address));
    client.connection.set_tls({"TLSv1.3", "x", ""});
    server.verified.clear();
    attempt(server, client, user, password);
    return client.outcome->has_value();
  };
  CHECK(from("192.0.2.1", "alice@example.test", "secret"));
  for (int i = 0; i < 20; ++i)
    CHECK_FALSE(from("192.0.2.1", "bob@example.test", "guess" + std::to_string(i)));
  CHECK(server.log.has("auth.blocked session=s1 address=192.0.2.1 network=192.0.2.1 seconds=600"));
  CHECK_FALSE(from("192.0.2.1", "bob@example.test", "hidden"));
  CHECK(server.verified.empty());
  CHECK(server.log.has("reason=\"address is blocked\""));
  CHECK(from("192.0.2.1", "ALICE@example.test", "secret"));
  CHECK(from("192.0.2.2", "bob@example.test", "hidden"));
}

TEST_CASE("auth: trusted peers are neither delayed nor blocked") {
  AuthSettings settings = quick();
  settings.guess_delay_max = std::chrono::seconds(15);
  Server server(settings);
  Client webmail(server, peer_at("127.0.0.1", true));
  for (int i = 0; i < 30; ++i) attempt(server, webmail, "alice@example.test", "guess" + std::to_string(i));
  attempt(server, webmail, "alice@example.test", "secret");
  CHECK(webmail.account() == "alice@example.test");
}

TEST_CASE("auth: more hashes than may wait are refused as busy, and none is lost") {
  AuthSettings settings = quick();
  settings.turns = {1, 3, 100};
  Server server(settings);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(server, peer_at("127.0.0.1", true)));
    server.tasks.start(log_in(server, *clients.back(), {"", "alice@example.test", "secret", ""}));
  }
  server.loop.run();
  long in = 0;
  long busy = 0;
  for (const auto& client : clients) {
    if (*client->outcome) {
      ++in;
    } else if (client->error() == Errc::busy) {
      ++busy;
    }
  }
  CHECK(in >= 4);
  CHECK(busy >= 1);
  CHECK(in + busy == 20);
  CHECK(server.verified.size() == static_cast<std::size_t>(in));
}

TEST_CASE("auth: others' guesses do not delay a right password") {
  AuthSettings settings = quick();
  settings.allow_plaintext = AllowPlaintext::always;
  Server server(settings);
  std::vector<std::unique_ptr<Client>> guessers;
  for (int i = 0; i < 400; ++i) {
    guessers.push_back(std::make_unique<Client>(server, peer_at("192.0.2." + std::to_string(i % 40))));
    server.tasks.start(
        log_in(server, *guessers.back(), {"", "alice@example.test", "guess" + std::to_string(i), "PLAIN"}));
  }
  Client owner(server, peer_at("198.51.100.1"));
  server.tasks.start(log_in(server, owner, {"", "alice@example.test", "secret", "PLAIN"}));
  while (!owner.outcome) server.loop.run_once();
  CHECK(owner.account() == "alice@example.test");
  // Two were on their way, and one more had the turn of who waits longest.
  CHECK(server.verified_so_far() <= 6);
  server.loop.run();
  for (const auto& guesser : guessers) CHECK(guesser->error() == Errc::denied);
}

TEST_CASE("auth: guesses that come together are no more than those one after the other before the block") {
  AuthSettings settings = quick();
  settings.turns.at_once = 8;
  settings.allow_plaintext = AllowPlaintext::always;
  Server server(settings);
  std::vector<std::unique_ptr<Client>> guessers;
  for (int i = 0; i < 28; ++i) {
    guessers.push_back(std::make_unique<Client>(server, peer_at("192.0.2.1")));
    server.tasks.start(
        log_in(server, *guessers.back(), {"", "alice@example.test", "guess" + std::to_string(i), "PLAIN"}));
  }
  server.loop.run();
  CHECK(server.verified_so_far() == 20);
  for (const auto& guesser : guessers) CHECK(guesser->error() == Errc::denied);
}

TEST_CASE("auth: who is gone when his turn comes costs no hash") {
  AuthSettings settings = quick();
  settings.turns.at_once = 1;
  settings.allow_plaintext = AllowPlaintext::always;
  Server server(settings);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(server, peer_at("192.0.2.1")));
    server.tasks.start(log_in(server, *clients.back(), {"", "alice@example.test", "secret", "PLAIN"}));
  }
  for (const auto& client : clients) client->connection.close(CloseReason::shutdown);
  server.loop.run();
  CHECK(server.tasks.size() == 0);
  CHECK(server.verified_so_far() == 0);
}

TEST_CASE("auth: a change of the password, also by another process, counts from the next login on") {
  Server server;
  Client client(server);
  auto command = Accounts::open(server.path());
  REQUIRE(command);
  REQUIRE((*command)->set_password("alice@example.test", credentials_of("changed")));
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::denied);
  attempt(server, client, "alice@example.test", "changed");
  CHECK(client.account() == "alice@example.test");
  client.outcome.reset();
  REQUIRE((*command)->remove_account("alice@example.test"));
  attempt(server, client, "alice@example.test", "changed");
  CHECK(client.error() == Errc::denied);
}

TEST_CASE("auth: a password that is changed while it is verified does not let in") {
  Server server;
  server.while_verifying = [&, changed = false]() mutable {
    if (!std::exchange(changed, true)) {
      REQUIRE(server.accounts->set_password("alice@example.test", credentials_of("changed")));
    }
  };
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::denied);
  CHECK(server.log.has("reason=\"password was changed\""));
}

TEST_CASE("auth: a new hash of the same password, made by another login meanwhile, does let in") {
  Server server;
  server.while_verifying = [&, changed = false]() mutable {
    if (!std::exchange(changed, true)) {
      REQUIRE(server.accounts->set_password("alice@example.test", credentials_of("secret")));
    }
  };
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.account() == "alice@example.test");
}

TEST_CASE("auth: what was typed into the user's field and is no address is not logged") {
  Server server;
  for (const char* user : {"hunter2", "hunter2 secret", "x@hunter2 secret"}) {
    Client client(server);
    attempt(server, client, user, "wrong");
    CHECK(client.error() == Errc::denied);
  }
  CHECK_FALSE(server.log.has("hunter2"));
  CHECK(server.log.has("user=\"(no address)\""));
}

TEST_CASE("auth: an account that is removed while its password is verified does not log in") {
  Server server;
  server.while_verifying = [&] { REQUIRE(server.accounts->remove_account("alice@example.test")); };
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::denied);
  CHECK(server.log.has("reason=\"account was removed\""));
}

TEST_CASE("auth: the sessions of an account that is removed end, and no others") {
  Server server;
  Client alice(server);
  Client bob(server);
  attempt(server, alice, "alice@example.test", "secret");
  attempt(server, bob, "bob@example.test", "hidden");
  server.authenticator.end_sessions("alice@example.test");
  server.authenticator.end_sessions("nobody@example.test");
  CHECK(alice.connection.close_reason() == CloseReason::local);
  CHECK_FALSE(bob.connection.close_reason());
  server.loop.run();
}

TEST_CASE("auth: new settings count from the next login on; a login brings a row to the new cost") {
  Server server;
  const AddressName alice{"alice", "example.test"};
  AuthSettings settings = quick();
  settings.cost = {2, 16, 5000};
  settings.allow_plaintext = AllowPlaintext::never;
  server.authenticator.configure(settings);
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::not_allowed);
  client.connection.set_tls({"TLSv1.3", "x", ""});
  attempt(server, client, "alice@example.test", "wrong");
  CHECK_FALSE(has_other_cost(*server.accounts->credential(alice, argon2id), cheap));
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.account() == "alice@example.test");
  const std::string refreshed = *server.accounts->credential(alice, argon2id);
  CHECK_FALSE(has_other_cost(refreshed, settings.cost));
  CHECK(*verify_password(refreshed, "secret"));
  CHECK(server.accounts->credential(alice, scram_sha_256)->starts_with("SCRAM-SHA-256$5000:"));
  server.verified.clear();
  client.outcome.reset();
  attempt(server, client, "nobody@example.test", "secret");
  REQUIRE(server.verified.size() == 1);
  CHECK_FALSE(has_other_cost(server.verified[0], settings.cost));
}

TEST_CASE("auth: when the accounts cannot be read, nobody is told that his password is wrong") {
  Server server;
  {
    Database database = *Database::open(server.path(), Database::Mode::read_write);
    REQUIRE(database.run("DROP TABLE credential"));
  }
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::busy);
  CHECK(server.log.has("auth.unavailable"));
}

TEST_CASE("auth: when a password cannot be verified for want of memory, nobody is told that it is wrong") {
  Server server;
  server.failure_to_verify = Error{Errc::busy, "no memory"};
  Client client(server);
  attempt(server, client, "alice@example.test", "secret");
  CHECK(client.error() == Errc::busy);
  CHECK(server.log.has("auth.unavailable"));
}

Task<void> ask(AccountDirectory& directory, int& answers) {
  const Result<bool> ours = co_await directory.is_local_domain("Example.TEST");
  CHECK((ours && *ours));
  const Result<bool> theirs = co_await directory.is_local_domain("elsewhere.test");
  CHECK((theirs && !*theirs));
  const auto alice = co_await directory.resolve("alice+x@example.test");
  CHECK((alice && alice->accounts == std::vector<std::string>{"alice@example.test"}));
  const auto nobody = co_await directory.resolve("nobody@example.test");
  CHECK((!nobody && nobody.error().code == Errc::not_found));
  ++answers;
}

TEST_CASE("auth: the directory answers from the accounts") {
  Server server;
  AccountDirectory directory(*server.accounts, server.disk);
  int answers = 0;
  server.tasks.start(ask(directory, answers));
  server.loop.run();
  CHECK(answers == 1);
}

}  // namespace
}  // namespace posthorn::auth

#include "auth/password_authenticator.h"

#include "auth/login_attempt.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

namespace posthorn::auth {

// The connections that each account has.
struct PasswordAuthenticator::Slots {
  std::unordered_map<std::string, std::vector<Connection*>> taken;
};

class PasswordAuthenticator::Slot final : public AccountSlot {
 public:
  Slot(std::shared_ptr<Slots> slots, std::string account, Connection& connection)
      : slots_(std::move(slots)), account_(std::move(account)), connection_(connection) {
    slots_->taken[account_].push_back(&connection_);
  }
  ~Slot() override {
    const auto found = slots_->taken.find(account_);
    std::vector<Connection*>& connections = found->second;
    connections.erase(std::ranges::find(connections, &connection_));
    if (connections.empty()) slots_->taken.erase(found);
  }

 private:
  std::shared_ptr<Slots> slots_;
  std::string account_;
  Connection& connection_;
};

PasswordAuthenticator::PasswordAuthenticator(Accounts& accounts, Lane& lane, Lane& hashing,
                                             AuthSettings settings, Verify verify)
    : accounts_(accounts),
      lane_(lane),
      hashing_(hashing),
      verify_(std::move(verify)),
      throttle_({}),
      turns_(hashing.loop(), settings.turns,
             [this](const std::string& network) { return throttle_.record(network, hashing_.loop().now()); }),
      fingerprint_key_(crypto_shorthash_KEYBYTES, '\0'),
      slots_(std::make_shared<Slots>()) {
  if (sodium_init() < 0) std::abort();
  randombytes_buf(fingerprint_key_.data(), fingerprint_key_.size());
  configure(settings);
}

PasswordAuthenticator::~PasswordAuthenticator() = default;

void PasswordAuthenticator::configure(AuthSettings settings) {
  settings_ = settings;
  throttle_.configure({settings.guess_delay_max, settings.guess_block_seconds});
  unmatchable_ = unmatchable_hash(settings.cost);
}

void PasswordAuthenticator::end_sessions(const std::string& account) {
  const auto found = slots_->taken.find(account);
  if (found == slots_->taken.end()) return;
  // A copy: each that ends takes itself off.
  const std::vector<Connection*> connections = found->second;
  for (Connection* connection : connections) connection->close(CloseReason::local);
}

bool PasswordAuthenticator::plaintext_allowed(const Connection& connection) const {
  if (connection.tls().active()) return true;
  switch (settings_.allow_plaintext) {
    case AllowPlaintext::never: return false;
    case AllowPlaintext::loopback: return connection.peer().loopback;
    case AllowPlaintext::always: return true;
  }
  return false;
}

// Of many refusals not each has its line; those that have none are lines of the level debug.
LogLevel PasswordAuthenticator::level_of(Connection& connection, FailureLog& log, const Attempt& attempt,
                                         LogLevel level) {
  const auto [worth_a_line, left_out] = log.refused(attempt.address, connection.loop().now());
  if (left_out > 0) connection.log().write(level, "auth.lines_left_out", {{"count", left_out}});
  return worth_a_line ? level : LogLevel::debug;
}

void PasswordAuthenticator::log_failure(Connection& connection, const Attempt& attempt,
                                        std::string_view reason) {
  connection.log(level_of(connection, failures_, attempt, LogLevel::info), "auth.failed",
                 {{"address", attempt.address},
                  {"user", attempt.shown_user()},
                  {"service", name_of(attempt.service)},
                  {"mechanism", attempt.credentials.mechanism},
                  {"reason", reason}});
}

void PasswordAuthenticator::log_unavailable(Connection& connection, const Attempt& attempt,
                                            const Error& error) {
  const LogLevel level = error.code == Errc::busy
                             ? level_of(connection, postponements_, attempt, LogLevel::warning)
                             : LogLevel::error;
  connection.log(level, "auth.unavailable",
                 {{"address", attempt.address}, {"user", attempt.shown_user()}, {"reason", error.detail}});
}

// Tells the same wrong password from another one, and says nothing about either.
std::uint64_t PasswordAuthenticator::fingerprint(const Attempt& attempt) const {
  std::string guess = attempt.user + '\0' + attempt.credentials.password;
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(guess.data()), guess.size(),
                   reinterpret_cast<const unsigned char*>(fingerprint_key_.data()));
  sodium_memzero(guess.data(), guess.size());
  std::uint64_t value = 0;
  for (const unsigned char octet : hash) value = value << 8U | octet;
  return value;
}

// Exactly one verification, whether there is such an account or not. Gives the row that the password matched.
Task<Result<std::string>> PasswordAuthenticator::verify(const Attempt& attempt) {
  std::string stored = unmatchable_;
  bool possible = false;
  if (attempt.account) {
    auto read = [&] { return accounts_.credential(*attempt.account, argon2id); };
    Result<std::string> found = co_await Offload(lane_, read);
    if (found) {
      stored = *std::move(found);
      possible = true;
    } else if (found.error().code != Errc::not_found) {
      co_return std::unexpected(std::move(found).error());
    }
  }
  const std::string_view password = attempt.credentials.password;
  if (!check_password(password)) possible = false;
  auto check = [&] { return verify_(stored, password.substr(0, max_password)); };
  Result<bool> right = co_await Offload(hashing_, check);
  if (!right) co_return std::unexpected(std::move(right).error());
  if (!*right || !possible) co_return failure(Errc::denied, "password");
  co_return stored;
}

// Whether the password that matched `stored` is still the account's, whose row may have been replaced since:
// by another password, or at another login by a hash of another cost. Gives the present row.
Task<Result<std::string>> PasswordAuthenticator::still_right(const Attempt& attempt,
                                                             const std::string& stored) {
  auto read = [&] { return accounts_.credential(*attempt.account, attempt.credential); };
  Result<std::string> present = co_await Offload(lane_, read);
  if (!present && present.error().code == Errc::not_found) {
    co_return failure(Errc::denied, "account was removed");
  }
  if (!present || *present == stored) co_return present;
  // Of a password that was not sent, nobody can say whether the new row is its.
  if (attempt.credential != argon2id) co_return failure(Errc::denied, "password was changed");
  auto check = [&] { return verify_(*present, attempt.credentials.password); };
  const Result<bool> right = co_await Offload(hashing_, check);
  if (!right) co_return std::unexpected(right.error());
  if (!*right) co_return failure(Errc::denied, "password was changed");
  co_return present;
}

// Brings what is stored to the present cost, now that the password is known. If that can't be done, the next
// login will try again.
Task<void> PasswordAuthenticator::refresh(const Attempt& attempt, const std::string& stored) {
  const PasswordCost cost = settings_.cost;
  if (attempt.credential != argon2id || !has_other_cost(stored, cost)) co_return;
  auto make = [&] { return make_credentials(attempt.credentials.password, cost); };
  const Result<std::vector<StoredCredential>> rows = co_await Offload(hashing_, make);
  if (!rows) co_return;
  auto write = [&] { return accounts_.refresh_credentials(*attempt.account, argon2id, stored, *rows); };
  const Result<> written = co_await Offload(lane_, write);
  static_cast<void>(written);
}

// What a wrong password costs: time, of this connection only. Of a SCRAM proof nobody can tell whether its
// password was tried before: each is a guess of its own.
Milliseconds PasswordAuthenticator::penalty(Connection& connection, const Attempt& attempt) {
  if (attempt.trusted) return Milliseconds(0);
  const Throttle::Verdict verdict =
      throttle_.failed(attempt.address, attempt.user, fingerprint(attempt), connection.loop().now());
  const auto seconds = settings_.guess_block_seconds.count();
  if (verdict.block_began && !verdict.blocked.empty()) {
    connection.log(LogLevel::info, "auth.blocked",
                   {{"address", attempt.address}, {"network", verdict.blocked}, {"seconds", seconds}});
  } else if (verdict.block_began) {
    connection.log(LogLevel::info, "auth.account_blocked",
                   {{"address", attempt.address},
                    {"user", attempt.shown_user()},
                    {"network", attempt.network},
                    {"seconds", seconds}});
  }
  return verdict.delay;
}

Turns::Standing PasswordAuthenticator::standing(const Attempt& attempt) const {
  const bool vouched = attempt.trusted || throttle_.vouched(attempt.address, attempt.user);
  return vouched ? Turns::Standing::vouched : Turns::Standing::stranger;
}

bool PasswordAuthenticator::blocked(Connection& connection, const Attempt& attempt) const {
  return !attempt.trusted && throttle_.blocked(attempt.address, attempt.user, connection.loop().now());
}

Task<Result<Login>> PasswordAuthenticator::refuse_blocked(Connection& connection, const Attempt& attempt) {
  log_failure(connection, attempt, "address is blocked");
  co_await connection.pause(throttle_.blocked_delay());
  co_return failure(Errc::denied, "address is blocked");
}

Task<Result<Login>> PasswordAuthenticator::login(Connection& connection, Service service,
                                                 Credentials credentials) {
  const Attempt attempt(connection.peer(), service, std::move(credentials));
  if (!plaintext_allowed(connection)) {
    log_failure(connection, attempt, "no TLS");
    co_return failure(Errc::not_allowed, "a password without TLS");
  }
  if (blocked(connection, attempt)) co_return co_await refuse_blocked(connection, attempt);
  Result<Turns::Turn> turn = co_await turns_.take(attempt.network, attempt.user, standing(attempt));
  if (!turn) {
    log_unavailable(connection, attempt, turn.error());
    co_return std::unexpected(turn.error());
  }
  // It was closed from this side meanwhile. A client that has gone is not told from one that has sent all it
  // wants and reads on: its guess is verified, and counted.
  connection.throw_if_closed();
  // The guesses that were verified while this one waited may have been too many.
  if (blocked(connection, attempt)) {
    turn->release();
    co_return co_await refuse_blocked(connection, attempt);
  }
  const Result<std::string> stored = co_await verify(attempt);
  if (!stored && stored.error().code == Errc::denied) {
    log_failure(connection, attempt, "wrong user or password");
    // It is counted before the next of the network has its turn.
    const Milliseconds delay = penalty(connection, attempt);
    turn->release();
    if (delay.count() > 0) co_await connection.pause(delay);
    co_return std::unexpected(stored.error());
  }
  // Whoever waits under this name is let go first.
  if (stored && !attempt.trusted) {
    throttle_.succeeded(attempt.address, attempt.user);
    turns_.vouch(attempt.network, attempt.user);
  }
  turn->release();
  if (!stored) {
    log_unavailable(connection, attempt, stored.error());
    co_return failure(Errc::busy, stored.error().detail);
  }
  co_return co_await admit(connection, attempt, *stored);
}

// After a right password.
Task<Result<Login>> PasswordAuthenticator::admit(Connection& connection, const Attempt& attempt,
                                                 const std::string& stored) {
  // RFC 4616 §2: acting for somebody else needs rights that no account has over another.
  const std::string& other = attempt.credentials.authorisation_identity;
  if (!other.empty()) {
    const auto name = parse_address(other);
    if (!name || *name != *attempt.account) {
      log_failure(connection, attempt, "may not act for another");
      co_return failure(Errc::denied, "authorisation identity");
    }
  }
  const auto taken = slots_->taken.find(attempt.user);
  const bool full = taken != slots_->taken.end() && taken->second.size() >= settings_.connections_per_account;
  if (full && !attempt.trusted) {
    log_failure(connection, attempt, "too many connections of the account");
    co_return failure(Errc::in_use, "too many connections of the account");
  }
  Login login{attempt.user, std::make_unique<Slot>(slots_, attempt.user, connection)};
  // Hashing takes its time. What is changed from here on closes the connection by its slot.
  const Result<std::string> present = co_await still_right(attempt, stored);
  if (!present && present.error().code == Errc::denied) {
    log_failure(connection, attempt, present.error().detail);
    co_return std::unexpected(present.error());
  }
  if (!present) {
    log_unavailable(connection, attempt, present.error());
    co_return failure(Errc::busy, present.error().detail);
  }
  co_await refresh(attempt, *present);
  // Whoever opens the mail of an account that was removed meanwhile makes it anew.
  connection.throw_if_closed();
  connection.log(LogLevel::info, "auth.ok",
                 {{"address", attempt.address},
                  {"user", attempt.user},
                  {"service", name_of(attempt.service)},
                  {"mechanism", attempt.credentials.mechanism}});
  co_return login;
}

}  // namespace posthorn::auth

// Logins by SCRAM-SHA-256: the account's verifier in, the server's signature out (RFC 5802, RFC 7677).
#include "auth/login_attempt.h"
#include "auth/sasl.h"
#include "auth/scram_exchange.h"

#include <sodium.h>

namespace posthorn::auth {
namespace {

constexpr std::size_t salt_size = 16;  // as in make_credentials()
constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 24;

std::string random_octets(std::size_t size) {
  std::string octets(size, '\0');
  randombytes_buf(octets.data(), octets.size());
  return octets;
}

}  // namespace

// What a proof is held against.
struct PasswordAuthenticator::FoundVerifier {
  ScramVerifier verifier;
  std::string stored;  // its row; empty: it is made up, and nothing proves it
};

// In the place of one that is not there. Who asks twice, whenever that be, sees the same salt, as of
// accounts.
ScramVerifier PasswordAuthenticator::made_up_verifier(const std::string& user) const {
  std::string salt(salt_size, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(salt.data()), salt.size(),
                     reinterpret_cast<const unsigned char*>(user.data()), user.size(),
                     reinterpret_cast<const unsigned char*>(salt_key_.data()), salt_key_.size());
  return {settings_.cost.scram_iterations, std::move(salt), random_octets(key_size), random_octets(key_size)};
}

// One look into the accounts, whether there is such an account or not.
Task<Result<PasswordAuthenticator::FoundVerifier>> PasswordAuthenticator::find_verifier(
    const Attempt& attempt) {
  if (salt_key_.empty()) {
    auto read = [&] { return accounts_.secret("made-up salts"); };
    Result<std::string> key = co_await Offload(lane_, read);
    if (!key) co_return std::unexpected(std::move(key).error());
    salt_key_ = *std::move(key);
  }
  // What can be no account's name is looked up like one.
  const AddressName name = attempt.account.value_or(AddressName{attempt.user, ""});
  auto read = [&] { return accounts_.credential(name, scram_sha_256); };
  Result<std::string> stored = co_await Offload(lane_, read);
  if (!stored && stored.error().code != Errc::not_found) {
    co_return std::unexpected(std::move(stored).error());
  }
  FoundVerifier found{made_up_verifier(attempt.user), {}};
  if (stored) {
    Result<ScramVerifier> verifier = parse_scram_verifier(*stored);
    if (!verifier) co_return failure(Errc::corrupt, "a stored SCRAM verifier is not as it was written");
    found = {*std::move(verifier), *std::move(stored)};
  }
  co_return found;
}

Task<Result<Login>> PasswordAuthenticator::refuse_guess(Connection& connection, const Attempt& attempt) {
  log_failure(connection, attempt, "wrong user or password");
  const Milliseconds delay = penalty(connection, attempt);
  if (delay.count() > 0) co_await connection.pause(delay);
  co_return failure(Errc::denied, "password");
}

Task<Result<Login>> PasswordAuthenticator::login(Connection& connection, Service service,
                                                 ScramExchange& exchange, SaslChannel& channel) {
  Attempt attempt(
      connection.peer(), service,
      {exchange.authorisation_identity(), exchange.user(), "", std::string(exchange.mechanism())});
  attempt.credential = scram_sha_256;
  if (!plaintext_allowed(connection)) {
    log_failure(connection, attempt, "no TLS");
    co_return failure(Errc::not_allowed, "a login without TLS");
  }
  if (blocked(connection, attempt)) co_return co_await refuse_blocked(connection, attempt);
  if (const Result<> bound = exchange.bind(bound_channel(connection)); !bound) {
    log_failure(connection, attempt, bound.error().detail);
    co_return std::unexpected(bound.error());
  }
  Result<FoundVerifier> found = co_await find_verifier(attempt);
  if (!found) {
    log_unavailable(connection, attempt, found.error());
    co_return failure(Errc::busy, found.error().detail);
  }
  connection.throw_if_closed();
  Result<std::string> answer = co_await channel.ask(
      exchange.server_first(std::move(found->verifier), encode_base64(random_octets(nonce_size))));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  // From here to the penalty nothing waits: guesses that come together are counted one by one.
  if (blocked(connection, attempt)) co_return co_await refuse_blocked(connection, attempt);
  Result<ScramExchange::Outcome> outcome = exchange.server_final(*answer);
  if (!outcome) {
    if (outcome.error().code == Errc::denied) log_failure(connection, attempt, outcome.error().detail);
    co_return std::unexpected(std::move(outcome).error());
  }
  attempt.credentials.password = outcome->proof;
  if (!outcome->right || found->stored.empty()) co_return co_await refuse_guess(connection, attempt);
  if (!attempt.trusted) {
    throttle_.succeeded(attempt.address, attempt.user);
    turns_.vouch(attempt.network, attempt.user);
  }
  // None of the protocols has data to go with its success (RFC 4422 §3.6): it is one more challenge, and the
  // client says by an empty answer that the signature is the server's.
  answer = co_await channel.ask(std::move(outcome->last_words));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (!answer->empty()) co_return malformed("SCRAM: more than an empty answer");
  co_return co_await admit(connection, attempt, found->stored);
}

}  // namespace posthorn::auth

#pragma once

#include "auth/accounts.h"
#include "auth/authenticator.h"
#include "auth/failure_log.h"
#include "auth/password.h"
#include "auth/scram.h"
#include "auth/throttle.h"
#include "auth/turns.h"
#include "base/offload.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace posthorn::auth {

// [auth] allow_plaintext: where a password may be sent without TLS.
enum class AllowPlaintext : std::uint8_t { never, loopback, always };

struct AuthSettings {
  PasswordCost cost;  // hash_ops, hash_memory_kib
  std::chrono::seconds guess_delay_max{15};
  std::chrono::seconds guess_block_seconds{600};
  AllowPlaintext allow_plaintext = AllowPlaintext::loopback;
  unsigned connections_per_account = 50;
  Turns::Settings
      turns;  // how many passwords are verified at once (hash_threads), how many wait; at the start
};

// Logins against the accounts of this server. The file is read on `lane`, passwords are verified on the
// `hashing` lane, network by network in turn. It must outlive the connections that log in; the slots of
// logins may outlive it.
class PasswordAuthenticator final : public Authenticator {
 public:
  using Verify = std::function<Result<bool>(const std::string& stored, std::string_view password)>;

  // `verify` is called on threads of the pool; tests count its calls.
  PasswordAuthenticator(Accounts& accounts, Lane& lane, Lane& hashing, AuthSettings settings,
                        Verify verify = verify_password);
  ~PasswordAuthenticator() override;

  // Takes new settings, for logins from now on (SIGHUP).
  void configure(AuthSettings settings);

  // Ends the connections that are logged in as `account` (canonical): it was removed, or its password
  // changed.
  void end_sessions(const std::string& account);

  bool plaintext_allowed(const Connection& connection) const override;
  Task<Result<Login>> login(Connection& connection, Service service, Credentials credentials) override;
  // Verifying a proof costs no more than a few hashes: it waits for no turn.
  Task<Result<Login>> login(Connection& connection, Service service, ScramExchange& exchange,
                            SaslChannel& channel) override;

 private:
  struct Attempt;
  struct Slots;
  class Slot;

  Turns::Standing standing(const Attempt& attempt) const;
  bool blocked(Connection& connection, const Attempt& attempt) const;
  Task<Result<Login>> refuse_blocked(Connection& connection, const Attempt& attempt);
  Task<Result<std::string>> verify(const Attempt& attempt);
  struct FoundVerifier;
  Task<Result<FoundVerifier>> find_verifier(const Attempt& attempt);
  ScramVerifier made_up_verifier(const std::string& user) const;
  Task<Result<Login>> refuse_guess(Connection& connection, const Attempt& attempt);
  Task<Result<Login>> admit(Connection& connection, const Attempt& attempt, const std::string& stored);
  Task<Result<std::string>> still_right(const Attempt& attempt, const std::string& stored);
  Task<void> refresh(const Attempt& attempt, const std::string& stored);
  Milliseconds penalty(Connection& connection, const Attempt& attempt);
  LogLevel level_of(Connection& connection, FailureLog& log, const Attempt& attempt, LogLevel level);
  void log_failure(Connection& connection, const Attempt& attempt, std::string_view reason);
  void log_unavailable(Connection& connection, const Attempt& attempt, const Error& error);
  std::uint64_t fingerprint(const Attempt& attempt) const;

  Accounts& accounts_;
  Lane& lane_;
  Lane& hashing_;
  AuthSettings settings_;
  Verify verify_;
  Throttle throttle_;
  Turns turns_;
  FailureLog failures_;
  FailureLog postponements_;
  std::string unmatchable_;
  std::string fingerprint_key_;
  std::string salt_key_;  // of made-up salts; empty until it is read
  std::shared_ptr<Slots> slots_;
};

}  // namespace posthorn::auth

#pragma once

#include "base/connection.h"
#include "base/result.h"
#include "base/task.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::auth {

enum class Service { smtp, pop3, imap };
std::string_view name_of(Service service);  // "smtp", "pop3", "imap"

// A place among an account's connections, given back when it goes.
class AccountSlot {
 public:
  virtual ~AccountSlot() = default;
};

// Who has logged in.
struct Login {
  std::string address;  // the account's canonical address: "user@domain", the domain a lower-case A-label
  std::unique_ptr<AccountSlot> slot;
};

struct Credentials {
  std::string authorisation_identity;  // as whom to act; empty: the login's own
  std::string user;
  std::string password;
  std::string mechanism;  // for the log: "PLAIN", "LOGIN"; empty for a protocol's own command
};

// How a protocol carries the messages of a SASL mechanism (RFC 4422 §3).
class SaslChannel {
 public:
  virtual ~SaslChannel() = default;

  // Sends a challenge (before base64; it may be empty) and gives the client's answer, decoded. Errors, after
  // which nothing more is asked: malformed, when the client cancelled or its line is unusable. The channel
  // knows what to reply to that. Throws ConnectionClosed.
  virtual Task<Result<std::string>> ask(std::string challenge) = 0;
};

class ScramExchange;

// The one door for logins of all protocols.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // Whether a password may be sent on this connection as it is now: with TLS always, without it as
  // [auth] allow_plaintext says.
  virtual bool plaintext_allowed(const Connection& connection) const = 0;

  // Verifies a password; failures are delayed here by as much as the guessing calls for, while unknown users
  // and wrong passwords cost the same time. It logs the outcome. Throws ConnectionClosed.
  // Errors: denied (say no more than that, whatever the cause); busy (the server cannot check now);
  // in_use (the account has too many connections); not_allowed (needs TLS first).
  virtual Task<Result<Login>> login(Connection& connection, Service service, Credentials credentials) = 0;

  // The rest of a SCRAM exchange (scram_exchange.h), whose first message has come: asks for the proof over
  // `channel`, verifies it, and sends the server's signature before it lets in. What is said of login() holds
  // here too, of guesses and of errors; besides: malformed, for a message that is none of SCRAM, and what the
  // channel gives.
  virtual Task<Result<Login>> login(Connection& connection, Service service, ScramExchange& exchange,
                                    SaslChannel& channel) = 0;
};

}  // namespace posthorn::auth

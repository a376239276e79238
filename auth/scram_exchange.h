#pragma once

#include "auth/scram.h"
#include "auth/scram_message.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace posthorn {
class BoundChannel;
}

namespace posthorn::auth {

// One exchange of SCRAM-SHA-256 or SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), server side: message in, message
// out. The order is begin(), bind(), server_first(), server_final(). Pure.
class ScramExchange {
 public:
  enum class Variant : std::uint8_t { plain, plus };

  // Takes the client's first message. Errors: malformed.
  static Result<ScramExchange> begin(Variant variant, std::string_view client_first);

  std::string_view mechanism() const;
  const std::string& user() const { return first_.user; }
  // As whom to act; empty: the login's own.
  const std::string& authorisation_identity() const { return first_.authorisation_identity; }

  // Looks at what the client said of channel binding. `channel` is what -PLUS was offered for; null where it
  // was not. Errors: denied, with the reason: a binding that is unknown or missing, or a client that has been
  // kept from seeing the offer (RFC 5802 §6).
  Result<> bind(const BoundChannel* channel);

  // server-first-message, for the account's verifier. `nonce` is the server's own: printable ASCII without
  // comma, new each time.
  std::string server_first(ScramVerifier verifier, std::string_view nonce);

  // What the client's final message comes to.
  struct Outcome {
    bool right = false;      // the proof
    std::string proof;       // as it came
    std::string last_words;  // server-final-message, where the proof is right
  };
  // Errors: malformed, also for another nonce; denied for another channel binding, as when somebody is in
  // between.
  Result<Outcome> server_final(std::string_view client_final) const;

 private:
  ScramExchange(Variant variant, ScramClientFirst first) : variant_(variant), first_(std::move(first)) {}

  Variant variant_;
  ScramClientFirst first_;
  std::string binding_;  // its octets, where one is used
  ScramVerifier verifier_;
  std::string nonce_;  // of both sides
  std::string server_first_;
};

}  // namespace posthorn::auth

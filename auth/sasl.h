#pragma once

#include "auth/authenticator.h"
#include "base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace posthorn {
class BoundChannel;
}

namespace posthorn::auth {

// What the server does after a client's message: sends a challenge, checks credentials, or gives up.
struct Challenge {
  std::string text;  // before base64; may be empty
};
using SaslStep = std::variant<Challenge, Credentials>;

// One exchange of a SASL mechanism (RFC 4422), server side: message in, message out. Pure: no I/O, no base64.
class SaslExchange {
 public:
  virtual ~SaslExchange() = default;
  // True when the client speaks first: without an initial response, an empty challenge is sent to ask for it.
  // False when the server does: without an initial response, step("") gives its first challenge.
  virtual bool client_first() const = 0;
  // Takes the client's next message, of at most 4096 octets. Errors: malformed; the exchange has then ended.
  virtual Result<SaslStep> step(std::string_view message) = 0;
};

// What a login on this connection can be bound to, or null. With it the -PLUS mechanisms are offered.
const BoundChannel* bound_channel(Connection& connection);

// The mechanisms to be offered on a connection as it is now, in the order of preference ("SCRAM-SHA-256",
// "PLAIN"). None where no password may be sent: who listens to SCRAM can try passwords on what was heard, and
// could take over the session.
std::vector<std::string_view> offered_mechanisms(const Authenticator& authenticator, Connection& connection);
// Whether a mechanism, named in any case, is one of these.
bool is_offered(const Authenticator& authenticator, Connection& connection, std::string_view mechanism);
// Whether it is offered on some connections.
bool is_known_mechanism(std::string_view mechanism);

// Runs a mechanism that is offered, to its end. `initial_response` is decoded. Errors: those of
// Authenticator::login(); malformed for messages that are none of the mechanism; what the channel gives.
Task<Result<Login>> authenticate(Authenticator& authenticator, Connection& connection, Service service,
                                 std::string mechanism, std::optional<std::string> initial_response,
                                 SaslChannel& channel);

// The exchange of a mechanism that ends in credentials, PLAIN or LOGIN; unavailable for others.
Result<std::unique_ptr<SaslExchange>> start_exchange(std::string_view mechanism);

// An initial response as AUTH carries it: base64, or "=" for an empty one (RFC 4954 §4, RFC 5034 §4).
// Errors: malformed.
Result<std::string> decode_initial_response(std::string_view text);

// Strict base64 of RFC 4648 §4 for SASL in all protocols; malformed for anything else, white space included.
Result<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace posthorn::auth

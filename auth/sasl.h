#pragma once

#include "auth/authenticator.h"
#include "base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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

// The mechanisms to be offered on a connection as it is now, in the order of preference ("PLAIN", "LOGIN").
std::vector<std::string_view> offered_mechanisms(const Authenticator& authenticator,
                                                 const Connection& connection);

// The exchange for a mechanism's name in any case; unavailable when there is none of that name.
Result<std::unique_ptr<SaslExchange>> start_exchange(std::string_view mechanism);

// Strict base64 of RFC 4648 §4 for SASL in all protocols; malformed for anything else, white space included.
Result<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace posthorn::auth

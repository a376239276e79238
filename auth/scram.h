#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace posthorn::auth {

// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): it verifies a client without
// knowing enough to be one.
struct ScramVerifier {
  unsigned iterations = 0;
  std::string salt;
  std::string stored_key;  // 32 octets
  std::string server_key;  // 32 octets
};

// Of the password's octets as they are: it is prepared already (saslprep.h). Takes `iterations` rounds of
// PBKDF2.
ScramVerifier make_scram_verifier(std::string_view password, std::string salt, unsigned iterations);

// Whether `proof` is ClientProof for this AuthMessage (RFC 5802 §3); it takes the same time whatever is
// wrong.
bool is_proof(const ScramVerifier& verifier, std::string_view auth_message, std::string_view proof);
// ServerSignature for it.
std::string server_signature(const ScramVerifier& verifier, std::string_view auth_message);

// "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey", binary values in base64 (RFC 5803 §2).
std::string to_string(const ScramVerifier& verifier);
// Errors: malformed.
Result<ScramVerifier> parse_scram_verifier(std::string_view text);

}  // namespace posthorn::auth

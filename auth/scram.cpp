#include "auth/scram.h"

#include "auth/sasl.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <charconv>
#include <cstdlib>

namespace posthorn::auth {
namespace {

constexpr std::string_view prefix = "SCRAM-SHA-256$";
constexpr std::size_t hash_size = crypto_hash_sha256_BYTES;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view message) {
  std::string result(hash_size, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, octets(key), key.size());
  crypto_auth_hmacsha256_update(&state, octets(message), message.size());
  crypto_auth_hmacsha256_final(&state, octets(result));
  return result;
}

}  // namespace

// RFC 5802 §3: SaltedPassword := Hi(password, salt, i); Hi is PBKDF2.
ScramVerifier make_scram_verifier(std::string_view password, std::string salt, unsigned iterations) {
  std::string salted(hash_size, '\0');
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                                     static_cast<int>(salt.size()), static_cast<int>(iterations),
                                     EVP_sha256(), static_cast<int>(salted.size()), octets(salted));
  // It fails without memory only; a verifier of zeros would be one that everybody knows.
  if (done != 1) std::abort();
  const std::string client_key = hmac(salted, "Client Key");
  std::string stored_key(hash_size, '\0');
  crypto_hash_sha256(octets(stored_key), octets(client_key), client_key.size());
  ScramVerifier verifier{iterations, std::move(salt), std::move(stored_key), hmac(salted, "Server Key")};
  sodium_memzero(salted.data(), salted.size());
  return verifier;
}

bool is_proof(const ScramVerifier& verifier, std::string_view auth_message, std::string_view proof) {
  if (proof.size() != hash_size) return false;
  std::string client_key = hmac(verifier.stored_key, auth_message);
  for (std::size_t i = 0; i < hash_size; ++i) client_key[i] = static_cast<char>(client_key[i] ^ proof[i]);
  std::string stored_key(hash_size, '\0');
  crypto_hash_sha256(octets(stored_key), octets(client_key), client_key.size());
  // Where the proof is right, this is as good as the password here.
  sodium_memzero(client_key.data(), client_key.size());
  return sodium_memcmp(stored_key.data(), verifier.stored_key.data(), hash_size) == 0;
}

std::string server_signature(const ScramVerifier& verifier, std::string_view auth_message) {
  return hmac(verifier.server_key, auth_message);
}

std::string to_string(const ScramVerifier& verifier) {
  return std::string(prefix) + std::to_string(verifier.iterations) + ":" + encode_base64(verifier.salt) +
         "$" + encode_base64(verifier.stored_key) + ":" + encode_base64(verifier.server_key);
}

Result<ScramVerifier> parse_scram_verifier(std::string_view text) {
  if (!text.starts_with(prefix)) return malformed("SCRAM verifier: scheme");
  text.remove_prefix(prefix.size());
  ScramVerifier verifier;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), verifier.iterations);
  if (number.ec != std::errc() || verifier.iterations == 0) return malformed("SCRAM verifier: iterations");
  text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
  const std::size_t dollar = text.find('$');
  const std::size_t colon = text.find(':', dollar == std::string_view::npos ? text.size() : dollar);
  if (!text.starts_with(':') || colon == std::string_view::npos) return malformed("SCRAM verifier: shape");
  verifier.salt = TRY(decode_base64(text.substr(1, dollar - 1)));
  verifier.stored_key = TRY(decode_base64(text.substr(dollar + 1, colon - dollar - 1)));
  verifier.server_key = TRY(decode_base64(text.substr(colon + 1)));
  if (verifier.salt.empty() || verifier.stored_key.size() != hash_size ||
      verifier.server_key.size() != hash_size) {
    return malformed("SCRAM verifier: lengths");
  }
  return verifier;
}

}  // namespace posthorn::auth

#pragma once

#include "auth/sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace posthorn::test {

// The client's side of SCRAM-SHA-256 (RFC 5802 §3), made of OpenSSL's functions alone.
struct ScramClient {
  std::string password;
  std::string header = "n,,";
  std::string binding = header;  // what it says in c=, before base64
  std::string bare{};
  std::string signature{};  // that it expects, "v=…"

  std::string first(std::string_view user, std::string_view nonce) {
    bare = "n=" + std::string(user) + ",r=" + std::string(nonce);
    return header + bare;
  }

  // Answers server-first-message; with another nonce, where one is given.
  std::string final(std::string_view server_first, std::string_view nonce = {}) {
    const std::string its_nonce(attribute(server_first, "r="));
    const std::string salt = *auth::decode_base64(attribute(server_first, ",s="));
    const int iterations = std::atoi(std::string(attribute(server_first, ",i=")).c_str());
    std::string salted(32, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                      iterations, EVP_sha256(), 32, reinterpret_cast<unsigned char*>(salted.data()));
    const std::string without =
        "c=" + auth::encode_base64(binding) + ",r=" + (nonce.empty() ? its_nonce : std::string(nonce));
    const std::string message = bare + "," + std::string(server_first) + "," + without;
    std::string proof = hmac(salted, "Client Key");
    const std::string by = hmac(hash(proof), message);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ by[i]);
    signature = "v=" + auth::encode_base64(hmac(hmac(salted, "Server Key"), message));
    return without + ",p=" + auth::encode_base64(proof);
  }

  bool is_signature(std::string_view server_final) const { return server_final == signature; }

  static std::string_view attribute(std::string_view message, std::string_view name) {
    const std::size_t begin = message.find(name) + name.size();
    return message.substr(begin, message.find(',', begin) - begin);
  }
  static std::string hmac(std::string_view key, std::string_view text) {
    std::string result(32, '\0');
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(result.data()), nullptr);
    return result;
  }
  static std::string hash(std::string_view text) {
    std::string result(32, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(result.data()));
    return result;
  }
};

}  // namespace posthorn::test

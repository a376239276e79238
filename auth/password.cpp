#include "auth/password.h"

#include "auth/saslprep.h"
#include "auth/scram.h"
#include "message/charset.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace posthorn::auth {
namespace {

constexpr unsigned min_scram_iterations = 4096;  // RFC 7677 §4
constexpr unsigned max_scram_iterations = 10'000'000;
constexpr std::size_t kib = 1024;
constexpr std::size_t salt_size = 16;

std::string random_octets(std::size_t size) {
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string unpadded_base64(std::string_view bytes) {
  constexpr int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // its NUL
  return text;
}

// The parts of "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH", as libsodium writes it.
struct Argon2id {
  unsigned long long operations = 0;
  std::size_t memory_kib = 0;
  std::string salt;
  std::string hash;
};

std::optional<std::string> from_unpadded_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

// Takes `prefix` and the number behind it off the front of `text`.
template <class Number>
bool take_number(std::string_view& text, std::string_view prefix, Number& number) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::optional<Argon2id> parse_argon2id(std::string_view text) {
  Argon2id parsed;
  unsigned lanes = 0;
  if (!take_number(text, "$argon2id$v=19$m=", parsed.memory_kib) ||
      !take_number(text, ",t=", parsed.operations) || !take_number(text, ",p=", lanes) || lanes != 1 ||
      !text.starts_with('$')) {
    return std::nullopt;
  }
  const std::size_t dollar = text.find('$', 1);
  if (dollar == std::string_view::npos) return std::nullopt;
  auto salt = from_unpadded_base64(text.substr(1, dollar - 1));
  auto hash = from_unpadded_base64(text.substr(dollar + 1));
  if (!salt || salt->size() != crypto_pwhash_argon2id_SALTBYTES || !hash ||
      hash->size() < crypto_pwhash_argon2id_BYTES_MIN) {
    return std::nullopt;
  }
  parsed.salt = *std::move(salt);
  parsed.hash = *std::move(hash);
  return parsed;
}

Result<bool> verify_octets(const std::string& stored, std::string_view password) {
  // Not by libsodium's str_verify(), to which want of memory is a wrong password.
  const auto parsed = parse_argon2id(stored);
  if (!parsed) return failure(Errc::corrupt, "a stored password hash is not as libsodium writes it");
  std::string hash(parsed->hash.size(), '\0');
  if (crypto_pwhash_argon2id(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), password.data(),
                             password.size(), reinterpret_cast<const unsigned char*>(parsed->salt.data()),
                             parsed->operations, parsed->memory_kib * kib,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return failure(Errc::busy, "no memory to verify a password");
  }
  return sodium_memcmp(hash.data(), parsed->hash.data(), hash.size()) == 0;
}

}  // namespace

Result<> check(const PasswordCost& cost) {
  if (cost.operations < crypto_pwhash_argon2id_OPSLIMIT_MIN || cost.operations > 1000) {
    return malformed("the operations of a password hash must be 1 to 1000");
  }
  if (cost.memory_kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / kib || cost.memory_kib > 4 * kib * kib - 1) {
    return malformed("the memory of a password hash must be 8 to 4194303 KiB");
  }
  if (cost.scram_iterations < min_scram_iterations || cost.scram_iterations > max_scram_iterations) {
    return malformed("the iterations of a SCRAM verifier must be 4096 to 10000000");
  }
  return {};
}

Result<> check_password(std::string_view password) {
  if (password.empty()) return malformed("the password is empty");
  if (password.size() > max_password) return too_large("the password has more than 1024 octets");
  const bool control =
      std::ranges::any_of(password, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control) return malformed("the password has a control character");
  // RFC 4616 §2.
  if (!message::is_valid_utf8(password)) {
    return malformed("the password is not UTF-8: type it in a terminal that is set to UTF-8");
  }
  return {};
}

Result<std::vector<StoredCredential>> make_credentials(std::string_view password, const PasswordCost& cost) {
  TRY(check(cost));
  TRY(check_password(password));
  if (sodium_init() < 0) return failure(Errc::io, "libsodium does not start");
  const std::string prepared = prepared_password(password);
  char hash[crypto_pwhash_argon2id_STRBYTES] = {};
  if (crypto_pwhash_argon2id_str(hash, prepared.data(), prepared.size(), cost.operations,
                                 cost.memory_kib * kib) != 0) {
    return failure(Errc::io, "no memory for a password hash of " + std::to_string(cost.memory_kib) + " KiB");
  }
  const ScramVerifier verifier =
      make_scram_verifier(prepared, random_octets(salt_size), cost.scram_iterations);
  return std::vector<StoredCredential>{{std::string(argon2id), hash},
                                       {std::string(scram_sha_256), to_string(verifier)}};
}

Result<bool> verify_password(const std::string& stored, std::string_view password) {
  const std::string prepared = prepared_password(password);
  const Result<bool> right = verify_octets(stored, prepared);
  // Rows of older versions are of the octets as they were given. Whether there are two forms depends on what
  // is guessed alone, so the time that this takes says nothing about the row.
  if (!right || *right || prepared == password) return right;
  return verify_octets(stored, password);
}

bool has_other_cost(const std::string& stored, const PasswordCost& cost) {
  return crypto_pwhash_argon2id_str_needs_rehash(stored.c_str(), cost.operations, cost.memory_kib * kib) != 0;
}

// In the form of libsodium's own, with a salt and a hash that belong to nothing.
std::string unmatchable_hash(const PasswordCost& cost) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) + ",t=" + std::to_string(cost.operations) +
         ",p=1$" + unpadded_base64(random_octets(salt_size)) + "$" + unpadded_base64(random_octets(32));
}

}  // namespace posthorn::auth

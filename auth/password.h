#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::auth {

// What one verification of a password costs, and so one guess.
struct PasswordCost {
  unsigned operations = 2;             // argon2id's passes; from 1
  std::size_t memory_kib = 19'456;     // from 8
  unsigned scram_iterations = 65'536;  // of PBKDF2 in the SCRAM verifier; from 4096 (RFC 7677 §4)
};

// Errors: malformed with words for a value that libsodium or RFC 7677 does not allow.
Result<> check(const PasswordCost& cost);

// One row of the `credential` table.
struct StoredCredential {
  std::string kind;   // "argon2id", "scram-sha-256"
  std::string value;  // "$argon2id$v=19$…"; "SCRAM-SHA-256$…" (see scram.h)
};
inline constexpr std::string_view argon2id = "argon2id";
inline constexpr std::string_view scram_sha_256 = "scram-sha-256";

inline constexpr std::size_t max_password = 1024;  // octets

// What may be a password: 1 to 1024 octets of UTF-8 (RFC 4616 §2) without control characters. Errors:
// malformed, too_large, in words.
Result<> check_password(std::string_view password);

// All rows that are kept of a password, in its prepared form (saslprep.h). Takes as long as `cost` says: on
// the pool, or in a command. Errors: those of check() and check_password(); io without memory.
Result<std::vector<StoredCredential>> make_credentials(std::string_view password, const PasswordCost& cost);

// Whether `password` is the one of an argon2id row. As slow as the row's own cost, or twice where its
// prepared form is another one. Errors: busy without the memory for it, corrupt for a row that
// make_credentials() did not make.
Result<bool> verify_password(const std::string& stored, std::string_view password);

// Whether a row was made at another cost, so that it is made anew at the next login.
bool has_other_cost(const std::string& stored, const PasswordCost& cost);

// A row that no password matches and whose verification takes as long as any of that cost.
std::string unmatchable_hash(const PasswordCost& cost);

}  // namespace posthorn::auth

#include "auth/password.h"

#include "auth/sasl.h"
#include "auth/scram.h"
#include "tests/unit/auth/temporary_accounts.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace posthorn::auth {
namespace {

using test::cheap;
using test::credentials_of;

TEST_CASE("auth: a password is kept as argon2id and as SCRAM-SHA-256 verifier") {
  const auto rows = credentials_of("correct horse");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].kind == "argon2id");
  CHECK(rows[0].value.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
  CHECK(*verify_password(rows[0].value, "correct horse"));
  CHECK_FALSE(*verify_password(rows[0].value, "correct horsf"));
  CHECK_FALSE(*verify_password(rows[0].value, ""));
  CHECK(rows[1].kind == "scram-sha-256");
  const auto verifier = parse_scram_verifier(rows[1].value);
  REQUIRE(verifier);
  CHECK(verifier->iterations == 4096);
  CHECK(verifier->salt.size() == 16);
  CHECK(make_scram_verifier("correct horse", verifier->salt, 4096).stored_key == verifier->stored_key);
  // Each has a salt of its own.
  const auto again = credentials_of("correct horse");
  CHECK(again[0].value != rows[0].value);
  CHECK(again[1].value != rows[1].value);
}

TEST_CASE("auth: the SCRAM verifier is the one of the exchange in RFC 7677 §3") {
  // The example: user "user", password "pencil", i=4096. Its ServerSignature is
  // HMAC(ServerKey, AuthMessage) and its proof is ClientKey XOR HMAC(StoredKey, AuthMessage).
  const ScramVerifier verifier =
      make_scram_verifier("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  CHECK(to_string(verifier) ==
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  const auto parsed = parse_scram_verifier(to_string(verifier));
  REQUIRE(parsed);
  CHECK(to_string(*parsed) == to_string(verifier));
}

TEST_CASE("auth: a broken SCRAM verifier is refused") {
  const std::string good = to_string(make_scram_verifier("pencil", "salt", 4096));
  REQUIRE(parse_scram_verifier(good));
  for (const std::string& text :
       {std::string(), std::string("SCRAM-SHA-256$"), "SCRAM-SHA-1" + good.substr(13), good.substr(0, 40),
        good + "x", std::string("SCRAM-SHA-256$0:c2FsdA==$a:b"), std::string("SCRAM-SHA-256$4096$c2FsdA==:a"),
        std::string("SCRAM-SHA-256$4096:$a:b"), std::string("SCRAM-SHA-256$99999999999:c2FsdA==$a:b")}) {
    CAPTURE(text);
    CHECK_FALSE(parse_scram_verifier(text));
  }
}

TEST_CASE("auth: what may be a password, and what one may cost") {
  CHECK(check_password("x"));
  CHECK(check_password(std::string(1024, 'x')));
  CHECK(check_password("p\xc3\xa4ssword with spaces"));
  CHECK(check_password(std::string(1025, 'x')).error().code == Errc::too_large);
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("a\0b", 3), std::string_view("a\n"), std::string_view("\x7f"),
        std::string_view("\t"), std::string_view("caf\xe9"), std::string_view("\xc3"),
        std::string_view("\xed\xa0\x80")}) {
    CHECK(check_password(bad).error().code == Errc::malformed);
    CHECK_FALSE(make_credentials(bad, cheap));
  }
  CHECK(check(PasswordCost{}));
  CHECK(check(cheap));
  for (const PasswordCost& cost : {PasswordCost{0, 8, 4096}, PasswordCost{1, 7, 4096},
                                   PasswordCost{1, 8, 4095}, PasswordCost{1, 5'000'000, 4096}}) {
    CHECK(check(cost).error().code == Errc::malformed);
  }
}

TEST_CASE("auth: a row that is no hash of ours fits no password") {
  const std::string good = unmatchable_hash(cheap);
  REQUIRE(verify_password(good, "x"));
  for (const std::string& bad :
       {std::string(), good.substr(1), good.substr(0, good.size() - 30), good + "!", good + "$x",
        "$argon2i" + good.substr(9),
        std::string("$argon2id$v=19$m=8,t=1,p=2") + good.substr(good.rfind("p=1") + 3),
        std::string("$argon2id$v=19$m=,t=1,p=1") + good.substr(good.rfind("p=1") + 3)}) {
    CAPTURE(bad);
    const auto verified = verify_password(bad, "x");
    CHECK((!verified && verified.error().code == Errc::corrupt) == true);
  }
}

// The address sanitizer maps memory of its own, which this takes away from it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POSTHORN_UNDER_ASAN
#endif
#endif
#ifndef POSTHORN_UNDER_ASAN
TEST_CASE("auth: want of memory is no wrong password") {
  const std::string stored = unmatchable_hash({1, 256 * 1024, 4096});
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  REQUIRE(pages > 0);
  const rlim_t room = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (64U << 20U);
  const pid_t child = fork();
  if (child == 0) {
    // Room for all but the hash.
    const rlimit limit{room, room};
    setrlimit(RLIMIT_AS, &limit);
    const Result<bool> verified = verify_password(stored, "anything");
    _exit(!verified && verified.error().code == Errc::busy ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("auth: a hash that nothing matches has the cost of the others") {
  const PasswordCost other{2, 16, 4096};
  const std::string hash = unmatchable_hash(cheap);
  // libsodium parses it, and finds the cost in it: it was not refused for its form.
  CHECK_FALSE(has_other_cost(hash, cheap));
  CHECK(has_other_cost(hash, other));
  CHECK_FALSE(*verify_password(hash, "anything"));
  CHECK_FALSE(has_other_cost(unmatchable_hash(PasswordCost{}), PasswordCost{}));
}

}  // namespace
}  // namespace posthorn::auth

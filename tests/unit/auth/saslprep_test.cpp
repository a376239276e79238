#include "auth/saslprep.h"

#include "tests/unit/auth/temporary_accounts.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

using test::cheap;

TEST_CASE("saslprep: the examples of RFC 4013 §3; what it prohibits stays as it is") {
  struct {
    std::string_view password;
    std::string_view prepared;
  } const cases[] = {
      {"I\u00adX", "IX"},
      {"user", "user"},
      {"USER", "USER"},
      {"\u00aa", "a"},
      {"\u2168", "IX"},
      {"\u0007", "\u0007"},             // a control character
      {"\u06271", "\u06271"},           // RFC 3454 §6
      {"pass\u00a0word", "pass word"},  // §2.1
      {"u\u0308ber", "\u00fcber"},      // §2.2: composed
      {"\u00fcber", "\u00fcber"},
      {"\u00ad", "\u00ad"},          // nothing would be left
      {"\U0001f600", "\U0001f600"},  // newer than Unicode 3.2
      {"\xff", "\xff"},
      {"", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.password);
    CHECK(prepared_password(c.password) == c.prepared);
    CHECK(prepared_password(prepared_password(c.password)) == c.prepared);
  }
  std::string longest;
  for (int i = 0; i < 341; ++i) longest += "\ufdfa";
  CHECK(prepared_password(longest).size() == 341 * 33);
}

TEST_CASE("saslprep: a password is right however it was composed, when it was set and when it is given") {
  const char* const forms[] = {"u\u0308ber", "\u00fcber"};
  for (const char* set : forms) {
    const auto rows = make_credentials(set, cheap);
    REQUIRE(rows);
    for (const char* given : forms) CHECK(verify_password(rows->front().value, given).value());
    CHECK_FALSE(verify_password(rows->front().value, "uber").value());
  }
}

TEST_CASE("saslprep: a hash of the octets as they were given, made by an older version, still counts") {
  // Of "u\u0308ber", at the cost of `cheap`.
  const std::string old =
      "$argon2id$v=19$m=8,t=1,p=1$/eBbBc57uGIIALQgFqLIHA$CMgTjspFMwnBJcvQbeMrfN4m7klMQwlIYCjFUY69sKc";
  CHECK(verify_password(old, "u\u0308ber").value());
  CHECK_FALSE(verify_password(old, "\u00fcber").value());
}

}  // namespace
}  // namespace posthorn::auth

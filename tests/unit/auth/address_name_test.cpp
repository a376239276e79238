#include "auth/address_name.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

TEST_CASE("auth: one mailbox has one canonical address (RFC 5321 §2.4, §4.1.2, RFC 5890)") {
  const std::pair<const char*, const char*> cases[] = {
      {"alice@example.test", "alice@example.test"},
      {"Alice@EXAMPLE.Test", "alice@example.test"},
      {"\"Alice\"@example.test", "alice@example.test"},
      {"\"al\\ice\"@example.test", "alice@example.test"},
      {"first.last+tag@example.test", "first.last+tag@example.test"},
      {"\"John Doe\"@example.test", "\"john doe\"@example.test"},
      {"\"a@b\"@example.test", "\"a@b\"@example.test"},
      {"\"a\\\"b\\\\c\"@example.test", "\"a\\\"b\\\\c\"@example.test"},
      {"!#$%&'*+-/=?^_`{|}~@example.test", "!#$%&'*+-/=?^_`{|}~@example.test"},
      {"user@b\xc3\xbc"
       "cher.example",
       "user@xn--bcher-kva.example"},
      {"user@B\xc3\x9c"
       "cher.Example",
       "user@xn--bcher-kva.example"},
      {"user@XN--BCHER-KVA.example", "user@xn--bcher-kva.example"},
      {"J\xc3\x96RG@example.test", "j\xc3\xb6rg@example.test"},
      {"jo\xcc\x88rg@example.test", "j\xc3\xb6rg@example.test"},  // NFD
      {"user@localhost", "user@localhost"},
      {"user@[192.0.2.1]", "user@[192.0.2.1]"},
      {"user@[IPv6:2001:DB8::1]", "user@[ipv6:2001:db8::1]"},
  };
  for (const auto& [given, canonical] : cases) {
    CAPTURE(given);
    const auto name = parse_address(given);
    REQUIRE(name);
    CHECK(to_string(*name) == canonical);
    const auto again = parse_address(to_string(*name));
    REQUIRE(again);
    CHECK((*again == *name));
  }
}

TEST_CASE("auth: what is no address (RFC 5321 §4.1.2, §4.5.3.1)") {
  const std::string long_label(64, 'a');
  const std::string cases[] = {
      "",
      "alice",
      "@example.test",
      "alice@",
      ".alice@example.test",
      "alice.@example.test",
      "al..ice@example.test",
      "al ice@example.test",
      "<alice@example.test>",
      "\"alice@example.test",
      "\"a\"b\"@example.test",
      "\"\"@example.test",
      "\"a\\\"@example.test",
      "alice@example..test",
      "alice@.example.test",
      "alice@example.test.",
      "alice@-example.test",
      "alice@example-.test",
      "alice@exa_mple.test",
      "alice@exam ple.test",
      "alice@" + long_label + ".test",
      "alice@" + std::string(250, 'a') + ".test",
      std::string(65, 'a') + "@example.test",
      std::string(65, 'a') + "+tag@example.test",
      "user+" + std::string(252, 'a') + "@example.test",
      "alice@[192.0.2.1",
      "alice@[]",
      "\xff@example.test",
      "alice@\xff.test",
      std::string("al\0ice@example.test", 19),
      "al\rice@example.test",
      "\"al\nice\"@example.test",
      std::string("alice@exam\0ple.test", 19),
  };
  for (const std::string& text : cases) {
    CAPTURE(text);
    const auto name = parse_address(text);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == Errc::malformed);
  }
  CHECK(parse_address(std::string(64, 'a') + "@" + std::string(63, 'b') + ".test"));
  // A tag is no part of the name that §4.5.3.1.1 measures.
  CHECK(parse_address(std::string(64, 'a') + "+tag@example.test"));
  CHECK(parse_address("user+" + std::string(251, 'a') + "@example.test"));
}

TEST_CASE("auth: a subaddress belongs to the user before the tag (RFC 5233)") {
  CHECK(without_tag("user+tag") == "user");
  CHECK(without_tag("user+a+b") == "user");
  CHECK(without_tag("user+") == "user");
  CHECK(without_tag("user") == "user");
  CHECK(without_tag("+user") == "+user");
}

TEST_CASE("auth: what an account may be called") {
  CHECK(can_be_made({"first.last", "example.test"}));
  CHECK(can_be_made({"j\xc3\xb6rg", "example.test"}));
  CHECK_FALSE(can_be_made({"user+tag", "example.test"}));
  CHECK_FALSE(can_be_made({"john doe", "example.test"}));
  CHECK_FALSE(can_be_made({"user", "[192.0.2.1]"}));
}

}  // namespace
}  // namespace posthorn::auth

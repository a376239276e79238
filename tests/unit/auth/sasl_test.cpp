#include "auth/sasl.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

using namespace std::string_literals;

std::unique_ptr<SaslExchange> exchange(std::string_view name) {
  auto started = start_exchange(name);
  REQUIRE(started);
  return *std::move(started);
}

std::string challenge(Result<SaslStep> step) {
  REQUIRE(step);
  REQUIRE(std::holds_alternative<Challenge>(*step));
  return std::get<Challenge>(*step).text;
}

Credentials credentials(Result<SaslStep> step) {
  REQUIRE(step);
  REQUIRE(std::holds_alternative<Credentials>(*step));
  return std::get<Credentials>(*step);
}

TEST_CASE("sasl: PLAIN, with the examples of RFC 4616 §4") {
  const auto plain = exchange("PLAIN");
  CHECK(plain->client_first());
  const Credentials tim = credentials(plain->step("\0tim\0tanstaaftanstaaf"s));
  CHECK(tim.authorisation_identity == "");
  CHECK(tim.user == "tim");
  CHECK(tim.password == "tanstaaftanstaaf");
  CHECK(tim.mechanism == "PLAIN");
  const Credentials kurt = credentials(exchange("plain")->step("Ursel\0Kurt\0xipj3plmq"s));
  CHECK(kurt.authorisation_identity == "Ursel");
  CHECK(kurt.user == "Kurt");
  CHECK(kurt.password == "xipj3plmq");
}

TEST_CASE("sasl: broken PLAIN messages") {
  for (const std::string& message : {""s, "tim"s, "\0tim"s, "\0\0password"s, "\0tim\0"s, "\0tim\0pass\0word"s,
                                     "\0\0"s, "\0tim\0"s + std::string(5000, 'x')}) {
    CAPTURE(message);
    CHECK(exchange("PLAIN")->step(message).error().code == Errc::malformed);
  }
}

TEST_CASE("sasl: LOGIN asks for name and password (draft-murchison-sasl-login-00)") {
  const auto login = exchange("LOGIN");
  CHECK_FALSE(login->client_first());
  CHECK(challenge(login->step("")) == "Username:");
  CHECK(challenge(login->step("tim")) == "Password:");
  const Credentials tim = credentials(login->step("tanstaaftanstaaf"));
  CHECK(tim.authorisation_identity == "");
  CHECK(tim.user == "tim");
  CHECK(tim.password == "tanstaaftanstaaf");
  CHECK(tim.mechanism == "LOGIN");
}

TEST_CASE("sasl: LOGIN takes the name as an initial response") {
  const auto login = exchange("LOGIN");
  CHECK(challenge(login->step("tim")) == "Password:");
  CHECK(credentials(login->step("secret")).user == "tim");
}

TEST_CASE("sasl: broken LOGIN messages") {
  const auto no_name = exchange("LOGIN");
  CHECK(challenge(no_name->step("")) == "Username:");
  CHECK(no_name->step("").error().code == Errc::malformed);
  const auto no_password = exchange("LOGIN");
  CHECK(challenge(no_password->step("tim")) == "Password:");
  CHECK(no_password->step("").error().code == Errc::malformed);
  CHECK_FALSE(exchange("LOGIN")->step("a\0b"s));
  CHECK_FALSE(exchange("LOGIN")->step(std::string(5000, 'x')));
}

TEST_CASE("sasl: unknown mechanisms") {
  for (const char* name : {"", "CRAM-MD5", "PLAIN2", "PLAI", "ANONYMOUS"}) {
    CHECK(start_exchange(name).error().code == Errc::unavailable);
  }
}

TEST_CASE("sasl: base64, with the vectors of RFC 4648 §10") {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : cases) {
    CHECK(encode_base64(bytes) == text);
    const auto decoded = decode_base64(text);
    REQUIRE(decoded);
    CHECK(*decoded == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(*decode_base64(encode_base64(all)) == all);
}

TEST_CASE("sasl: only strict base64 (RFC 4648 §3.1 to §3.5)") {
  for (const char* text : {"=",     "Z",        "Zg",         "Zg=",  "Zg===", "Zg==Zg==", "Zm9v ",
                           " Zm9v", "Zm\r\n9v", "Zm9v=",      "Zh==", "Zm9=",  "Zm-_",     "Zm9v\n",
                           "*",     "====",     "g\xff\xffg", "=AAA", "A=AA",  "Zg=A"}) {
    CAPTURE(text);
    CHECK(decode_base64(text).error().code == Errc::malformed);
  }
}

}  // namespace
}  // namespace posthorn::auth

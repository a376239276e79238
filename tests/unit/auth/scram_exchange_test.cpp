#include "auth/scram_exchange.h"

#include "auth/sasl.h"
#include "base/bound_channel.h"
#include "tests/unit/auth/scram_client.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

using Variant = ScramExchange::Variant;

struct Channel final : BoundChannel {
  std::string channel_binding(std::string_view type) const override {
    return type == "tls-exporter" ? "exported octets" : "";
  }
};

const std::string salt = *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==");

ScramVerifier pencil() { return make_scram_verifier("pencil", salt, 4096); }

ScramExchange begun(Variant variant, std::string_view message) {
  auto exchange = ScramExchange::begin(variant, message);
  REQUIRE(exchange);
  return *std::move(exchange);
}

TEST_CASE("scram: the exchange of RFC 7677 §3") {
  auto exchange = begun(Variant::plain, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  CHECK(exchange.user() == "user");
  CHECK(exchange.mechanism() == "SCRAM-SHA-256");
  REQUIRE(exchange.bind(nullptr));
  CHECK(exchange.server_first(pencil(), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0") ==
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto outcome = exchange.server_final(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  REQUIRE(outcome);
  CHECK(outcome->right);
  CHECK(outcome->last_words == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("scram: a wrong proof, and one of another message, prove nothing and get no signature") {
  for (const char* proof : {"p=AHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                            "t=1,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                            "p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) {
    auto exchange = begun(Variant::plain, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    exchange.server_first(pencil(), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    const auto outcome = exchange.server_final(
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," + std::string(proof));
    REQUIRE(outcome);
    CHECK_FALSE(outcome->right);
    CHECK(outcome->last_words.empty());
  }
}

TEST_CASE("scram: another nonce than the one that was given is refused (RFC 5802 §5.1)") {
  for (const char* nonce : {"client", "clientserve", "clientserver1", "server"}) {
    test::ScramClient client{.password = "pencil"};
    auto exchange = begun(Variant::plain, client.first("user", "client"));
    const std::string first = exchange.server_first(pencil(), "server");
    const auto outcome = exchange.server_final(client.final(first, nonce));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == Errc::malformed);
  }
}

TEST_CASE("scram: channel binding (RFC 5802 §6)") {
  const Channel channel;
  struct Case {
    Variant variant;
    const char* header;
    const BoundChannel* channel;
    bool accepted;
  };
  for (const Case& c : {
           Case{Variant::plain, "n,,", nullptr, true},
           Case{Variant::plain, "n,,", &channel, true},
           Case{Variant::plain, "y,,", nullptr, true},
           Case{Variant::plain, "y,,", &channel, false},  // it was hidden from the client
           Case{Variant::plain, "p=tls-exporter,,", &channel, false},
           Case{Variant::plus, "p=tls-exporter,,", &channel, true},
           Case{Variant::plus, "p=tls-exporter,,", nullptr, false},
           Case{Variant::plus, "p=tls-unique,,", &channel, false},
           Case{Variant::plus, "n,,", &channel, false},
           Case{Variant::plus, "y,,", &channel, false},
       }) {
    CAPTURE(c.header);
    auto exchange = begun(c.variant, std::string(c.header) + "n=user,r=x");
    const auto bound = exchange.bind(c.channel);
    CHECK(bound.has_value() == c.accepted);
    if (!bound) CHECK(bound.error().code == Errc::denied);
  }
}

TEST_CASE("scram: a proof counts for the channel that it was made for, and its header, alone (RFC 5802 §6)") {
  struct Case {
    const char* header;
    const char* said;  // in c=
    bool accepted;
  };
  for (const Case& c :
       {Case{"p=tls-exporter,,", "p=tls-exporter,,exported octets", true},
        Case{"p=tls-exporter,,", "p=tls-exporter,,octets of another", false},
        Case{"p=tls-exporter,,", "p=tls-exporter,,", false}, Case{"p=tls-exporter,,", "n,,", false},
        Case{"n,,", "n,,exported octets", false}, Case{"n,,", "y,,", false}, Case{"n,a=user,", "n,,", false},
        Case{"n,a=user,", "n,a=user,", true}}) {
    CAPTURE(c.said);
    const Channel channel;
    test::ScramClient client{.password = "pencil", .header = c.header, .binding = c.said};
    auto exchange = begun(std::string_view(c.header).starts_with("p") ? Variant::plus : Variant::plain,
                          client.first("user", "client"));
    REQUIRE(exchange.bind(&channel));
    const auto outcome = exchange.server_final(client.final(exchange.server_first(pencil(), "server")));
    CHECK(outcome.has_value() == c.accepted);
    if (outcome) {
      CHECK(outcome->right);
      CHECK(client.is_signature(outcome->last_words));
    } else {
      CHECK(outcome.error().code == Errc::denied);
    }
  }
}

}  // namespace
}  // namespace posthorn::auth

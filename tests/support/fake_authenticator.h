#pragma once

#include "auth/authenticator.h"
#include "auth/scram_exchange.h"
#include "tests/support/memory_stream.h"

#include <optional>
#include <string>
#include <utility>

namespace posthorn::testing {

// Knows alice@example.test with one password, and keeps what it was asked.
class FakeAuthenticator final : public auth::Authenticator {
 public:
  std::string password = "secret";
  bool plaintext = true;         // whether passwords may be sent without TLS
  std::optional<Error> failure;  // what every login meets
  MemoryPeer* peer = nullptr;    // whose turn() a login takes
  std::optional<auth::Service> service;
  std::optional<auth::Credentials> asked;

  bool plaintext_allowed(const Connection& connection) const override {
    return plaintext || connection.tls().active();
  }

  Task<Result<auth::Login>> login(Connection&, auth::Service its_service,
                                  auth::Credentials credentials) override {
    if (peer != nullptr) co_await peer->turn();
    service = its_service;
    asked = std::move(credentials);
    if (failure) co_return std::unexpected(*failure);
    if (asked->user != "alice@example.test" || asked->password != password) {
      co_return posthorn::failure(Errc::denied, "wrong password");
    }
    co_return auth::Login{"alice@example.test", nullptr};
  }

  // The server of RFC 7677 §3, to which alice is "user" with the password "pencil".
  Task<Result<auth::Login>> login(Connection&, auth::Service its_service, auth::ScramExchange& exchange,
                                  auth::SaslChannel& channel) override {
    service = its_service;
    if (failure) co_return std::unexpected(*failure);
    const Result<> bound = exchange.bind(nullptr);
    if (!bound) co_return std::unexpected(bound.error());
    // The salt "W22ZaJ0SNY7soEsUEjb6gQ==".
    const std::string salt = "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";
    auto verifier = auth::make_scram_verifier("pencil", salt, 4096);
    auto answer =
        co_await channel.ask(exchange.server_first(std::move(verifier), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"));
    if (!answer) co_return std::unexpected(answer.error());
    const auto outcome = exchange.server_final(*answer);
    if (!outcome) co_return std::unexpected(outcome.error());
    if (!outcome->right || exchange.user() != "user") {
      co_return posthorn::failure(Errc::denied, "wrong password");
    }
    answer = co_await channel.ask(outcome->last_words);
    if (!answer) co_return std::unexpected(answer.error());
    if (!answer->empty()) co_return malformed("SCRAM: more than an empty answer");
    co_return auth::Login{"alice@example.test", nullptr};
  }
};

}  // namespace posthorn::testing

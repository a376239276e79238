#pragma once

#include "auth/authenticator.h"
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
};

}  // namespace posthorn::testing

#pragma once

#include "auth/address_name.h"
#include "auth/password_authenticator.h"

#include <sodium.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace posthorn::auth {

// One login on its way.
struct PasswordAuthenticator::Attempt {
  Attempt(const Peer& peer, Service from, Credentials given)
      : address(peer.address), trusted(peer.trusted), service(from), credentials(std::move(given)) {
    if (auto name = parse_address(credentials.user)) account = *std::move(name);
    user = account ? to_string(*account) : credentials.user;
    // Trusted peers have a queue of their own.
    network = trusted ? "trusted " + address : network_of(address);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { sodium_memzero(credentials.password.data(), credentials.password.size()); }

  std::string address;
  std::string network;
  bool trusted;
  Service service;
  Credentials credentials;                 // in place of a password, a SCRAM proof
  std::string_view credential = argon2id;  // the row that it is held against
  std::optional<AddressName> account;      // what was named, if it can be an account
  std::string user;                        // its canonical form, or what was sent

  // For the log. What is no address may be a password that was typed into the wrong field.
  std::string shown_user() const { return account ? user : "(no address)"; }
};

}  // namespace posthorn::auth

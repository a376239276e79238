#pragma once

#include "protocols/imap/session.h"
#include "protocols/pop3/session.h"
#include "protocols/smtp/session.h"
#include "server/config.h"
#include "server/reception.h"

#include <functional>
#include <memory>

namespace posthorn::server {

// Makes the session that each port asks for, with the settings of the moment.
class Sessions {
 public:
  // What sessions stand on. All of it outlives them.
  struct Rooms {
    smtp::Acceptor& acceptor;
    auth::Authenticator& authenticator;
    storage::Store& store;
    Clock& clock;
    std::function<const tls::Context*()> tls;  // null: without TLS
  };

  Sessions(Rooms rooms, const Settings& settings) : rooms_(std::move(rooms)) { configure(settings); }

  // For sessions from now on.
  void configure(const Settings& settings);
  std::unique_ptr<Dialogue> make(Connection& connection, const Endpoint& endpoint) const;

 private:
  std::function<Task<void>(Connection&)> start_tls(tls::Protocol protocol) const;

  Rooms rooms_;
  std::shared_ptr<const smtp::Settings> smtp_;
  std::shared_ptr<const pop3::Settings> pop3_;
  imap::Settings imap_;
  Milliseconds handshake_{30'000};
};

}  // namespace posthorn::server

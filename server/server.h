#pragma once

#include "auth/account_directory.h"
#include "auth/password_authenticator.h"
#include "base/bug.h"
#include "base/loop.h"
#include "delivery/local_delivery.h"
#include "server/administration.h"
#include "server/config.h"
#include "server/control_server.h"
#include "server/data.h"
#include "server/listening_socket.h"
#include "server/reception.h"
#include "server/sessions.h"
#include "tls/context.h"

#include <memory>
#include <vector>

namespace posthorn::server {

// All rooms of the house joined, from the first connection to the last.
class Server {
 public:
  // `tls` is null without certificates.
  Server(Loop& loop, Log& log, Data& data, std::shared_ptr<const Settings> settings,
         std::unique_ptr<tls::Context> tls, std::size_t descriptors);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens for business. Errors: io when the control socket cannot be made.
  Result<> open(std::vector<ListeningSocket> sockets);

  // Reads configuration and certificates again (SIGHUP); what is wrong with them is logged, and the former
  // stay in force.
  void reload();

  // Takes its leave of all clients, within the grace time, and closes the data. `done` is called at the end;
  // then nothing of this is left on the loop. Call it once.
  void stop(std::function<void()> done);

 private:
  Task<void> shut_down(std::function<void()> done);
  Task<void> take_leave();
  void reload_certificates(const Settings& settings);
  void log_certificates();
  void watch_certificates();
  Reception::Settings reception_settings() const;

  Loop& loop_;
  Log& log_;
  Data& data_;
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<const Settings> started_with_;
  std::vector<std::string> unix_sockets_;  // the paths that go with the server
  std::unique_ptr<tls::Context> tls_;
  std::size_t descriptors_;
  auth::PasswordAuthenticator authenticator_;
  auth::AccountDirectory directory_;
  delivery::FreeSpace free_space_;
  delivery::LocalDelivery delivery_;
  Sessions sessions_;
  Reception reception_;
  Administration administration_;
  std::unique_ptr<ControlServer> control_;
  Timer daily_{loop_, [this] { watch_certificates(); }};
  TaskGroup background_{logs_bugs(log_, "background")};
  TaskGroup shutting_down_{logs_bugs(log_, "stop")};
};

}  // namespace posthorn::server

#pragma once

#include "auth/authenticator.h"
#include "base/connection.h"
#include "base/task.h"
#include "protocols/pop3/grammar.h"
#include "protocols/pop3/maildrop.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::pop3 {

struct Settings {
  std::string hostname;
  std::size_t command_line = 1024;                   // octets; RFC 2449 §4: at least 255
  std::size_t auth_line = 12288;                     // octets of PASS, AUTH and an answer to a challenge
  unsigned errors = 20;                              // refused commands a session
  unsigned failed_logins = 3;                        // a session
  unsigned commands_before_login = 100;              // a session
  Milliseconds login_time{600'000};                  // from the greeting to the login
  Timeouts timeouts{.idle = Milliseconds(600'000)};  // RFC 1939 §3: at least 10 minutes
};

// What sessions work with. All of it outlives them.
struct Services {
  std::shared_ptr<const Settings> settings;
  storage::Store& store;
  auth::Authenticator& authenticator;
  // Puts TLS over a connection, as tls::start does; throws ConnectionClosed. Empty: STLS is not offered.
  std::function<Task<void>(Connection&)> start_tls;
};

// One POP3 connection, from greeting to end.
class Session {
 public:
  Session(Connection& connection, const Services& services);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The dialogue. Never throws; the connection is closed after it.
  Task<void> run();

  // The server is about to end: the session ends after the present command, unless messages are marked as
  // deleted, so that their QUIT may still come. From the loop thread.
  void stop();

 private:
  Task<void> serve();
  Task<void> take_line(const Connection::Line& line);

  Task<void> on(const User& user);
  Task<void> on(const Pass& pass);
  Task<void> on(const Auth& auth);
  Task<void> on(const Stat& stat);
  Task<void> on(const List& list);
  Task<void> on(const Retr& retr);
  Task<void> on(const Dele& dele);
  Task<void> on(const Noop& noop);
  Task<void> on(const Rset& rset);
  Task<void> on(const Quit& quit);
  Task<void> on(const Top& top);
  Task<void> on(const Uidl& uidl);
  Task<void> on(const Capa& capa);
  Task<void> on(const Stls& stls);

  // The message for a command of the TRANSACTION state, or null: then the refusal was said.
  const storage::Message* find(Number number);
  Task<void> send_message(Number number, storage::Message message, std::optional<Number> top_lines);
  template <class Value>
  Task<void> send_listing(std::optional<Number> number, std::string heading, Value value);

  // session_login.cpp
  bool offers_stls() const;
  class SaslLines;
  Task<void> enter(Result<auth::Login> login);

  void ok(std::string_view text);
  void refuse(std::string_view text);
  void end_at_limit(std::string_view limit);
  std::string totals() const;

  Connection& connection_;
  Services services_;

  std::optional<std::string> user_;  // from USER, until PASS
  std::optional<auth::Login> login_;
  std::unique_ptr<Maildrop> maildrop_;  // in the TRANSACTION state

  Timer login_deadline_;
  unsigned commands_before_login_ = 0;
  bool stopping_ = false;
  bool ending_ = false;
  unsigned errors_ = 0;
  unsigned failed_logins_ = 0;
  std::uint64_t retrieved_ = 0;
};

}  // namespace posthorn::pop3

#pragma once

#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/connection.h"
#include "base/task.h"
#include "protocols/smtp/acceptor.h"
#include "protocols/smtp/grammar.h"
#include "protocols/smtp/reply.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::smtp {

// Whom a port serves.
enum class Role {
  mx,           // port 25: mail from other servers, for local recipients only
  submission,   // port 587 (RFC 6409): mail from our users, after AUTH
  submissions,  // port 465 (RFC 8314): the same, with TLS from the start
};

struct Settings {
  std::string hostname;                       // what the server calls itself; an A-label
  std::uint64_t message_size = 64ULL << 20U;  // octets, announced by SIZE; RFC 5321 §4.5.3.1.7: at least 64 K
  std::uint64_t discard_size = 256ULL
                               << 20U;       // octets that a message may go beyond it before the line is cut
  std::size_t recipients = 1000;             // a message; RFC 5321 §4.5.3.1.8: at least 100
  std::size_t command_line = 2048;           // octets; RFC 5321 §4.5.3.1.4: at least 512
  std::size_t auth_line = 12288;             // octets; RFC 4954 §4
  std::size_t hops = 100;                    // Received fields; RFC 5321 §6.3: at least 100
  unsigned errors = 20;                      // refused commands a session
  unsigned refused_recipients = 100;         // a session
  unsigned failed_logins = 3;                // a session
  unsigned commands_between_messages = 200;  // RCPT not counted
  Timeouts timeouts;                         // RFC 5321 §4.5.3.2.7: idle at least 5 minutes
  Milliseconds message_time{7'200'000};      // the whole of DATA
};

// What sessions work with. All of it outlives them.
struct Services {
  std::shared_ptr<const Settings> settings;
  Acceptor& acceptor;
  auth::Authenticator& authenticator;
  Clock& clock;
  // Puts TLS over a connection, as tls::start does; throws ConnectionClosed. Empty: STARTTLS is not offered.
  std::function<Task<void>(Connection&)> start_tls;
};

// One SMTP connection, from greeting to end.
class Session {
 public:
  Session(Connection& connection, const Services& services, Role role);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The dialogue. Never throws; the connection is closed after it.
  Task<void> run();

  // The server is about to end: a session between transactions says 421 now, another one after its
  // transaction (RFC 5321 §3.8). From the loop thread.
  void stop();

 private:
  Task<void> serve();
  Reply shutting_down() const;
  Task<Connection::Line> read_line();
  Task<void> take_line(const Connection::Line& line);
  void pass_over(const Connection::Line& rest);
  // Why a line can't even be looked at.
  std::optional<Reply> unreadable(const Connection::Line& line) const;
  Task<void> refuse(const Connection::Line& line, Reply reply);

  Task<Reply> on(const Ehlo& ehlo);
  Task<Reply> on(const Helo& helo);
  Task<Reply> on(const Mail& mail);
  Task<Reply> on(const Rcpt& rcpt);
  Task<Reply> on(const Data& data);
  Task<Reply> on(const Rset& rset);
  Task<Reply> on(const Noop& noop);
  Task<Reply> on(const Quit& quit);
  Task<Reply> on(const StartTls& start_tls);
  Task<Reply> on(const Vrfy& vrfy);
  Task<Reply> on(const Expn& expn);
  Task<Reply> on(const Help& help);
  Task<Reply> on(const Auth& auth);
  Task<Reply> on(const Obsolete& obsolete);

  // session_mail.cpp
  Task<std::optional<Reply>> receive(const Envelope& envelope, storage::Spool& spool);
  Reply add(Recipient recipient);
  Reply no_room(std::string_view command, const Envelope& envelope, const Error& error);
  Reply not_admitted(const Error& error) const;
  std::string trace_fields(const Envelope& envelope) const;
  void log_accepted(const Envelope& envelope, std::uint64_t size);
  void log_refused(std::string_view command, const Reply& reply, const Envelope& envelope,
                   std::string_view detail);

  // session_login.cpp
  bool offers_start_tls() const;
  std::vector<std::string_view> offered_mechanisms() const;
  Task<void> start_tls();
  std::optional<Reply> login_missing() const;
  class SaslLines;

  void send(const Reply& reply) { print(reply, connection_.output()); }
  void end(const Reply& reply);
  void count(const Command& command, const Reply& reply);
  void end_beyond_limits();
  void end_at_limit(std::string_view limit);

  Connection& connection_;
  Services services_;
  Role role_;

  std::string helo_;  // empty before EHLO or HELO
  bool esmtp_ = false;
  std::optional<auth::Login> login_;
  std::optional<Envelope> transaction_;  // from MAIL on
  std::size_t named_ = 0;                // recipients of the transaction, each RCPT that was taken

  bool stopping_ = false;
  bool ending_ = false;
  bool tls_is_next_ = false;  // once the reply is out
  unsigned messages_ = 0;
  unsigned errors_ = 0;
  std::optional<Timer> broken_line_;  // runs from a bare LF to the next CR LF
  unsigned refused_recipients_ = 0;
  std::size_t postponed_recipients_ = 0;
  unsigned failed_logins_ = 0;
  unsigned commands_since_message_ = 0;
  unsigned refusals_logged_ = 0;
};

}  // namespace posthorn::smtp

// Who the client is: USER and PASS (RFC 1939 §7), AUTH (RFC 5034), STLS (RFC 2595 §4).
#include "auth/sasl.h"
#include "protocols/pop3/reply.h"
#include "protocols/pop3/session.h"

#include <utility>

namespace posthorn::pop3 {

// The messages of a mechanism as lines (RFC 5034 §4).
class Session::SaslLines final : public auth::SaslChannel {
 public:
  explicit SaslLines(Session& session) : session_(session) {}

  Task<Result<std::string>> ask(std::string challenge) override {
    Connection& connection = session_.connection_;
    connection.queue("+ " + auth::encode_base64(challenge) + "\r\n");
    do {
      if (session_.stopping_) {
        session_.ending_ = true;
        co_return end(shutting_down);
      }
    } while (!co_await connection.wait_for_input());
    const Connection::Line line = co_await connection.read_line(session_.services_.settings->auth_line);
    if (line.too_long) co_return end("Line too long");
    if (line.bare_lf) co_return end("Lines end with CR LF");
    if (line.text == "*") co_return end("Authentication cancelled");
    auto message = auth::decode_base64(line.text);
    if (!message) co_return end("Cannot decode base64");
    co_return message;
  }
  // Why there was no answer; empty while there were.
  std::string_view refusal() const { return refusal_; }

 private:
  std::unexpected<Error> end(std::string_view refusal) {
    refusal_ = refusal;
    return malformed(std::string(refusal));
  }

  Session& session_;
  std::string_view refusal_;
};

bool Session::offers_stls() const { return services_.start_tls && !connection_.tls().active(); }

// Any name is accepted: which ones exist is not for strangers.
Task<void> Session::on(const User& user) {
  if (services_.authenticator.plaintext_allowed(connection_)) {
    user_ = user.name;
    ok("Password, please");
  } else {
    refuse("STLS first");
  }
  co_return;
}

Task<void> Session::on(const Pass& pass) {
  auto user = std::exchange(user_, std::nullopt);
  if (!user) {
    refuse("USER first");
    co_return;
  }
  auto login = co_await services_.authenticator.login(
      connection_, auth::Service::pop3, auth::Credentials{"", *std::move(user), pass.password, ""});
  co_await enter(std::move(login));
}

Task<void> Session::on(const Auth& auth) {
  user_.reset();
  if (auth.mechanism.empty()) {
    ok("Mechanisms follow");
    for (const auto name : auth::offered_mechanisms(services_.authenticator, connection_)) {
      connection_.output().append(name).append("\r\n");
    }
    connection_.queue(".\r\n");
    co_return;
  }
  if (!auth::is_offered(services_.authenticator, connection_, auth.mechanism)) {
    refuse("Authentication mechanism not offered");
    co_return;
  }
  std::optional<std::string> initial;
  if (auth.initial_response) {
    auto decoded = auth::decode_initial_response(*auth.initial_response);
    if (!decoded) {
      refuse("Cannot decode base64");
      co_return;
    }
    initial = *std::move(decoded);
  }
  SaslLines lines(*this);
  auto login = co_await auth::authenticate(services_.authenticator, connection_, auth::Service::pop3,
                                           auth.mechanism, std::move(initial), lines);
  if (!lines.refusal().empty()) {
    refuse(lines.refusal());
  } else if (!login && login.error().code == Errc::malformed) {
    refuse("Message not understood");
  } else {
    co_await enter(std::move(login));
  }
}

// RFC 1939 §4: logged in is who also holds the maildrop.
Task<void> Session::enter(Result<auth::Login> login) {
  if (!login) {
    ++failed_logins_;
    // [IN-USE] is the maildrop's lock alone (RFC 2449 §8.1.2).
    refuse(login.error().code == Errc::in_use ? "[SYS/TEMP] Too many connections of this account"
                                              : reply_to(login.error()));
    co_return;
  }
  auto maildrop = co_await Maildrop::open(services_.store, login->address);
  if (!maildrop) {
    connection_.log(LogLevel::info, "pop3.maildrop_refused",
                    {{"login", login->address}, {"detail", maildrop.error().detail}});
    refuse(reply_to(maildrop.error()));
    co_return;
  }
  login_deadline_.stop();
  login_ = *std::move(login);
  maildrop_ = *std::move(maildrop);
  ok("Maildrop has " + totals());
}

// What was sent in plaintext after the command is thrown away, and so is a USER before it (RFC 2595 §4).
Task<void> Session::on(const Stls&) {
  if (connection_.tls().active()) {
    refuse("TLS is active already");
    co_return;
  }
  if (!services_.start_tls) {
    refuse("STLS is not offered");
    co_return;
  }
  if (!connection_.buffered().empty()) {
    connection_.log(LogLevel::info, "pop3.plaintext_discarded", {{"address", connection_.peer().address}});
  }
  ok("Begin TLS negotiation");
  co_await services_.start_tls(connection_);
  user_.reset();
}

}  // namespace posthorn::pop3

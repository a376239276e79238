// Who the client is: STARTTLS (RFC 3207) and AUTH (RFC 4954).
#include "auth/sasl.h"
#include "message/header.h"
#include "protocols/smtp/session.h"

#include <utility>
#include <variant>

namespace posthorn::smtp {

bool Session::offers_start_tls() const { return services_.start_tls && !connection_.tls().active(); }

std::vector<std::string_view> Session::offered_mechanisms() const {
  if (role_ == Role::mx) return {};
  return auth::offered_mechanisms(services_.authenticator, connection_);
}

// RFC 6409 §4.3, RFC 4954 §6: what a client of submission may not do yet.
std::optional<Reply> Session::login_missing() const {
  if (role_ == Role::mx || login_) return std::nullopt;
  if (offers_start_tls() && offered_mechanisms().empty()) {
    return Reply(530, "5.7.0 Must issue a STARTTLS command first");
  }
  return Reply(530, "5.7.0 Authentication required");
}

// RFC 3207 §4.
Task<Reply> Session::on(const StartTls&) {
  if (connection_.tls().active()) co_return Reply(503, "5.5.1 TLS is active already");
  if (!services_.start_tls) co_return Reply(502, "5.5.1 STARTTLS is not offered");
  if (login_) co_return Reply(503, "5.5.1 STARTTLS comes before AUTH");
  tls_is_next_ = true;
  co_return Reply(220, "2.0.0 Ready to start TLS");
}

// What was sent in plaintext after the command is thrown away, and the session forgets what it learned before
// (RFC 3207 §4.2).
Task<void> Session::start_tls() {
  if (!connection_.buffered().empty()) {
    connection_.log(LogLevel::info, "smtp.plaintext_discarded", {{"address", connection_.peer().address}});
  }
  co_await services_.start_tls(connection_);
  helo_.clear();
  esmtp_ = false;
  transaction_.reset();
  end_beyond_limits();
}

// RFC 4954 §4.
Task<Reply> Session::on(const Auth& auth) {
  if (role_ == Role::mx) co_return Reply(502, "5.5.1 AUTH is not offered on this port");
  if (!esmtp_) co_return Reply(503, "5.5.1 Say EHLO first");
  if (login_) co_return Reply(503, "5.5.1 Already authenticated");
  if (transaction_) co_return Reply(503, "5.5.1 AUTH is not allowed in a transaction");

  auto given = co_await credentials(auth);
  if (!given) co_return given.error();
  auto login = co_await services_.authenticator.login(connection_, auth::Service::smtp, *std::move(given));
  if (login) {
    login_ = *std::move(login);
    co_return Reply(235, "2.7.0 Authentication succeeded");
  }
  ++failed_logins_;
  switch (login.error().code) {
    case Errc::denied: co_return Reply(535, "5.7.8 Authentication credentials invalid");
    case Errc::not_allowed: co_return Reply(530, "5.7.0 Must issue a STARTTLS command first");
    case Errc::in_use: co_return Reply(454, "4.7.0 Too many connections of this account");
    default: co_return Reply(454, "4.7.0 Temporary authentication failure");
  }
}

// The exchange of the mechanism, to its end.
Task<std::expected<auth::Credentials, Reply>> Session::credentials(const Auth& auth) {
  const auto refused = [](int code, const char* text) { return std::unexpected(Reply(code, text)); };
  const auto offered = offered_mechanisms();
  if (offered.empty() && offers_start_tls()) co_return std::unexpected(*login_missing());
  bool known = false;
  for (const auto name : offered) known = known || message::equal_ignoring_case(name, auth.mechanism);
  auto exchange = auth::start_exchange(auth.mechanism);
  if (!known || !exchange) co_return refused(504, "5.5.4 Authentication mechanism not offered");

  std::string message;
  if (auth.initial_response) {
    // Where the server speaks first, the exchange refuses it, or takes it as LOGIN does: many clients send
    // it.
    auto decoded = auth::decode_base64(*auth.initial_response == "=" ? "" : *auth.initial_response);
    if (!decoded) co_return refused(501, "5.5.2 Cannot decode base64");
    message = *std::move(decoded);
  } else if ((*exchange)->client_first()) {
    auto answer = co_await ask("");
    if (!answer) co_return std::unexpected(answer.error());
    message = *std::move(answer);
  }
  while (true) {
    auto step = (*exchange)->step(message);
    if (!step) co_return refused(501, "5.5.2 Message not understood");
    if (auto* done = std::get_if<auth::Credentials>(&*step)) co_return std::move(*done);
    auto answer = co_await ask(std::get<auth::Challenge>(*step).text);
    if (!answer) co_return std::unexpected(answer.error());
    message = *std::move(answer);
  }
}

// Sends a challenge and gives the client's answer, decoded; or the reply that ends the exchange.
Task<std::expected<std::string, Reply>> Session::ask(std::string_view challenge) {
  send(Reply(334, auth::encode_base64(challenge)));
  do {
    if (stopping_) {
      ending_ = true;
      co_return std::unexpected(shutting_down());
    }
  } while (!co_await connection_.wait_for_input());
  const Connection::Line line = co_await read_line();
  if (line.too_long) co_return std::unexpected(Reply(500, "5.5.6 Authentication exchange line is too long"));
  if (line.bare_lf) co_return std::unexpected(Reply(500, "5.5.2 Lines end with CR LF"));
  if (line.text == "*") co_return std::unexpected(Reply(501, "5.7.0 Authentication cancelled"));
  auto decoded = auth::decode_base64(line.text);
  if (!decoded) co_return std::unexpected(Reply(501, "5.5.2 Cannot decode base64"));
  co_return *std::move(decoded);
}

}  // namespace posthorn::smtp

// Who the client is: USER and PASS (RFC 1939 §7), AUTH (RFC 5034), STLS (RFC 2595 §4).
#include "auth/sasl.h"
#include "message/header.h"
#include "protocols/pop3/reply.h"
#include "protocols/pop3/session.h"

#include <utility>
#include <variant>

namespace posthorn::pop3 {

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
  co_await log_in(auth::Credentials{"", *std::move(user), pass.password, ""});
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
  auto given = co_await credentials(auth);
  if (given) {
    co_await log_in(*std::move(given));
  } else {
    refuse(given.error());
  }
}

// RFC 1939 §4: logged in is who also holds the maildrop.
Task<void> Session::log_in(auth::Credentials credentials) {
  auto login =
      co_await services_.authenticator.login(connection_, auth::Service::pop3, std::move(credentials));
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

// The exchange of the mechanism, to its end.
Task<std::expected<auth::Credentials, std::string_view>> Session::credentials(const Auth& auth) {
  bool known = false;
  for (const auto name : auth::offered_mechanisms(services_.authenticator, connection_)) {
    known = known || message::equal_ignoring_case(name, auth.mechanism);
  }
  auto exchange = auth::start_exchange(auth.mechanism);
  if (!known || !exchange) co_return std::unexpected("Authentication mechanism not offered");

  std::string message;
  if (auth.initial_response) {
    // Where the server speaks first, the exchange refuses it, or takes it as LOGIN does: many clients send
    // it.
    auto decoded = auth::decode_base64(*auth.initial_response == "=" ? "" : *auth.initial_response);
    if (!decoded) co_return std::unexpected("Cannot decode base64");
    message = *std::move(decoded);
  } else if ((*exchange)->client_first()) {
    auto answer = co_await ask("");
    if (!answer) co_return std::unexpected(answer.error());
    message = *std::move(answer);
  }
  while (true) {
    auto step = (*exchange)->step(message);
    if (!step) co_return std::unexpected("Message not understood");
    if (auto* done = std::get_if<auth::Credentials>(&*step)) co_return std::move(*done);
    auto answer = co_await ask(std::get<auth::Challenge>(*step).text);
    if (!answer) co_return std::unexpected(answer.error());
    message = *std::move(answer);
  }
}

// Sends a challenge and gives the client's answer, decoded; or the text that ends the exchange.
Task<std::expected<std::string, std::string_view>> Session::ask(std::string_view challenge) {
  connection_.queue("+ " + auth::encode_base64(challenge) + "\r\n");
  do {
    if (stopping_) {
      ending_ = true;
      co_return std::unexpected(shutting_down);
    }
  } while (!co_await connection_.wait_for_input());
  const Connection::Line line = co_await connection_.read_line(services_.settings->auth_line);
  if (line.too_long) co_return std::unexpected("Line too long");
  if (line.bare_lf) co_return std::unexpected("Lines end with CR LF");
  if (line.text == "*") co_return std::unexpected("Authentication cancelled");
  auto decoded = auth::decode_base64(line.text);
  if (!decoded) co_return std::unexpected("Cannot decode base64");
  co_return *std::move(decoded);
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

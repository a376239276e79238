#include "auth/sasl.h"
#include "protocols/imap/session.h"

#include <utility>

// LOGIN and AUTHENTICATE (RFC 3501 §6.2.2, §6.2.3; RFC 4959).
namespace posthorn::imap {
namespace {

// A SASL response, which is no part of the command's budget (RFC 3501 §6.2.2 sets no limit).
constexpr std::size_t longest_response = 8'192;

// RFC 5530. `denied` says no more, whatever the cause.
Reply reply_to_refused_login(const Error& error) {
  switch (error.code) {
    case Errc::denied: return no("[AUTHENTICATIONFAILED] Authentication failed");
    case Errc::not_allowed: return no("[PRIVACYREQUIRED] Start TLS first");
    case Errc::in_use: return no("[LIMIT] Too many connections of this account");
    case Errc::busy: return no("[UNAVAILABLE] Too busy, try again later");
    case Errc::unavailable: return no("[CONTACTADMIN] This account can not be used");
    default: return no("[UNAVAILABLE] Logins can not be checked now");
  }
}

}  // namespace

Task<Reply> Session::on(const Login& login) {
  if (!environment_.authenticator.plaintext_allowed(connection_)) {
    co_return no("[PRIVACYREQUIRED] Start TLS first");
  }
  co_return co_await log_in({.authorisation_identity = {}, .user = login.user, .password = login.password});
}

Task<Reply> Session::on(const Authenticate& authenticate) {
  const auto offered = auth::offered_mechanisms(environment_.authenticator, connection_);
  if (std::ranges::find(offered, authenticate.mechanism) == offered.end()) {
    const bool is_known = auth::start_exchange(authenticate.mechanism).has_value();
    co_return is_known ? no("[PRIVACYREQUIRED] Start TLS first") : no("[CANNOT] No such mechanism");
  }
  auth::Credentials credentials;
  auto refusal = co_await exchange(authenticate.mechanism, authenticate.initial_response, credentials);
  if (refusal) co_return *std::move(refusal);
  co_return co_await log_in(std::move(credentials));
}

// The messages of a mechanism, to its end: the credentials, or why there are none.
Task<std::optional<Reply>> Session::exchange(std::string_view mechanism, std::optional<std::string> initial,
                                             auth::Credentials& credentials) {
  auto exchange = auth::start_exchange(mechanism);
  if (!exchange) co_return no("[CANNOT] No such mechanism");
  std::string challenge;
  bool is_first = true;
  while (true) {
    std::string response;
    if (auto given = std::exchange(initial, std::nullopt)) {
      response = *std::move(given);
    } else if (!is_first || (*exchange)->client_first()) {
      send("+ " + auth::encode_base64(challenge) + "\r\n");
      const Connection::Line line = co_await connection_.read_line(longest_response);
      co_await read_past_literals(line);
      if (line.too_long) co_return bad("The response is too long");
      if (line.text == "*") co_return bad("AUTHENTICATE cancelled");
      response = line.text;
    }
    is_first = false;
    const auto message = auth::decode_base64(response);
    if (!message) co_return bad("The response is not valid base64");
    auto step = (*exchange)->step(*message);
    if (!step) co_return bad("The response is not valid");
    if (auto* done = std::get_if<auth::Credentials>(&*step)) {
      credentials = std::move(*done);
      co_return std::nullopt;
    }
    challenge = std::move(std::get<auth::Challenge>(*step).text);
  }
}

Task<Reply> Session::log_in(auth::Credentials credentials) {
  auto login =
      co_await environment_.authenticator.login(connection_, auth::Service::imap, std::move(credentials));
  if (!login) co_return reply_to_refused_login(login.error());
  auto account = co_await environment_.store.open(login->address);
  if (!account) {
    connection_.log(LogLevel::error, "imap.account_unavailable",
                    {{"user", login->address}, {"cause", account.error().detail}});
    co_return no("[UNAVAILABLE] The mail of this account can not be opened now");
  }
  login_ = *std::move(login);
  account_ = *std::move(account);
  login_deadline_.stop();
  apply_timeouts();
  co_return ok("[CAPABILITY " + capabilities() + "] Logged in");
}

}  // namespace posthorn::imap

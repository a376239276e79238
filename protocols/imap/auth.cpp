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

// The messages of a mechanism as lines (RFC 3501 §6.2.2).
class Session::SaslLines final : public auth::SaslChannel {
 public:
  explicit SaslLines(Session& session) : session_(session) {}

  Task<Result<std::string>> ask(std::string challenge) override {
    session_.send("+ " + auth::encode_base64(challenge) + "\r\n");
    const Connection::Line line = co_await session_.connection_.read_line(longest_response);
    co_await session_.read_past_literals(line);
    if (line.too_long) co_return refuse("The response is too long");
    if (line.text == "*") co_return refuse("AUTHENTICATE cancelled");
    auto message = auth::decode_base64(line.text);
    if (!message) co_return refuse("The response is not valid base64");
    co_return message;
  }
  // Why there was no answer.
  std::optional<Reply>& refusal() { return refusal_; }

 private:
  std::unexpected<Error> refuse(std::string text) {
    refusal_ = bad(text);
    return malformed(std::move(text));
  }

  Session& session_;
  std::optional<Reply> refusal_;
};

Task<Reply> Session::on(const Login& login) {
  if (!environment_.authenticator.plaintext_allowed(connection_)) {
    co_return no("[PRIVACYREQUIRED] Start TLS first");
  }
  auth::Credentials credentials{.user = login.user, .password = login.password};
  auto entered =
      co_await environment_.authenticator.login(connection_, auth::Service::imap, std::move(credentials));
  co_return co_await enter(std::move(entered));
}

Task<Reply> Session::on(const Authenticate& authenticate) {
  if (!auth::is_offered(environment_.authenticator, connection_, authenticate.mechanism)) {
    const bool is_known = auth::is_known_mechanism(authenticate.mechanism);
    const bool needs_tls = is_known && !connection_.tls().active();
    co_return needs_tls ? no("[PRIVACYREQUIRED] Start TLS first") : no("[CANNOT] No such mechanism");
  }
  std::optional<std::string> initial;
  if (authenticate.initial_response) {
    auto decoded = auth::decode_base64(*authenticate.initial_response);
    if (!decoded) co_return bad("The response is not valid base64");
    initial = *std::move(decoded);
  }
  SaslLines lines(*this);
  auto entered = co_await auth::authenticate(environment_.authenticator, connection_, auth::Service::imap,
                                             authenticate.mechanism, std::move(initial), lines);
  if (lines.refusal()) co_return *std::move(lines.refusal());
  if (!entered && entered.error().code == Errc::malformed) co_return bad("The response is not valid");
  co_return co_await enter(std::move(entered));
}

// After a login, or its refusal.
Task<Reply> Session::enter(Result<auth::Login> login) {
  if (!login) co_return reply_to_refused_login(login.error());
  auto account = co_await environment_.store.open_for(login->address);
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

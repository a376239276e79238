// Who the client is: STARTTLS (RFC 3207) and AUTH (RFC 4954).
#include "auth/sasl.h"
#include "protocols/smtp/session.h"

#include <utility>

namespace posthorn::smtp {

// The messages of a mechanism as lines (RFC 4954 §4).
class Session::SaslLines final : public auth::SaslChannel {
 public:
  explicit SaslLines(Session& session) : session_(session) {}

  Task<Result<std::string>> ask(std::string challenge) override {
    session_.send(Reply(334, auth::encode_base64(challenge)));
    do {
      if (session_.stopping_) {
        session_.ending_ = true;
        co_return end(session_.shutting_down());
      }
    } while (!co_await session_.connection_.wait_for_input());
    const Connection::Line line = co_await session_.read_line();
    if (line.too_long) co_return end(Reply(500, "5.5.6 Authentication exchange line is too long"));
    if (line.bare_lf) co_return end(Reply(500, "5.5.2 Lines end with CR LF"));
    if (line.text == "*") co_return end(Reply(501, "5.7.0 Authentication cancelled"));
    auto message = auth::decode_base64(line.text);
    if (!message) co_return end(Reply(501, "5.5.2 Cannot decode base64"));
    co_return message;
  }
  // Why there was no answer.
  std::optional<Reply>& refusal() { return refusal_; }

 private:
  std::unexpected<Error> end(Reply refusal) {
    refusal_ = std::move(refusal);
    return malformed("no answer to a challenge");
  }

  Session& session_;
  std::optional<Reply> refusal_;
};

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

  if (offered_mechanisms().empty() && offers_start_tls()) co_return *login_missing();
  if (!auth::is_offered(services_.authenticator, connection_, auth.mechanism)) {
    co_return Reply(504, "5.5.4 Authentication mechanism not offered");
  }
  std::optional<std::string> initial;
  if (auth.initial_response) {
    auto decoded = auth::decode_initial_response(*auth.initial_response);
    if (!decoded) co_return Reply(501, "5.5.2 Cannot decode base64");
    initial = *std::move(decoded);
  }
  SaslLines lines(*this);
  auto login = co_await auth::authenticate(services_.authenticator, connection_, auth::Service::smtp,
                                           auth.mechanism, std::move(initial), lines);
  if (lines.refusal()) co_return *std::move(lines.refusal());
  if (login) {
    login_ = *std::move(login);
    co_return Reply(235, "2.7.0 Authentication succeeded");
  }
  if (login.error().code == Errc::malformed) co_return Reply(501, "5.5.2 Message not understood");
  ++failed_logins_;
  switch (login.error().code) {
    case Errc::denied: co_return Reply(535, "5.7.8 Authentication credentials invalid");
    case Errc::not_allowed: co_return Reply(530, "5.7.0 Must issue a STARTTLS command first");
    case Errc::in_use: co_return Reply(454, "4.7.0 Too many connections of this account");
    default: co_return Reply(454, "4.7.0 Temporary authentication failure");
  }
}

}  // namespace posthorn::smtp

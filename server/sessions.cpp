#include "server/sessions.h"

#include "tls/start.h"

namespace posthorn::server {
namespace {

template <class Session>
class SessionDialogue final : public Dialogue {
 public:
  template <class... Arguments>
  explicit SessionDialogue(Arguments&&... arguments) : session_(std::forward<Arguments>(arguments)...) {}
  Task<void> run() override { return session_.run(); }
  void stop() override { session_.stop(); }

 private:
  Session session_;
};

Milliseconds seconds(const NumberKey& key) { return std::chrono::seconds(key.value); }

template <class Number>
Number number(const NumberKey& key) {
  return static_cast<Number>(key.value);
}

Timeouts timeouts(const Settings& settings, const NumberKey& idle) {
  return {seconds(idle), seconds(settings.timeout.line), seconds(settings.timeout.body),
          seconds(settings.timeout.write)};
}

smtp::Settings smtp_settings(const Settings& settings) {
  smtp::Settings result;
  result.hostname = settings.hostname();
  result.message_size = number<std::uint64_t>(settings.limits.message_size);
  result.discard_size = number<std::uint64_t>(settings.limits.discard_size);
  result.recipients = number<std::size_t>(settings.smtp.recipients);
  result.command_line = number<std::size_t>(settings.smtp.command_line);
  result.auth_line = number<std::size_t>(settings.smtp.auth_line);
  result.hops = number<std::size_t>(settings.smtp.hops);
  result.errors = number<unsigned>(settings.smtp.errors);
  result.refused_recipients = number<unsigned>(settings.smtp.refused_recipients);
  result.failed_logins = number<unsigned>(settings.smtp.failed_logins);
  result.commands_between_messages = number<unsigned>(settings.smtp.commands_between_messages);
  result.timeouts = timeouts(settings, settings.timeout.smtp_idle);
  result.message_time = seconds(settings.timeout.smtp_message);
  return result;
}

pop3::Settings pop3_settings(const Settings& settings) {
  pop3::Settings result;
  result.hostname = settings.hostname();
  result.command_line = number<std::size_t>(settings.pop3.command_line);
  result.auth_line = number<std::size_t>(settings.pop3.auth_line);
  result.errors = number<unsigned>(settings.pop3.errors);
  result.failed_logins = number<unsigned>(settings.pop3.failed_logins);
  result.commands_before_login = number<unsigned>(settings.pop3.commands_before_login);
  result.login_time = seconds(settings.timeout.pop3_login);
  result.timeouts = timeouts(settings, settings.timeout.pop3_idle);
  return result;
}

imap::Settings imap_settings(const Settings& settings) {
  imap::Settings result;
  result.hostname = settings.hostname();
  result.command_octets = number<std::size_t>(settings.imap.command_octets);
  result.command_octets_before_login = number<std::size_t>(settings.imap.command_octets_before_login);
  result.message_octets = number<std::uint64_t>(settings.limits.message_size);
  result.discarded_octets = number<std::uint64_t>(settings.limits.discard_size);
  result.literals = settings.imap.literals.value;
  result.bad_commands = number<unsigned>(settings.imap.bad_commands);
  result.login = seconds(settings.timeout.imap_login);
  result.message_limit = number<std::uint32_t>(settings.imap.message_limit);
  result.save_limit = number<std::uint32_t>(settings.imap.save_limit);
  result.idle_before_login = seconds(settings.timeout.imap_idle_before_login);
  result.idle = seconds(settings.timeout.imap_idle);
  result.line = seconds(settings.timeout.line);
  result.literal = seconds(settings.timeout.body);
  result.write = seconds(settings.timeout.write);
  return result;
}

smtp::Role role_of(Service service) {
  switch (service) {
    case Service::submission: return smtp::Role::submission;
    case Service::submissions: return smtp::Role::submissions;
    default: return smtp::Role::mx;
  }
}

}  // namespace

void Sessions::configure(const Settings& settings) {
  smtp_ = std::make_shared<const smtp::Settings>(smtp_settings(settings));
  pop3_ = std::make_shared<const pop3::Settings>(pop3_settings(settings));
  imap_ = imap_settings(settings);
  handshake_ = seconds(settings.timeout.tls_handshake);
}

std::function<Task<void>(Connection&)> Sessions::start_tls(tls::Protocol protocol) const {
  const tls::Context* context = rooms_.tls();
  if (context == nullptr) return {};
  return [context, protocol, limit = handshake_](Connection& connection) {
    return tls::start(connection, *context, protocol, limit);
  };
}

std::unique_ptr<Dialogue> Sessions::make(Connection& connection, const Endpoint& endpoint) const {
  if (endpoint.protocol == tls::Protocol::imap) {
    const imap::Environment environment{rooms_.store, rooms_.authenticator, rooms_.clock, rooms_.tls()};
    return std::make_unique<SessionDialogue<imap::Session>>(connection, environment, imap_);
  }
  if (endpoint.protocol == tls::Protocol::pop3) {
    const pop3::Services services{pop3_, rooms_.store, rooms_.authenticator, start_tls(endpoint.protocol)};
    return std::make_unique<SessionDialogue<pop3::Session>>(connection, services);
  }
  const smtp::Services services{smtp_, rooms_.acceptor, rooms_.authenticator, rooms_.clock,
                                start_tls(endpoint.protocol)};
  return std::make_unique<SessionDialogue<smtp::Session>>(connection, services, role_of(endpoint.service));
}

}  // namespace posthorn::server

#include "protocols/smtp/session.h"

#include "auth/sasl.h"
#include "message/header.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace posthorn::smtp {
namespace {

std::string last_words(const std::string& hostname, CloseReason reason) {
  switch (reason) {
    case CloseReason::timeout: return "421 4.4.2 " + hostname + " Timeout, closing connection\r\n";
    case CloseReason::shutdown: return "421 4.3.2 " + hostname + " Service shutting down\r\n";
    case CloseReason::limit: return "421 4.7.0 " + hostname + " Limit reached, closing connection\r\n";
    default: return {};
  }
}

// Recipients that a session may go on to name beyond those of a message, in so many messages' worth.
constexpr std::size_t postponed_limit = 10;

bool is_auth(std::string_view line) { return message::equal_ignoring_case(line.substr(0, 5), "AUTH "); }

// EHLO and HELO, whatever follows.
bool is_greeting(std::string_view line) {
  const std::string_view verb = line.substr(0, line.find_first_of(" \t"));
  return message::equal_ignoring_case(verb, "EHLO") || message::equal_ignoring_case(verb, "HELO");
}

// RFC 2920 §3.2: the replies that may wait for those to the commands that came with them.
bool may_wait(const Command& command) {
  return std::holds_alternative<Mail>(command) || std::holds_alternative<Rcpt>(command) ||
         std::holds_alternative<Rset>(command);
}

}  // namespace

Session::Session(Connection& connection, const Services& services, Role role)
    : connection_(connection), services_(services), role_(role) {
  connection_.set_timeouts(services_.settings->timeouts);
  connection_.set_last_words(
      [hostname = services_.settings->hostname](CloseReason reason) { return last_words(hostname, reason); });
}

Task<void> Session::run() {
  std::optional<CloseReason> lost;
  try {
    co_await serve();
  } catch (const ConnectionClosed& closed) {
    lost = closed.reason();
  }
  if (lost) {
    connection_.log(LogLevel::debug, "smtp.lost", {{"reason", name_of(*lost)}});
    connection_.close(*lost);
  } else {
    co_await connection_.finish();
  }
}

void Session::stop() {
  stopping_ = true;
  connection_.wake();
}

Reply Session::shutting_down() const {
  return {421, "4.3.2 " + services_.settings->hostname + " Service shutting down"};
}

Task<void> Session::serve() {
  send(Reply(220, services_.settings->hostname + " ESMTP Posthorn"));
  co_await connection_.flush();
  while (!ending_) {
    if (stopping_ && !transaction_) {
      end(shutting_down());
      co_return;
    }
    if (!co_await connection_.wait_for_input()) continue;
    const bool refused_already = broken_line_.has_value();
    const Connection::Line line = co_await read_line();
    if (refused_already) {
      pass_over(line);
    } else {
      co_await take_line(line);
    }
  }
}

// A line that a bare LF broke goes on up to its CR LF, within the time that a line has.
Task<Connection::Line> Session::read_line() {
  const Milliseconds begun = connection_.loop().now();
  Connection::Line line = co_await connection_.read_line(services_.settings->auth_line);
  if (!line.bare_lf) {
    broken_line_.reset();
  } else if (!broken_line_) {
    const Milliseconds left = begun + connection_.timeouts().line - connection_.loop().now();
    broken_line_.emplace(connection_.loop(), [this] { connection_.close(CloseReason::timeout); });
    broken_line_->start(std::max(Milliseconds(1), left));
  }
  co_return line;
}

// The rest of a line that was refused for a bare LF gets no reply: it may be a command that was smuggled past
// another server. A client that knows no other line end would wait for its replies for ever.
void Session::pass_over(const Connection::Line& rest) {
  if (rest.bare_lf || rest.too_long) end_at_limit("Lines end with CR LF");
}

Task<void> Session::take_line(const Connection::Line& line) {
  if (auto refusal = unreadable(line)) co_return co_await refuse(line, *std::move(refusal));
  const auto command = parse_command(line.text);
  if (!command) co_return co_await refuse(line, reply_to_line(command.error()));

  const Reply reply = co_await std::visit([this](const auto& its) { return on(its); }, *command);
  send(reply);
  count(*command, reply);
  if (std::exchange(tls_is_next_, false)) co_return co_await start_tls();
  if (may_wait(*command) && !ending_) {
    co_await connection_.flush_if_large();
  } else {
    co_await connection_.flush();
  }
}

std::optional<Reply> Session::unreadable(const Connection::Line& line) const {
  const bool too_long = line.text.size() > services_.settings->command_line && !is_auth(line.text);
  if (line.too_long || too_long) return Reply(500, "5.5.2 Line too long");
  // RFC 5321 §2.3.8. A line of this kind may come from within a message that was smuggled past another
  // server.
  if (line.bare_lf) return Reply(500, "5.5.2 Lines end with CR LF");
  return std::nullopt;
}

Task<void> Session::refuse(const Connection::Line& line, Reply reply) {
  ++errors_;
  send(is_greeting(line.text) ? reply.without_enhanced_code() : reply);
  end_beyond_limits();
  co_await connection_.flush();
}

void Session::end(const Reply& reply) {
  send(reply);
  ending_ = true;
}

void Session::count(const Command& command, const Reply& reply) {
  if (std::holds_alternative<Rcpt>(command)) {
    // A recipient that is put off is no fault of the client's, which goes on with those that were taken
    // (RFC 5321 §4.5.3.1.10).
    if (reply.code() >= 500) ++refused_recipients_;
    if (reply.negative() && reply.code() < 500) ++postponed_recipients_;
  } else {
    ++commands_since_message_;
    if (reply.negative()) ++errors_;
  }
  // After a 220 to STARTTLS the next octets are the handshake's: what else there is to say waits for it.
  if (!ending_ && !tls_is_next_) end_beyond_limits();
}

void Session::end_beyond_limits() {
  const Settings& limits = *services_.settings;
  const char* passed = nullptr;
  if (errors_ >= limits.errors) passed = "Too many errors";
  if (refused_recipients_ >= limits.refused_recipients) passed = "Too many unknown recipients";
  if (postponed_recipients_ >= postponed_limit * limits.recipients) passed = "Too many recipients";
  if (failed_logins_ >= limits.failed_logins) passed = "Too many failed logins";
  if (commands_since_message_ >= limits.commands_between_messages)
    passed = "Too many commands without a message";
  if (passed != nullptr) end_at_limit(passed);
}

void Session::end_at_limit(std::string_view limit) {
  connection_.log(LogLevel::info, "smtp.limit", {{"address", connection_.peer().address}, {"limit", limit}});
  end(Reply(421, "4.7.0 " + services_.settings->hostname + " " + std::string(limit)));
}

// RFC 5321 §4.1.1.1. What is offered depends on the state of the line, so it is worked out each time.
Task<Reply> Session::on(const Ehlo& ehlo) {
  helo_ = ehlo.domain;
  esmtp_ = true;
  transaction_.reset();
  std::vector<std::string> lines = {
      services_.settings->hostname,
      "SIZE " + std::to_string(services_.settings->message_size),
      "8BITMIME",
      "PIPELINING",
      "ENHANCEDSTATUSCODES",
      "SMTPUTF8",
  };
  if (offers_start_tls()) lines.emplace_back("STARTTLS");
  std::string mechanisms;
  for (const auto name : offered_mechanisms()) mechanisms.append(" ").append(name);
  if (!mechanisms.empty()) lines.push_back("AUTH" + mechanisms);
  lines.emplace_back("HELP");
  co_return Reply(250, std::move(lines));
}

Task<Reply> Session::on(const Helo& helo) {
  helo_ = helo.domain;
  esmtp_ = false;
  transaction_.reset();
  co_return Reply(250, services_.settings->hostname);
}

Task<Reply> Session::on(const Rset&) {
  transaction_.reset();
  co_return Reply(250, "2.0.0 Flushed");
}

Task<Reply> Session::on(const Noop&) { co_return Reply(250, "2.0.0 OK"); }

Task<Reply> Session::on(const Quit&) {
  ending_ = true;
  co_return Reply(221, "2.0.0 " + services_.settings->hostname + " Goodbye");
}

// RFC 5321 §3.5 and §7.3: who has not logged in learns nothing of our users.
Task<Reply> Session::on(const Vrfy& vrfy) {
  const Reply not_told(252, "2.5.2 Cannot VRFY user; send a message to find out");
  if (role_ == Role::mx) co_return not_told;
  if (auto missing = login_missing()) co_return *missing;
  // §3.5.1: a user name alone is allowed; in which of our domains it would be, the client has not said.
  if (is_local_part(vrfy.argument)) co_return not_told;
  std::string_view rest = vrfy.argument;
  const bool in_brackets = rest.starts_with('<');
  const auto mailbox = in_brackets ? take_path(rest) : parse_mailbox(rest);
  if (!mailbox || (in_brackets && !rest.empty())) co_return Reply(501, "5.1.3 Address not understood");
  // RFC 6531 §3.7.4.2: no UTF-8 in a reply that was not asked for it.
  if (!mailbox->is_ascii() && !vrfy.smtp_utf8) co_return Reply(252, "2.6.8 The reply would need SMTPUTF8");
  const std::string address = to_string(*mailbox);
  const auto recipient = co_await services_.acceptor.admit(Envelope{.session = connection_.id()}, address);
  if (!recipient) co_return not_admitted(recipient.error());
  co_return Reply(250, "2.1.5 <" + address + ">");
}

Task<Reply> Session::on(const Expn&) { co_return Reply(502, "5.5.1 EXPN is not offered"); }

Task<Reply> Session::on(const Help&) {
  std::string commands = "2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP";
  if (offers_start_tls()) commands += " STARTTLS";
  if (!offered_mechanisms().empty()) commands += " AUTH";
  co_return Reply(214, std::vector<std::string>{std::move(commands), "2.0.0 See RFC 5321"});
}

// RFC 5321 Appendix F.
Task<Reply> Session::on(const Obsolete&) { co_return Reply(502, "5.5.1 Command not implemented"); }

}  // namespace posthorn::smtp

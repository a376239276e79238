// The mail transaction: MAIL, RCPT, DATA (RFC 5321 §3.3).
#include "base/loop.h"
#include "protocols/smtp/dot_stuffing.h"
#include "protocols/smtp/session.h"
#include "protocols/smtp/trace.h"

#include <algorithm>
#include <utility>

namespace posthorn::smtp {
namespace {

// Refusals of one session beyond these are logged at debug only.
constexpr unsigned logged_refusals = 10;

// What the client is told when a message whose recipients were taken can't be stored. Whatever has gone wrong
// since is ours and may pass: a permanent reply would bounce the letter for a file that is missing, or for an
// account that was removed meanwhile, which the next RCPT will tell.
Reply not_stored(const Error& error) {
  switch (error.code) {
    case Errc::too_large:
    case Errc::over_quota:
    case Errc::disk_full:
    case Errc::busy:
    case Errc::in_use: return reply_to(error);
    default: return {451, "4.3.0 Local error in processing"};
  }
}

}  // namespace

Task<Reply> Session::on(const Mail& mail) {
  if (auto missing = login_missing()) co_return *missing;
  if (helo_.empty()) co_return Reply(503, "5.5.1 Say EHLO first");
  if (transaction_) co_return Reply(503, "5.5.1 A transaction is open already");
  // RFC 6531 §3.5.
  if (!mail.smtp_utf8 && mail.reverse_path && !mail.reverse_path->is_ascii()) {
    co_return Reply(550, "5.6.7 A non-ASCII address needs SMTPUTF8");
  }
  if (mail.size.value_or(0) > services_.settings->message_size) co_return Reply(552, "5.3.4 Message too big");
  Envelope envelope;
  envelope.session = connection_.id();
  envelope.id = connection_.id() + "." + std::to_string(++messages_);
  if (mail.reverse_path) envelope.reverse_path = to_string(*mail.reverse_path);
  if (login_) envelope.login = login_->address;
  envelope.smtp_utf8 = mail.smtp_utf8;
  // What is on its way in fills a disk as well as what was stored.
  if (const auto room = co_await services_.acceptor.has_room(); !room) {
    co_return no_room("MAIL", envelope, room.error());
  }
  transaction_ = std::move(envelope);
  named_ = 0;
  co_return Reply(250, "2.1.0 Sender OK");
}

Task<Reply> Session::on(const Rcpt& rcpt) {
  if (auto missing = login_missing()) co_return *missing;
  if (!transaction_) co_return Reply(503, "5.5.1 MAIL first");
  if (named_ >= services_.settings->recipients) {
    co_return Reply(452, "4.5.3 Too many recipients");
  }
  if (!transaction_->smtp_utf8 && !rcpt.forward_path.is_ascii()) {
    co_return Reply(553, "5.6.7 A non-ASCII address needs SMTPUTF8");
  }
  const std::string address = to_string(rcpt.forward_path);
  auto recipient = co_await services_.acceptor.admit(*transaction_, address);
  if (!recipient) {
    const Reply reply = not_admitted(recipient.error());
    log_refused("RCPT", reply, *transaction_, address);
    co_return reply;
  }
  co_return add(*std::move(recipient));
}

// Aliases lead to many: what a transaction holds is bounded by the accounts behind its recipients, which
// count once each, as well. One recipient alone is within what the Acceptor allows.
Reply Session::add(Recipient recipient) {
  std::set<std::string>& accounts = transaction_->accounts;
  std::size_t added = 0;
  for (const std::string& account : recipient.accounts) added += accounts.contains(account) ? 0 : 1;
  if (!accounts.empty() && added > 0 && accounts.size() + added > services_.settings->recipients) {
    return {452, "4.5.3 Too many recipients"};
  }
  ++named_;
  accounts.insert(recipient.accounts.begin(), recipient.accounts.end());
  std::vector<std::string>& addresses = transaction_->recipients;
  if (std::ranges::find(addresses, recipient.address) == addresses.end()) {
    addresses.push_back(std::move(recipient.address));
  }
  return {250, "2.1.5 Recipient OK"};
}

Reply Session::not_admitted(const Error& error) const {
  if (error.code == Errc::denied) {
    return role_ == Role::mx ? Reply(550, "5.7.1 Relaying denied: no such domain here")
                             : Reply(550, "5.7.1 This server does not send mail to other servers");
  }
  if (error.code == Errc::unavailable) {
    return {550,
            "5.7.1 This address forwards to another server, and this server does not send mail to others"};
  }
  if (error.code == Errc::too_large) return {550, "5.4.6 This address leads to too many others"};
  return reply_to(error);
}

Reply Session::no_room(std::string_view command, const Envelope& envelope, const Error& error) {
  const Reply reply = reply_to(error);
  log_refused(command, reply, envelope, error.detail);
  return reply;
}

// DATA, RFC 5321 §4.1.1.4. The 250 makes the message our responsibility (§6.1), so it is sent only once
// accept() has made the message durable. Whatever the outcome, the transaction is over (§4.1.1.4).
Task<Reply> Session::on(const Data&) {
  if (auto missing = login_missing()) co_return *missing;
  if (!transaction_) co_return Reply(503, "5.5.1 MAIL first");
  if (transaction_->recipients.empty()) co_return Reply(554, "5.5.1 No valid recipients");
  if (const auto room = co_await services_.acceptor.has_room(); !room) {
    const Envelope refused = *std::exchange(transaction_, std::nullopt);
    co_return no_room("DATA", refused, room.error());
  }
  send(Reply(354, "End with <CRLF>.<CRLF>"));
  co_await connection_.flush();

  const Envelope envelope = *std::exchange(transaction_, std::nullopt);
  const auto spool = services_.acceptor.spool();
  if (auto refusal = co_await receive(envelope, *spool)) {
    log_refused("DATA", *refusal, envelope, "");
    co_return *refusal;
  }
  auto accepted = co_await spool->close();
  if (accepted) accepted = co_await services_.acceptor.accept(envelope, *spool);
  if (!accepted) {
    const Reply reply = not_stored(accepted.error());
    log_refused("DATA", reply, envelope, accepted.error().detail);
    co_return reply;
  }
  commands_since_message_ = 0;
  log_accepted(envelope, spool->size());
  co_return Reply(250, "2.0.0 Stored as " + envelope.id);
}

// Reads the message to its true end, whatever is wrong with it: else what is left of it would be taken for
// commands. Gives why it can't be accepted.
Task<std::optional<Reply>> Session::receive(const Envelope& envelope, storage::Spool& spool) {
  const Settings& limits = *services_.settings;
  Timer overall(connection_.loop(), [this] { connection_.close(CloseReason::timeout); });
  overall.start(limits.message_time);

  Result<> written = co_await spool.write(trace_fields(envelope));
  DotDecoder decoder;
  HopCounter counter;
  std::uint64_t size = 0;
  bool has_nul = false;
  std::string content;
  while (!decoder.ended()) {
    const std::string_view arrived = co_await connection_.peek();
    content.clear();
    connection_.consume(decoder.feed(arrived, content));
    size += content.size();
    counter.feed(content);
    has_nul = has_nul || content.find('\0') != std::string::npos;
    if (written && size > limits.message_size) written = too_large("message");
    if (written) written = co_await spool.write(content);
    if (size > limits.message_size + limits.discard_size) {
      ending_ = true;
      break;
    }
  }
  if (decoder.bare_line_end())
    co_return Reply(554, "5.6.11 Message has a CR or LF that is not part of CR LF");
  // Neither RFC 5322 §2.3 nor an IMAP literal (RFC 3501 §9, CHAR8) can hold one.
  if (has_nul) co_return Reply(554, "5.6.0 Message has a NUL octet");
  if (counter.hops() > limits.hops) co_return Reply(554, "5.4.6 Too many hops: this message goes in a loop");
  if (!written) co_return not_stored(written.error());
  co_return std::nullopt;
}

std::string Session::trace_fields(const Envelope& envelope) const {
  Arrival arrival;
  arrival.helo = helo_;
  arrival.peer = &connection_.peer();
  arrival.tls = &connection_.tls();
  arrival.esmtp = esmtp_;
  arrival.smtp_utf8 = envelope.smtp_utf8;
  arrival.authenticated = login_.has_value();
  arrival.hostname = services_.settings->hostname;
  arrival.id = envelope.id;
  // RFC 5321 §7.2: with several recipients, each would learn of the others.
  const bool single = envelope.recipients.size() == 1;
  if (single && envelope.recipients[0].find('@') != std::string::npos) {
    arrival.recipient = envelope.recipients[0];
  }
  arrival.time = services_.clock.seconds();
  return return_path_field(envelope.reverse_path) + received_field(arrival);
}

void Session::log_accepted(const Envelope& envelope, std::uint64_t size) {
  connection_.log(LogLevel::info, "smtp.accepted",
                  {{"id", envelope.id},
                   {"from", envelope.reverse_path},
                   {"to", envelope.recipients.front()},
                   {"recipients", envelope.recipients.size()},
                   {"size", size},
                   {"login", envelope.login},
                   {"helo", helo_},
                   {"address", connection_.peer().address},
                   {"tls", connection_.tls().version}});
}

void Session::log_refused(std::string_view command, const Reply& reply, const Envelope& envelope,
                          std::string_view detail) {
  const LogLevel level = refusals_logged_++ < logged_refusals ? LogLevel::info : LogLevel::debug;
  connection_.log(level, "smtp.refused",
                  {{"id", envelope.id},
                   {"command", command},
                   {"from", envelope.reverse_path},
                   {"detail", detail},
                   {"reply", std::to_string(reply.code()) + " " + reply.lines().front()},
                   {"login", envelope.login},
                   {"helo", helo_},
                   {"address", connection_.peer().address}});
}

}  // namespace posthorn::smtp

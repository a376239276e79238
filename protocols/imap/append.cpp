#include "protocols/imap/flags.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/not_offered.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <utility>

// APPEND (RFC 3501 §6.3.11), of several messages too (RFC 3502). A message goes from the wire to its spool
// and is never in memory as a whole; what can be known to fail is refused before the client sends it.
namespace posthorn::imap {

// Why the message that ends `command` so far, an announcement of `octets`, is not wanted.
Task<std::optional<Reply>> Session::refusal_of_message(std::string_view command, std::uint64_t octets) {
  if (!account_) co_return bad("Log in first");
  const auto parsed = parse_cut_off(command, enabled_.dialect);
  if (!parsed) {
    const bool cannot = parsed.error().code == Errc::not_allowed;
    co_return cannot ? no("[CANNOT] " + parsed.error().detail) : bad(parsed.error().detail);
  }
  if (uses_what_is_not_offered(*parsed)) co_return not_offered();
  const auto& append = std::get<Append>(parsed->body);
  std::uint64_t all = 0;
  for (const AppendMessage& message : append.messages) {
    if (message.octets() > settings_.append_octets - all) co_return no("[TOOBIG] Too much for one APPEND");
    all += message.octets();
  }
  // RFC 3502 §6.3.11.
  if (octets == 0) co_return no("[CANNOT] A message has at least one octet");
  if (octets > settings_.message_octets) co_return no("[TOOBIG] The message is too large");
  if (append_target_) co_return std::nullopt;
  auto target = co_await account_->open(append.mailbox);
  if (!target) co_return reply_for_target(target.error());
  append_target_ = *std::move(target);
  co_return std::nullopt;
}

Task<void> Session::receive_message(Incoming& command, const Frame& frame) {
  if (command.messages.empty()) append_target_.reset();
  auto refusal = co_await refusal_of_message(command.text, frame.octets);
  if (refusal) {
    co_await refuse(command, frame, *std::move(refusal));
    co_return;
  }
  if (frame.announced == Frame::Announced::synchronising) send("+ OK\r\n");

  auto spool = environment_.store.spool();
  Result<> outcome;
  std::uint64_t left = frame.octets;
  while (left > 0) {
    const std::string_view there = co_await connection_.peek();
    const std::string_view part =
        there.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, there.size())));
    // RFC 3501 §4.3.1, §9 (CHAR8).
    if (outcome && part.contains('\0')) outcome = failure(Errc::malformed, "NUL in a message");
    // After a failure the rest is read all the same: the client sends it anyhow.
    if (outcome) outcome = co_await spool->write(part);
    left -= part.size();
    connection_.consume(part.size());
  }
  if (outcome) outcome = co_await spool->close();
  if (!outcome) {
    connection_.log(LogLevel::warning, "imap.append_failed", {{"cause", outcome.error().detail}});
    switch (outcome.error().code) {
      case Errc::too_large: command.refusal = no("[TOOBIG] The message is too large"); break;
      case Errc::malformed: command.refusal = no("[CANNOT] The message has a NUL octet"); break;
      default: command.refusal = reply_to(outcome.error()); break;
    }
    co_await read_past(0);
    co_return;
  }
  command.messages.push_back(std::move(spool));
}

Task<Reply> Session::on(const Append& append) {
  const std::shared_ptr<storage::Mailbox> target = std::exchange(append_target_, {});
  // The framing takes every announcement that ends an APPEND for a message.
  if (!target || messages_.size() != append.messages.size()) co_return bad("A message is missing");

  std::vector<storage::Arrival> arrivals;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const AppendMessage& message = append.messages[i];
    arrivals.push_back(
        {.spool = messages_[i].get(),
         .internal_date = message.date ? message.date->unix_seconds : environment_.clock.seconds(),
         .system_flags = system_bits(message.flags),
         .keywords = message.flags.keywords});
  }
  const auto appended = co_await target->append(std::move(arrivals));
  if (!appended) co_return reply_for_target(appended.error());

  connection_.log(LogLevel::info, "imap.appended",
                  {{"user", login_.address}, {"mailbox", append.mailbox}, {"messages", messages_.size()}});
  // RFC 4315 §3.
  std::string text = "[APPENDUID ";
  append_number(text, appended->uid_validity);
  text += ' ';
  append_uids(text, appended->uids);
  co_return ok(text + "] APPEND completed");
}

}  // namespace posthorn::imap

#include "protocols/imap/flags.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <utility>

// APPEND (RFC 3501 §6.3.11), of several messages too (RFC 3502), made of parts (RFC 4469). A message goes
// from the wire to its spool and is never in memory as a whole; what can be known to fail is refused before
// the client sends it.
namespace posthorn::imap {
namespace {

std::span<const AppendMessage> messages_of(const Command::Body& body) {
  if (const auto* append = std::get_if<Append>(&body)) return append->messages;
  return {&std::get<Replace>(body).message, 1};
}

const std::string& mailbox_of(const Command::Body& body) {
  if (const auto* append = std::get_if<Append>(&body)) return append->mailbox;
  return std::get<Replace>(body).mailbox;
}

std::uint64_t octets_in(const std::vector<std::unique_ptr<storage::Spool>>& spools) {
  std::uint64_t octets = 0;
  for (const auto& spool : spools) octets += spool->size();
  return octets;
}

// What the messages of one APPEND, that one left out which comes just now, may have in memory together. What
// is kept of their structure goes with their size.
constexpr std::uint64_t longest_in_memory = 256U << 10U;

// RFC 3502 §6.3.11.
Reply empty_message() { return no("[CANNOT] A message has at least one octet"); }

Reply too_big() { return no("[TOOBIG] The message is too large"); }

// RFC 9738 §3.1.
Reply too_many(std::uint32_t limit) {
  return no(message_limit_code(limit) + " Too many messages for one APPEND");
}

// RFC 3501 §4.3.1, §9 (CHAR8): a literal8 may have one.
Reply nul_refused() { return no("[CANNOT] The message has a NUL octet"); }

}  // namespace

Reply Session::reply_to_unstored(const Error& error) {
  connection_.log(LogLevel::warning, "imap.append_failed", {{"cause", error.detail}});
  // RFC 3516 §4.4.
  if (error.code == Errc::not_allowed) return no("[UNKNOWN-CTE] A NUL octet can't stand where this one does");
  return error.code == Errc::too_large ? too_big() : reply_to(error);
}

Task<std::optional<Reply>> Session::open_target(Arriving& arriving, const std::string& mailbox) {
  if (arriving.target) co_return std::nullopt;
  auto target = co_await account_->open_target(mailbox);
  if (!target) co_return reply_for_target(target.error());
  arriving.target = *std::move(target);
  co_return std::nullopt;
}

// Why the message, or the part of one, that `frame` announces at the end of the command so far is not wanted.
// What stands before it is in the spools afterwards.
Task<std::optional<Reply>> Session::refusal_of_message(Incoming& command, const Frame& frame) {
  if (!account_) co_return bad("Log in first");
  auto parsed = parse_cut_off(command.text, enabled_.dialect);
  if (!parsed) co_return reply_to_unparsed(parsed.error());
  if (auto refusal = refusal_in_this_state(parsed->body)) co_return refusal;
  co_await normalise_names(parsed->body, command.text);
  if (frame.is_beyond_literal_minus) {
    co_return bad("[TOOBIG] Literals that are not waited for have at most 4096 octets");
  }
  if (const auto* replace = std::get_if<Replace>(&parsed->body)) {
    if (auto refusal = refusal_of_replace(*replace)) co_return refusal;
  }
  const auto messages = messages_of(parsed->body);
  if (messages.size() > settings_.save_limit) co_return too_many(settings_.save_limit);
  std::uint64_t all = 0;
  for (const AppendMessage& message : messages) {
    if (message.octets() > settings_.append_octets - all) co_return no("[TOOBIG] Too much for one APPEND");
    all += message.octets();
  }
  if (frame.octets == 0 && !messages.back().catenated) co_return empty_message();
  if (frame.octets > settings_.message_octets) co_return too_big();
  if (auto refusal = co_await open_target(command.arriving, mailbox_of(parsed->body))) co_return refusal;
  if (auto refusal = co_await write_parts(command.arriving, messages)) co_return refusal;
  const std::uint64_t there = command.arriving.spools.back()->size();
  if (frame.octets > settings_.message_octets - std::min(there, settings_.message_octets)) {
    co_return too_big();
  }
  co_return std::nullopt;
}

// Writes what URLs name into the spools, up to the end of `messages` or to a literal that is still to come;
// closes the spools of messages that are complete.
Task<std::optional<Reply>> Session::write_parts(Arriving& arriving, std::span<const AppendMessage> messages) {
  const std::size_t begun = arriving.spools.size();
  for (std::size_t i = begun == 0 ? 0 : begun - 1; i < messages.size(); ++i) {
    if (i == arriving.spools.size()) {
      if (auto refusal = co_await spare_memory(arriving)) co_return refusal;
      arriving.spools.push_back(environment_.store.spool());
      arriving.parts = 0;
    }
    storage::Spool& spool = *arriving.spools.back();
    const std::vector<AppendPart>& parts = messages[i].parts;
    for (; arriving.parts < parts.size(); ++arriving.parts) {
      const auto* url = std::get_if<AppendUrl>(&parts[arriving.parts]);
      if (url == nullptr) co_return std::nullopt;
      if (auto refusal = co_await write_url(url->url, spool)) co_return refusal;
      if (octets_in(arriving.spools) > settings_.append_octets) {
        co_return no("[TOOBIG] Too much for one APPEND");
      }
    }
    if (spool.size() == 0) co_return empty_message();
    const auto closed = co_await spool.close();
    if (!closed) co_return reply_to_unstored(closed.error());
  }
  co_return std::nullopt;
}

// Before another message comes.
Task<std::optional<Reply>> Session::spare_memory(Arriving& arriving) {
  if (arriving.spools.empty()) co_return std::nullopt;
  storage::Spool& last = *arriving.spools.back();
  if (arriving.in_memory + last.size() <= longest_in_memory) {
    arriving.in_memory += last.size();
    co_return std::nullopt;
  }
  const auto done = co_await last.put_aside();
  if (!done) co_return reply_to_unstored(done.error());
  co_return std::nullopt;
}

Task<void> Session::receive_message(Incoming& command, const Frame& frame) {
  auto refusal = co_await refusal_of_message(command, frame);
  if (refusal) {
    co_await refuse(command, frame, *std::move(refusal));
    co_return;
  }
  if (frame.announced == Frame::Announced::synchronising) send("+ OK\r\n");

  storage::Spool& spool = *command.arriving.spools.back();
  const bool takes_nul = frame.form != AppendLiteral::Form::text;
  if (takes_nul) spool.accept_binary();
  Result<> outcome;
  std::uint64_t left = frame.octets;
  while (left > 0) {
    const std::string_view there = co_await connection_.peek();
    const std::string_view part =
        there.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, there.size())));
    if (outcome && !takes_nul && part.contains('\0')) outcome = failure(Errc::malformed, "NUL in a message");
    // After a failure the rest is read all the same: the client sends it anyhow.
    if (outcome) outcome = co_await spool.write(part);
    left -= part.size();
    connection_.consume(part.size());
  }
  if (!outcome) {
    const bool has_nul = outcome.error().code == Errc::malformed;
    command.refusal = has_nul ? nul_refused() : reply_to_unstored(outcome.error());
    co_await read_past(0);
    co_return;
  }
  ++command.arriving.parts;
}

// Makes all spools ready to be stored, once the whole command is there.
Task<std::optional<Reply>> Session::complete(Arriving& arriving, const std::string& mailbox,
                                             std::span<const AppendMessage> messages) {
  if (auto refusal = co_await open_target(arriving, mailbox)) co_return refusal;
  if (auto refusal = co_await write_parts(arriving, messages)) co_return refusal;
  // The framing takes every announcement that ends an APPEND for a message.
  const bool has_all =
      arriving.spools.size() == messages.size() && arriving.parts == messages.back().parts.size();
  if (!has_all) co_return bad("A message is missing");
  co_return std::nullopt;
}

storage::Arrival Session::arrival_of(const AppendMessage& message, storage::Spool& spool) const {
  return {.spool = &spool,
          .internal_date = message.date ? message.date->unix_seconds : environment_.clock.seconds(),
          .system_flags = system_bits(message.flags),
          .keywords = message.flags.keywords};
}

Task<Reply> Session::on(const Append& append) {
  // Those made of URLs alone announce no literal.
  if (append.messages.size() > settings_.save_limit) co_return too_many(settings_.save_limit);
  if (auto refusal = co_await complete(arriving_, append.mailbox, append.messages)) {
    co_return *std::move(refusal);
  }
  std::vector<storage::Arrival> arrivals;
  arrivals.reserve(append.messages.size());
  for (std::size_t i = 0; i < append.messages.size(); ++i) {
    arrivals.push_back(arrival_of(append.messages[i], *arriving_.spools[i]));
  }
  const auto appended = co_await arriving_.target->append(std::move(arrivals));
  if (!appended) co_return reply_for_target(appended.error());

  connection_.log(
      LogLevel::info, "imap.appended",
      {{"user", login_.address}, {"mailbox", append.mailbox}, {"messages", append.messages.size()}});
  // RFC 9051 §6.3.12.
  if (enabled_.rev2() && denormalised_) co_await tell_old_name(append.mailbox, *denormalised_);
  // RFC 4315 §3.
  std::string text = "[APPENDUID ";
  append_number(text, appended->uid_validity);
  text += ' ';
  append_uids(text, appended->uids);
  co_return ok(text + "] APPEND completed");
}

}  // namespace posthorn::imap

#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"

#include <utility>

// COPY (RFC 3501 §6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315 §3).
namespace posthorn::imap {
namespace {

std::string copy_uid(const storage::Copied& copied) {
  std::string code = "[COPYUID ";
  append_number(code, copied.uid_validity);
  code += ' ';
  append_sequence_set(code, copied.source);
  code += ' ';
  append_sequence_set(code, copied.target);
  return code + "]";
}

// A UID that is gone is no error (RFC 3501 §6.4.8).
storage::Missing missing_of(Numbering numbering) {
  return numbering == Numbering::uid ? storage::Missing::skip : storage::Missing::refuse;
}

// RFC 2180 §4.4.1, RFC 5530 §3.
Reply none_there(Numbering numbering) {
  const std::string text = "[EXPUNGEISSUED] The messages were expunged";
  return numbering == Numbering::uid ? ok(text) : no(text);
}

}  // namespace

Task<Reply> Session::on(const Copy& copy) {
  const std::string name = copy.numbering == Numbering::uid ? "UID COPY" : "COPY";
  const auto places = places_of(copy.messages, copy.numbering, view_->messages());
  if (!places) co_return bad(places.error().detail);
  auto target = co_await account_->open_target(copy.mailbox);
  if (!target) co_return reply_for_target(target.error());
  if (places->empty()) co_return ok(name + " completed");
  // RFC 9738 §3.1: all or none.
  auto refusal = refusal_beyond(settings_.save_limit, *places, view_->messages());
  if (refusal) co_return *std::move(refusal);

  auto copied = co_await view_->mailbox().copy(uids_of(*places, view_->messages()), *std::move(target),
                                               missing_of(copy.numbering));
  if (!copied) co_return reply_to(copied.error());
  if (copied->source.empty()) co_return none_there(copy.numbering);
  co_return ok(copy_uid(*copied) + " " + name + " completed");
}

// COPYUID goes before the EXPUNGE responses, in an untagged OK (RFC 6851 §4.3).
Task<Reply> Session::on(const Move& move) {
  const std::string name = move.numbering == Numbering::uid ? "UID MOVE" : "MOVE";
  const auto places = places_of(move.messages, move.numbering, view_->messages());
  if (!places) co_return bad(places.error().detail);
  if (view_->read_only()) co_return no("[READ-ONLY] The mailbox is selected read-only");
  auto target = co_await account_->open_target(move.mailbox);
  if (!target) co_return reply_for_target(target.error());
  if (places->empty()) co_return ok(name + " completed");

  const Limited limited = newest(*places, settings_.message_limit, view_->messages());
  auto moved = co_await view_->mailbox().move(uids_of(limited.places, view_->messages()), *std::move(target),
                                              missing_of(move.numbering));
  if (!moved) co_return reply_to(moved.error());
  if (!moved->source.empty() || move.numbering == Numbering::uid) limited_to_ = limited.lowest;
  if (moved->source.empty()) co_return none_there(move.numbering);
  send("* OK " + copy_uid(*moved) + " Moved\r\n");
  co_return co_await reply_behind_expunges(name);
}

}  // namespace posthorn::imap

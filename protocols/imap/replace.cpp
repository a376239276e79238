#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"

#include <utility>

// REPLACE and UID REPLACE (RFC 8508).
namespace posthorn::imap {
namespace {

Result<Places> replaced_place(const Replace& replace, const storage::Snapshot& messages) {
  const SequenceSet set{.ranges = {{replace.number, replace.number}}};
  return places_of(set, replace.numbering, messages);
}

}  // namespace

std::optional<Reply> Session::refusal_of_replace(const Replace& replace) const {
  const auto place = replaced_place(replace, view_->messages());
  if (!place) return bad(place.error().detail);
  if (place->empty()) return no("There is no such message");
  if (view_->read_only()) return no("[READ-ONLY] The mailbox is selected read-only");
  return std::nullopt;
}

// The new message is told before the old one's EXPUNGE (§4.3), its EXISTS too, as in the RFC's examples.
Task<Reply> Session::on(const Replace& replace) {
  if (auto refusal = refusal_of_replace(replace)) co_return *std::move(refusal);
  if (auto refusal = co_await complete(arriving_, replace.mailbox, {&replace.message, 1})) {
    co_return *std::move(refusal);
  }
  const auto place = replaced_place(replace, view_->messages());
  const storage::Uid uid = view_->messages().at(place->ranges().front().begin).uid;
  const auto replaced = co_await view_->mailbox().replace(
      uid, arriving_.target, arrival_of(replace.message, *arriving_.spools.front()));
  if (!replaced) co_return reply_for_target(replaced.error());
  if (replaced->uids.empty()) co_return no("[EXPUNGEISSUED] The message was expunged");

  connection_.log(LogLevel::info, "imap.replaced", {{"user", login_.address}, {"mailbox", replace.mailbox}});
  std::string text = "* OK [APPENDUID ";
  append_number(text, replaced->uid_validity);
  text += ' ';
  append_uids(text, replaced->uids);
  send(text + "] Replacement message ready\r\n");
  if (enabled_.rev2() && denormalised_) co_await tell_old_name(replace.mailbox, *denormalised_);
  co_await view_->tell(connection_, Expunges::tell_behind_exists, replace.numbering);
  co_return co_await reply_behind_expunges(replace.numbering == Numbering::uid ? "UID REPLACE" : "REPLACE");
}

}  // namespace posthorn::imap

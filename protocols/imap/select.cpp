#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/resync.h"
#include "protocols/imap/session.h"

#include <utility>

// SELECT, EXAMINE and what ends them, CHECK and EXPUNGE (RFC 3501 §6.3.1, §6.3.2, §6.4.1 to §6.4.3).
namespace posthorn::imap {
namespace {

storage::UidSet all_uids(const storage::Snapshot& messages) {
  storage::UidSet uids;
  if (messages.uid_next() > 1) uids.append(1, messages.uid_next() - 1);
  return uids;
}

// Those of `uids` that are to be expunged.
Places deleted_among(const storage::UidSet& uids, const storage::Snapshot& messages) {
  std::vector<Places::Range> deleted;
  for (const auto range : uids.ranges()) {
    messages.visit(messages.lower_bound(range.first), messages.lower_bound(range.last + 1),
                   [&](std::uint32_t place, const storage::Message& message) {
                     if (message.flags.has(storage::SystemFlag::deleted))
                       deleted.push_back({place, place + 1});
                   });
  }
  return Places(std::move(deleted));
}

}  // namespace

// RFC 7162 §3.2.11: whatever the client reads behind it belongs to another mailbox.
void Session::leave_mailbox() {
  if (!view_) return;
  view_.reset();
  send("* OK [CLOSED] The mailbox is not selected any more\r\n");
}

// What vanished since the client was connected last (RFC 7162 §3.2.5), of what it was or will be told of.
Task<Result<storage::UidSet>> Session::vanished_before(const QuickResync& resync) {
  const storage::Snapshot& messages = view_->messages();
  storage::UidSet unmatched = unmatched_uids(resync, messages);
  if (resync.mod_sequence >= messages.highest_modseq() || unmatched.empty()) co_return storage::UidSet();
  co_return co_await view_->mailbox().vanished_since(resync.mod_sequence, std::move(unmatched));
}

Task<Reply> Session::on(const Select& select) {
  // Whatever comes of it, the former mailbox is not selected any more.
  leave_mailbox();
  auto mailbox = co_await account_->open(select.mailbox);
  if (!mailbox) co_return reply_to(mailbox.error());
  view_ = std::make_unique<View>(*std::move(mailbox), select.access, enabled_);
  const bool resyncs = select.resync && select.resync->uid_validity == view_->mailbox().info().uid_validity;
  Result<storage::UidSet> vanished;
  if (resyncs) vanished = co_await vanished_before(*select.resync);
  if (!vanished) {
    view_.reset();
    co_return reply_to(vanished.error());
  }
  std::string listed;
  if (enabled_.rev2()) {
    auto line = co_await list_line(view_->mailbox().info().name, denormalised_);
    if (!line) {
      view_.reset();
      co_return reply_to(line.error());
    }
    listed = *std::move(line);
  }
  view_->append_selected(connection_.output());
  send(listed);
  if (resyncs) {
    co_await view_->tell_missed(connection_, *vanished, known_uids(*select.resync, view_->messages()),
                                select.resync->mod_sequence);
  }
  connection_.log(LogLevel::debug, "imap.select",
                  {{"mailbox", select.mailbox},
                   {"read_only", view_->read_only()},
                   {"messages", view_->messages().size()}});
  co_return view_->read_only() ? ok("[READ-ONLY] EXAMINE completed") : ok("[READ-WRITE] SELECT completed");
}

Task<Reply> Session::on(const Check&) {
  static_cast<void>(co_await view_->mailbox().poll());
  co_return ok("CHECK completed");
}

// Expunges without a word of it.
Task<Reply> Session::on(const Close&) {
  storage::Mailbox& mailbox = view_->mailbox();
  // RFC 4314 §4: without the right it is closed all the same.
  const bool expunges = !view_->read_only() && mailbox.rights().has(storage::Right::expunge);
  if (expunges && !mailbox.deleted()) {
    const auto expunged = co_await mailbox.expunge(all_uids(*mailbox.snapshot()), false);
    const bool failed = !expunged && expunged.error().code != Errc::not_found;
    if (failed) co_return reply_to(expunged.error());
  }
  view_.reset();
  co_return ok("CLOSE completed");
}

// RFC 3691 §2.
Task<Reply> Session::on(const Unselect&) {
  view_.reset();
  co_return ok("UNSELECT completed");
}

// With QRESYNC, the EXPUNGE responses come before the reply, which names the MODSEQ that they lead to (RFC
// 7162 §3.2.10, RFC 6851 §4.4, RFC 8508 §4.5).
Task<Reply> Session::reply_behind_expunges(std::string_view command) {
  const std::string text = std::string(command) + " completed";
  if (!enabled_.qresync) co_return ok(text);
  co_await view_->tell(connection_, Expunges::tell, Numbering::uid);
  std::string code = "[HIGHESTMODSEQ ";
  append_number(code, view_->synced());
  co_return ok(code + "] " + text);
}

Task<Reply> Session::on(const Expunge& expunge) {
  if (view_->read_only()) co_return no("[READ-ONLY] The mailbox is selected read-only");
  storage::Mailbox& mailbox = view_->mailbox();
  storage::UidSet uids;
  std::optional<storage::Uid> lowest;
  if (expunge.uids) {
    // RFC 4315 §2.1.
    const auto places = places_of(*expunge.uids, Numbering::uid, view_->messages());
    if (!places) co_return bad(places.error().detail);
    uids = uids_of(*places, view_->messages());
    // RFC 9738 §3.1: only what would be expunged counts.
    if (places->count() > settings_.message_limit) {
      const auto now = mailbox.snapshot();
      const Limited limited = newest(deleted_among(uids, *now), settings_.message_limit, *now);
      if (limited.lowest) uids = uids_of(limited.places, *now);
      lowest = limited.lowest;
    }
  } else {
    uids = all_uids(*mailbox.snapshot());
  }
  const std::string name = expunge.uids ? "UID EXPUNGE" : "EXPUNGE";
  if (uids.empty()) co_return ok(name + " completed");
  const auto expunged = co_await mailbox.expunge(std::move(uids), false);
  if (!expunged) co_return reply_to(expunged.error());
  limited_to_ = lowest;
  if (expunged->empty()) co_return ok(name + " completed");
  co_return co_await reply_behind_expunges(name);
}

}  // namespace posthorn::imap

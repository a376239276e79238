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

}  // namespace

Task<Reply> Session::on(const Select& select) {
  // Whatever comes of it, the former mailbox is not selected any more.
  view_.reset();
  auto mailbox = co_await account_->open(select.mailbox);
  if (!mailbox) co_return reply_to(mailbox.error());
  // Without a look at what other programs did, the mailbox is still served as it is known.
  const auto polled = co_await (*mailbox)->poll();
  if (!polled && polled.error().code == Errc::not_found) co_return reply_to(polled.error());

  view_ = std::make_unique<View>(*std::move(mailbox), select.access);
  view_->append_selected(connection_.output());
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
  if (!view_->read_only() && !view_->mailbox().deleted()) {
    storage::Mailbox& mailbox = view_->mailbox();
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

// The EXPUNGE responses come behind it, as of any change.
Task<Reply> Session::on(const Expunge& expunge) {
  if (view_->read_only()) co_return no("[READ-ONLY] The mailbox is selected read-only");
  storage::Mailbox& mailbox = view_->mailbox();
  storage::UidSet uids;
  if (expunge.uids) {
    // RFC 4315 §2.1.
    const auto places = places_of(*expunge.uids, Numbering::uid, view_->messages());
    if (!places) co_return bad(places.error().detail);
    uids = uids_of(*places, view_->messages());
  } else {
    uids = all_uids(*mailbox.snapshot());
  }
  if (!uids.empty()) {
    const auto expunged = co_await mailbox.expunge(std::move(uids), false);
    if (!expunged) co_return reply_to(expunged.error());
  }
  co_return ok(expunge.uids ? "UID EXPUNGE completed" : "EXPUNGE completed");
}

}  // namespace posthorn::imap

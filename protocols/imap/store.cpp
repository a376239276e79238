#include "protocols/imap/flags.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <utility>

// STORE and UID STORE (RFC 3501 §6.4.6).
namespace posthorn::imap {
namespace {

storage::FlagChange flag_change(Store::Mode mode) {
  switch (mode) {
    case Store::Mode::add: return storage::FlagChange::add;
    case Store::Mode::remove: return storage::FlagChange::remove;
    case Store::Mode::replace: break;
  }
  return storage::FlagChange::replace;
}

bool all_there(const storage::UidSet& uids, const storage::Snapshot& messages) {
  for (const auto range : uids.ranges()) {
    const std::uint32_t there = messages.lower_bound(range.last + 1) - messages.lower_bound(range.first);
    if (there != range.last - range.first + 1) return false;
  }
  return true;
}

}  // namespace

Task<Reply> Session::on(const Store& store) {
  const bool by_uid = store.numbering == Numbering::uid;
  const auto places = places_of(store.messages, store.numbering, view_->messages());
  if (!places) co_return bad(places.error().detail);
  if (view_->read_only()) co_return no("[READ-ONLY] The mailbox is selected read-only");
  if (places->empty()) co_return ok("UID STORE completed");

  storage::Mailbox& mailbox = view_->mailbox();
  const storage::UidSet uids = uids_of(*places, view_->messages());
  const storage::StoreRequest request{.uids = uids,
                                      .how = flag_change(store.mode),
                                      .system_flags = system_bits(store.flags),
                                      .keywords = store.flags.keywords,
                                      .unchanged_since = std::nullopt};
  const auto stored = co_await mailbox.store(request);
  if (!stored) {
    const bool limit = stored.error().code == Errc::too_large;
    co_return limit ? no("[LIMIT] Too many keywords in this mailbox") : reply_to(stored.error());
  }
  const auto now = mailbox.snapshot();
  if (store.answer == Store::Answer::silent) {
    view_->expect_flags(*places, request);
    co_return ok(by_uid ? "UID STORE completed" : "STORE completed");
  }

  view_->append_new_keywords(connection_.output());
  view_->take_flags(uids);
  Slice slice(connection_);
  for (const Places::Range range : places->ranges()) {
    for (std::uint32_t place = range.begin; place < range.end; ++place) {
      co_await slice;
      const storage::Message& message = view_->messages().at(place);
      if (!now->find(message.uid)) continue;
      std::string& out = connection_.output();
      out += "* ";
      append_number(out, place + 1);
      out += " FETCH (";
      if (by_uid) {
        out += "UID ";
        append_number(out, message.uid);
        out += ' ';
      }
      view_->append_message_flags(out, message);
      out += ")\r\n";
      co_await connection_.flush_if_large();
    }
  }
  // RFC 2180 §4.2.2, §4.2.3.
  if (!all_there(uids, *now)) co_return no("[EXPUNGEISSUED] Some of the messages were expunged");
  co_return ok(by_uid ? "UID STORE completed" : "STORE completed");
}

}  // namespace posthorn::imap

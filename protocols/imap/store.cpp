#include "protocols/imap/flags.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer.h"
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

// The places of those that were not refused.
Places without(const Places& places, const storage::UidSet& refused, const storage::Snapshot& messages) {
  if (refused.empty()) return places;
  std::vector<Places::Range> kept;
  places.each([&](std::uint32_t place) {
    if (!refused.contains(messages.at(place).uid)) kept.push_back({place, place + 1});
  });
  return Places(std::move(kept));
}

// "[MODIFIED 7,9] " (RFC 7162 §3.1.3), in the numbers of the command; nothing for none.
std::string modified_code(const storage::UidSet& modified, Numbering numbering,
                          const storage::Snapshot& messages) {
  if (modified.empty()) return {};
  std::string code = "[MODIFIED ";
  if (numbering == Numbering::uid) {
    append_uids(code, modified);
  } else {
    std::vector<std::uint32_t> numbers;
    for (const auto range : modified.ranges()) {
      for (storage::Uid uid = range.first; uid <= range.last; ++uid) {
        if (const auto place = messages.find(uid)) numbers.push_back(*place + 1);
      }
    }
    append_sequence_set(code, numbers);
  }
  return code + "] ";
}

// What of a message the answer to a STORE tells.
struct Told {
  bool uid = false;
  bool flags = false;
  bool modseq = false;
};

void append_stored(std::string& out, std::uint32_t place, const storage::Message& message, Told told,
                   const View& view) {
  view.append_fetch(out, place);
  {
    Spaced list(out);
    if (told.uid) append_number(list.next() += "UID ", message.uid);
    if (told.flags) view.append_message_flags(list.next(), message);
    if (told.modseq) append_modseq(list.next(), message);
  }
  out += "\r\n";
}

}  // namespace

Task<Reply> Session::on(const Store& store) {
  const bool by_uid = store.numbering == Numbering::uid;
  const auto places = places_of(store.messages, store.numbering, view_->messages());
  if (!places) co_return bad(places.error().detail);
  if (view_->read_only()) co_return no("[READ-ONLY] The mailbox is selected read-only");
  const std::string name = by_uid ? "UID STORE" : "STORE";
  if (places->empty()) co_return ok(name + " completed");

  storage::Mailbox& mailbox = view_->mailbox();
  const Limited limited = newest(*places, settings_.message_limit, view_->messages());
  const storage::UidSet uids = uids_of(limited.places, view_->messages());
  const storage::StoreRequest request{.uids = uids,
                                      .how = flag_change(store.mode),
                                      .system_flags = system_bits(store.flags),
                                      .keywords = store.flags.keywords,
                                      .unchanged_since = store.unchanged_since,
                                      .known = view_->shared_messages(),
                                      .limits = storage::limits_of(mailbox.rights())};
  const auto stored = co_await mailbox.store(request);
  if (!stored) {
    const bool limit = stored.error().code == Errc::too_large;
    co_return limit ? no("[LIMIT] Too many keywords in this mailbox") : reply_to(stored.error());
  }
  const auto now = mailbox.snapshot();
  limited_to_ = limited.lowest;
  const Places done = without(limited.places, stored->modified, view_->messages());
  const bool silent = store.answer == Store::Answer::silent;
  if (silent) co_await view_->expect_flags(connection_, done, request);
  if (!silent || enabled_.condstore) co_await tell_stored(store, done, limited.order(), *now);

  const std::string modified = modified_code(stored->modified, store.numbering, view_->messages());
  // RFC 2180 §4.2.2, §4.2.3; RFC 7162 §3.1.3, example 11. A UID that is gone is no error (RFC 3501 §6.4.8).
  if (!silent && !by_uid && !all_there(uids, *now)) {
    co_return no((modified.empty() ? "[EXPUNGEISSUED] " : modified) + "Some of the messages were expunged");
  }
  co_return ok(modified + name + (modified.empty() ? " completed" : " completed, but for some"));
}

// The FETCH responses to a STORE. After .SILENT, which the client has reckoned with already, they tell what
// it can't know: the MODSEQ, and flags that others changed too (RFC 7162 §3.1.3).
Task<void> Session::tell_stored(const Store& store, const Places& places, Order order,
                                const storage::Snapshot& now) {
  const bool silent = store.answer == Store::Answer::silent;
  const std::shared_ptr<const storage::Snapshot> expected = view_->shared_messages();
  view_->append_new_keywords(connection_.output());
  view_->take_flags(uids_of(places, *expected));
  Slice slice(connection_);
  for (const Places& piece : pieces_in_order(places, 256, order)) {
    for (const std::uint32_t place : in_order(piece, order)) {
      co_await slice;
      const storage::Message message = view_->messages().at(place);
      if (!now.find(message.uid)) continue;
      const storage::Message known = expected->at(place);
      const bool tells_uid = store.numbering == Numbering::uid || enabled_.condstore;
      Told told{.uid = tells_uid && !enabled_.uid_only,
                .flags = !silent || message.flags != known.flags,
                .modseq = enabled_.condstore};
      if (silent && !told.flags && !store.unchanged_since && message.modseq == known.modseq) continue;
      append_stored(connection_.output(), place, message, told, *view_);
      co_await connection_.flush_if_large();
    }
  }
}

}  // namespace posthorn::imap

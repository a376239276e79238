#include "message/common_fields.h"
#include "message/summary_codec.h"
#include "protocols/imap/fetch_items.h"
#include "protocols/imap/fetch_octets.h"
#include "protocols/imap/fetch_plan.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/section.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/structure_printer.h"
#include "protocols/imap/summary_ahead.h"

#include <algorithm>
#include <exception>
#include <utility>

// FETCH and UID FETCH (RFC 3501 §6.4.5, §6.4.8).
//
// What the view holds (FLAGS, UID, INTERNALDATE, RFC822.SIZE) is printed at once; what was worked out at
// arrival comes in batches; octets of messages are streamed one message after the other.
namespace posthorn::imap {
namespace {

// A header of up to here comes in one hop with others.
constexpr std::size_t longest_usual_header = 16'384;

// So many octets of responses go out together.
constexpr std::size_t worth_sending = 32'768;

using From = PartialRange::From;
using Summaries = storage::Mailbox::Summaries;

// The element of `list`, ascending by UID, that is the message's.
template <class List>
const typename List::value_type* element_of(const List& list, storage::Uid uid) {
  const auto at = std::ranges::lower_bound(list, uid, {}, &List::value_type::uid);
  return at != list.end() && at->uid == uid ? &*at : nullptr;
}

class Fetching {
 public:
  Fetching(Connection& connection, View& view, const Enabled& enabled, const Fetch& fetch)
      : connection_(connection),
        view_(view),
        enabled_(enabled),
        numbering_(fetch.numbering),
        plan_(fetch, enabled),
        summaries_(view.mailbox(), plan_.effort(), plan_.form),
        ahead_({.each = plan_.header_only() ? longest_usual_header : MessageSource::longest_head,
                .all = MessageSource::longest_heads}),
        slice_(connection) {}

  Task<void> run(const Places& places, Order order);

  bool some_gone() const { return some_gone_; }
  bool some_unknown_encoding() const { return some_unknown_encoding_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  // Of so many messages, what is asked of the index comes at once.
  static constexpr std::uint32_t usual_batch = 256;
  static constexpr std::uint32_t batch_of_forms = 1'024;

  std::uint32_t batch_size() const;
  Task<void> run_all(const Places& places, Order order);
  Task<void> run_batch(Places places, Order order, const Places& next);
  Task<Places> run_some(Places places, Order order, const Places& next);
  Task<Result<Summaries>> summaries_of(Places& places, Order order, const Places& next);
  Task<storage::UidSet> unreadable_of(const storage::UidSet& uids, const Summaries& summaries);
  bool marks() const {
    return plan_.sets_seen && !view_.read_only() && view_.mailbox().rights().has(storage::Right::seen);
  }
  Task<storage::UidSet> mark_seen(const storage::UidSet& uids, const storage::UidSet& unreadable);
  void answer_from_index(std::uint32_t place, const storage::Message& message, const KnownMessage& known);
  Task<bool> answer_with_octets(std::uint32_t place, const KnownMessage& known, bool newly_seen,
                                const storage::UidSet& next);
  void leave_out(std::uint32_t place, const storage::UidSet& newly_seen);
  void begin_answer(std::uint32_t place);
  void begin_item(std::size_t item);
  void append_attribute(FetchAttribute attribute, const storage::Message& message, const KnownMessage& known);
  void end_answer(const storage::Message& message, bool newly_seen);
  Task<bool> find_email_ids(const storage::UidSet& uids);
  bool add_email_id(storage::Uid uid, KnownMessage& known);
  void note(Error error);

  Connection& connection_;
  View& view_;
  const Enabled& enabled_;
  Numbering numbering_;
  FetchPlan plan_;
  storage::UidSet news_;  // of which the client does not know the present flags and MODSEQ
  std::vector<storage::Mailbox::EmailId> email_ids_;  // of the batch
  SummaryAhead summaries_;
  storage::ReadAhead ahead_;
  Slice slice_;
  std::uint32_t most_at_once_ = usual_batch;  // summaries, where the last of a batch come first
  bool some_gone_ = false;
  bool some_unknown_encoding_ = false;
  bool is_first_item_ = true;
  std::optional<Error> failure_;
};

void Fetching::note(Error error) {
  if (error.code == Errc::not_found) {
    some_gone_ = true;
    return;
  }
  connection_.log(LogLevel::error, "imap.fetch_failed", {{"cause", error.detail}});
  failure_ = std::move(error);
}

// What was begun is over before the client's end, or an error, takes this down.
Task<void> Fetching::run(const Places& places, Order order) {
  std::exception_ptr thrown;
  try {
    co_await run_all(places, order);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await summaries_.end();
  if (thrown) std::rethrow_exception(thrown);
}

Task<void> Fetching::run_all(const Places& places, Order order) {
  if (plan_.flags || plan_.modseq) {
    view_.append_new_keywords(connection_.output());
    news_ = view_.take_flags(uids_of(places, view_.messages()));
  }
  const std::vector<Places> batches = pieces_in_order(places, batch_size(), order);
  for (auto batch = batches.begin(); batch != batches.end(); ++batch) {
    if (!marks()) {
      const auto next = std::next(batch);
      const bool reads_ahead = order == Order::ascending && next != batches.end();
      co_await run_batch(*batch, order, reads_ahead ? *next : Places());
      continue;
    }
    for (const Places& piece : pieces_to_mark(*batch, order, view_.messages())) {
      co_await run_batch(piece, order, {});
    }
  }
}

std::uint32_t Fetching::batch_size() const {
  const bool only_forms =
      plan_.form != storage::Form::summary && !plan_.octets && !plan_.origin && !plan_.email_id;
  return only_forms ? batch_of_forms : usual_batch;
}

// `next` are those after `places` whose summaries are read ahead.
Task<void> Fetching::run_batch(Places places, Order order, const Places& next) {
  while (!places.empty()) places = co_await run_some(std::move(places), order, next);
}

// The summaries of as many of `places` as are held at once; `places` are these then, the first or, in
// descending order, the last. Those that follow, in ascending order, are being read when it returns.
Task<Result<Summaries>> Fetching::summaries_of(Places& places, Order order, const Places& next) {
  while (true) {
    if (order == Order::descending) places = places.partial({From::newest, 1, most_at_once_});
    auto there = co_await summaries_.take(uids_of(places, view_.messages()));
    if (!there) co_return std::unexpected(std::move(there).error());
    if (there->rest && order == Order::descending) {
      // Those that are wanted first are not among them.
      most_at_once_ = std::max(1U, places.count() / 2);
      continue;
    }
    most_at_once_ = std::min(usual_batch, 2 * most_at_once_);
    Places following = next;
    if (there->rest) {
      const std::uint32_t rest = view_.messages().lower_bound(*there->rest);
      following = places.from(rest);
      places = places.before(rest);
    }
    if (!following.empty()) summaries_.begin(uids_of(following, view_.messages()));
    co_return *std::move(there);
  }
}

// Gives those of `places` that are still to do.
Task<Places> Fetching::run_some(Places places, Order order, const Places& next) {
  const Places all = places;
  // Nothing is marked before all that can fail for all of them is done.
  const auto leave_all = [&] {
    all.each([&](std::uint32_t place) { leave_out(place, {}); });
    return Places();
  };
  Summaries summaries;
  if (plan_.from_summary()) {
    auto there = co_await summaries_of(places, order, next);
    if (!there) {
      note(std::move(there).error());
      co_return leave_all();
    }
    summaries = *std::move(there);
    if (summaries.why) note(*summaries.why);
  }
  const storage::UidSet uids = uids_of(places, view_.messages());
  if (plan_.email_id && !co_await find_email_ids(uids)) co_return leave_all();
  std::vector<storage::Mailbox::Origin> origins;
  if (plan_.origin) {
    auto there = co_await view_.mailbox().origins(uids);
    if (!there) {
      note(std::move(there).error());
      co_return leave_all();
    }
    origins = *std::move(there);
  }
  const storage::UidSet unreadable = co_await unreadable_of(uids, summaries);
  const storage::UidSet newly_seen = co_await mark_seen(uids, unreadable);
  // Octets are read ahead of what follows in the batch.
  const storage::UidSet heads_ahead = order == Order::ascending ? uids : storage::UidSet();
  for (const std::uint32_t place : in_order(places, order)) {
    co_await slice_;
    const storage::Message message = view_.messages().at(place);
    const auto* summary = element_of(summaries.list, message.uid);
    const auto* origin = element_of(origins, message.uid);
    const bool needs_summary = plan_.from_summary() && plan_.effort() == storage::Effort::full;
    if ((needs_summary && summary == nullptr) || (plan_.origin && origin == nullptr)) {
      if (!summaries.unread.contains(message.uid)) some_gone_ = true;
      leave_out(place, newly_seen);
      continue;
    }
    auto decoded =
        summary != nullptr ? known_from(summary->encoded, plan_, enabled_.dialect) : Result<KnownMessage>();
    if (!decoded) {
      note(std::move(decoded).error());
      leave_out(place, newly_seen);
      continue;
    }
    KnownMessage& known = *decoded;
    if (plan_.binary && has_unknown_encoding(plan_.items, *known.parts)) {
      some_unknown_encoding_ = true;
      leave_out(place, newly_seen);
      continue;
    }
    if (plan_.email_id && !add_email_id(message.uid, known)) {
      some_gone_ = true;
      leave_out(place, newly_seen);
      continue;
    }
    if (origin != nullptr) known.origin = *origin;
    const bool is_newly_seen = newly_seen.contains(message.uid);
    if (plan_.octets && !known.fields) {
      const bool answered = co_await answer_with_octets(place, known, is_newly_seen, heads_ahead);
      if (!answered) leave_out(place, newly_seen);
    } else {
      answer_from_index(place, message, known);
      end_answer(message, is_newly_seen);
    }
    if (connection_.output().size() >= worth_sending) co_await connection_.flush();
  }
  co_return order == Order::descending ? all.before(places.ranges().front().begin)
                                       : all.from(places.ranges().back().end);
}

// The messages that get no answer, as they, or a section of theirs that is to be decoded, can't be read: they
// must be known before the others are marked.
Task<storage::UidSet> Fetching::unreadable_of(const storage::UidSet& uids, const Summaries& summaries) {
  if (!plan_.binary || !marks()) co_return summaries.unread;
  storage::UidSet unreadable;
  for (const auto range : uids.ranges()) {
    for (storage::Uid uid = range.first; uid <= range.last; ++uid) {
      co_await slice_;
      bool is_readable = !summaries.unread.contains(uid);
      if (const auto* summary = element_of(summaries.list, uid)) {
        const auto structure = message::decode_structure(summary->encoded);
        is_readable = !structure || !has_unknown_encoding(plan_.items, *structure);
      }
      if (!is_readable) unreadable.append(uid);
    }
  }
  co_return unreadable;
}

// Sets \Seen on those of the messages that lack it, in one transaction; gives those. A failure does not keep
// the client from reading.
Task<storage::UidSet> Fetching::mark_seen(const storage::UidSet& uids, const storage::UidSet& unreadable) {
  storage::UidSet changed;
  if (!marks()) co_return changed;
  const auto now = view_.mailbox().snapshot();
  storage::StoreRequest request;
  for (const auto range : uids.ranges()) {
    now->visit(now->lower_bound(range.first), now->lower_bound(range.last + 1),
               [&](std::uint32_t, const storage::Message& message) {
                 const bool is_seen = message.flags.has(storage::SystemFlag::seen);
                 if (!is_seen && !unreadable.contains(message.uid)) request.uids.append(message.uid);
               });
  }
  if (request.uids.empty()) co_return changed;
  request.how = storage::FlagChange::add;
  request.system_flags = static_cast<std::uint8_t>(storage::SystemFlag::seen);
  auto stored = co_await view_.mailbox().store(std::move(request));
  if (!stored) {
    connection_.log(LogLevel::warning, "imap.seen_not_set", {{"cause", stored.error().detail}});
    co_return changed;
  }
  for (const storage::Message& message : stored->changed) changed.append(message.uid);
  view_.append_new_keywords(connection_.output());
  view_.take_flags(std::move(stored->changed));
  co_return changed;
}

// Of a message that gets no response, what was taken for told is told by itself: else it never would be, and
// HIGHESTMODSEQ would say that it was (RFC 7162 §3.2).
void Fetching::leave_out(std::uint32_t place, const storage::UidSet& newly_seen) {
  const storage::Message message = view_.messages().at(place);
  if (!newly_seen.contains(message.uid) && !news_.contains(message.uid)) return;
  view_.append_changed(connection_.output(), place, message, numbering_);
}

void Fetching::begin_answer(std::uint32_t place) {
  std::string& out = connection_.output();
  view_.append_fetch(out, place);
  out += '(';
  is_first_item_ = true;
}

// An item whose value follows.
void Fetching::begin_item(std::size_t item) {
  std::string& out = connection_.output();
  if (!std::exchange(is_first_item_, false)) out += ' ';
  out += plan_.names[item];
}

void Fetching::append_attribute(FetchAttribute attribute, const storage::Message& message,
                                const KnownMessage& known) {
  std::string& out = connection_.output();
  if (!std::exchange(is_first_item_, false)) out += ' ';
  switch (attribute) {
    case FetchAttribute::uid:
      out += "UID ";
      append_number(out, message.uid);
      break;
    case FetchAttribute::flags: view_.append_message_flags(out, message); break;
    case FetchAttribute::internal_date:
      out += "INTERNALDATE ";
      append_internal_date(out, {.unix_seconds = message.internal_date, .zone_minutes = 0});
      break;
    case FetchAttribute::rfc822_size:
      out += "RFC822.SIZE ";
      append_number(out, message.size);
      break;
    case FetchAttribute::envelope:
      out += "ENVELOPE ";
      if (known.printed) {
        out += *known.printed;
      } else {
        append_envelope(out, *known.envelope, enabled_.dialect);
      }
      break;
    case FetchAttribute::body:
      out += "BODY ";
      append_body_structure(out, *known.structure, Extension::none, enabled_.dialect);
      break;
    case FetchAttribute::body_structure:
      out += "BODYSTRUCTURE ";
      if (known.printed) {
        out += *known.printed;
      } else {
        append_body_structure(out, *known.structure, Extension::full, enabled_.dialect);
      }
      break;
    case FetchAttribute::mod_sequence: append_modseq(out, message); break;
    case FetchAttribute::email_id: out += "EMAILID (" + known.email_id + ")"; break;
    case FetchAttribute::save_date: append_save_date(out, *known.origin); break;
    case FetchAttribute::thread_id: append_thread_id(out, *known.origin); break;
    // Of summaries, no one that was worked out lacks it.
    case FetchAttribute::preview: append_preview(out, known.preview.value_or(""), enabled_.dialect); break;
    case FetchAttribute::preview_lazy: append_preview(out, known.preview, enabled_.dialect); break;
    case FetchAttribute::rfc822:
    case FetchAttribute::rfc822_header:
    case FetchAttribute::rfc822_text: break;  // they are bodies
  }
}

// The \Seen that the command set is told in the same response (RFC 3501 §6.4.5, BODY[]), as is what the
// client has not heard of yet; both are changes, which tell their UID and MODSEQ (RFC 7162 §3.2.4).
void Fetching::end_answer(const storage::Message& message, bool newly_seen) {
  std::string& out = connection_.output();
  if (newly_seen || news_.contains(message.uid)) {
    if (!plan_.flags) {
      out += ' ';
      view_.append_message_flags(out, message);
    }
    if (enabled_.condstore && !plan_.uid && !enabled_.uid_only) {
      out += " UID ";
      append_number(out, message.uid);
    }
    if (enabled_.condstore && !plan_.modseq) {
      out += ' ';
      append_modseq(out, message);
    }
  }
  out += ")\r\n";
}

// False where they can't be had.
Task<bool> Fetching::find_email_ids(const storage::UidSet& uids) {
  auto there = co_await view_.mailbox().email_ids(uids);
  if (!there) {
    note(std::move(there).error());
    co_return false;
  }
  email_ids_ = *std::move(there);
  co_return true;
}

// False for a message that is gone.
bool Fetching::add_email_id(storage::Uid uid, KnownMessage& known) {
  const auto found = std::ranges::lower_bound(email_ids_, uid, {}, &storage::Mailbox::EmailId::uid);
  if (found == email_ids_.end() || found->uid != uid) return false;
  known.email_id = found->id;
  return true;
}

void Fetching::answer_from_index(std::uint32_t place, const storage::Message& message,
                                 const KnownMessage& known) {
  std::string& out = connection_.output();
  begin_answer(place);
  auto wanted = plan_.fields.cbegin();
  for (std::size_t i = 0; i < plan_.items.size(); ++i) {
    const auto* body = std::get_if<FetchBody>(&plan_.items[i]);
    if (body == nullptr) {
      append_attribute(std::get<FetchAttribute>(plan_.items[i]), message, known);
      continue;
    }
    begin_item(i);
    const std::size_t size = *message::common_fields_size(*known.fields, *wanted);
    const Extent part = cut({0, size}, body->partial);
    append_literal_header(out, part.size);
    const std::size_t begin = out.size();
    message::append_common_fields(*known.fields, *wanted, out);
    out.erase(begin, static_cast<std::size_t>(part.offset));
    out.resize(begin + static_cast<std::size_t>(part.size));
    ++wanted;
  }
}

// False where there is no response: all that can fail is done before it begins.
Task<bool> Fetching::answer_with_octets(std::uint32_t place, const KnownMessage& known, bool newly_seen,
                                        const storage::UidSet& next) {
  const storage::Message message = view_.messages().at(place);
  FetchOctets octets(connection_, view_.mailbox(), message, known.parts ? &*known.parts : nullptr,
                     known.edits);
  auto prepared = co_await octets.prepare(plan_.items, ahead_, next);
  if (!prepared) {
    note(std::move(prepared).error());
    co_return false;
  }
  begin_answer(place);
  for (std::size_t i = 0; i < plan_.items.size(); ++i) {
    if (!is_of_octets(plan_.items[i])) {
      append_attribute(std::get<FetchAttribute>(plan_.items[i]), message, known);
      continue;
    }
    begin_item(i);
    co_await octets.append_next();
  }
  end_answer(message, newly_seen);
  co_return true;
}

// Those whose last change is later (RFC 7162 §3.1.4.1), as of now, told or not.
Task<Places> changed_since(storage::ModSeq since, Places places, const View& view, Connection& connection) {
  constexpr std::uint32_t step = 1'024;
  const auto now = view.mailbox().snapshot();
  std::vector<Places::Range> changed;
  if (now->highest_modseq() <= since) co_return Places();
  Slice slice(connection);
  for (const Places& piece : places.in_pieces(step)) {
    for (const auto uids : uids_of(piece, view.messages()).ranges()) {
      now->visit(now->lower_bound(uids.first), now->lower_bound(uids.last + 1),
                 [&](std::uint32_t, const storage::Message& message) {
                   if (message.modseq <= since) return;
                   const std::uint32_t place = *view.messages().find(message.uid);
                   changed.push_back({place, place + 1});
                 });
    }
    co_await slice;
  }
  co_return Places(std::move(changed));
}

}  // namespace

// RFC 7162 §3.2.6: what vanished goes first. What is still to be told as expunged is not among it.
Task<Result<>> Session::tell_vanished(const Fetch& fetch) {
  const storage::UidSet asked =
      fetch.messages.saved ? view_->saved_search() : uids_below(fetch.messages, view_->messages().uid_next());
  auto vanished = co_await view_->mailbox().vanished_since(*fetch.changed_since, asked);
  if (!vanished) co_return std::unexpected(std::move(vanished).error());
  co_await send_vanished_earlier(connection_, *vanished, view_->shared_messages());
  co_return Result<>();
}

Task<Reply> Session::on(const Fetch& fetch) {
  const bool by_uid = fetch.numbering == Numbering::uid;
  auto places = places_of(fetch.messages, fetch.numbering, view_->messages());
  if (!places) co_return bad(places.error().detail);
  if (fetch.partial && count_of(*fetch.partial) > settings_.message_limit) {
    co_return no(message_limit_code(settings_.message_limit) + " Too many messages for one FETCH");
  }
  if (fetch.vanished) {
    const auto told = co_await tell_vanished(fetch);
    if (!told) co_return reply_to(told.error());
  }
  // RFC 9394 §3.3; before CHANGEDSINCE narrows it down (§3.4).
  if (fetch.partial) *places = places->partial(*fetch.partial);
  if (fetch.changed_since)
    places = co_await changed_since(*fetch.changed_since, *places, *view_, connection_);
  const Limited limited = newest(*places, settings_.message_limit, view_->messages());
  Fetching fetching(connection_, *view_, enabled_, fetch);
  co_await fetching.run(limited.places, limited.order());
  if (fetching.failure()) co_return reply_to(*fetching.failure());
  limited_to_ = limited.lowest;
  if (fetching.some_unknown_encoding()) {
    co_return no("[UNKNOWN-CTE] The encoding of some of the sections is not known");
  }
  // RFC 2180 §4.1.2; a UID that is gone is no error (RFC 3501 §6.4.8).
  if (fetching.some_gone() && !by_uid) co_return no("[EXPUNGEISSUED] Some of the messages were expunged");
  co_return ok(by_uid ? "UID FETCH completed" : "FETCH completed");
}

}  // namespace posthorn::imap

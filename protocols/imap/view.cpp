#include "protocols/imap/view.h"

#include "protocols/imap/object_id.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/slice.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace posthorn::imap {
namespace {

using storage::Message;
using storage::Snapshot;
using storage::Uid;

constexpr std::string_view system_flag_names = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

constexpr std::array<std::pair<storage::SystemFlag, std::string_view>, 5> system_flags{{
    {storage::SystemFlag::answered, "\\Answered"},
    {storage::SystemFlag::flagged, "\\Flagged"},
    {storage::SystemFlag::deleted, "\\Deleted"},
    {storage::SystemFlag::seen, "\\Seen"},
    {storage::SystemFlag::draft, "\\Draft"},
}};

constexpr Uid beyond_all = std::numeric_limits<Uid>::max();

void append_untagged_number(std::string& out, std::uint64_t number, std::string_view what) {
  out += "* ";
  append_number(out, number);
  out += what;
}

// The place of the first message without \Seen; as many as there are if there is none.
std::uint32_t first_unseen(const Snapshot& messages) {
  constexpr std::uint32_t step = 1'024;
  std::uint32_t first = messages.size();
  for (std::uint32_t begin = 0; begin < messages.size() && first == messages.size(); begin += step) {
    const std::uint32_t end = std::min(messages.size(), begin + step);
    messages.visit(begin, end, [&](std::uint32_t place, const Message& message) {
      if (!message.flags.has(storage::SystemFlag::seen)) first = std::min(first, place);
    });
  }
  return first;
}

storage::KeywordSet keyword_set(const storage::Mailbox& mailbox, const std::vector<std::string>& names) {
  storage::KeywordSet set;
  for (const std::string& name : names) {
    if (const auto place = mailbox.find_keyword(name)) set.add(*place);
  }
  return set;
}

storage::Flags changed_flags(storage::Flags flags, const storage::StoreRequest& request,
                             const storage::KeywordSet& keywords) {
  const storage::FlagLimits limits = request.limits;
  const auto system = static_cast<std::uint8_t>(request.system_flags & limits.system);
  if (request.how == storage::FlagChange::replace) {
    flags.system = static_cast<std::uint8_t>((flags.system & ~limits.system) | system);
    if (limits.keywords) flags.keywords = keywords;
    return flags;
  }
  const bool add = request.how == storage::FlagChange::add;
  flags.system = static_cast<std::uint8_t>(add ? flags.system | system : flags.system & ~system);
  for (std::size_t i = 0; i < keywords.words().size() && limits.keywords; ++i) {
    std::uint64_t& word = flags.keywords.words()[i];
    word = add ? word | keywords.words()[i] : word & ~keywords.words()[i];
  }
  return flags;
}

constexpr std::size_t line_ranges = 1'000;

// Ranges of `uids` for one line, from the one at `begin` on.
storage::UidSet line_of(const storage::UidSet& uids, std::size_t begin) {
  storage::UidSet line;
  const std::size_t end = std::min(uids.ranges().size(), begin + line_ranges);
  for (std::size_t i = begin; i < end; ++i) line.append(uids.ranges()[i].first, uids.ranges()[i].last);
  return line;
}

Task<void> send_lines(Connection& connection, std::string_view begin, storage::UidSet uids) {
  for (std::size_t at = 0; at < uids.ranges().size(); at += line_ranges) {
    std::string& out = connection.output();
    out += begin;
    append_uids(out, line_of(uids, at));
    out += "\r\n";
    co_await connection.flush_if_large();
  }
}

}  // namespace

void append_modseq(std::string& out, const Message& message) {
  out += "MODSEQ (";
  append_number(out, message.modseq);
  out += ')';
}

Task<void> send_vanished(Connection& connection, const storage::UidSet& uids) {
  co_await send_lines(connection, "* VANISHED ", uids);
}

Task<void> send_vanished_earlier(Connection& connection, const storage::UidSet& uids,
                                 std::shared_ptr<const storage::Snapshot> messages) {
  Slice slice(connection);
  for (std::size_t begin = 0; begin < uids.ranges().size(); begin += line_ranges) {
    co_await send_lines(connection, "* VANISHED (EARLIER) ", messages->without(line_of(uids, begin)));
    co_await slice;
  }
}

View::View(std::shared_ptr<storage::Mailbox> mailbox, Select::Access access, const Enabled& enabled)
    : mailbox_(std::move(mailbox)),
      access_(access),
      enabled_(enabled),
      told_(mailbox_->snapshot()),
      synced_(told_->highest_modseq()) {
  note_recent(0);
}

std::uint32_t View::recent_count() const {
  std::uint32_t count = 0;
  for (const auto range : recent_.ranges()) {
    count += told_->lower_bound(range.last + 1) - told_->lower_bound(range.first);
  }
  return count;
}

// `known_before` is the UIDNEXT up to which this session has settled what is \Recent.
void View::note_recent(Uid known_before) {
  const Uid first = read_only() ? std::max(mailbox_->first_recent(), known_before) : mailbox_->claim_recent();
  if (first < told_->uid_next()) recent_.append(first, told_->uid_next() - 1);
}

void View::append_selected(std::string& out) {
  append_keyword_lines(out);
  append_untagged_number(out, told_->size(), " EXISTS\r\n");
  told_recent_ = recent_count();
  if (!enabled_.rev2()) {
    append_untagged_number(out, told_recent_, " RECENT\r\n");
    const std::uint32_t unseen = enabled_.uid_only ? told_->size() : first_unseen(*told_);
    if (unseen < told_->size()) {
      out += "* OK [UNSEEN ";
      append_number(out, unseen + 1);
      out += "] The first unseen message\r\n";
    }
  }
  const storage::MailboxInfo& info = mailbox_->info();
  out += "* OK [UIDVALIDITY ";
  append_number(out, info.uid_validity);
  out += "] UIDs are valid\r\n* OK [UIDNEXT ";
  append_number(out, told_->uid_next());
  out += "] Predicted next UID\r\n* OK [MAILBOXID " + mailbox_id(info.id) + "] Its id\r\n";
  append_highest_modseq(out);
}

void View::append_highest_modseq(std::string& out) const {
  out += "* OK [HIGHESTMODSEQ ";
  append_number(out, synced_);
  out += "] All changes up to it were told\r\n";
}

Task<void> View::tell_missed(Connection& connection, const storage::UidSet& vanished,
                             const storage::UidSet& known, storage::ModSeq since) {
  const std::shared_ptr<const Snapshot> messages = told_;
  co_await send_vanished_earlier(connection, vanished, messages);
  if (since >= messages->highest_modseq()) co_return;
  Slice slice(connection);
  for (const auto range : known.ranges()) {
    constexpr std::uint32_t step = 1'024;
    const std::uint32_t end = messages->lower_bound(range.last + 1);
    for (std::uint32_t begin = messages->lower_bound(range.first); begin < end; begin += step) {
      messages->visit(begin, std::min(end, begin + step), [&](std::uint32_t place, const Message& message) {
        if (message.modseq > since) append_changed(connection.output(), place, message, Numbering::uid);
      });
      co_await connection.flush_if_large();
      co_await slice;
    }
  }
}

void View::append_fetch(std::string& out, std::uint32_t place) const {
  if (enabled_.uid_only) {
    append_untagged_number(out, told_->at(place).uid, " UIDFETCH ");
  } else {
    append_untagged_number(out, place + 1, " FETCH ");
  }
}

void View::append_changed(std::string& out, std::uint32_t place, const Message& message,
                          Numbering numbering) const {
  append_fetch(out, place);
  out += '(';
  const bool tells_uid = numbering == Numbering::uid || enabled_.condstore || enabled_.rev2();
  if (tells_uid && !enabled_.uid_only) {
    out += "UID ";
    append_number(out, message.uid);
    out += ' ';
  }
  append_message_flags(out, message);
  if (enabled_.condstore) {
    out += ' ';
    append_modseq(out, message);
  }
  out += ")\r\n";
}

void View::append_keyword_lines(std::string& out) {
  const auto& keywords = mailbox_->keywords();
  told_keywords_ = keywords.size();
  told_rights_ = mailbox_->rights();
  std::string names;
  for (const std::string& keyword : keywords) {
    names += ' ';
    names += keyword;
  }
  out += "* FLAGS (";
  out += system_flag_names;
  out += names;
  out += ")\r\n* OK [PERMANENTFLAGS (";
  storage::FlagLimits limits = storage::limits_of(told_rights_);
  if (read_only()) limits = {.system = 0, .keywords = false};
  std::string permanent;
  for (const auto& [flag, name] : system_flags) {
    if ((limits.system & static_cast<std::uint8_t>(flag)) == 0) continue;
    if (!permanent.empty()) permanent += ' ';
    permanent += name;
  }
  if (limits.keywords) permanent += names;
  if (limits.keywords && keywords.size() < storage::KeywordSet::capacity) permanent += " \\*";
  out += permanent;
  out += permanent.empty() ? ")] None can be changed\r\n" : ")] Flags that can be changed\r\n";
}

void View::append_new_keywords(std::string& out) {
  const bool is_new = mailbox_->keywords().size() > told_keywords_ || mailbox_->rights() != told_rights_;
  if (is_new) append_keyword_lines(out);
}

void View::append_message_flags(std::string& out, const Message& message) const {
  out += "FLAGS ";
  Spaced list(out);
  for (const auto& [flag, name] : system_flags) {
    if (message.flags.has(flag)) list.next() += name;
  }
  if (!enabled_.rev2() && is_recent(message.uid)) list.next() += "\\Recent";
  if (message.flags.keywords.empty()) return;
  const auto& names = mailbox_->keywords();
  for (std::size_t place = 0; place < names.size(); ++place) {
    if (message.flags.keywords.has(place)) list.next() += names[place];
  }
}

storage::UidSet View::take_flags(const storage::UidSet& uids) {
  storage::UidSet taken;
  const auto now = mailbox_->snapshot();
  if (now == told_) return taken;
  Snapshot::Change change = Snapshot::difference(*told_, *now);
  std::erase_if(change.changed, [&](const Message& message) { return !uids.contains(message.uid); });
  for (const Message& message : change.changed) taken.append(message.uid);
  take_flags(std::move(change.changed));
  return taken;
}

void View::take_flags(std::vector<Message> changed) {
  if (changed.empty()) return;
  told_ = told_->after({.added = {},
                        .changed = std::move(changed),
                        .expunged = {},
                        .highest_modseq = told_->highest_modseq(),
                        .uid_next = told_->uid_next()});
}

Task<void> View::expect_flags(Connection& connection, const Places& places,
                              const storage::StoreRequest& request) {
  constexpr std::uint32_t step = 1'024;
  const storage::KeywordSet keywords = keyword_set(*mailbox_, request.keywords);
  std::vector<Message> changed;
  Slice slice(connection);
  for (const Places& piece : places.in_pieces(step)) {
    for (const Places::Range range : piece.ranges()) {
      told_->visit(range.begin, range.end, [&](std::uint32_t, Message message) {
        const storage::Flags flags = changed_flags(message.flags, request, keywords);
        if (flags == message.flags) return;
        message.flags = flags;
        changed.push_back(message);
      });
    }
    co_await slice;
  }
  take_flags(std::move(changed));
}

Task<void> View::tell(Connection& connection, Expunges expunges, Numbering numbering) {
  // Who may not read it any more hears nothing more of it.
  if (!mailbox_->rights().has(storage::Right::read)) co_return;
  append_new_keywords(connection.output());
  const std::shared_ptr<const Snapshot> before = told_;
  const std::shared_ptr<const Snapshot> now = mailbox_->snapshot();
  if (before == now) {
    synced_ = now->highest_modseq();
    co_return;
  }

  Snapshot::Change news = Snapshot::difference(*before, *now);
  const Uid last = before->size() == 0 ? 0 : before->at(before->size() - 1).uid;
  // EXISTS speaks of the end alone. A message that appears before others (a file that another program
  // put back) can be told only by telling anew all that stands behind it.
  Uid told_anew_above = beyond_all;
  bool is_held = false;
  const bool has_inserted = !news.added.empty() && news.added.front().uid < last;
  if (expunges == Expunges::hold && (has_inserted || !news.expunged.empty())) {
    news.expunged = {};
    std::erase_if(news.added, [&](const Message& message) { return message.uid < last; });
    told_ = before->after(news);
    is_held = true;
  } else {
    if (has_inserted) told_anew_above = news.added.front().uid;
    told_ = now;
    synced_ = now->highest_modseq();
  }
  // Before anything is awaited: what arrives meanwhile is not ours to claim yet.
  const bool has_grown = !news.added.empty();
  if (has_grown) note_recent(before->uid_next());

  const bool exists_first = expunges == Expunges::tell_behind_exists && !has_inserted && has_grown;
  if (exists_first) {
    const auto added = static_cast<std::uint32_t>(news.added.size());
    append_untagged_number(connection.output(), before->size() + added, " EXISTS\r\n");
  }
  if (enabled_.vanished()) {
    co_await tell_vanished(connection, *before, news.expunged, told_anew_above);
  } else {
    co_await tell_expunged(connection, *before, news, told_anew_above);
  }
  tell_size(connection.output(), has_grown && !exists_first);
  co_await tell_flags(connection, *before, news.changed, told_anew_above, numbering);
  // What is held back may be older than what was told (RFC 7162 §3.2); once it is told, the client learns how
  // far it knows everything (§6).
  const bool was_held = std::exchange(held_, is_held);
  if ((is_held || was_held) && enabled_.condstore) append_highest_modseq(connection.output());
}

// RFC 7162 §3.2.10.2: UIDs that the client has been told of, and no others.
Task<void> View::tell_vanished(Connection& connection, const Snapshot& before,
                               const storage::UidSet& expunged, Uid told_anew_above) {
  storage::UidSet vanished;
  for (const auto range : expunged.ranges()) {
    before.visit(before.lower_bound(range.first), before.lower_bound(range.last + 1),
                 [&](std::uint32_t, const Message& message) {
                   if (message.uid < told_anew_above) vanished.append(message.uid);
                 });
  }
  before.visit(before.lower_bound(told_anew_above), before.size(),
               [&](std::uint32_t, const Message& message) { vanished.append(message.uid); });
  co_await send_vanished(connection, vanished);
}

Task<void> View::tell_expunged(Connection& connection, const Snapshot& before, const Snapshot::Change& news,
                               Uid told_anew_above) {
  Slice slice(connection);
  std::uint32_t gone = 0;
  for (const auto range : news.expunged.ranges()) {
    for (Uid uid = range.first; uid <= range.last && uid < told_anew_above; ++uid) {
      const auto place = before.find(uid);
      if (!place) continue;
      append_untagged_number(connection.output(), *place + 1 - gone, " EXPUNGE\r\n");
      ++gone;
      co_await connection.flush_if_large();
      co_await slice;
    }
  }
  const std::uint32_t first_anew = before.lower_bound(told_anew_above);
  for (std::uint32_t place = first_anew; place < before.size(); ++place) {
    append_untagged_number(connection.output(), first_anew + 1 - gone, " EXPUNGE\r\n");
    co_await connection.flush_if_large();
    co_await slice;
  }
}

void View::tell_size(std::string& out, bool has_grown) {
  const std::uint32_t recent = recent_count();
  if (has_grown) append_untagged_number(out, told_->size(), " EXISTS\r\n");
  if (!enabled_.rev2() && (has_grown || recent != told_recent_))
    append_untagged_number(out, recent, " RECENT\r\n");
  told_recent_ = recent;
}

// Of those below `end`. A change of the MODSEQ alone matters to those who asked for MODSEQs.
Task<void> View::tell_flags(Connection& connection, const Snapshot& before,
                            const std::vector<Message>& changed, Uid end, Numbering numbering) {
  Slice slice(connection);
  for (const Message& message : changed) {
    co_await slice;
    const auto old_place = before.find(message.uid);
    const auto place = told_->find(message.uid);
    if (message.uid >= end || !old_place || !place) continue;
    if (!enabled_.condstore && before.at(*old_place).flags == message.flags) continue;
    append_changed(connection.output(), *place, message, numbering);
    co_await connection.flush_if_large();
  }
}

}  // namespace posthorn::imap

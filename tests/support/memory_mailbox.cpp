// What a mailbox of a MemoryStore does.
#include "message/binary_view.h"
#include "message/header.h"
#include "message/preview.h"
#include "message/summary_codec.h"
#include "tests/support/memory_spool.h"

#include <algorithm>
#include <utility>

namespace posthorn::testing {

using storage::Message;
using storage::Snapshot;
using storage::Uid;
using storage::UidSet;

namespace {

class MemoryBytes final : public storage::MessageBytes {
 public:
  MemoryBytes(MemoryStore& store, std::shared_ptr<const std::string> octets)
      : store_(store), octets_(std::move(octets)) {}
  std::uint64_t size() const override { return octets_->size(); }
  Task<Result<std::string>> read(std::uint64_t offset, std::size_t size) override {
    auto hopped = co_await store_.hop();
    if (!hopped) co_return std::unexpected(std::move(hopped).error());
    const std::uint64_t end =
        std::min<std::uint64_t>(octets_->size(), store_.readable.value_or(octets_->size()));
    if (offset >= end) co_return std::string();
    co_return octets_->substr(
        static_cast<std::size_t>(offset),
        static_cast<std::size_t>(std::min({std::uint64_t{size}, end - offset, std::uint64_t{262'144}})));
  }

 private:
  MemoryStore& store_;
  std::shared_ptr<const std::string> octets_;
};

}  // namespace

MemoryMailbox::MemoryMailbox(MemoryAccount& account, storage::MailboxInfo info)
    : account_(account), info_(std::move(info)), snapshot_(std::make_shared<Snapshot>()) {}

storage::Account& MemoryMailbox::account() { return account_; }

std::optional<std::size_t> MemoryMailbox::find_keyword(std::string_view keyword) const {
  for (std::size_t place = 0; place < keywords_.size(); ++place) {
    if (message::equal_ignoring_case(keywords_[place], keyword)) return place;
  }
  return std::nullopt;
}

Uid MemoryMailbox::claim_recent() { return std::exchange(first_recent_, snapshot_->uid_next()); }

// Nothing where the table would pass its limit.
std::optional<storage::KeywordSet> MemoryMailbox::keyword_set(const std::vector<std::string>& names) {
  storage::KeywordSet set;
  for (const std::string& name : names) {
    auto place = find_keyword(name);
    if (!place) {
      if (keywords_.size() == storage::KeywordSet::capacity) return std::nullopt;
      place = keywords_.size();
      keywords_.push_back(name);
    }
    set.add(*place);
  }
  return set;
}

Message MemoryMailbox::made(std::string octets, std::uint8_t system_flags,
                            const storage::KeywordSet& keywords, std::int64_t internal_date) {
  Message message;
  message.uid = uid_next_++;
  message.flags = {system_flags, keywords};
  message.modseq = next_modseq();
  message.internal_date = internal_date;
  message.size = octets.size();
  message::Summary summary = message::parse_summary(octets);
  summary.preview = message::preview_of(summary, octets);
  Stored& stored = files_[message.uid];
  stored.octets = std::make_shared<const std::string>(std::move(octets));
  stored.summary = message::encode(summary);
  stored.saved = internal_date;
  stored.thread_id = "T" + std::to_string(message.uid);
  stored.email_id = "M" + std::to_string(++account_.last_email_id_);
  return message;
}

Message MemoryMailbox::made_as_stored(std::string octets, bool is_binary, std::uint8_t system_flags,
                                      const storage::KeywordSet& keywords, std::int64_t internal_date) {
  if (!is_binary) return made(std::move(octets), system_flags, keywords, internal_date);
  auto edits = *edits_of(octets);
  const message::BinaryView view(edits, octets.size());
  const message::ReadStored read = reader_of(octets);
  const std::string seen = *view.read(0, static_cast<std::size_t>(view.size()), read);
  const Message message = made(seen, system_flags, keywords, internal_date);
  Stored& stored = files_[message.uid];
  stored.summary = message::encode(*message::summarise(view, std::move(edits), read));
  stored.stored = std::make_shared<const std::string>(std::move(octets));
  return message;
}

Uid MemoryMailbox::put_binary(std::string octets) {
  Snapshot::Change change;
  change.added.push_back(made_as_stored(std::move(octets), true, 0, {}, 0));
  const Uid uid = change.added.front().uid;
  commit(std::move(change));
  return uid;
}

void MemoryMailbox::commit(Snapshot::Change change) {
  change.highest_modseq = next_modseq();
  change.uid_next = uid_next_;
  snapshot_ = snapshot_->after(change);
  account_.store_.loop().soon([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    for (storage::Listener* listener : std::vector(self->listeners_)) listener->mailbox_changed();
  });
}

Uid MemoryMailbox::put(std::string octets, std::uint8_t system_flags, std::vector<std::string> keywords,
                       std::int64_t internal_date) {
  Snapshot::Change change;
  change.added.push_back(made(std::move(octets), system_flags, *keyword_set(keywords), internal_date));
  const Uid uid = change.added.front().uid;
  commit(std::move(change));
  return uid;
}

void MemoryMailbox::put_back(Uid uid, std::string octets) {
  const Uid next = std::exchange(uid_next_, uid);
  Snapshot::Change change;
  change.added.push_back(made(std::move(octets), 0, {}, 0));
  uid_next_ = next;
  commit(std::move(change));
}

void MemoryMailbox::shorten(Uid uid, std::size_t octets) {
  auto& file = files_.at(uid);
  file.octets = std::make_shared<const std::string>(file.octets->substr(0, octets));
}

const std::string* MemoryMailbox::octets(Uid uid) const {
  const auto file = files_.find(uid);
  return file == files_.end() ? nullptr : file->second.octets.get();
}

namespace {

storage::Flags only(storage::Flags flags, const storage::Flags& named) {
  flags.system &= named.system;
  for (std::size_t i = 0; i < 4; ++i) flags.keywords.words()[i] &= named.keywords.words()[i];
  return flags;
}

// RFC 7162 §3.1.12, of a message that changed.
bool may_change(const Message& now, const storage::StoreRequest& request, const storage::Flags& named) {
  if (request.how == storage::FlagChange::replace) return false;
  if (*request.unchanged_since == 0) return named.system == 0 && only(now.flags, named) == storage::Flags{};
  const auto place = request.known ? request.known->find(now.uid) : std::nullopt;
  if (!place) return false;
  const Message& known = request.known->at(*place);
  return known.modseq <= *request.unchanged_since && only(known.flags, named) == only(now.flags, named);
}

}  // namespace

void MemoryMailbox::change_flags(const storage::StoreRequest& request, storage::Stored* stored) {
  const storage::KeywordSet keywords =
      request.limits.keywords ? *keyword_set(request.keywords) : storage::KeywordSet();
  Snapshot::Change change;
  snapshot_->visit(0, snapshot_->size(), [&](std::uint32_t, const Message& old) {
    if (!request.uids.contains(old.uid)) return;
    const storage::Flags named{request.system_flags, keywords};
    if (request.unchanged_since && old.modseq > *request.unchanged_since &&
        !may_change(old, request, named)) {
      if (stored != nullptr) stored->modified.append(old.uid);
      return;
    }
    Message message = old;
    for (std::size_t i = 0; i < 4 && request.limits.keywords; ++i) {
      std::uint64_t& word = message.flags.keywords.words()[i];
      const std::uint64_t asked = keywords.words()[i];
      word = request.how == storage::FlagChange::add      ? word | asked
             : request.how == storage::FlagChange::remove ? word & ~asked
                                                          : asked;
    }
    const unsigned system = message.flags.system;
    message.flags.system = static_cast<std::uint8_t>(
        request.how == storage::FlagChange::add      ? system | request.system_flags
        : request.how == storage::FlagChange::remove ? system & ~static_cast<unsigned>(request.system_flags)
                                                     : request.system_flags);
    message.flags.system = static_cast<std::uint8_t>((message.flags.system & request.limits.system) |
                                                     (old.flags.system & ~request.limits.system));
    if (message.flags == old.flags) return;
    message.modseq = next_modseq();
    change.changed.push_back(message);
  });
  if (stored != nullptr) stored->changed = change.changed;
  if (!change.changed.empty()) commit(std::move(change));
}

UidSet MemoryMailbox::expunge_now(const UidSet& uids, bool all) {
  Snapshot::Change change;
  snapshot_->visit(0, snapshot_->size(), [&](std::uint32_t, const Message& message) {
    if (!uids.contains(message.uid) || (!all && !message.flags.has(storage::SystemFlag::deleted))) return;
    change.expunged.append(message.uid);
    vanished_[message.uid] = next_modseq();
    files_.erase(message.uid);
  });
  const UidSet expunged = change.expunged;
  if (!expunged.empty()) commit(std::move(change));
  return expunged;
}

storage::Copied MemoryMailbox::copy_now(const UidSet& uids, MemoryMailbox& target,
                                        storage::FlagLimits limits) {
  storage::Copied copied{.uid_validity = target.info_.uid_validity};
  Snapshot::Change change;
  const auto source = snapshot_;
  source->visit(0, source->size(), [&](std::uint32_t, const Message& message) {
    if (!uids.contains(message.uid)) return;
    std::vector<std::string> names;
    for (std::size_t place = 0; place < keywords_.size(); ++place) {
      if (limits.keywords && message.flags.keywords.has(place)) names.push_back(keywords_[place]);
    }
    const auto keywords = target.keyword_set(names).value_or(storage::KeywordSet());
    const Stored& stored = files_.at(message.uid);
    change.added.push_back(target.made_as_stored(
        std::string(stored.stored ? *stored.stored : *stored.octets), stored.stored != nullptr,
        static_cast<std::uint8_t>(message.flags.system & limits.system), keywords, message.internal_date));
    target.files_[change.added.back().uid].email_id = files_.at(message.uid).email_id;
    copied.source.push_back(message.uid);
    copied.target.push_back(change.added.back().uid);
  });
  if (!change.added.empty()) target.commit(std::move(change));
  return copied;
}

Task<Result<>> MemoryMailbox::begin() {
  auto hopped = co_await account_.store_.hop();
  if (!hopped) co_return hopped;
  if (deleted_) co_return not_found("the mailbox was deleted");
  co_return Result<>();
}

Task<Result<>> MemoryMailbox::poll() { return begin(); }

Task<Result<storage::Appended>> MemoryMailbox::append(std::vector<storage::Arrival> arrivals) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  storage::Appended appended{.uid_validity = info_.uid_validity, .uids = {}};
  Snapshot::Change change;
  for (const storage::Arrival& arrival : arrivals) {
    const auto keywords = keyword_set(arrival.keywords);
    if (!keywords) co_return too_large("keywords");
    const auto& spool = static_cast<MemorySpool&>(*arrival.spool);
    change.added.push_back(made_as_stored(spool.octets(), spool.is_binary(), arrival.system_flags, *keywords,
                                          arrival.internal_date));
    appended.uids.append(change.added.back().uid);
  }
  commit(std::move(change));
  co_return appended;
}

Task<Result<storage::Stored>> MemoryMailbox::store(storage::StoreRequest request) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (request.limits.keywords && !keyword_set(request.keywords)) co_return too_large("keywords");
  storage::Stored stored;
  change_flags(request, &stored);
  co_return stored;
}

Task<Result<UidSet>> MemoryMailbox::expunge(UidSet uids, bool all) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  co_return expunge_now(uids, all);
}

bool MemoryMailbox::lacks_any(const UidSet& uids) const {
  std::uint64_t there = 0;
  snapshot_->visit(0, snapshot_->size(),
                   [&](std::uint32_t, const Message& message) { there += uids.contains(message.uid); });
  return there != uids.count();
}

Task<Result<UidSet>> MemoryMailbox::vanished_since(storage::ModSeq since, UidSet within) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (since < remembers_from_) co_return snapshot_->without(within);
  UidSet vanished;
  for (const auto& [uid, modseq] : vanished_) {
    if (modseq > since && within.contains(uid)) vanished.append(uid);
  }
  co_return snapshot_->without(vanished);
}

Task<Result<std::vector<MemoryMailbox::EmailId>>> MemoryMailbox::email_ids(UidSet uids) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  std::vector<EmailId> ids;
  for (const auto& [uid, stored] : files_) {
    if (uids.contains(uid)) ids.push_back({uid, stored.email_id});
  }
  co_return ids;
}

Task<Result<storage::Copied>> MemoryMailbox::copy(UidSet uids, std::shared_ptr<storage::Mailbox> target,
                                                  storage::Missing missing, storage::FlagLimits limits) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (target->deleted()) co_return not_found("the target was deleted");
  if (missing == storage::Missing::refuse && lacks_any(uids)) co_return storage::Copied{};
  co_return copy_now(uids, static_cast<MemoryMailbox&>(*target), limits);
}

Task<Result<storage::Copied>> MemoryMailbox::move(UidSet uids, std::shared_ptr<storage::Mailbox> target,
                                                  storage::Missing missing, storage::FlagLimits limits) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (target->deleted()) co_return not_found("the target was deleted");
  if (missing == storage::Missing::refuse && lacks_any(uids)) co_return storage::Copied{};
  const storage::Copied copied = copy_now(uids, static_cast<MemoryMailbox&>(*target), limits);
  UidSet moved;
  for (const Uid uid : copied.source) moved.append(uid);
  expunge_now(moved, true);
  co_return copied;
}

Task<Result<storage::Appended>> MemoryMailbox::replace(storage::Uid uid,
                                                       std::shared_ptr<storage::Mailbox> target,
                                                       storage::Arrival arrival) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (target->deleted()) co_return not_found("the target was deleted");
  storage::Appended appended{.uid_validity = target->info().uid_validity, .uids = {}};
  if (lacks_any(uid_set({uid}))) co_return appended;
  auto& to = static_cast<MemoryMailbox&>(*target);
  if (!to.keyword_set(arrival.keywords)) co_return too_large("keywords");
  const auto& spool = static_cast<MemorySpool&>(*arrival.spool);
  Snapshot::Change change;
  change.added.push_back(to.made_as_stored(spool.octets(), spool.is_binary(), arrival.system_flags,
                                           *to.keyword_set(arrival.keywords), arrival.internal_date));
  appended.uids.append(change.added.front().uid);
  to.commit(std::move(change));
  expunge_now(uid_set({uid}), true);
  co_return appended;
}

Task<Result<storage::Mailbox::Summaries>> MemoryMailbox::summaries(UidSet uids, storage::Effort effort,
                                                                   storage::Form form) {
  MemoryStore& store = account_.store_;
  store.summary_reads.push_back(uids);
  const std::size_t under_way = ++store.summary_reads_under_way;
  store.most_summary_reads_under_way = std::max(store.most_summary_reads_under_way, under_way);
  auto begun = co_await begin();
  if (store.let_summaries_go != nullptr) co_await *store.let_summaries_go;
  --store.summary_reads_under_way;
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (form != storage::Form::summary && store.forms.of(form).make == nullptr) {
    co_return not_found("a form that is not kept");
  }
  Summaries summaries;
  std::size_t octets = 0;
  for (const auto range : uids.ranges()) {
    for (auto file = files_.lower_bound(range.first); file != files_.end() && file->first <= range.last;
         ++file) {
      if (effort == storage::Effort::look_up && file->second.slow) continue;
      if (file->second.unreadable) {
        summaries.unread.append(file->first);
        if (!summaries.why) summaries.why = file->second.unreadable;
        continue;
      }
      std::string encoded = file->second.summary;
      if (form != storage::Form::summary) encoded = store.forms.of(form).make(encoded).value();
      octets += encoded.size();
      if (octets > store.summary_octets && !summaries.list.empty()) {
        summaries.rest = file->first;
        co_return summaries;
      }
      store.most_summary_octets = std::max(store.most_summary_octets, octets);
      summaries.list.push_back({file->first, std::move(encoded)});
    }
  }
  co_return summaries;
}

// For POP3, which is not tested over this.
Task<Result<std::vector<storage::Mailbox::Gain>>> MemoryMailbox::gains() { co_return std::vector<Gain>(); }

Task<Result<std::vector<storage::Mailbox::Origin>>> MemoryMailbox::origins(UidSet uids) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  std::vector<Origin> origins;
  for (const auto range : uids.ranges()) {
    for (auto file = files_.lower_bound(range.first); file != files_.end() && file->first <= range.last;
         ++file) {
      origins.push_back({file->first, file->second.saved, file->second.email_id, file->second.thread_id});
    }
  }
  co_return origins;
}

void MemoryMailbox::set_origin(Uid uid, std::int64_t saved, std::string thread_id) {
  files_.at(uid).saved = saved;
  files_.at(uid).thread_id = std::move(thread_id);
}

void MemoryMailbox::forget_summary(Uid uid) { files_.at(uid).slow = true; }

void MemoryMailbox::make_unreadable(Uid uid, Error why) {
  forget_summary(uid);
  files_.at(uid).unreadable = std::move(why);
}

Task<Result<std::unique_ptr<storage::MessageBytes>>> MemoryMailbox::bytes(Uid uid, storage::Octets octets) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  const auto file = files_.find(uid);
  if (file == files_.end()) co_return not_found("expunged");
  const bool as_stored = octets == storage::Octets::stored && file->second.stored;
  co_return std::make_unique<MemoryBytes>(account_.store_,
                                          as_stored ? file->second.stored : file->second.octets);
}

Task<Result<std::string>> MemoryMailbox::head(Uid uid, std::size_t limit) {
  auto begun = co_await begin();
  if (!begun) co_return std::unexpected(std::move(begun).error());
  const std::string* stored = octets(uid);
  if (stored == nullptr) co_return not_found("expunged");
  co_return stored->substr(0, limit);
}

Task<std::vector<storage::Mailbox::Head>> MemoryMailbox::heads(storage::UidSet uids, HeadLimits limits) {
  auto begun = co_await begin();
  std::vector<Head> found;
  if (!begun) {
    // head() meets it again, as it would on a bad disk.
    account_.store_.fail(std::move(begun).error());
    co_return found;
  }
  for (const auto range : uids.ranges()) {
    for (Uid uid = range.first; uid <= range.last; ++uid) {
      const std::string* stored = octets(uid);
      if (stored != nullptr) found.push_back({uid, stored->substr(0, limits.each)});
    }
  }
  co_return found;
}

}  // namespace posthorn::testing

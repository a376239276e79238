#include "storage/mailbox.h"

#include "storage/copy_in_pieces.h"
#include "storage/folders.h"
#include "storage/message_bytes.h"
#include "storage/messages.h"
#include "storage/state_file.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <thread>

namespace posthorn::storage {
namespace {

// Threads that look into messages for one search.
std::size_t scans_at_once() { return std::clamp(std::thread::hardware_concurrency(), 1U, 4U); }

UidSet common(const UidSet& one, const UidSet& other) {
  UidSet both;
  auto a = one.ranges().begin();
  auto b = other.ranges().begin();
  while (a != one.ranges().end() && b != other.ranges().end()) {
    const Uid first = std::max(a->first, b->first);
    const Uid last = std::min(a->last, b->last);
    if (first <= last) both.append(first, last);
    if (a->last < b->last) {
      ++a;
    } else {
      ++b;
    }
  }
  return both;
}

}  // namespace

MailboxImpl::MailboxImpl(std::shared_ptr<AccountImpl> account, MailboxInfo info,
                         std::shared_ptr<const Snapshot> snapshot, std::vector<std::string> keywords,
                         Uid first_recent)
    : account_(std::move(account)),
      info_(std::move(info)),
      snapshot_(std::move(snapshot)),
      keywords_(std::move(keywords)),
      first_recent_(first_recent) {}

MailboxImpl::~MailboxImpl() = default;

std::optional<std::size_t> MailboxImpl::find_keyword(std::string_view keyword) const {
  return storage::find_keyword(keywords_, keyword);
}

Uid MailboxImpl::claim_recent() {
  const Uid before = std::exchange(first_recent_, std::max(first_recent_, snapshot_->uid_next()));
  if (first_recent_ != before && !deleted_ && !account_->parts().closing) {
    account_->parts().background.start(persist_claim(shared_from_this()));
  }
  return before;
}

// Should it be lost, messages are \Recent once more, which harms nobody.
Task<void> MailboxImpl::persist_claim(std::shared_ptr<MailboxImpl> self) {
  ClaimRecent operation(info_.id, first_recent_);
  static_cast<void>(co_await self->account_->run(operation));
}

void MailboxImpl::add_listener(Listener& listener) {
  listeners_.add(listener);
  watch();
}

void MailboxImpl::remove_listener(Listener& listener) {
  listeners_.remove(listener);
  if (listeners_.empty()) watch_.reset();
}

// While somebody listens, what other programs do to the folder is looked at as it happens.
void MailboxImpl::watch() {
  if (watch_ || deleted_ || listeners_.empty()) return;
  const std::string path = account_->disk().folder_path(info_.name);
  watch_ = std::make_unique<Watch>(account_->parts().lane.loop(),
                                   std::vector<std::string>{path + "/new", path + "/cur"},
                                   [this] { poll_later(); });
}

void MailboxImpl::poll_later() {
  if (account_->parts().closing) return;
  poll_again_ = polling_;
  if (polling_) return;
  polling_ = true;
  account_->parts().background.start(poll_in_background(shared_from_this()));
}

Task<void> MailboxImpl::poll_in_background(std::shared_ptr<MailboxImpl> self) {
  do {
    poll_again_ = false;
    static_cast<void>(co_await self->look());
  } while (poll_again_ && !deleted_);
  polling_ = false;
}

void MailboxImpl::tell() { listeners_.tell(account_->parts().lane.loop(), shared_from_this()); }

void MailboxImpl::set_snapshot(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  tell();
}

void MailboxImpl::set_info(MailboxInfo info) {
  info_ = std::move(info);
  watch_.reset();
  watch();
  tell();
}

void MailboxImpl::set_acl(std::shared_ptr<const Acl> acl) {
  if (info_.acl == acl) return;
  info_.acl = std::move(acl);
  tell();
}

void MailboxImpl::set_deleted() {
  deleted_ = true;
  watch_.reset();
  tell();
}

Task<Result<>> MailboxImpl::poll() {
  if (account_->is_at_long_work() && !deleted_) {
    poll_later();
    co_return Result<>();
  }
  co_return co_await look();
}

Task<Result<>> MailboxImpl::look() {
  PollMailbox operation(info_.id);
  auto ended = co_await account_->run(operation);
  if (ended || ended.error().code != Errc::not_found || deleted_) co_return ended;
  // Its folder is gone: another program has removed or renamed it.
  ListFolders folders;
  auto listed = co_await account_->run(folders);
  if (!listed) co_return std::unexpected(listed.error());
  if (deleted_) co_return ended;
  co_return co_await account_->run(operation);
}

Task<Result<Appended>> MailboxImpl::append(std::vector<Arrival> arrivals) {
  AddMessages operation({info_.id, {}}, std::move(arrivals));
  auto ended = co_await account_->run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.appended);
}

Task<Result<Stored>> MailboxImpl::store(StoreRequest request) {
  ChangeFlags operation(info_.id, std::move(request));
  auto ended = co_await account_->run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.stored);
}

Task<Result<UidSet>> MailboxImpl::expunge(UidSet uids, bool all) {
  Expunge operation({info_.id, {}}, std::move(uids), all);
  auto ended = co_await account_->run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.expunged);
}

Task<Result<Copied>> MailboxImpl::copy(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                       FlagLimits limits) {
  return transfer(std::move(uids), std::move(target), Transfer::copy, missing, limits);
}

Task<Result<Copied>> MailboxImpl::move(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                       FlagLimits limits) {
  return transfer(std::move(uids), std::move(target), Transfer::move, missing, limits);
}

Task<Result<Appended>> MailboxImpl::replace(Uid uid, std::shared_ptr<Mailbox> target, Arrival arrival) {
  if (&target->account() != account_.get()) {
    co_return failure(Errc::unavailable, "the target is a mailbox of another account");
  }
  ReplaceMessage operation(info_.id, uid, target->info().id, std::move(arrival));
  auto ended = co_await account_->run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.appended);
}

Task<Result<Copied>> MailboxImpl::transfer(UidSet uids, std::shared_ptr<Mailbox> target, Transfer how,
                                           Missing missing, FlagLimits limits) {
  if (&target->account() != account_.get()) {
    co_return failure(Errc::unavailable, "the target is a mailbox of another account");
  }
  if (how == Transfer::copy && uids.count() > few_messages && target->info().id != info_.id) {
    CopyInPieces operation(info_.id, std::move(uids), target->info().id, missing, limits);
    auto ended = co_await account_->run(operation);
    if (!ended) co_return std::unexpected(ended.error());
    co_return std::move(operation.copied);
  }
  TransferMessages operation(info_.id, std::move(uids), target->info().id, how, missing, limits);
  auto ended = co_await account_->run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.copied);
}

template <class Value, class Read>
Task<Result<Value>> MailboxImpl::look_up(Read& read) {
  auto awake = co_await account_->wake();
  if (!awake) co_return std::unexpected(awake.error());
  auto found = co_await Offload(account_->parts().lane, read);
  if (!found && found.error().code != Errc::busy) {
    // The index may be broken: the next operation finds out and makes it anew.
    auto polled = co_await look();
    if (!polled) co_return std::unexpected(polled.error());
    found = co_await Offload(account_->parts().lane, read);
  }
  co_return found;
}

Task<Result<std::vector<Mailbox::Origin>>> MailboxImpl::origins(UidSet uids) {
  auto read = [this, &uids] { return account_->disk().origins(info_.id, uids); };
  co_return co_await look_up<std::vector<Origin>>(read);
}

namespace {

// Those of `uids` that are among `messages`.
UidSet common(const UidSet& uids, const Snapshot& messages) {
  UidSet there;
  for (const UidSet::Range range : uids.ranges()) {
    const std::uint32_t end = range.last == std::numeric_limits<Uid>::max()
                                  ? messages.size()
                                  : messages.lower_bound(range.last + 1);
    messages.visit(messages.lower_bound(range.first), end,
                   [&](std::uint32_t, const Message& message) { there.append(message.uid); });
  }
  return there;
}

}  // namespace

// The index may have summaries of messages that are gone: what is removed later, or is another's too.
Task<Result<Mailbox::Summaries>> MailboxImpl::summaries(UidSet uids, Effort effort, Form form) {
  uids = common(uids, *snapshot_);
  auto read = [this, &uids, effort, form] {
    return account_->disk().summaries(info_.id, uids, effort, form);
  };
  auto found = co_await look_up<AccountDisk::Summaries>(read);
  if (found && found->resized) {
    TakeAnew operation(info_.id, *found->resized);
    static_cast<void>(co_await account_->run(operation));
    found = co_await look_up<AccountDisk::Summaries>(read);
  }
  if (!found) co_return std::unexpected(found.error());
  // Those that are not kept now are worked out again.
  const bool may_keep = keeping_ < most_keeping && !account_->parts().closing;
  if (!found->worked_out.empty() && may_keep) {
    account_->parts().background.start(keep(shared_from_this(), std::move(found->worked_out)));
  }
  co_return std::move(found->present);
}

Task<void> MailboxImpl::keep(std::shared_ptr<MailboxImpl> self, std::vector<WorkedOut> summaries) {
  KeepSummaries operation(info_.id, std::move(summaries));
  ++keeping_;
  static_cast<void>(co_await self->account_->run(operation));
  --keeping_;
}

Task<Result<std::vector<Mailbox::Gain>>> MailboxImpl::gains() {
  std::vector<Gain> gains;
  std::optional<Uid> from = 1;
  while (from) {
    auto read = [this, from] { return account_->disk().gains(info_.id, *from); };
    auto found = co_await look_up<AccountDisk::Gains>(read);
    if (!found) co_return std::unexpected(found.error());
    std::ranges::copy(found->present, std::back_inserter(gains));
    std::ranges::copy_if(found->worked_out, std::back_inserter(gains),
                         [](const Gain& gain) { return gain.octets > 0; });
    from = found->next;
    if (found->worked_out.empty() || account_->parts().closing) continue;
    account_->parts().background.start(keep_gains(shared_from_this(), std::move(found->worked_out)));
  }
  std::ranges::sort(gains, {}, &Gain::uid);
  co_return gains;
}

Task<void> MailboxImpl::keep_gains(std::shared_ptr<MailboxImpl> self, std::vector<Gain> gains) {
  KeepGains operation(info_.id, std::move(gains));
  static_cast<void>(co_await self->account_->run(operation));
}

Task<Result<UidSet>> MailboxImpl::vanished_since(ModSeq since, UidSet within) {
  auto awake = co_await account_->wake();
  if (!awake) co_return std::unexpected(awake.error());
  const std::shared_ptr<const Snapshot> messages = snapshot_;
  // They may be very many, so all of it is the pool's.
  auto job = [this, since, &within, &messages]() -> Result<UidSet> {
    const auto found = account_->disk().vanished_since(info_.id, since);
    if (!found && found.error().code == Errc::busy) return std::unexpected(found.error());
    // An index that can not be read remembers nothing.
    if (!found || !*found) return messages->without(within);
    // A file that another program took away and put back has a tombstone too.
    return messages->without(common(**found, within));
  };
  co_return co_await Offload(account_->parts().lane, job);
}

Task<Result<std::vector<Mailbox::EmailId>>> MailboxImpl::email_ids(UidSet uids) {
  auto read = [this, &uids] { return account_->disk().email_ids(info_.id, uids); };
  co_return co_await look_up<std::vector<EmailId>>(read);
}

Task<Mailbox::TextHits> MailboxImpl::text_hits(std::vector<TextPattern> patterns) {
  if (patterns.size() > patterns_limit) patterns.resize(patterns_limit);
  if (!account_->has_search_index() || !co_await account_->wake()) co_return TextHits();
  auto look_up = [this, &patterns] { return account_->disk().text_hits(info_.id, patterns); };
  auto found = co_await Offload(account_->parts().lane, look_up);
  if (found) co_return *std::move(found);
  // It is not there, or broken: it will be.
  account_->fill_search_index_later(Milliseconds(0));
  co_return TextHits();
}

namespace {

// `uids` in as many pieces, or fewer, of about the same size.
std::vector<UidSet> in_pieces(const UidSet& uids, std::size_t count) {
  std::vector<UidSet> pieces(1);
  const std::uint64_t size = (uids.count() + count - 1) / count;
  std::uint64_t held = 0;
  for (const UidSet::Range& range : uids.ranges()) {
    for (std::uint64_t uid = range.first; uid <= range.last; ++uid) {
      if (held++ == size) {
        pieces.emplace_back();
        held = 1;
      }
      pieces.back().append(static_cast<Uid>(uid));
    }
  }
  return pieces;
}

void add_all(UidSet& uids, const UidSet& more) {
  for (const UidSet::Range& range : more.ranges()) uids.append(range.first, range.last);
}

}  // namespace

Task<void> MailboxImpl::scan_piece(UidSet piece, const std::vector<TextPattern>& patterns, TextHits& found) {
  auto look = [&] { return account_->disk().scan(info_.id, piece, patterns); };
  auto looked = co_await Offload(account_->parts().lane, look);
  // What could not be done is not known.
  if (looked) found = *std::move(looked);
}

// Several threads at once.
Task<Mailbox::TextHits> MailboxImpl::scan(UidSet uids, std::vector<TextPattern> patterns) {
  if (patterns.size() > patterns_limit) patterns.resize(patterns_limit);
  if (!co_await account_->wake()) co_return TextHits();
  const std::vector<UidSet> pieces = in_pieces(uids, scans_at_once());
  std::vector<TextHits> found(pieces.size());
  {
    TaskGroup scans;
    for (std::size_t i = 0; i < pieces.size(); ++i) scans.start(scan_piece(pieces[i], patterns, found[i]));
    Signal ended;
    scans.when_empty([&ended] { ended.notify(); });
    co_await ended;
  }
  TextHits all;
  all.exact = true;
  all.hits.resize(patterns.size());
  for (auto& hits : all.hits) hits.emplace();
  for (const TextHits& piece : found) {
    add_all(all.known, piece.known);
    for (std::size_t i = 0; i < piece.hits.size(); ++i) add_all(*all.hits[i], *piece.hits[i]);
  }
  co_return all;
}

template <class Value, class Read>
Task<Result<Value>> MailboxImpl::read_message(Uid uid, Read& read) {
  auto awake = co_await account_->wake();
  if (!awake) co_return std::unexpected(awake.error());
  auto found = co_await Offload(account_->parts().lane, read);
  if (!found && found.error().code == Errc::corrupt) {
    TakeAnew operation(info_.id, uid);
    static_cast<void>(co_await account_->run(operation));
  }
  if (!found && found.error().code != Errc::busy && snapshot_->find(uid)) {
    auto polled = co_await look();
    if (!polled) co_return std::unexpected(polled.error());
    found = co_await Offload(account_->parts().lane, read);
  }
  co_return found;
}

Task<Result<std::unique_ptr<MessageBytes>>> MailboxImpl::bytes(Uid uid, Octets octets) {
  auto read = [this, uid, octets] { return account_->disk().open_message(info_.id, uid, octets); };
  auto found = co_await read_message<StoredFile>(uid, read);
  if (!found) co_return std::unexpected(found.error());
  co_return std::make_unique<StoredBytes>(account_->parts().lane, *std::move(found));
}

Task<Result<std::string>> MailboxImpl::head(Uid uid, std::size_t limit) {
  auto read = [this, uid, limit]() -> Result<std::string> {
    return TRY(account_->disk().open_message(info_.id, uid, Octets::seen)).head(limit);
  };
  co_return co_await read_message<std::string>(uid, read);
}

Task<std::vector<Mailbox::Head>> MailboxImpl::heads(UidSet uids, HeadLimits limits) {
  auto awake = co_await account_->wake();
  if (!awake) co_return std::vector<Head>();
  auto read = [this, &uids, limits] { return account_->disk().heads(info_.id, uids, limits); };
  auto found = co_await Offload(account_->parts().lane, read);
  co_return found ? *std::move(found) : std::vector<Head>();
}

}  // namespace posthorn::storage

#include "storage/account.h"

#include "storage/folder_name.h"
#include "storage/folders.h"
#include "storage/mailbox.h"
#include "storage/messages.h"
#include "storage/upkeep.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

// So many operations share a transaction and its syncs.
constexpr std::size_t batch_limit = 128;
// File names follow flags within this time.
constexpr Milliseconds follow_after{1500};
// And where that failed, it is tried again.
constexpr Milliseconds follow_again_after{30'000};

// Nothing but the opening that every batch begins with.
class Wake final : public Operation {
 public:
  Result<> run(Work& /*work*/) override { return {}; }
  bool maildir_suffices() const override { return true; }
};

}  // namespace

void Listeners::tell(Loop& loop, std::shared_ptr<void> self) {
  if (telling_ || listeners_.empty()) return;
  telling_ = true;
  loop.soon([this, self = std::move(self)] {
    telling_ = false;
    // Each may take itself or others off.
    const std::vector<Listener*> told = listeners_;
    for (Listener* listener : told) {
      if (std::ranges::find(listeners_, listener) != listeners_.end()) listener->mailbox_changed();
    }
  });
}

AccountImpl::AccountImpl(StoreParts& parts, std::string path, std::string address)
    : parts_(parts), disk_(parts.disk, std::move(path), std::move(address)) {}

AccountImpl::~AccountImpl() = default;

Task<Result<>> AccountImpl::run(Operation& operation) {
  if (parts_.closing) co_return failure(Errc::unavailable, "the store is closing");
  co_return co_await queue(operation);
}

Task<Result<>> AccountImpl::queue(Operation& operation) {
  if (removed_) co_return not_found("the account was removed");
  const auto self = shared_from_this();
  queue_.push_back(&operation);
  if (!pumping_) {
    pumping_ = true;
    parts_.background.start(pump(self));
  }
  co_await operation.done;
  if (operation.error) co_return std::unexpected(*operation.error);
  co_return Result<>();
}

Task<void> AccountImpl::pump(std::shared_ptr<AccountImpl> self) {
  while (!queue_.empty()) {
    running_ = take_batch();
    // Held until the batch has ended, so that what is loaded stays so.
    const std::vector<std::shared_ptr<MailboxImpl>> mailboxes = loaded();
    Snapshots before;
    for (const auto& mailbox : mailboxes) before[mailbox->info().id] = mailbox->snapshot();
    auto job = [this, &before]() -> Result<Outcome> {
      try {
        return disk_.run(running_, before);
      } catch (const std::exception& exception) {
        return failure(Errc::io, exception.what());
      }
    };
    auto outcome = co_await Offload(parts_.lane, job);
    const std::vector<Operation*> batch = std::exchange(running_, {});
    if (outcome) {
      try {
        apply(*outcome);
      } catch (const std::exception&) {
        // It is on disk; whoever waits for it is not to wait for ever.
        log_bug(parts_.disk.log, "storage", std::current_exception());
      }
    } else {
      for (Operation* operation : batch) operation->error = outcome.error();
    }
    for (Operation* operation : batch) operation->done.notify();
    fresh_.clear();
  }
  pumping_ = false;
  parts_.used(*self);
  if (idle_.has_waiter()) idle_.notify();
}

std::vector<Operation*> AccountImpl::take_batch() {
  std::vector<Operation*> batch;
  while (!queue_.empty() && batch.size() < batch_limit) {
    Operation* next = queue_.front();
    if (next->alone() && !batch.empty()) break;
    queue_.pop_front();
    batch.push_back(next);
    if (next->alone()) break;
  }
  return batch;
}

bool AccountImpl::is_at_long_work() const {
  const auto is_long = [](const Operation* operation) { return operation->is_long(); };
  return std::ranges::any_of(running_, is_long) || std::ranges::any_of(queue_, is_long);
}

std::shared_ptr<MailboxImpl> AccountImpl::find(MailboxId id) {
  const auto found = mailboxes_.find(id);
  return found == mailboxes_.end() ? nullptr : found->second.lock();
}

std::vector<std::shared_ptr<MailboxImpl>> AccountImpl::loaded() {
  std::vector<std::shared_ptr<MailboxImpl>> mailboxes;
  for (auto each = mailboxes_.begin(); each != mailboxes_.end();) {
    if (auto mailbox = each->second.lock()) {
      mailboxes.push_back(std::move(mailbox));
      ++each;
    } else {
      each = mailboxes_.erase(each);
    }
  }
  return mailboxes;
}

void AccountImpl::apply(Outcome& outcome) {
  for (auto& [id, keywords] : outcome.keywords) {
    if (const auto mailbox = find(id)) mailbox->set_keywords(std::move(keywords));
  }
  for (auto& [id, snapshot] : outcome.snapshots) {
    if (const auto mailbox = find(id)) {
      mailbox->set_snapshot(std::move(snapshot));
    } else {
      fresh_[id] = std::move(snapshot);
    }
  }
  for (auto& [id, info] : outcome.infos) {
    if (const auto mailbox = find(id)) mailbox->set_info(std::move(info));
  }
  for (const MailboxId id : outcome.removed) {
    if (const auto mailbox = find(id)) mailbox->set_deleted();
    mailboxes_.erase(id);
  }
  if (outcome.list_changed) listeners_.tell(parts_.lane.loop(), shared_from_this());
  open_ = outcome.open;
  restless_ = outcome.restless;
  follow_later(follow_after);
  if (outcome.checkpoint_due && open_ && !checkpointing_ && !parts_.closing) {
    checkpointing_ = true;
    parts_.background.start(checkpoint(shared_from_this()));
  }
}

void AccountImpl::follow_later(Milliseconds delay) {
  if (!restless_ || !open_ || following_ || parts_.closing || removed_) return;
  if (!follow_timer_) {
    follow_timer_ = std::make_unique<Timer>(parts_.lane.loop(), [this] {
      if (!open_ || following_ || parts_.closing || removed_) return;
      following_ = true;
      parts_.background.start(follow(shared_from_this()));
    });
    follow_timer_->unreference();
  }
  if (!follow_timer_->active()) follow_timer_->start(delay);
}

Task<void> AccountImpl::follow(std::shared_ptr<AccountImpl> self) {
  Follow operation;
  Result<> ended;
  do {
    ended = co_await self->run(operation);
  } while (ended && operation.more);
  following_ = false;
  // What had to wait, or could not be done.
  follow_later(ended ? follow_after : follow_again_after);
}

Task<void> AccountImpl::checkpoint(std::shared_ptr<AccountImpl> self) {
  Checkpoint operation;
  static_cast<void>(co_await self->run(operation));
  checkpointing_ = false;
}

Task<Result<>> AccountImpl::wake() {
  if (open_) co_return Result<>();
  Wake operation;
  co_return co_await run(operation);
}

Task<Result<>> AccountImpl::settle() {
  if (follow_timer_) follow_timer_->stop();
  if (!open_ && !pumping_) co_return Result<>();
  Settle operation;
  co_return co_await queue(operation);
}

Task<Result<>> AccountImpl::remove_all(std::string aside) {
  const auto self = shared_from_this();
  removed_ = true;
  if (follow_timer_) follow_timer_->stop();
  if (pumping_) co_await idle_;
  auto job = [this, &aside]() -> Result<> {
    disk_.close();
    const std::string parent = disk_.path().substr(0, disk_.path().rfind('/'));
    const auto renamed = disk_.files().rename(disk_.path(), aside);
    if (!renamed && renamed.error().code != Errc::not_found) return renamed;
    // Also where an attempt before this one came no further than the rename.
    TRY(disk_.files().sync_directory(parent));
    return renamed;
  };
  auto removed = co_await Offload(parts_.lane, job);
  open_ = false;
  for (const auto& [id, mailbox] : std::exchange(mailboxes_, {})) {
    if (const auto open = mailbox.lock()) open->set_deleted();
  }
  co_return removed;
}

Task<Result<std::vector<MailboxInfo>>> AccountImpl::list() {
  ListFolders operation;
  auto ended = co_await run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.mailboxes);
}

Task<Result<std::shared_ptr<Mailbox>>> AccountImpl::open(std::string name) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  const auto self = shared_from_this();
  OpenMailbox operation(*canonical);
  auto ended = co_await run(operation);
  if (!ended && ended.error().code == Errc::not_found) {
    // Another program may have made it.
    ListFolders folders;
    ended = co_await run(folders);
    if (ended) ended = co_await run(operation);
  }
  if (!ended) co_return std::unexpected(ended.error());
  auto mailbox = find(operation.info.id);
  if (!mailbox) {
    mailbox = std::make_shared<MailboxImpl>(self, operation.info, fresh_.at(operation.info.id),
                                            std::move(operation.keywords), operation.first_recent);
    mailboxes_[operation.info.id] = mailbox;
  }
  parts_.opened(mailbox);
  co_return std::shared_ptr<Mailbox>(std::move(mailbox));
}

Task<Result<Counts>> AccountImpl::status(std::string name) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  if (open_ && is_at_long_work()) {
    auto read = [this, &canonical] { return disk_.committed_counts(*canonical); };
    auto counts = co_await Offload(parts_.lane, read);
    if (counts) co_return counts;
  }
  ReadCounts operation(*canonical);
  auto ended = co_await run(operation);
  if (!ended && ended.error().code == Errc::not_found) {
    ListFolders folders;
    ended = co_await run(folders);
    if (ended) ended = co_await run(operation);
  }
  if (!ended) co_return std::unexpected(ended.error());
  co_return operation.counts;
}

Task<Result<MailboxInfo>> AccountImpl::create(std::string name, SpecialUse use) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  CreateFolder operation(*std::move(canonical), use);
  auto ended = co_await run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.created);
}

Task<Result<>> AccountImpl::remove(std::string name) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  RemoveFolder operation(*std::move(canonical));
  co_return co_await run(operation);
}

Task<Result<>> AccountImpl::rename(std::string from, std::string to) {
  auto source = canonical_mailbox_name(from);
  if (!source) co_return std::unexpected(source.error());
  auto target = canonical_mailbox_name(to);
  if (!target) co_return std::unexpected(target.error());
  RenameFolder operation(*std::move(source), *std::move(target));
  co_return co_await run(operation);
}

Task<Result<std::vector<std::string>>> AccountImpl::subscriptions() {
  ReadSubscriptions operation;
  auto ended = co_await run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.names);
}

Task<Result<>> AccountImpl::subscribe(std::string name, bool on) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  Subscribe operation(*std::move(canonical), on);
  co_return co_await run(operation);
}

}  // namespace posthorn::storage

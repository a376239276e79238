#include "storage/account.h"

#include "storage/acl.h"
#include "storage/folder_name.h"
#include "storage/folders.h"
#include "storage/mailbox.h"
#include "storage/messages.h"
#include "storage/namespaces.h"
#include "storage/share_folder.h"
#include "storage/upkeep.h"

#include <algorithm>
#include <cassert>
#include <sys/resource.h>
#include <unistd.h>

namespace posthorn::storage {
namespace {

// So many operations share a transaction and its syncs.
constexpr std::size_t batch_limit = 128;
// File names follow flags within this time.
constexpr Milliseconds follow_after{1500};
// And where that failed, it is tried again.
constexpr Milliseconds follow_again_after{30'000};
// Where the search index could not be filled, it is tried again; each time later, while it fails.
constexpr Milliseconds fill_again_after{30'000};
constexpr Milliseconds fill_again_at_last{3'600'000};
// What has begun goes on after this, where the lane is full.
constexpr Milliseconds again_after{50};

// Nothing but the opening that every batch begins with.
class Wake final : public Operation {
 public:
  Result<> run(Work& /*work*/) override { return {}; }
  bool maildir_suffices() const override { return true; }
};

// Of the thread that runs it, for ever: the kernel gives it what others leave.
void yield_to_others() { static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19)); }

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
    : parts_(parts), disk_(parts.disk, std::move(path), std::move(address)), fill_again_(fill_again_after) {}

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
  while (!queue_.empty() || in_pieces_ != nullptr) {
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
    while (!outcome && outcome.error().code == Errc::busy && running_.front() == in_pieces_) {
      // It is no new request: what it has begun it goes on with.
      co_await Sleep(parts_.lane.loop(), again_after);
      outcome = co_await Offload(parts_.lane, job);
    }
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
    end_batch(batch);
    fresh_.clear();
  }
  pumping_ = false;
  parts_.used(*self);
  if (idle_.has_waiter()) idle_.notify();
}

// What goes in pieces and all others take turns.
std::vector<Operation*> AccountImpl::take_batch() {
  std::vector<Operation*> batch;
  const bool next_piece =
      in_pieces_ != nullptr && (in_pieces_->failed || !std::exchange(others_turn_, false));
  while (!next_piece && !queue_.empty() && batch.size() < batch_limit) {
    Operation* next = queue_.front();
    if (in_pieces_ != nullptr && next->ends_use()) break;
    const bool is_alone = next->alone() || next->in_pieces();
    if (is_alone && !batch.empty()) break;
    queue_.pop_front();
    if (next->in_pieces() && in_pieces_ != nullptr) {
      waiting_.push_back(next);
      continue;
    }
    batch.push_back(next);
    if (is_alone) break;
  }
  if (batch.empty() && in_pieces_ != nullptr) batch.push_back(in_pieces_);
  return batch;
}

void AccountImpl::end_batch(const std::vector<Operation*>& batch) {
  for (Operation* operation : batch) {
    if (operation->waits) {
      assert(in_pieces_ != nullptr);
      waiting_.push_back(operation);
    } else if (!operation->in_pieces() || !go_on(*operation)) {
      operation->done.notify();
    }
  }
}

// Whether there are pieces left of it, or something to take back.
bool AccountImpl::go_on(Operation& operation) {
  others_turn_ = true;
  in_pieces_ = &operation;
  if (operation.failed && operation.unfinished && !operation.error) return true;
  if (operation.failed) {
    // What could not be taken back is found when the account is read anew.
    if (operation.error) disk_.forget_layout();
    operation.error = operation.failed;
  } else if (operation.error) {
    operation.failed = operation.error;
    return true;
  } else if (operation.unfinished) {
    return true;
  }
  in_pieces_ = nullptr;
  queue_.insert(queue_.begin(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  return false;
}

bool AccountImpl::is_at_long_work() const {
  const auto is_long = [](const Operation* operation) { return operation->is_long(); };
  return in_pieces_ != nullptr || std::ranges::any_of(running_, is_long) ||
         std::ranges::any_of(queue_, is_long);
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
  if (!outcome.trash.empty() && !emptying_trash_) {
    emptying_trash_ = true;
    parts_.background.start(empty(shared_from_this(), std::move(outcome.trash)));
  }
  open_ = outcome.open;
  restless_ = outcome.restless;
  follow_later(follow_after);
  fill_search_index_later(parts_.disk.settings.search_index_delay);
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

bool AccountImpl::may_fill() const {
  return has_search_index() && open_ && !parts_.closing && !removed_ && settling_ == 0;
}

void AccountImpl::fill_search_index_later(Milliseconds delay) {
  if (filling_ || !may_fill()) return;
  if (!fill_timer_) {
    fill_timer_ = std::make_unique<Timer>(parts_.lane.loop(), [this] {
      if (filling_ || !may_fill()) return;
      filling_ = true;
      disk_.allow_filling();
      parts_.background.start(fill_search_index(shared_from_this()));
    });
    fill_timer_->unreference();
  }
  if (!fill_timer_->active()) fill_timer_->start(delay);
}

// By the thread that fills it.
Task<Result<>> AccountImpl::set_search_index(bool on) {
  const auto self = shared_from_this();
  auto job = [this, on] { return disk_.set_search_index(on); };
  auto done = co_await Offload(parts_.idle_lane, job);
  if (done && on) fill_search_index_later(Milliseconds(0));
  co_return done;
}

// Some messages at a time, so that all accounts have their turns.
Task<void> AccountImpl::fill_search_index(std::shared_ptr<AccountImpl> /*self*/) {
  auto job = [this]() -> Result<bool> {
    try {
      yield_to_others();
      return disk_.fill_search_index();
    } catch (const std::exception& exception) {
      return failure(Errc::io, exception.what());
    }
  };
  Result<bool> more = true;
  while (more && *more && may_fill() && co_await parts_.filling.take(turn_)) {
    more = co_await Offload(parts_.idle_lane, job);
    parts_.filling.next();
  }
  // What was stopped is no failure.
  if (!may_fill()) more = true;
  if (!more && more.error().code != Errc::not_found) {
    parts_.disk.log.warning(
        "storage.search_index_not_filled",
        {{"account", address()}, {"error", name_of(more.error().code)}, {"detail", more.error().detail}});
  }
  if (more && !*more)
    parts_.disk.log.write(LogLevel::debug, "storage.search_index_filled", {{"account", address()}});
  filling_ = false;
  for (Signal* const waiting : std::exchange(until_filled_, {})) waiting->notify();
  if (more) {
    fill_again_ = fill_again_after;
  } else {
    // A running timer is not hurried by what comes meanwhile.
    fill_search_index_later(fill_again_);
    fill_again_ = std::min(2 * fill_again_, fill_again_at_last);
  }
}

void AccountImpl::stop_filling() {
  if (fill_timer_) fill_timer_->stop();
  disk_.stop_filling();
  parts_.filling.send_away(turn_);
}

Task<void> AccountImpl::filling_has_ended() {
  if (!filling_) co_return;
  Signal ended;
  until_filled_.push_back(&ended);
  co_await ended;
}

// Beside what the account does: nothing else looks at the files of folders without a row.
Task<void> AccountImpl::empty(std::shared_ptr<AccountImpl> self, std::vector<std::string> trash) {
  auto job = [this, &trash]() -> Result<bool> { return empty_trash(disk_, trash); };
  const auto all_gone = co_await Offload(self->parts_.lane, job);
  emptying_trash_ = false;
  // More may have come meanwhile.
  restless_ = true;
  follow_later(all_gone && *all_gone ? follow_after : follow_again_after);
}

Task<Result<>> AccountImpl::wake() {
  if (open_) co_return Result<>();
  Wake operation;
  co_return co_await run(operation);
}

Task<Result<>> AccountImpl::settle() {
  if (follow_timer_) follow_timer_->stop();
  // What fills would open again what is closed.
  ++settling_;
  stop_filling();
  co_await filling_has_ended();
  Result<> settled;
  if (open_ || pumping_) {
    Settle operation;
    settled = co_await queue(operation);
  }
  --settling_;
  // It may have been used meanwhile.
  fill_search_index_later(parts_.disk.settings.search_index_delay);
  co_return settled;
}

Task<Result<>> AccountImpl::remove_all(std::string aside) {
  const auto self = shared_from_this();
  removed_ = true;
  if (follow_timer_) follow_timer_->stop();
  stop_filling();
  co_await filling_has_ended();
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
  // The account may have been read anew.
  mailbox->set_acl(std::move(operation.info.acl));
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

Task<Result<>> AccountImpl::remove(std::string name, MailboxId only) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  RemoveFolder operation(*std::move(canonical), only);
  co_return co_await run(operation);
}

Task<Result<>> AccountImpl::rename(std::string from, std::string to, MailboxId only) {
  auto source = canonical_mailbox_name(from);
  if (!source) co_return std::unexpected(source.error());
  auto target = canonical_mailbox_name(to);
  if (!target) co_return std::unexpected(target.error());
  RenameFolder operation(*std::move(source), *std::move(target), only);
  co_return co_await run(operation);
}

Task<Result<MailboxInfo>> AccountImpl::find(std::string name) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  FindFolder operation(*std::move(canonical));
  auto ended = co_await run(operation);
  if (!ended) co_return std::unexpected(ended.error());
  co_return std::move(operation.found);
}

Task<Result<Sharing>> AccountImpl::sharing(std::string name) {
  auto found = co_await find(std::move(name));
  if (!found) co_return std::unexpected(found.error());
  co_return sharing_of(address(), std::move(found->acl));
}

Task<Result<>> AccountImpl::share(std::string name, std::string identifier, RightsChange change,
                                  MailboxId only) {
  auto canonical = canonical_mailbox_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  const Sharing who = sharing_of(address(), nullptr);
  auto prepared = canonical_identifier(identifier, who.domain);
  if (!prepared) co_return std::unexpected(prepared.error());
  if (is_of(*prepared, who.owner)) co_return failure(Errc::not_allowed, "the owner's rights");
  ShareFolder operation(*std::move(canonical), *std::move(prepared), change, only);
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

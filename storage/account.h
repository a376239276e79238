#pragma once

#include "base/bug.h"
#include "base/loop.h"
#include "storage/account_disk.h"
#include "storage/operation.h"
#include "storage/store.h"
#include "storage/turns.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::storage {

class AccountImpl;
class MailboxImpl;

// What accounts and mailboxes need of their store. The loop thread's.
struct StoreParts {
  StoreParts(Lane& disk_lane, DiskContext context) : lane(disk_lane), disk(std::move(context)) {}

  Lane& lane;
  // What need not be done soon, and is not to be in the way of anything: one thread of low priority.
  Lane idle_lane{lane.loop(), "search index", 1, 100'000};
  // Of the accounts whose search indexes are filled there, so that none of their jobs waits in it.
  Turns filling;
  DiskContext disk;
  TaskGroup background{logs_bugs(disk.log, "storage")};
  // An account's index was used, or is closed now.
  std::function<void(AccountImpl&)> used;
  // A mailbox was opened: the latest ones stay loaded.
  std::function<void(const std::shared_ptr<MailboxImpl>&)> opened;
  bool closing = false;
};

// The listeners of something, told from the loop and not on the stack of the change.
class Listeners {
 public:
  void add(Listener& listener) { listeners_.push_back(&listener); }
  void remove(Listener& listener) { std::erase(listeners_, &listener); }
  bool empty() const { return listeners_.empty(); }
  // `self` lives until they are told.
  void tell(Loop& loop, std::shared_ptr<void> self);

 private:
  std::vector<Listener*> listeners_;
  bool telling_ = false;
};

// An account on the loop thread: its operations queue here, and what the pool did is made known here.
class AccountImpl final : public Account, public std::enable_shared_from_this<AccountImpl> {
 public:
  AccountImpl(StoreParts& parts, std::string path, std::string address);
  ~AccountImpl() override;

  const std::string& address() const override { return disk_.address(); }
  Task<Result<std::vector<MailboxInfo>>> list() override;
  Task<Result<std::shared_ptr<Mailbox>>> open(std::string name) override;
  Task<Result<MailboxInfo>> find(std::string name) override;
  Task<Result<Counts>> status(std::string name) override;
  Task<Result<MailboxInfo>> create(std::string name, SpecialUse use) override;
  Task<Result<>> remove(std::string name, MailboxId only = 0) override;
  Task<Result<>> rename(std::string from, std::string to, MailboxId only = 0) override;
  Task<Result<Sharing>> sharing(std::string name) override;
  Task<Result<>> share(std::string name, std::string identifier, RightsChange change,
                       MailboxId only = 0) override;
  Task<Result<std::vector<std::string>>> subscriptions() override;
  Task<Result<>> subscribe(std::string name, bool on) override;
  void add_listener(Listener& listener) override { listeners_.add(listener); }
  void remove_listener(Listener& listener) override { listeners_.remove(listener); }
  bool lock_maildrop() override { return !std::exchange(maildrop_locked_, true); }
  void unlock_maildrop() override { maildrop_locked_ = false; }

  // Queues `operation` and gives its end. Errors: its own; unavailable once the store closes, not_found once
  // the account is removed.
  Task<Result<>> run(Operation& operation);
  // Opens the index if it is closed.
  Task<Result<>> wake();
  // Writes what lags and closes the index.
  Task<Result<>> settle();
  // Ends it: what is queued is done, later calls are refused, and its folder moves to `aside`.
  Task<Result<>> remove_all(std::string aside);

  // Fills SEARCH's index with what is not in it yet, where the account has one.
  void fill_search_index_later(Milliseconds delay);
  // What is being filled ends soon, and unfinished.
  void stop_filling();
  bool has_search_index() const { return parts_.disk.settings.search_index && !disk_.search_index_off(); }
  Task<Result<>> set_search_index(bool on);

  // Whether an operation that is_long() runs or waits.
  bool is_at_long_work() const;

  AccountDisk& disk() { return disk_; }
  StoreParts& parts() { return parts_; }
  bool is_open() const { return open_; }
  bool is_idle() const { return !pumping_; }
  bool is_removed() const { return removed_; }

 private:
  Task<Result<>> queue(Operation& operation);
  Task<void> pump(std::shared_ptr<AccountImpl> self);
  std::vector<Operation*> take_batch();
  void end_batch(const std::vector<Operation*>& batch);
  bool go_on(Operation& operation);
  std::vector<std::shared_ptr<MailboxImpl>> loaded();
  void apply(Outcome& outcome);
  void follow_later(Milliseconds delay);
  Task<void> follow(std::shared_ptr<AccountImpl> self);
  Task<void> empty(std::shared_ptr<AccountImpl> self, std::vector<std::string> trash);
  Task<void> checkpoint(std::shared_ptr<AccountImpl> self);
  bool may_fill() const;
  Task<void> fill_search_index(std::shared_ptr<AccountImpl> self);
  Task<void> filling_has_ended();
  std::shared_ptr<MailboxImpl> find(MailboxId id);

  StoreParts& parts_;
  AccountDisk disk_;
  std::deque<Operation*> queue_;
  std::vector<Operation*> running_;
  Operation* in_pieces_ = nullptr;  // it has begun, and is not done yet
  std::deque<Operation*> waiting_;  // for it
  bool others_turn_ = false;
  std::map<MailboxId, std::weak_ptr<MailboxImpl>> mailboxes_;
  Snapshots fresh_;  // of mailboxes that are being opened
  Listeners listeners_;
  std::unique_ptr<Timer> follow_timer_;
  std::unique_ptr<Timer> fill_timer_;
  Signal idle_;
  Turns::Place turn_;                  // to fill
  std::vector<Signal*> until_filled_;  // of those who wait until nothing is being filled
  bool pumping_ = false;
  bool following_ = false;
  bool filling_ = false;
  bool restless_ = false;  // something is left for Follow
  bool checkpointing_ = false;
  bool emptying_trash_ = false;
  bool open_ = false;
  bool removed_ = false;
  bool maildrop_locked_ = false;
  int settling_ = 0;
  Milliseconds fill_again_;  // where the search index can't be filled now
};

}  // namespace posthorn::storage

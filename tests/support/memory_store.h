#pragma once

#include "base/loop.h"
#include "storage/store.h"
#include "tests/support/memory_stream.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::testing {

class MemoryStore;
class MemoryAccount;

// A mailbox in memory that behaves as storage::Mailbox says, disk and time left out.
class MemoryMailbox final : public storage::Mailbox, public std::enable_shared_from_this<MemoryMailbox> {
 public:
  MemoryMailbox(MemoryAccount& account, storage::MailboxInfo info);

  // What other sessions and deliveries do, at once.
  storage::Uid put(std::string octets, std::uint8_t system_flags = 0, std::vector<std::string> keywords = {},
                   std::int64_t internal_date = 0);
  void change_flags(const storage::StoreRequest& request, storage::Stored* stored = nullptr);
  storage::UidSet expunge_now(const storage::UidSet& uids, bool all);
  // A file that another program took away and put back: an old UID appears again.
  void put_back(storage::Uid uid, std::string octets);
  // What vanished so far is not remembered any more.
  void forget_vanished() { remembers_from_ = snapshot_->highest_modseq() + 1; }
  // A file that became shorter than the index says.
  void shorten(storage::Uid uid, std::size_t octets);
  // As put(), of octets that a literal8 brought: parts with NULs are shown in base64.
  storage::Uid put_binary(std::string octets);
  // Otherwise it came at its internal date, and its thread is `T` and its UID.
  void set_origin(storage::Uid uid, std::int64_t saved, std::string thread_id);
  void forget_summary(storage::Uid uid);
  // Its summary would have to be worked out, which ends so.
  void make_unreadable(storage::Uid uid, Error why);
  const std::string* octets(storage::Uid uid) const;
  std::size_t listeners() const { return listeners_.size(); }

  const storage::MailboxInfo& info() const override { return info_; }
  bool deleted() const override { return deleted_; }
  storage::Account& account() override;
  std::shared_ptr<const storage::Snapshot> snapshot() const override { return snapshot_; }
  const std::vector<std::string>& keywords() const override { return keywords_; }
  std::optional<std::size_t> find_keyword(std::string_view keyword) const override;
  storage::Uid claim_recent() override;
  storage::Uid first_recent() const override { return first_recent_; }
  void add_listener(storage::Listener& listener) override { listeners_.push_back(&listener); }
  void remove_listener(storage::Listener& listener) override { std::erase(listeners_, &listener); }

  Task<Result<>> poll() override;
  Task<Result<storage::Appended>> append(std::vector<storage::Arrival> arrivals) override;
  Task<Result<storage::Stored>> store(storage::StoreRequest request) override;
  Task<Result<storage::UidSet>> expunge(storage::UidSet uids, bool all) override;
  Task<Result<storage::Copied>> copy(storage::UidSet uids, std::shared_ptr<storage::Mailbox> target,
                                     storage::Missing missing, storage::FlagLimits limits = {}) override;
  Task<Result<storage::Copied>> move(storage::UidSet uids, std::shared_ptr<storage::Mailbox> target,
                                     storage::Missing missing, storage::FlagLimits limits = {}) override;
  Task<Result<storage::Appended>> replace(storage::Uid uid, std::shared_ptr<storage::Mailbox> target,
                                          storage::Arrival arrival) override;
  Task<Result<Summaries>> summaries(storage::UidSet uids, storage::Effort effort,
                                    storage::Form form) override;
  Task<Result<std::vector<Gain>>> gains() override;
  Task<Result<std::vector<Origin>>> origins(storage::UidSet uids) override;
  Task<Result<storage::UidSet>> vanished_since(storage::ModSeq since, storage::UidSet within) override;
  Task<Result<std::vector<EmailId>>> email_ids(storage::UidSet uids) override;
  Task<Result<std::unique_ptr<storage::MessageBytes>>> bytes(storage::Uid uid,
                                                             storage::Octets octets) override;
  Task<Result<std::string>> head(storage::Uid uid, std::size_t limit) override;
  Task<std::vector<Head>> heads(storage::UidSet uids, HeadLimits limits) override;

 private:
  friend class MemoryAccount;

  struct Stored {
    std::shared_ptr<const std::string> octets;
    std::shared_ptr<const std::string> stored;  // where that is something else than is seen
    std::string summary;
    std::int64_t saved = 0;
    std::string thread_id;
    bool slow = false;  // its summary would have to be worked out
    std::string email_id;
    std::optional<Error> unreadable;
  };

  Task<Result<>> begin();
  std::optional<storage::KeywordSet> keyword_set(const std::vector<std::string>& names);
  storage::Message made(std::string octets, std::uint8_t system_flags, const storage::KeywordSet& keywords,
                        std::int64_t internal_date);
  storage::Message made_as_stored(std::string octets, bool is_binary, std::uint8_t system_flags,
                                  const storage::KeywordSet& keywords, std::int64_t internal_date);
  void commit(storage::Snapshot::Change change);
  bool lacks_any(const storage::UidSet& uids) const;
  storage::Copied copy_now(const storage::UidSet& uids, MemoryMailbox& target,
                           storage::FlagLimits limits = {});
  storage::ModSeq next_modseq() const { return snapshot_->highest_modseq() + 1; }

  MemoryAccount& account_;
  storage::MailboxInfo info_;
  bool deleted_ = false;
  std::map<storage::Uid, Stored> files_;
  std::map<storage::Uid, storage::ModSeq> vanished_;
  storage::ModSeq remembers_from_ = 0;
  std::vector<std::string> keywords_;
  storage::Uid uid_next_ = 1;
  storage::Uid first_recent_ = 1;
  std::shared_ptr<const storage::Snapshot> snapshot_;
  std::vector<storage::Listener*> listeners_;
};

class MemoryAccount final : public storage::Account {
 public:
  MemoryAccount(MemoryStore& store, std::string address);

  // Made if it is not there.
  MemoryMailbox& mailbox(const std::string& name);
  const std::map<std::string, std::shared_ptr<MemoryMailbox>>& mailboxes() const { return mailboxes_; }
  const std::map<std::string, bool>& subscribed() const { return subscriptions_; }
  // What share() does, at once; no rights take all that the identifier had.
  void give(const std::string& name, const std::string& identifier, std::string_view rights);

  const std::string& address() const override { return address_; }
  Task<Result<std::vector<storage::MailboxInfo>>> list() override;
  Task<Result<std::shared_ptr<storage::Mailbox>>> open(std::string name) override;
  Task<Result<storage::Counts>> status(std::string name) override;
  Task<Result<storage::MailboxInfo>> create(std::string name, storage::SpecialUse use) override;
  Task<Result<storage::MailboxInfo>> find(std::string name) override;
  Task<Result<>> remove(std::string name, storage::MailboxId only = 0) override;
  Task<Result<>> rename(std::string from, std::string to, storage::MailboxId only = 0) override;
  Task<Result<storage::Sharing>> sharing(std::string name) override;
  Task<Result<>> share(std::string name, std::string identifier, storage::RightsChange change,
                       storage::MailboxId only = 0) override;
  Task<Result<std::vector<std::string>>> subscriptions() override;
  Task<Result<>> subscribe(std::string name, bool on) override;
  void add_listener(storage::Listener&) override {}
  void remove_listener(storage::Listener&) override {}
  bool lock_maildrop() override { return !std::exchange(locked_, true); }
  void unlock_maildrop() override { locked_ = false; }

 private:
  friend class MemoryMailbox;
  friend class MemoryStore;

  bool names_any_of(std::string_view one, std::string_view other) const;
  Result<MemoryMailbox*> named(std::string name, storage::MailboxId only);
  MemoryMailbox& make(const std::string& name, storage::SpecialUse use);
  Result<> rename_tree(const std::string& from, const std::string& to);

  MemoryStore& store_;
  std::string address_;
  std::map<std::string, std::shared_ptr<MemoryMailbox>> mailboxes_;
  std::map<std::string, bool> subscriptions_;
  std::uint32_t last_uid_validity_ = 1000;
  storage::MailboxId last_id_ = 0;
  std::uint64_t last_email_id_ = 0;
  bool locked_ = false;
};

class MemoryStore final : public storage::Store {
 public:
  explicit MemoryStore(Loop& loop) : loop_(loop) {}

  MemoryAccount& account(const std::string& address = "alice@example.test");
  MemoryMailbox& inbox() { return account().mailbox("INBOX"); }

  // What the `skip + 1`th operation from now on, and no other, meets.
  void fail(Error error, unsigned skip = 0) { failure_ = {std::move(error), skip}; }
  // Whose turn() each operation takes; none: it takes a turn of the loop.
  MemoryPeer* peer = nullptr;
  // Called by each operation before it does its work: what others do meanwhile.
  std::function<void()> meanwhile;
  std::uint64_t message_size = 1U << 20U;
  std::size_t acl_entries = 4;
  // How many octets of summaries one call gives, and the most that any gave.
  std::size_t summary_octets = 1U << 20U;
  std::size_t most_summary_octets = 0;
  storage::FormMakers forms{};
  // What summaries() was called for, in that order; how many calls are under way, and the most that ever
  // were.
  std::vector<storage::UidSet> summary_reads;
  std::size_t summary_reads_under_way = 0;
  std::size_t most_summary_reads_under_way = 0;
  // Set, calls of summaries() wait for it.
  Signal* let_summaries_go = nullptr;
  std::uint64_t operations = 0;
  // Files end here for whoever reads them, whatever size was said when they were opened.
  std::optional<std::uint64_t> readable;
  std::size_t live_spools = 0;
  // Octets of messages on their way in that are in memory, and the most that ever were.
  std::size_t spooled = 0;
  std::size_t most_spooled = 0;

  Task<Result<std::shared_ptr<storage::Account>>> open(std::string address) override;
  Task<Result<std::vector<std::string>>> sharing_with(std::string user) override;
  std::unique_ptr<storage::Spool> spool() override;
  Task<Result<>> deliver(storage::Delivery delivery) override;
  Task<Result<>> remove_account(std::string address) override;
  Task<Result<bool>> has_mail(std::string address) override;
  Task<Result<>> set_search_index(std::string /*address*/, bool /*on*/) override { co_return Result<>(); }
  Task<void> close() override;

  // The hop that every operation makes.
  Task<Result<>> hop();
  Loop& loop() { return loop_; }

 private:
  struct Failure {
    Error error;
    unsigned skip;
  };

  Loop& loop_;
  std::map<std::string, std::shared_ptr<MemoryAccount>> accounts_;
  std::optional<Failure> failure_;
};

// The UIDs in ascending order.
storage::UidSet uid_set(std::initializer_list<storage::Uid> uids);

}  // namespace posthorn::testing

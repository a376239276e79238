#pragma once

#include "storage/account.h"
#include "storage/store.h"
#include "storage/watch.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::storage {

enum class Transfer : std::uint8_t;

// A mailbox on the loop thread.
class MailboxImpl final : public Mailbox, public std::enable_shared_from_this<MailboxImpl> {
 public:
  MailboxImpl(std::shared_ptr<AccountImpl> account, MailboxInfo info,
              std::shared_ptr<const Snapshot> snapshot, std::vector<std::string> keywords, Uid first_recent);
  ~MailboxImpl() override;

  const MailboxInfo& info() const override { return info_; }
  bool deleted() const override { return deleted_; }
  Account& account() override { return *account_; }
  std::shared_ptr<const Snapshot> snapshot() const override { return snapshot_; }
  const std::vector<std::string>& keywords() const override { return keywords_; }
  std::optional<std::size_t> find_keyword(std::string_view keyword) const override;
  Uid claim_recent() override;
  Uid first_recent() const override { return first_recent_; }
  void add_listener(Listener& listener) override;
  void remove_listener(Listener& listener) override;
  Task<Result<>> poll() override;
  Task<Result<Appended>> append(std::vector<Arrival> arrivals) override;
  Task<Result<Stored>> store(StoreRequest request) override;
  Task<Result<UidSet>> expunge(UidSet uids, bool all) override;
  Task<Result<Copied>> copy(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                            FlagLimits limits = {}) override;
  Task<Result<Copied>> move(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                            FlagLimits limits = {}) override;
  Task<Result<Appended>> replace(Uid uid, std::shared_ptr<Mailbox> target, Arrival arrival) override;
  Task<Result<Summaries>> summaries(UidSet uids, Effort effort, Form form) override;
  Task<Result<std::vector<Gain>>> gains() override;
  Task<Result<std::vector<Origin>>> origins(UidSet uids) override;
  Task<Result<UidSet>> vanished_since(ModSeq since, UidSet within) override;
  Task<Result<std::vector<EmailId>>> email_ids(UidSet uids) override;
  Task<TextHits> text_hits(std::vector<TextPattern> patterns) override;
  Task<TextHits> scan(UidSet uids, std::vector<TextPattern> patterns) override;
  Task<Result<std::unique_ptr<MessageBytes>>> bytes(Uid uid, Octets octets) override;
  Task<Result<std::string>> head(Uid uid, std::size_t limit) override;
  Task<std::vector<Head>> heads(UidSet uids, HeadLimits limits) override;

  // What a batch changed.
  void set_snapshot(std::shared_ptr<const Snapshot> snapshot);
  void set_keywords(std::vector<std::string> keywords) { keywords_ = std::move(keywords); }
  void set_info(MailboxInfo info);
  void set_acl(std::shared_ptr<const Acl> acl);
  void set_deleted();
  AccountImpl& owner() { return *account_; }

 private:
  Task<Result<Copied>> transfer(UidSet uids, std::shared_ptr<Mailbox> target, Transfer how, Missing missing,
                                FlagLimits limits);
  Task<void> persist_claim(std::shared_ptr<MailboxImpl> self);
  Task<void> scan_piece(UidSet piece, const std::vector<TextPattern>& patterns, TextHits& found);
  Task<void> keep(std::shared_ptr<MailboxImpl> self, std::vector<WorkedOut> summaries);
  Task<void> keep_gains(std::shared_ptr<MailboxImpl> self, std::vector<Gain> gains);
  // As poll(), however long what is queued before it takes.
  Task<Result<>> look();
  void poll_later();
  Task<void> poll_in_background(std::shared_ptr<MailboxImpl> self);
  // What `read`, a reading function of AccountDisk, gives on the pool.
  template <class Value, class Read>
  Task<Result<Value>> look_up(Read& read);
  // What `read` gives of the message's file; once more after a look at the folder, if it is not there.
  template <class Value, class Read>
  Task<Result<Value>> read_message(Uid uid, Read& read);
  void tell();
  void watch();

  std::shared_ptr<AccountImpl> account_;
  MailboxInfo info_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::string> keywords_;
  // Batches of summaries that are being written: a reader of a large mailbox is quicker than the writer.
  static constexpr unsigned most_keeping = 8;
  unsigned keeping_ = 0;
  Uid first_recent_;
  Listeners listeners_;
  std::unique_ptr<Watch> watch_;
  bool deleted_ = false;
  bool polling_ = false;
  bool poll_again_ = false;
};

}  // namespace posthorn::storage

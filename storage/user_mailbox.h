#pragma once

#include "storage/store.h"
#include "storage/user_account.h"

#include <memory>
#include <string>
#include <vector>

namespace posthorn::storage {

// A mailbox as one user may see and change it (user_account.h). Rights are asked for as they are at each
// call, so that a change of them counts from the next one on. Who may not read it any more sees it as
// deleted, with the messages that it had.
class UserMailbox final : public Mailbox {
 public:
  // `mailbox` is one of `holder`; `own`: that is the user's own account. To who loses `purpose`, the right
  // that it was opened by, it is deleted.
  UserMailbox(std::shared_ptr<UserAccount> account, std::shared_ptr<Account> holder,
              std::shared_ptr<Mailbox> mailbox, bool own, Right purpose);

  const MailboxInfo& info() const override;
  bool deleted() const override;
  Account& account() override { return *account_; }
  Rights rights() const override;
  std::shared_ptr<const Snapshot> snapshot() const override;
  const std::vector<std::string>& keywords() const override;
  std::optional<std::size_t> find_keyword(std::string_view keyword) const override;
  // Others than the owner see no message as \Recent, and take it from none.
  Uid claim_recent() override;
  Uid first_recent() const override;
  void add_listener(Listener& listener) override { mailbox_->add_listener(listener); }
  void remove_listener(Listener& listener) override { mailbox_->remove_listener(listener); }

  Task<Result<>> poll() override;
  Task<Result<Appended>> append(std::vector<Arrival> arrivals) override;
  Task<Result<Stored>> store(StoreRequest request) override;
  Task<Result<UidSet>> expunge(UidSet uids, bool all) override;
  // `target` comes from the same user's account. Between two accounts, what copy_across.h says holds.
  Task<Result<Copied>> copy(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                            FlagLimits limits = {}) override;
  Task<Result<Copied>> move(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                            FlagLimits limits = {}) override;
  Task<Result<Appended>> replace(Uid uid, std::shared_ptr<Mailbox> target, Arrival arrival) override;
  Task<Result<Summaries>> summaries(UidSet uids, Effort effort = Effort::full,
                                    Form form = Form::summary) override;
  Task<Result<std::vector<Gain>>> gains() override;
  Task<Result<std::vector<Origin>>> origins(UidSet uids) override;
  Task<Result<UidSet>> vanished_since(ModSeq since, UidSet within) override;
  Task<Result<std::vector<EmailId>>> email_ids(UidSet uids) override;
  Task<TextHits> text_hits(std::vector<TextPattern> patterns) override;
  Task<TextHits> scan(UidSet uids, std::vector<TextPattern> patterns) override;
  Task<Result<std::unique_ptr<MessageBytes>>> bytes(Uid uid, Octets octets = Octets::seen) override;
  Task<Result<std::string>> head(Uid uid, std::size_t limit) override;
  Task<std::vector<Head>> heads(UidSet uids, HeadLimits limits) override;

 private:
  Result<> needs(Rights rights) const;
  bool may(Right right) const { return rights().has(right); }
  Result<> may_take_from(const UserMailbox& target, Rights here) const;
  bool is_of_one_account(const UserMailbox& other) const { return holder_ == other.holder_; }

  std::shared_ptr<UserAccount> account_;
  std::shared_ptr<Account> holder_;
  std::shared_ptr<Mailbox> mailbox_;
  bool own_;
  Right purpose_;
  mutable MailboxInfo info_;                          // as the user sees it,
  mutable MailboxInfo made_from_;                     // of what it was when it was looked at last
  mutable std::shared_ptr<const Snapshot> readable_;  // the last that could be read
  std::vector<std::string> no_keywords_;
};

}  // namespace posthorn::storage

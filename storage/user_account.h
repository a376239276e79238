#pragma once

#include "storage/namespaces.h"
#include "storage/store.h"

#include <memory>
#include <string>
#include <string_view>

namespace posthorn::storage {

// An account as its user may see it: the user's own mailboxes, and below "Other Users/" and "Shared/" those
// that others gave the user rights on (namespaces.h). It is the one door: whatever a session does with a
// mailbox goes through here or through UserMailbox, and each function asks for the rights that it takes (RFC
// 4314 §4). Whoever lacks the right is told so where he may know of the mailbox (`l`), and else the same as
// of one that is not there (§6).
//
// A mailbox of the user's own that has such a name, as it was there before, goes first.
class UserAccount final : public Account, public std::enable_shared_from_this<UserAccount> {
 public:
  // `own` is the user's account as Store::open() gives it. `store` outlives it.
  UserAccount(Store& store, std::shared_ptr<Account> own, std::string user);

  const std::string& address() const override { return own_->address(); }
  Task<Result<std::vector<MailboxInfo>>> list() override;
  Task<Result<std::shared_ptr<Mailbox>>> open(std::string name) override;
  Task<Result<std::shared_ptr<Mailbox>>> open_target(std::string name) override;
  Task<Result<MailboxInfo>> find(std::string name) override;
  Task<Result<Counts>> status(std::string name) override;
  Task<Result<MailboxInfo>> create(std::string name, SpecialUse use) override;
  Task<Result<>> remove(std::string name, MailboxId only = 0) override;
  Task<Result<>> rename(std::string from, std::string to, MailboxId only = 0) override;
  Task<Result<Sharing>> sharing(std::string name) override;
  Task<Result<>> share(std::string name, std::string identifier, RightsChange change,
                       MailboxId only = 0) override;
  Task<Result<std::vector<std::string>>> subscriptions() override { return own_->subscriptions(); }
  Task<Result<>> subscribe(std::string name, bool on) override;
  void add_listener(Listener& listener) override { own_->add_listener(listener); }
  void remove_listener(Listener& listener) override { own_->remove_listener(listener); }
  bool lock_maildrop() override { return own_->lock_maildrop(); }
  void unlock_maildrop() override { own_->unlock_maildrop(); }

  Store& store() { return store_; }
  // What `info`, of a mailbox of another account, is to this user.
  MailboxInfo seen(const Account& holder, const MailboxInfo& info) const;
  Rights rights_on(const MailboxInfo& info) const;

 private:
  // Where a name leads: a name in an account.
  struct Place {
    std::shared_ptr<Account> account;
    std::string name;
    bool own = false;
  };
  Task<Result<Place>> place(std::string name);
  Task<Result<std::shared_ptr<Account>>> holder_of(const NamespaceName& name);
  Task<Result<std::shared_ptr<Account>>> open_holder(std::string address);
  Task<Result<std::shared_ptr<Mailbox>>> open_with(std::string name, Right needed);
  // The mailbox of another that `place` is; denied or not_found without `needed`.
  Task<Result<MailboxInfo>> found_with(const Place& place, Right needed);
  // That the user may make the mailbox that `place`, of another account, names.
  Task<Result<>> may_create(const Place& place);

  Store& store_;
  std::shared_ptr<Account> own_;
  std::string user_;  // canonical
};

// What is said to who lacks a right: denied, or not_found where that there is a mailbox is not to be told.
std::unexpected<Error> refusal(Rights rights);

}  // namespace posthorn::storage

#pragma once

#include "message/line_ends.h"
#include "storage/store.h"
#include "tests/support/memory_stream.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace posthorn::testing {

// Takes everything, into a string.
class StringSpool final : public storage::Spool {
 public:
  std::string content;
  Task<Result<>> write(std::string_view bytes) override {
    content.append(bytes);
    co_return Result<>();
  }
  Task<Result<>> close() override { co_return Result<>(); }
  std::uint64_t size() const override { return content.size(); }
};

// A mailbox in memory, as far as POP3 uses one.
class FakeMailbox final : public storage::Mailbox {
 public:
  explicit FakeMailbox(storage::Account& account) : account_(account) {}

  std::map<storage::Uid, std::string> messages;
  std::optional<Error> failure_at_expunge;
  std::optional<Error> failure_at_read;  // of what lies beyond the first block
  MemoryPeer* peer = nullptr;            // whose turn() each call takes

  storage::MailboxInfo& mutable_info() { return info_; }
  const storage::MailboxInfo& info() const override { return info_; }
  bool deleted() const override { return false; }
  storage::Account& account() override { return account_; }

  std::shared_ptr<const storage::Snapshot> snapshot() const override {
    std::vector<storage::Message> list;
    for (const auto& [uid, content] : messages) list.push_back({.uid = uid, .size = content.size()});
    const storage::Uid next = messages.empty() ? 1 : messages.rbegin()->first + 1;
    return std::make_shared<storage::Snapshot>(list, next, 1);
  }
  const std::vector<std::string>& keywords() const override { return keywords_; }
  std::optional<std::size_t> find_keyword(std::string_view) const override { return std::nullopt; }
  storage::Uid claim_recent() override { return 1; }
  storage::Uid first_recent() const override { return 1; }
  void add_listener(storage::Listener&) override {}
  void remove_listener(storage::Listener&) override {}

  Task<Result<>> poll() override {
    co_await turn();
    co_return Result<>();
  }
  Task<Result<storage::UidSet>> expunge(storage::UidSet uids, bool) override {
    co_await turn();
    if (failure_at_expunge) co_return std::unexpected(*failure_at_expunge);
    storage::UidSet gone;
    for (auto at = messages.begin(); at != messages.end();) {
      if (uids.contains(at->first)) {
        gone.append(at->first);
        at = messages.erase(at);
      } else {
        ++at;
      }
    }
    co_return gone;
  }

  class Bytes final : public storage::MessageBytes {
   public:
    Bytes(std::string content, std::optional<Error> failure)
        : content_(std::move(content)), failure_(std::move(failure)) {}
    std::uint64_t size() const override { return content_.size(); }
    Task<Result<std::string>> read(std::uint64_t offset, std::size_t size) override {
      if (failure_) co_return std::unexpected(*failure_);
      co_return content_.substr(std::min<std::uint64_t>(offset, content_.size()), size);
    }

   private:
    std::string content_;
    std::optional<Error> failure_;
  };
  Task<Result<std::unique_ptr<storage::MessageBytes>>> bytes(storage::Uid uid,
                                                             storage::Octets /*octets*/) override {
    co_await turn();
    const auto found = messages.find(uid);
    if (found == messages.end()) co_return not_found("expunged");
    co_return std::make_unique<Bytes>(found->second, failure_at_read);
  }
  Task<Result<std::string>> head(storage::Uid uid, std::size_t limit) override {
    co_await turn();
    const auto found = messages.find(uid);
    if (found == messages.end()) co_return not_found("expunged");
    co_return found->second.substr(0, limit);
  }

  Task<std::vector<Head>> heads(storage::UidSet uids, HeadLimits limits) override {
    co_await turn();
    std::vector<Head> found;
    for (const auto& [uid, octets] : messages) {
      if (uids.contains(uid)) found.push_back({uid, octets.substr(0, limits.each)});
    }
    co_return found;
  }

  Task<Result<storage::Appended>> append(std::vector<storage::Arrival>) override { co_return unused(); }
  Task<Result<storage::Stored>> store(storage::StoreRequest) override { co_return unused(); }
  Task<Result<storage::Copied>> copy(storage::UidSet, std::shared_ptr<Mailbox>, storage::Missing,
                                     storage::FlagLimits) override {
    co_return unused();
  }
  Task<Result<storage::Copied>> move(storage::UidSet, std::shared_ptr<Mailbox>, storage::Missing,
                                     storage::FlagLimits) override {
    co_return unused();
  }
  Task<Result<storage::Appended>> replace(storage::Uid, std::shared_ptr<Mailbox>, storage::Arrival) override {
    co_return unused();
  }
  Task<Result<Summaries>> summaries(storage::UidSet, storage::Effort, storage::Form) override {
    co_return unused();
  }
  Task<Result<std::vector<Gain>>> gains() override {
    co_await turn();
    std::vector<Gain> gains;
    for (const auto& [uid, octets] : messages) {
      message::LineEndGain gain;
      gain.feed(octets);
      if (gain.octets() > 0) gains.push_back({uid, gain.octets()});
    }
    co_return gains;
  }
  Task<Result<std::vector<Origin>>> origins(storage::UidSet) override { co_return unused(); }
  Task<Result<storage::UidSet>> vanished_since(storage::ModSeq, storage::UidSet) override {
    co_return unused();
  }
  Task<Result<std::vector<EmailId>>> email_ids(storage::UidSet) override { co_return unused(); }

 private:
  static std::unexpected<Error> unused() { return failure(Errc::unavailable, "not in this fake"); }
  Task<void> turn() {
    if (peer != nullptr) co_await peer->turn();
  }

  storage::Account& account_;
  storage::MailboxInfo info_{.id = 1, .name = "INBOX", .uid_validity = 42};
  std::vector<std::string> keywords_;
};

// An account with an INBOX.
class FakeAccount final : public storage::Account {
 public:
  explicit FakeAccount(std::string address)
      : address_(std::move(address)), inbox_(std::make_shared<FakeMailbox>(*this)) {}

  bool locked = false;
  FakeMailbox& inbox() { return *inbox_; }

  const std::string& address() const override { return address_; }
  Task<Result<std::shared_ptr<storage::Mailbox>>> open(std::string name) override {
    if (inbox_->peer != nullptr) co_await inbox_->peer->turn();
    if (name != "INBOX") co_return not_found(name);
    co_return std::shared_ptr<storage::Mailbox>(inbox_);
  }
  bool lock_maildrop() override { return !std::exchange(locked, true); }
  void unlock_maildrop() override { locked = false; }

  Task<Result<std::vector<storage::MailboxInfo>>> list() override { co_return unused(); }
  Task<Result<storage::Counts>> status(std::string) override { co_return unused(); }
  Task<Result<storage::MailboxInfo>> create(std::string, storage::SpecialUse) override { co_return unused(); }
  Task<Result<storage::MailboxInfo>> find(std::string) override { co_return unused(); }
  Task<Result<>> remove(std::string, storage::MailboxId) override { co_return unused(); }
  Task<Result<>> rename(std::string, std::string, storage::MailboxId) override { co_return unused(); }
  Task<Result<storage::Sharing>> sharing(std::string) override { co_return unused(); }
  Task<Result<>> share(std::string, std::string, storage::RightsChange, storage::MailboxId) override {
    co_return unused();
  }
  Task<Result<std::vector<std::string>>> subscriptions() override { co_return unused(); }
  Task<Result<>> subscribe(std::string, bool) override { co_return unused(); }
  void add_listener(storage::Listener&) override {}
  void remove_listener(storage::Listener&) override {}

 private:
  static std::unexpected<Error> unused() { return failure(Errc::unavailable, "not in this fake"); }

  std::string address_;
  std::shared_ptr<FakeMailbox> inbox_;
};

// A store with accounts as they are asked for; deliveries are kept as they come.
class FakeStore final : public storage::Store {
 public:
  struct Delivered {
    std::vector<std::string> accounts;
    std::string mailbox;
    std::string content;
    std::int64_t internal_date;
  };
  std::vector<Delivered> deliveries;
  std::optional<Error> failure;
  MemoryPeer* peer = nullptr;

  FakeAccount& account(const std::string& address) {
    auto& account = accounts_[address];
    if (!account) account = std::make_shared<FakeAccount>(address);
    return *account;
  }

  Task<Result<std::shared_ptr<storage::Account>>> open(std::string address) override {
    if (peer != nullptr) co_await peer->turn();
    if (failure) co_return std::unexpected(*failure);
    account(address);
    co_return std::shared_ptr<storage::Account>(accounts_[address]);
  }
  Task<Result<std::vector<std::string>>> sharing_with(std::string) override {
    co_return std::vector<std::string>();
  }
  std::unique_ptr<storage::Spool> spool() override { return std::make_unique<StringSpool>(); }
  Task<Result<>> deliver(storage::Delivery delivery) override {
    if (failure) co_return std::unexpected(*failure);
    deliveries.push_back({delivery.accounts, delivery.mailbox,
                          static_cast<StringSpool*>(delivery.spool)->content, delivery.internal_date});
    co_return Result<>();
  }
  Task<Result<>> remove_account(std::string) override { co_return Result<>(); }
  Task<Result<bool>> has_mail(std::string address) override { co_return accounts_.contains(address); }
  Task<Result<>> set_search_index(std::string, bool) override { co_return Result<>(); }
  Task<void> close() override { co_return; }

 private:
  std::map<std::string, std::shared_ptr<FakeAccount>> accounts_;
};

}  // namespace posthorn::testing

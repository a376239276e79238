#include "protocols/pop3/maildrop.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace posthorn::pop3 {
namespace {

// So many messages are looked at for what can be read together.
constexpr Number read_ahead = 32;

// Gives the lock back if the maildrop can't be opened under it.
class Lock {
 public:
  explicit Lock(storage::Account& account) : account_(account.lock_maildrop() ? &account : nullptr) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (account_ != nullptr) account_->unlock_maildrop();
  }
  bool held() const { return account_ != nullptr; }
  void release() { account_ = nullptr; }

 private:
  storage::Account* account_;
};

}  // namespace

Task<Result<std::unique_ptr<Maildrop>>> Maildrop::open(storage::Store& store, std::string address) {
  auto account = co_await store.open(std::move(address));
  if (!account) co_return std::unexpected(std::move(account).error());
  Lock lock(**account);
  if (!lock.held()) co_return failure(Errc::in_use, "another POP3 session has the maildrop");
  auto mailbox = co_await (*account)->open("INBOX");
  if (!mailbox) co_return std::unexpected(std::move(mailbox).error());
  // First, so that the gains of all its messages are known.
  auto snapshot = (*mailbox)->snapshot();
  const auto gains = co_await (*mailbox)->gains();
  if (!gains) co_return std::unexpected(gains.error());
  lock.release();
  co_return std::unique_ptr<Maildrop>(
      new Maildrop(*std::move(account), *std::move(mailbox), std::move(snapshot), *gains));
}

Maildrop::Maildrop(std::shared_ptr<storage::Account> account, std::shared_ptr<storage::Mailbox> mailbox,
                   std::shared_ptr<const storage::Snapshot> snapshot,
                   const std::vector<storage::Mailbox::Gain>& gains)
    : account_(std::move(account)), mailbox_(std::move(mailbox)), snapshot_(std::move(snapshot)) {
  std::ranges::copy_if(gains, std::back_inserter(gains_),
                       [this](const auto& gain) { return snapshot_->find(gain.uid).has_value(); });
  unmark_all();
}

Maildrop::~Maildrop() { account_->unlock_maildrop(); }

const storage::Message* Maildrop::find(Number number) const {
  if (number == 0 || number > highest() || deleted_[number - 1]) return nullptr;
  return &snapshot_->at(number - 1);
}

std::uint64_t Maildrop::octets(const storage::Message& message) const {
  const auto gain = std::ranges::lower_bound(gains_, message.uid, {}, &storage::Mailbox::Gain::uid);
  return message.size + (gain != gains_.end() && gain->uid == message.uid ? gain->octets : 0);
}

std::string Maildrop::unique_id(const storage::Message& message) const {
  return std::to_string(mailbox_->info().uid_validity) + "." + std::to_string(message.uid);
}

void Maildrop::mark_deleted(Number number) {
  octets_ -= octets(snapshot_->at(number - 1));
  --messages_;
  deleted_[number - 1] = true;
}

void Maildrop::unmark_all() {
  deleted_.assign(highest(), false);
  messages_ = highest();
  octets_ = 0;
  snapshot_->visit(0, highest(),
                   [this](std::uint32_t, const storage::Message& message) { octets_ += message.size; });
  for (const auto& gain : gains_) octets_ += gain.octets;
}

Task<Result<std::string>> Maildrop::head(Number number) {
  storage::UidSet next;
  if (number == last_read_ + 1) {
    const Number end = std::min(highest(), number + read_ahead);
    for (Number each = number; each <= end; ++each) {
      if (const storage::Message* message = find(each)) next.append(message->uid);
    }
  }
  last_read_ = number;
  co_return co_await ahead_.head(*mailbox_, snapshot_->at(number - 1).uid, next);
}

Task<Result<>> Maildrop::update() {
  if (!has_marks()) co_return Result<>();
  storage::UidSet uids;
  snapshot_->visit(0, highest(), [&](std::uint32_t place, const storage::Message& message) {
    if (deleted_[place]) uids.append(message.uid);
  });
  const auto expunged = co_await mailbox_->expunge(std::move(uids), true);
  if (!expunged) co_return std::unexpected(expunged.error());
  co_return Result<>();
}

}  // namespace posthorn::pop3

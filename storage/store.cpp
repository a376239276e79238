#include "storage/store.h"

#include "storage/account.h"
#include "storage/account_path.h"
#include "storage/acl.h"
#include "storage/file_spool.h"
#include "storage/folder_name.h"
#include "storage/mailbox.h"
#include "storage/messages.h"
#include "storage/place_file.h"
#include "storage/share_folder.h"
#include "storage/shares.h"

#include <algorithm>
#include <list>
#include <sys/file.h>

namespace posthorn::storage {
namespace {

constexpr std::string_view data_version = "posthorn-data 1\n";
// So many mailboxes stay loaded after their last session, and not more messages than that.
constexpr std::size_t recent_mailboxes = 64;
constexpr std::size_t recent_messages = 500'000;

class StoreImpl final : public Store {
 public:
  StoreImpl(Lane& disk, DiskContext context, File lock, std::unique_ptr<Shares> shares)
      : parts_(disk, std::move(context)), lock_(std::move(lock)), shares_(std::move(shares)) {
    parts_.disk.shares = shares_.get();
    parts_.used = [this](AccountImpl& account) { used(account); };
    parts_.opened = [this](const std::shared_ptr<MailboxImpl>& mailbox) { opened(mailbox); };
  }

  Task<Result<std::shared_ptr<Account>>> open(std::string address) override;
  Task<Result<std::vector<std::string>>> sharing_with(std::string user) override;
  std::unique_ptr<Spool> spool() override;
  Task<Result<>> deliver(Delivery delivery) override;
  Task<Result<>> remove_account(std::string address) override;
  Task<Result<bool>> has_mail(std::string address) override;
  Task<Result<>> set_search_index(std::string address, bool on) override;
  Task<void> close() override;

 private:
  Result<std::shared_ptr<AccountImpl>> place(std::string address);
  Task<Result<std::shared_ptr<AccountImpl>>> find(std::string address);
  Task<Result<>> deliver_to_many(std::vector<std::shared_ptr<AccountImpl>> accounts, MailboxKey mailbox,
                                 Arrival arrival);
  Task<Result<>> take_rights_of(std::string user);
  Task<void> evict(std::shared_ptr<AccountImpl> account);
  Task<void> remove_files(std::string path);
  void used(AccountImpl& account);
  void opened(const std::shared_ptr<MailboxImpl>& mailbox);
  const StoreSettings& settings() const { return parts_.disk.settings; }

  StoreParts parts_;
  File lock_;
  std::unique_ptr<Shares> shares_;
  std::map<std::string, std::shared_ptr<AccountImpl>> accounts_;  // by path
  std::list<AccountImpl*> open_;                                  // the latest used first
  std::list<std::shared_ptr<MailboxImpl>> recent_;                // the latest opened first
};

Result<std::shared_ptr<AccountImpl>> StoreImpl::place(std::string address) {
  const std::string path = TRY(account_path(address));
  auto& account = accounts_[path];
  if (!account) {
    account = std::make_shared<AccountImpl>(parts_, settings().data + "/mail/" + path, std::move(address));
  }
  return account;
}

Task<Result<std::shared_ptr<AccountImpl>>> StoreImpl::find(std::string address) {
  auto account = place(std::move(address));
  if (!account) co_return account;
  auto awake = co_await (*account)->wake();
  if (!awake) co_return std::unexpected(awake.error());
  co_return account;
}

Task<Result<std::shared_ptr<Account>>> StoreImpl::open(std::string address) {
  auto account = co_await find(std::move(address));
  if (!account) co_return std::unexpected(account.error());
  co_return std::shared_ptr<Account>(*std::move(account));
}

Task<Result<std::vector<std::string>>> StoreImpl::sharing_with(std::string user) {
  if (shares_->open_to_none()) co_return std::vector<std::string>();
  auto look = [&] { return shares_->accounts_naming(user, anyone); };
  co_return co_await Offload(parts_.lane, look);
}

std::unique_ptr<Spool> StoreImpl::spool() {
  const std::string unique = parts_.disk.random.hex(12);
  return std::make_unique<FileSpool>(parts_.lane, parts_.disk.files, settings().data + "/spool/" + unique,
                                     unique, settings().spool_memory, settings().message_size);
}

Task<Result<>> StoreImpl::deliver(Delivery delivery) {
  auto name = canonical_mailbox_name(delivery.mailbox);
  if (!name) co_return std::unexpected(name.error());
  std::ranges::sort(delivery.accounts);
  const auto twice = std::ranges::unique(delivery.accounts);
  delivery.accounts.erase(twice.begin(), twice.end());
  std::vector<std::shared_ptr<AccountImpl>> accounts;
  // All of them before anything is waited for: one that is removed meanwhile is not made again.
  for (const std::string& address : delivery.accounts) {
    auto account = place(address);
    if (!account) co_return std::unexpected(account.error());
    accounts.push_back(*std::move(account));
  }
  for (const auto& account : accounts) {
    auto awake = co_await account->wake();
    if (!awake) co_return std::unexpected(awake.error());
  }
  const MailboxKey mailbox{0, *std::move(name)};
  const Arrival arrival{.spool = delivery.spool, .internal_date = delivery.internal_date};
  if (accounts.size() != 1) co_return co_await deliver_to_many(std::move(accounts), mailbox, arrival);
  AddMessages operation(mailbox, {arrival});
  co_return co_await accounts.front()->run(operation);
}

// All that can fail is tried in every account first. Should a commit fail after others' have succeeded, these
// are taken back.
Task<Result<>> StoreImpl::deliver_to_many(std::vector<std::shared_ptr<AccountImpl>> accounts,
                                          MailboxKey mailbox, Arrival arrival) {
  for (const auto& account : accounts) {
    PrepareDelivery prepare(mailbox, static_cast<FileSpool&>(*arrival.spool));
    auto ready = co_await account->run(prepare);
    if (!ready) co_return ready;
  }
  std::vector<UidSet> added;
  Result<> failed;
  for (const auto& account : accounts) {
    AddMessages operation(mailbox, {arrival});
    failed = co_await account->run(operation);
    if (!failed) break;
    added.push_back(std::move(operation.appended.uids));
  }
  if (failed) co_return failed;
  for (std::size_t index = 0; index < added.size(); ++index) {
    Expunge take_back(mailbox, added[index], true);
    auto taken = co_await accounts[index]->run(take_back);
    if (taken) continue;
    parts_.disk.log.error("storage.delivery_not_taken_back",
                          {{"account", accounts[index]->address()}, {"detail", taken.error().detail}});
  }
  co_return failed;
}

// Who gets the name next is not to have the rights of who had it.
Task<Result<>> StoreImpl::take_rights_of(std::string user) {
  if (shares_->open_to_none()) co_return Result<>();
  const std::string taken = "-" + user;
  auto look = [&] { return shares_->accounts_naming(user, taken); };
  const auto accounts = co_await Offload(parts_.lane, look);
  if (!accounts) co_return std::unexpected(accounts.error());
  for (const std::string& address : *accounts) {
    const auto there = co_await has_mail(address);
    if (!there || !*there) continue;
    const auto account = co_await find(address);
    if (!account) co_return std::unexpected(account.error());
    UnshareFolders operation({user, taken});
    auto done = co_await (*account)->run(operation);
    if (!done) co_return done;
  }
  co_return Result<>();
}

Task<Result<>> StoreImpl::remove_account(std::string address) {
  auto path = account_path(address);
  if (!path) co_return std::unexpected(path.error());
  auto canonical = canonical_address(address);
  if (!canonical) co_return std::unexpected(canonical.error());
  auto taken = co_await take_rights_of(*canonical);
  if (!taken) co_return taken;
  const std::string directory = settings().data + "/mail/" + *path;
  const std::string trash = settings().data + "/deleted";
  const std::string aside = trash + "/" + parts_.disk.random.hex(12);
  auto prepare = [&] { return parts_.disk.files.make_directories(trash); };
  auto prepared = co_await Offload(parts_.lane, prepare);
  if (!prepared) co_return prepared;
  auto& place = accounts_[*path];
  if (!place) place = std::make_shared<AccountImpl>(parts_, directory, address);
  const std::shared_ptr<AccountImpl> account = place;
  open_.remove(account.get());
  std::erase_if(recent_, [&](const auto& mailbox) { return &mailbox->owner() == account.get(); });
  auto removed = co_await account->remove_all(aside);
  accounts_.erase(*path);
  auto forget = [&] { return shares_->remove_account(*canonical); };
  const auto forgotten = co_await Offload(parts_.lane, forget);
  if (!forgotten) co_return forgotten;
  // There may have been no mail yet.
  if (!removed && removed.error().code == Errc::not_found) co_return Result<>();
  // Also where its rename is done and only not known to be durable.
  parts_.background.start(remove_files(aside));
  co_return removed;
}

Task<Result<bool>> StoreImpl::has_mail(std::string address) {
  const auto path = account_path(address);
  if (!path) co_return std::unexpected(path.error());
  const std::string directory = settings().data + "/mail/" + *path;
  auto look = [&] { return parts_.disk.files.status(directory); };
  const auto found = co_await Offload(parts_.lane, look);
  if (!found && found.error().code != Errc::not_found) co_return std::unexpected(found.error());
  co_return found.has_value();
}

Task<Result<>> StoreImpl::set_search_index(std::string address, bool on) {
  auto account = co_await find(std::move(address));
  if (!account) co_return std::unexpected(account.error());
  co_return co_await (*account)->set_search_index(on);
}

Task<void> StoreImpl::remove_files(std::string path) {
  auto job = [this, &path] { return remove_tree(parts_.disk.files, path); };
  auto removed = co_await Offload(parts_.lane, job);
  if (!removed && removed.error().code != Errc::not_found) {
    parts_.disk.log.warning("storage.trash_stays", {{"path", path}, {"error", removed.error().detail}});
  }
}

void StoreImpl::used(AccountImpl& account) {
  open_.remove(&account);
  if (account.is_open() && !account.is_removed()) open_.push_front(&account);
  if (open_.size() <= settings().open_indexes || parts_.closing) return;
  AccountImpl* oldest = open_.back();
  if (!oldest->is_idle() || oldest == &account) return;
  open_.pop_back();
  parts_.background.start(evict(oldest->shared_from_this()));
}

Task<void> StoreImpl::evict(std::shared_ptr<AccountImpl> account) {
  std::erase_if(recent_, [&](const auto& mailbox) { return &mailbox->owner() == account.get(); });
  static_cast<void>(co_await account->settle());
  const auto place =
      std::ranges::find_if(accounts_, [&](const auto& each) { return each.second == account; });
  // Only the map and this frame know it.
  if (place != accounts_.end() && account.use_count() == 2 && !account->is_open() && account->is_idle()) {
    accounts_.erase(place);
  }
}

void StoreImpl::opened(const std::shared_ptr<MailboxImpl>& mailbox) {
  recent_.remove(mailbox);
  recent_.push_front(mailbox);
  std::size_t mailboxes = 0;
  std::size_t messages = 0;
  for (auto each = recent_.begin(); each != recent_.end();) {
    ++mailboxes;
    messages += (*each)->snapshot()->size();
    const bool keep = !(*each)->deleted() && mailboxes <= recent_mailboxes && messages <= recent_messages;
    each = keep ? std::next(each) : recent_.erase(each);
  }
}

Task<void> StoreImpl::close() {
  parts_.closing = true;
  recent_.clear();
  std::vector<std::shared_ptr<AccountImpl>> accounts;
  accounts.reserve(accounts_.size());
  for (const auto& [path, account] : accounts_) accounts.push_back(account);
  for (const auto& account : accounts) account->stop_filling();
  for (const auto& account : accounts) {
    auto settled = co_await account->settle();
    if (settled) continue;
    parts_.disk.log.error("storage.not_settled",
                          {{"account", account->address()}, {"detail", settled.error().detail}});
  }
  Signal done;
  parts_.background.when_empty([&done] { done.notify(); });
  co_await done;
  accounts_.clear();
}

Result<File> take_lock(FileSystem& files, const std::string& data) {
  File lock = TRY(files.open(data + "/lock", FileSystem::Open::read_write));
  if (flock(lock.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return failure(Errc::in_use, data + " is in use by another process");
    return system_failure("flock " + data + "/lock");
  }
  return lock;
}

Result<> check_version(FileSystem& files, const std::string& data) {
  const std::string path = data + "/version";
  const auto text = files.read_whole(path, 4096);
  if (!text && text.error().code == Errc::not_found) return files.replace(path, data_version);
  if (!text) return std::unexpected(text.error());
  if (*text == data_version) return {};
  return failure(Errc::unavailable, path + " says " + text->substr(0, text->find('\n')) +
                                        ": written by a newer Posthorn; this one knows posthorn-data 1");
}

Result<> empty_directory(FileSystem& files, const std::string& path) {
  TRY(files.make_directories(path));
  for (const std::string& name : TRY(files.list(path))) {
    TRY(remove_tree(files, std::string(path).append("/").append(name)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(Lane& disk, FileSystem& files, Clock& clock, Random& random,
                                          Log& log, StoreSettings settings) {
  TRY(files.make_directories(settings.data));
  File lock = TRY(take_lock(files, settings.data));
  TRY(check_version(files, settings.data));
  TRY(files.make_directories(settings.data + "/mail"));
  // Messages that were on their way in and accounts on their way out when the last process ended.
  TRY(empty_directory(files, settings.data + "/spool"));
  TRY(empty_directory(files, settings.data + "/deleted"));
  auto shares = TRY(Shares::open(files, log, settings.data));
  DiskContext context{files, clock, random, log, std::move(settings)};
  return std::make_unique<StoreImpl>(disk, std::move(context), std::move(lock), std::move(shares));
}

}  // namespace posthorn::storage

#include "tests/support/memory_store.h"

#include "message/header.h"
#include "storage/acl.h"
#include "storage/namespaces.h"
#include "tests/support/memory_spool.h"

#include <algorithm>
#include <utility>

namespace posthorn::testing {

using storage::Message;
using storage::Snapshot;
using storage::Uid;
using storage::UidSet;

namespace {

bool is_valid_name(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.back() == '/') return false;
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return false;
  }
  std::string_view rest = name;
  while (true) {
    const std::size_t end = rest.find('/');
    const std::string_view level = rest.substr(0, end);
    if (level.empty() || level == "." || level == "..") return false;
    if (end == std::string_view::npos) return true;
    rest.remove_prefix(end + 1);
  }
}

std::string canonical(std::string name) {
  const std::size_t first = std::min(name.find('/'), name.size());
  if (message::equal_ignoring_case(std::string_view(name).substr(0, first), "INBOX")) {
    name.replace(0, first, "INBOX");
  }
  return name;
}

}  // namespace

UidSet uid_set(std::initializer_list<Uid> uids) {
  UidSet set;
  for (const Uid uid : uids) set.append(uid);
  return set;
}

MemoryAccount::MemoryAccount(MemoryStore& store, std::string address)
    : store_(store), address_(std::move(address)) {
  make("INBOX", storage::SpecialUse::none);
}

MemoryMailbox& MemoryAccount::make(const std::string& name, storage::SpecialUse use) {
  auto made = std::make_shared<MemoryMailbox>(
      *this, storage::MailboxInfo{++last_id_, name, ++last_uid_validity_, use});
  const auto parent = mailboxes_.find(name.substr(0, name.rfind('/')));
  if (name.contains('/') && parent != mailboxes_.end()) made->info_.acl = parent->second->info_.acl;
  return *(mailboxes_[name] = std::move(made));
}

MemoryMailbox& MemoryAccount::mailbox(const std::string& name) {
  const auto found = mailboxes_.find(name);
  return found == mailboxes_.end() ? make(name, storage::SpecialUse::none) : *found->second;
}

Task<Result<std::vector<storage::MailboxInfo>>> MemoryAccount::list() {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  std::vector<storage::MailboxInfo> infos;
  for (const auto& [name, mailbox] : mailboxes_) infos.push_back(mailbox->info());
  const auto inbox = std::ranges::find(infos, "INBOX", &storage::MailboxInfo::name);
  std::rotate(infos.begin(), inbox, inbox + 1);
  co_return infos;
}

Task<Result<std::shared_ptr<storage::Mailbox>>> MemoryAccount::open(std::string name) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  name = canonical(std::move(name));
  if (!is_valid_name(name)) co_return failure(Errc::not_allowed, "name");
  const auto found = mailboxes_.find(name);
  if (found == mailboxes_.end()) co_return not_found("mailbox");
  co_return found->second;
}

Task<Result<storage::Counts>> MemoryAccount::status(std::string name) {
  auto opened = co_await open(std::move(name));
  if (!opened) co_return std::unexpected(std::move(opened).error());
  const auto& mailbox = static_cast<const MemoryMailbox&>(**opened);
  const Snapshot& messages = *mailbox.snapshot();
  storage::Counts counts{.id = mailbox.info().id,
                         .messages = messages.size(),
                         .uid_next = messages.uid_next(),
                         .first_recent = mailbox.first_recent_,
                         .recent = messages.size() - messages.lower_bound(mailbox.first_recent_),
                         .highest_modseq = messages.highest_modseq(),
                         .uid_validity = mailbox.info_.uid_validity};
  messages.visit(0, messages.size(), [&](std::uint32_t, const Message& message) {
    if (!message.flags.has(storage::SystemFlag::seen)) ++counts.unseen;
    if (message.flags.has(storage::SystemFlag::deleted)) ++counts.deleted;
    counts.octets += message.size;
  });
  co_return counts;
}

Task<Result<storage::MailboxInfo>> MemoryAccount::create(std::string name, storage::SpecialUse use) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  name = canonical(std::move(name));
  if (!is_valid_name(name)) co_return failure(Errc::not_allowed, "name");
  if (name.size() > 240) co_return too_large("name");
  if (mailboxes_.contains(name)) co_return failure(Errc::already_exists, "mailbox");
  for (std::size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
    mailbox(name.substr(0, end));
  }
  co_return make(name, use).info();
}

bool MemoryAccount::names_any_of(std::string_view one, std::string_view other) const {
  return std::ranges::any_of(mailboxes_, [&](const auto& each) {
    const auto& acl = each.second->info_.acl;
    return acl && !(acl->granted(one) | acl->granted(other)).empty();
  });
}

Result<MemoryMailbox*> MemoryAccount::named(std::string name, storage::MailboxId only) {
  name = canonical(std::move(name));
  if (!is_valid_name(name)) return failure(Errc::not_allowed, "name");
  const auto found = mailboxes_.find(name);
  if (found == mailboxes_.end() || (only != 0 && found->second->info_.id != only))
    return not_found("mailbox");
  return found->second.get();
}

Task<Result<storage::MailboxInfo>> MemoryAccount::find(std::string name) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  const auto found = named(std::move(name), 0);
  if (!found) co_return std::unexpected(found.error());
  co_return (*found)->info();
}

Task<Result<storage::Sharing>> MemoryAccount::sharing(std::string name) {
  auto found = co_await find(std::move(name));
  if (!found) co_return std::unexpected(found.error());
  co_return storage::sharing_of(address_, std::move(found->acl));
}

Task<Result<>> MemoryAccount::share(std::string name, std::string identifier, storage::RightsChange change,
                                    storage::MailboxId only) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return hopped;
  const auto found = named(std::move(name), only);
  if (!found) co_return std::unexpected(found.error());
  const storage::Sharing who = storage::sharing_of(address_, nullptr);
  const auto prepared = storage::canonical_identifier(identifier, who.domain);
  if (!prepared) co_return std::unexpected(prepared.error());
  if (storage::is_of(*prepared, who.owner)) co_return failure(Errc::not_allowed, "owner");
  storage::Acl acl = (*found)->info_.acl ? *(*found)->info_.acl : storage::Acl();
  auto done = acl.change(*prepared, change, store_.acl_entries);
  if (!done) co_return done;
  (*found)->info_.acl = std::make_shared<const storage::Acl>(std::move(acl));
  (*found)->commit({});
  co_return Result<>();
}

void MemoryAccount::give(const std::string& name, const std::string& identifier, std::string_view rights) {
  MemoryMailbox& to = mailbox(name);
  storage::Acl acl = to.info_.acl ? *to.info_.acl : storage::Acl();
  const storage::RightsChange change{storage::RightsChange::How::replace, *storage::parse_rights(rights)};
  static_cast<void>(acl.change(identifier, change, 100));
  to.info_.acl = std::make_shared<const storage::Acl>(std::move(acl));
}

Task<Result<>> MemoryAccount::remove(std::string name, storage::MailboxId only) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return hopped;
  name = canonical(std::move(name));
  if (!is_valid_name(name) || name == "INBOX") co_return failure(Errc::not_allowed, "name");
  if (const auto right = named(name, only); !right) co_return std::unexpected(right.error());
  const auto found = mailboxes_.find(name);
  found->second->deleted_ = true;
  found->second->commit({});
  mailboxes_.erase(found);
  co_return Result<>();
}

Result<> MemoryAccount::rename_tree(const std::string& from, const std::string& to) {
  std::vector<std::string> names;
  for (const auto& [name, mailbox] : mailboxes_) {
    if (name == from || name.starts_with(from + "/")) names.push_back(name);
  }
  if (names.empty()) return not_found("mailbox");
  for (const std::string& name : names) {
    if (mailboxes_.contains(to + name.substr(from.size()))) return failure(Errc::already_exists, "mailbox");
  }
  for (const std::string& name : names) {
    auto moved = std::move(mailboxes_.extract(name).mapped());
    moved->info_.name = to + name.substr(from.size());
    mailboxes_[moved->info_.name] = std::move(moved);
  }
  return {};
}

Task<Result<>> MemoryAccount::rename(std::string from, std::string to, storage::MailboxId only) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return hopped;
  from = canonical(std::move(from));
  to = canonical(std::move(to));
  if (!is_valid_name(from) || !is_valid_name(to)) co_return failure(Errc::not_allowed, "name");
  if (to.starts_with(from + "/") && from != "INBOX") co_return failure(Errc::not_allowed, "into itself");
  if (only != 0 && !named(from, only)) co_return not_found("mailbox");
  if (mailboxes_.contains(to)) co_return failure(Errc::already_exists, "mailbox");
  for (std::size_t end = to.find('/'); end != std::string::npos; end = to.find('/', end + 1)) {
    mailbox(to.substr(0, end));
  }
  if (from != "INBOX") co_return rename_tree(from, to);
  MemoryMailbox& inbox = mailbox("INBOX");
  UidSet all;
  if (inbox.uid_next_ > 1) all.append(1, inbox.uid_next_ - 1);
  inbox.copy_now(all, make(to, storage::SpecialUse::none));
  inbox.expunge_now(all, true);
  co_return Result<>();
}

Task<Result<std::vector<std::string>>> MemoryAccount::subscriptions() {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  std::vector<std::string> names;
  for (const auto& [name, on] : subscriptions_) names.push_back(name);
  co_return names;
}

Task<Result<>> MemoryAccount::subscribe(std::string name, bool on) {
  auto hopped = co_await store_.hop();
  if (!hopped) co_return hopped;
  name = canonical(std::move(name));
  if (!is_valid_name(name)) co_return failure(Errc::not_allowed, "name");
  if (on) {
    subscriptions_[name] = true;
  } else {
    subscriptions_.erase(name);
  }
  co_return Result<>();
}

MemoryAccount& MemoryStore::account(const std::string& address) {
  auto& account = accounts_[address];
  if (!account) account = std::make_shared<MemoryAccount>(*this, address);
  return *account;
}

Task<Result<>> MemoryStore::hop() {
  ++operations;
  if (peer != nullptr) {
    co_await peer->turn();
  } else {
    co_await Yield(loop_);
  }
  if (meanwhile) meanwhile();
  if (failure_ && failure_->skip-- == 0) {
    Error error = std::move(failure_->error);
    failure_.reset();
    co_return std::unexpected(std::move(error));
  }
  co_return Result<>();
}

Task<Result<std::shared_ptr<storage::Account>>> MemoryStore::open(std::string address) {
  auto hopped = co_await hop();
  if (!hopped) co_return std::unexpected(std::move(hopped).error());
  account(address);
  co_return accounts_[address];
}

// Without a hop: the real one makes none where nobody shares anything.
Task<Result<std::vector<std::string>>> MemoryStore::sharing_with(std::string user) {
  std::vector<std::string> sharing;
  for (const auto& [address, account] : accounts_) {
    if (account->names_any_of(user, storage::anyone)) sharing.push_back(address);
  }
  co_return sharing;
}

std::unique_ptr<storage::Spool> MemoryStore::spool() { return std::make_unique<MemorySpool>(*this); }

Task<Result<>> MemoryStore::deliver(storage::Delivery delivery) {
  auto hopped = co_await hop();
  if (!hopped) co_return hopped;
  for (const std::string& address : delivery.accounts) {
    account(address)
        .mailbox(delivery.mailbox)
        .put(static_cast<MemorySpool*>(delivery.spool)->octets(), 0, {}, delivery.internal_date);
  }
  co_return Result<>();
}

Task<Result<>> MemoryStore::remove_account(std::string address) {
  auto hopped = co_await hop();
  if (hopped) accounts_.erase(address);
  co_return hopped;
}

Task<Result<bool>> MemoryStore::has_mail(std::string address) {
  const auto hopped = co_await hop();
  if (!hopped) co_return std::unexpected(hopped.error());
  co_return accounts_.contains(address);
}

Task<void> MemoryStore::close() { co_return; }

}  // namespace posthorn::testing

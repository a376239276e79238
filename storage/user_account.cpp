#include "storage/user_account.h"

#include "storage/account_path.h"
#include "storage/acl.h"
#include "storage/folder_name.h"
#include "storage/user_mailbox.h"

#include <algorithm>
#include <set>

namespace posthorn::storage {
namespace {

// What there is not for this user, and what is not for him: nothing tells the two apart.
std::unexpected<Error> no_such_place() { return not_found("no mailbox of that name"); }
std::unexpected<Error> may_not_create() { return failure(Errc::denied, "mailboxes can't be made there"); }

// The mailbox's name as it is kept, behind what stands before it in its namespace.
Result<std::string> canonical_name(const std::string& name) {
  const NamespaceName split = split_name(name);
  if (split.of == NamespaceName::Of::user || split.mailbox.empty()) return name;
  return name.substr(0, name.size() - split.mailbox.size()) + TRY(canonical_mailbox_name(split.mailbox));
}

bool is_inbox(std::string_view name) {
  const auto canonical = canonical_mailbox_name(name);
  return canonical && *canonical == "INBOX";
}

}  // namespace

std::unexpected<Error> refusal(Rights rights) {
  if (rights.has(Right::lookup)) return failure(Errc::denied, "a right is missing");
  return no_such_place();
}

UserAccount::UserAccount(Store& store, std::shared_ptr<Account> own, std::string user)
    : store_(store), own_(std::move(own)), user_(std::move(user)) {}

Rights UserAccount::rights_on(const MailboxInfo& info) const {
  return info.acl ? info.acl->rights_of(user_) : Rights();
}

MailboxInfo UserAccount::seen(const Account& holder, const MailboxInfo& info) const {
  MailboxInfo mine = info;
  mine.id = foreign_id(holder.address(), info.id);
  mine.name = prefix_of(holder.address()) + info.name;
  mine.special_use = SpecialUse::none;  // it is the owner's Trash or Sent, not the user's
  mine.rights = rights_on(info);
  if (!mine.rights.has(Right::administer)) mine.acl.reset();
  return mine;
}

Task<Result<std::shared_ptr<Account>>> UserAccount::open_holder(std::string address) {
  // To open an account that was removed meanwhile would make it again.
  const auto there = co_await store_.has_mail(address);
  if (!there) co_return std::unexpected(there.error());
  if (!*there) co_return no_such_place();
  co_return co_await store_.open(std::move(address));
}

Task<Result<std::shared_ptr<Account>>> UserAccount::holder_of(const NamespaceName& name) {
  const bool of_organisation = name.of == NamespaceName::Of::organisation;
  const std::string level = std::string(other_users) + "/" + std::string(name.holder) + "/";
  const auto canonical = canonical_address(name.holder);
  const auto sharing = co_await store_.sharing_with(user_);
  if (!sharing) co_return std::unexpected(sharing.error());
  for (const std::string& account : *sharing) {
    if (!may_reach(user_, account) || is_organisation(account) != of_organisation) continue;
    const bool is_named =
        of_organisation || prefix_of(account) == level || (canonical && *canonical == account);
    if (is_named) co_return co_await open_holder(account);
  }
  co_return no_such_place();
}

// Errors: not_found where there is no such account for this user; not_allowed, too_large for the name, told
// before any account is looked for.
Task<Result<UserAccount::Place>> UserAccount::place(std::string name) {
  const NamespaceName split = split_name(name);
  if (split.of == NamespaceName::Of::user) co_return Place{own_, std::move(name), true};
  if (!split.mailbox.empty()) {
    if (const auto good = canonical_mailbox_name(split.mailbox); !good)
      co_return std::unexpected(good.error());
  }
  const auto mine = co_await own_->find(name);
  if (mine) co_return Place{own_, std::move(name), true};
  const bool goes_on = mine.error().code == Errc::not_found || mine.error().code == Errc::too_large;
  if (!goes_on) co_return std::unexpected(mine.error());
  if (split.mailbox.empty()) co_return no_such_place();
  auto holder = co_await holder_of(split);
  if (!holder) co_return std::unexpected(holder.error());
  co_return Place{*std::move(holder), std::string(split.mailbox), false};
}

Task<Result<MailboxInfo>> UserAccount::found_with(const Place& place, Right needed) {
  auto info = co_await place.account->find(place.name);
  if (!info) co_return info;
  const Rights rights = rights_on(*info);
  if (!rights.has(needed)) co_return refusal(rights);
  co_return info;
}

Task<Result<std::vector<MailboxInfo>>> UserAccount::list() {
  auto list = co_await own_->list();
  if (!list) co_return list;
  const auto sharing = co_await store_.sharing_with(user_);
  if (!sharing) co_return std::unexpected(sharing.error());
  std::set<std::string> own_names;
  for (const MailboxInfo& mailbox : *list) {
    if (split_name(mailbox.name).of != NamespaceName::Of::user) own_names.insert(mailbox.name);
  }
  bool is_sorted = true;
  for (const std::string& address : *sharing) {
    if (!may_reach(user_, address)) continue;
    // The trouble of one account is not that of all who may look into it.
    const auto holder = co_await open_holder(address);
    if (!holder) continue;
    const auto mailboxes = co_await (*holder)->list();
    if (!mailboxes) continue;
    for (const MailboxInfo& mailbox : *mailboxes) {
      MailboxInfo mine = seen(**holder, mailbox);
      if (!mine.rights.has(Right::lookup) || own_names.contains(mine.name)) continue;
      list->push_back(std::move(mine));
      is_sorted = false;
    }
  }
  if (!is_sorted) {
    std::ranges::sort(*list, {}, [](const MailboxInfo& each) {
      return std::pair(each.name != "INBOX", std::string_view(each.name));
    });
  }
  co_return list;
}

Task<Result<std::shared_ptr<Mailbox>>> UserAccount::open_with(std::string name, Right needed) {
  auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  auto opened = co_await where->account->open(where->name);
  if (!opened) co_return std::unexpected(opened.error());
  auto mailbox = std::make_shared<UserMailbox>(shared_from_this(), where->account, *std::move(opened),
                                               where->own, needed);
  if (!mailbox->rights().has(needed)) co_return refusal(mailbox->rights());
  co_return std::shared_ptr<Mailbox>(std::move(mailbox));
}

Task<Result<std::shared_ptr<Mailbox>>> UserAccount::open(std::string name) {
  return open_with(std::move(name), Right::read);
}

Task<Result<std::shared_ptr<Mailbox>>> UserAccount::open_target(std::string name) {
  return open_with(std::move(name), Right::insert);
}

Task<Result<MailboxInfo>> UserAccount::find(std::string name) {
  const auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  auto info = co_await where->account->find(where->name);
  if (!info || where->own) co_return info;
  if (!rights_on(*info).has_any(rights_to_know)) co_return no_such_place();
  co_return seen(*where->account, *info);
}

Task<Result<Counts>> UserAccount::status(std::string name) {
  const auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  if (where->own) co_return co_await where->account->status(where->name);
  const auto info = co_await found_with(*where, Right::read);
  if (!info) co_return std::unexpected(info.error());
  auto counts = co_await where->account->status(where->name);
  if (!counts) co_return counts;
  // Another mailbox has the name by now.
  if (counts->id != info->id) co_return no_such_place();
  counts->id = foreign_id(where->account->address(), info->id);
  counts->first_recent = counts->uid_next;  // \Recent is the owner's
  counts->recent = 0;
  co_return counts;
}

// RFC 4314 §4, CREATE: `k` on the nearest mailbox above it. That there is one of the name already, which the
// user may not know of, is told as that it may not be made.
Task<Result<>> UserAccount::may_create(const Place& place) {
  const auto there = co_await place.account->find(place.name);
  if (there && rights_on(*there).has(Right::lookup))
    co_return failure(Errc::already_exists, "mailbox exists");
  if (there) co_return may_not_create();
  if (there.error().code != Errc::not_found) co_return std::unexpected(there.error());
  std::string_view above = place.name;
  for (std::size_t slash = above.rfind('/'); slash != std::string_view::npos; slash = above.rfind('/')) {
    above = above.substr(0, slash);
    const auto parent = co_await place.account->find(std::string(above));
    if (!parent && parent.error().code == Errc::not_found) continue;
    if (!parent) co_return std::unexpected(parent.error());
    if (rights_on(*parent).has(Right::create)) co_return Result<>();
    break;
  }
  co_return may_not_create();
}

Task<Result<MailboxInfo>> UserAccount::create(std::string name, SpecialUse use) {
  const auto where = co_await place(name);
  // What this user has no rights on at all is answered as what he may not create in.
  if (!where && where.error().code == Errc::not_found) co_return may_not_create();
  if (!where) co_return std::unexpected(where.error());
  if (where->own) co_return co_await own_->create(where->name, use);
  const auto may = co_await may_create(*where);
  if (!may) co_return std::unexpected(may.error());
  if (use != SpecialUse::none) co_return failure(Errc::not_allowed, "special uses are the owner's");
  const auto created = co_await where->account->create(where->name, use);
  if (!created && created.error().code == Errc::already_exists) co_return may_not_create();
  if (!created) co_return std::unexpected(created.error());
  co_return seen(*where->account, *created);
}

Task<Result<>> UserAccount::remove(std::string name, MailboxId only) {
  const auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  if (where->own) co_return co_await own_->remove(where->name, only);
  const auto info = co_await found_with(*where, Right::remove);
  if (!info) co_return std::unexpected(info.error());
  co_return co_await where->account->remove(where->name, info->id);
}

// RFC 4314 §4: `x` on the mailbox, `k` on what it comes to lie below. It stays in its account; the user's own
// new names are in no namespace.
Task<Result<>> UserAccount::rename(std::string from, std::string to, MailboxId only) {
  const auto source = co_await place(std::move(from));
  if (!source) co_return std::unexpected(source.error());
  if (!source->own) {
    const auto info = co_await found_with(*source, Right::remove);
    if (!info) co_return std::unexpected(info.error());
    only = info->id;
  }
  const auto target = co_await place(std::move(to));
  if (!target && target.error().code == Errc::not_found) co_return may_not_create();
  if (!target) co_return std::unexpected(target.error());
  if (!target->own) {
    const auto may = co_await may_create(*target);
    if (!may) co_return may;
  }
  if (source->account != target->account) {
    co_return failure(Errc::not_allowed, "a mailbox can't go to another account");
  }
  // Its messages alone would go, which takes other rights, and it would stay.
  if (!source->own && is_inbox(source->name)) co_return failure(Errc::not_allowed, "another user's INBOX");
  auto renamed = co_await source->account->rename(source->name, target->name, only);
  const bool tells = !source->own && !renamed && renamed.error().code == Errc::already_exists;
  co_return tells ? Result<>(may_not_create()) : renamed;
}

Task<Result<Sharing>> UserAccount::sharing(std::string name) {
  const auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  if (where->own) co_return co_await own_->sharing(where->name);
  const auto info = co_await found_with(*where, Right::administer);
  if (!info) co_return std::unexpected(info.error());
  co_return sharing_of(where->account->address(), info->acl);
}

Task<Result<>> UserAccount::share(std::string name, std::string identifier, RightsChange change,
                                  MailboxId only) {
  const auto where = co_await place(std::move(name));
  if (!where) co_return std::unexpected(where.error());
  if (!where->own) {
    const auto info = co_await found_with(*where, Right::administer);
    if (!info) co_return std::unexpected(info.error());
    only = info->id;
  }
  co_return co_await where->account->share(where->name, std::move(identifier), change, only);
}

// RFC 4314 §4: no right is asked for, as it is not asked whether there is such a mailbox.
Task<Result<>> UserAccount::subscribe(std::string name, bool on) {
  auto canonical = canonical_name(name);
  if (!canonical) co_return std::unexpected(canonical.error());
  co_return co_await own_->subscribe(*std::move(canonical), on);
}

Task<Result<std::shared_ptr<Account>>> Store::open_for(std::string user) {
  auto own = co_await open(user);
  if (!own) co_return own;
  auto canonical = canonical_address(user);
  if (!canonical) co_return std::unexpected(canonical.error());
  co_return std::make_shared<UserAccount>(*this, *std::move(own), *std::move(canonical));
}

}  // namespace posthorn::storage

#pragma once

#include "storage/store.h"

#include <optional>
#include <string>
#include <string_view>

// Whose mailbox a user's name for one means (RFC 2342). Pure.
//
// "Other Users/bob@example.org/Projects" is the mailbox Projects of the account bob@example.org;
// "Shared/News" is the mailbox News of the user's organisation, which is the domain: of the account
// "+shared@example.org", which nobody can log in to, as a '+' is in no account's name. All others are the
// user's own.
namespace posthorn::storage {

inline constexpr std::string_view other_users = "Other Users";
inline constexpr std::string_view organisation = "Shared";

struct NamespaceName {
  enum class Of { user, other_user, organisation };
  Of of = Of::user;
  std::string_view holder;   // the level that names another user; else empty
  std::string_view mailbox;  // in that account; empty for a level above all of its mailboxes
};
NamespaceName split_name(std::string_view name);

// Whether this is the account of an organisation; and that of a user's.
bool is_organisation(std::string_view account);
std::string organisation_of(std::string_view user);

// What stands before the names of an account's mailboxes for another user: "Other Users/bob@example.org/",
// "Shared/". A '/' or '%' in an address becomes %2F or %25.
std::string prefix_of(std::string_view account);

// Whether `user` reaches mailboxes of `account`, another one: that of an organisation is its own users'
// alone.
bool may_reach(std::string_view user, std::string_view account);

// Whether a canonical identifier (acl.h) is that of `address`, or the same with '-'.
bool is_of(std::string_view identifier, std::string_view address);

Sharing sharing_of(std::string_view account, std::shared_ptr<const Acl> acl);

// The number under which others than the owner see a mailbox: no two that one user sees have the same.
MailboxId foreign_id(std::string_view account, MailboxId id);

}  // namespace posthorn::storage

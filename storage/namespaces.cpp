#include "storage/namespaces.h"

namespace posthorn::storage {
namespace {

constexpr std::string_view organisation_user = "+shared";

std::string_view domain_of(std::string_view address) { return address.substr(address.rfind('@') + 1); }

// `name` without its first level, if that is `level`.
std::optional<std::string_view> below(std::string_view name, std::string_view level) {
  if (!name.starts_with(level)) return std::nullopt;
  name.remove_prefix(level.size());
  if (name.empty()) return name;
  if (name.front() != '/') return std::nullopt;
  return name.substr(1);
}

}  // namespace

NamespaceName split_name(std::string_view name) {
  if (const auto rest = below(name, organisation)) return {NamespaceName::Of::organisation, {}, *rest};
  const auto rest = below(name, other_users);
  if (!rest) return {NamespaceName::Of::user, {}, name};
  const std::size_t slash = rest->find('/');
  if (slash == std::string_view::npos) return {NamespaceName::Of::other_user, *rest, {}};
  return {NamespaceName::Of::other_user, rest->substr(0, slash), rest->substr(slash + 1)};
}

bool is_organisation(std::string_view account) {
  return account.starts_with(organisation_user) && account.substr(organisation_user.size()).starts_with('@');
}

std::string organisation_of(std::string_view user) {
  return std::string(organisation_user) + "@" + std::string(domain_of(user));
}

std::string prefix_of(std::string_view account) {
  if (is_organisation(account)) return std::string(organisation) + "/";
  std::string prefix = std::string(other_users) + "/";
  for (const char each : account) {
    if (each == '/') {
      prefix += "%2F";
    } else if (each == '%') {
      prefix += "%25";
    } else {
      prefix += each;
    }
  }
  return prefix + "/";
}

bool may_reach(std::string_view user, std::string_view account) {
  if (user == account) return false;
  return !is_organisation(account) || domain_of(user) == domain_of(account);
}

bool is_of(std::string_view identifier, std::string_view address) {
  if (address.empty()) return false;
  return identifier == address || (identifier.starts_with('-') && identifier.substr(1) == address);
}

Sharing sharing_of(std::string_view account, std::shared_ptr<const Acl> acl) {
  return {.owner = is_organisation(account) ? std::string() : std::string(account),
          .domain = std::string(domain_of(account)),
          .acl = std::move(acl)};
}

// FNV-1a of the account above the mailbox's own number, which has 32 bits.
MailboxId foreign_id(std::string_view account, MailboxId id) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char each : account) {
    hash ^= static_cast<unsigned char>(each);
    hash *= 1099511628211ULL;
  }
  return (std::uint64_t{1} << 63U) | ((hash ^ hash >> 32U) << 32U) | (id & 0xffffffffU);
}

}  // namespace posthorn::storage

#pragma once

#include "auth/address_name.h"
#include "auth/directory.h"
#include "auth/password.h"
#include "base/result.h"
#include "base/sqlite.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::auth {

struct Alias {
  std::string address;
  std::string target;
};

// Domains, accounts and aliases in one SQLite file, DATA/accounts.sqlite. Each function is one transaction
// and durable when it returns. All block, and are safe from any thread: the server calls them through
// Offload, a command directly. Several processes may have the file open; each sees the others' changes at
// once.
//
// Addresses are taken in any form that parse_address() knows, and given in the canonical one. Errors of all:
// malformed for what is no address or domain; corrupt, busy, disk_full, io from the file. The detail of an
// error of these functions is fit to be shown to the administrator.
class Accounts {
 public:
  // Opens the file, makes it (0600) where it is missing, brings an older schema up to date and keeps a copy
  // of the old file beside it. Errors: not_allowed for a file that a newer version has written.
  static Result<std::unique_ptr<Accounts>> open(const std::string& path);

  // Errors: already_exists.
  Result<> add_domain(std::string_view domain);
  // Aliases go with it. Errors: not_found; in_use for a domain with accounts.
  Result<> remove_domain(std::string_view domain);
  // By name.
  Result<std::vector<std::string>> domains();

  // `credentials` come from make_credentials(). Gives the canonical address. Errors: not_found for the
  // domain; already_exists for an account or alias of that name; not_allowed for a name with quotes or '+';
  // in_use while a removal of that name is unfinished.
  Result<std::string> add_account(std::string_view address, const std::vector<StoredCredential>& credentials);
  // Its aliases stay, and lead nowhere. The removal is unfinished until finish_removal() says that the mail
  // has gone too; until then this may be asked for again. Errors: not_found.
  Result<> remove_account(std::string_view address);
  // The accounts that are gone while their mail may still be there, by name.
  Result<std::vector<std::string>> unfinished_removals();
  // Whether the removal of this account is unfinished.
  Result<bool> removal_is_unfinished(std::string_view address);
  Result<> finish_removal(std::string_view address);
  // All, or those of one domain, by name. Errors: not_found for the domain.
  Result<std::vector<std::string>> accounts(std::optional<std::string_view> domain = std::nullopt);
  Result<bool> has_account(std::string_view address);
  // Those of `addresses` that are accounts, in their order.
  Result<std::vector<std::string>> existing(const std::vector<std::string>& addresses);
  // Replaces all credentials. Errors: not_found.
  Result<> set_password(std::string_view address, const std::vector<StoredCredential>& credentials);

  // Errors: not_found for the domain of `alias`, or for a target in a domain of ours that leads nowhere;
  // already_exists for the same pair, or an account of that name; not_allowed as for accounts, and for a
  // target on another server; too_large for more than 1000 targets.
  Result<> add_alias(std::string_view alias, std::string_view target);
  // One target, or the whole alias. Errors: not_found.
  Result<> remove_alias(std::string_view alias, std::optional<std::string_view> target = std::nullopt);
  // By address, then target.
  Result<std::vector<Alias>> aliases();
  // Those with this target, tagged or not, whether there is such an account or not.
  Result<std::vector<Alias>> aliases_to(std::string_view account);
  // Those with a target in this domain, whether it is ours or not.
  Result<std::vector<Alias>> aliases_into(std::string_view domain);

  // The value of one credential of an account. Errors: not_found.
  Result<std::string> credential(const AddressName& account, std::string_view kind);
  // Puts new rows in the place of those of a password, unless that was changed meanwhile: `seen` is the value
  // of `kind` that it was verified with.
  Result<> refresh_credentials(const AddressName& account, std::string_view kind, const std::string& seen,
                               const std::vector<StoredCredential>& credentials);

  // 32 random octets, made when they are first asked for and the same from then on.
  Result<std::string> secret(std::string_view name);

  Result<bool> is_local_domain(std::string_view domain);
  // See Directory::resolve. Errors besides: too_large when aliases lead to more than 2000 addresses. The
  // server's own name tells in which domain "postmaster" alone is looked for first.
  Result<Directory::Resolution> resolve(std::string_view address, std::string_view hostname = {});

 private:
  explicit Accounts(Database database) : database_(std::move(database)) {}
  Result<std::int64_t> domain_id(const std::string& domain);
  Result<std::int64_t> account_id(const AddressName& name);
  Result<bool> has_removal(const AddressName& name);
  Result<bool> alias_exists(std::int64_t domain, const std::string& local);
  Result<> write_credentials(std::int64_t account, const std::vector<StoredCredential>& credentials);
  struct Walk;
  Result<> look_at(const AddressName& name, Walk& walk);
  Result<Directory::Resolution> resolve_name(const AddressName& asked);
  Result<std::vector<std::string>> postmaster_domains(std::string_view hostname);
  Result<Directory::Resolution> resolve_postmaster(std::string_view hostname);
  Result<std::optional<std::string>> first_account(std::int64_t domain);

  std::mutex mutex_;  // a Database is one thread's at a time
  Database database_;
};

}  // namespace posthorn::auth

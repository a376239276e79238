#include "auth/accounts.h"

#include "auth/sasl.h"
#include "auth/schema.h"

#include <sodium.h>

namespace posthorn::auth {
namespace {

constexpr std::size_t max_targets = 1000;

// The one value of a query for an id, or not_found with words.
Result<std::int64_t> id_or(Result<std::int64_t> id, const std::string& words) {
  if (!id && id.error().code == Errc::not_found) return not_found(words);
  return id;
}

std::string select_aliases(const std::string& where) {
  return "SELECT alias.local, domain.name, alias.target FROM alias JOIN domain ON domain.id = alias.domain " +
         where + " ORDER BY domain.name, alias.local, alias.target";
}

Result<std::vector<Alias>> read_aliases(Result<Statement> query) {
  Statement rows = TRY(std::move(query));
  std::vector<Alias> all;
  while (const auto row = TRY(rows.step())) {
    all.push_back(
        {to_string({std::string(row->text(0)), std::string(row->text(1))}), std::string(row->text(2))});
  }
  return all;
}

Result<Database> open_file(const std::string& path) {
  Database database = TRY(Database::open(path, Database::Mode::create));
  TRY(migrate(database, path, accounts_schema()));
  return database;
}

}  // namespace

Result<std::unique_ptr<Accounts>> Accounts::open(const std::string& path) {
  auto opened = open_file(path);
  if (opened) return std::unique_ptr<Accounts>(new Accounts(*std::move(opened)));
  Error error = std::move(opened).error();
  if (error.detail.find(path) == std::string::npos) error.detail = path + ": " + error.detail;
  return std::unexpected(std::move(error));
}

Result<std::int64_t> Accounts::domain_id(const std::string& domain) {
  return id_or(database_.integer("SELECT id FROM domain WHERE name = ?1", domain),
               "there is no domain " + domain);
}

Result<std::int64_t> Accounts::account_id(const AddressName& name) {
  return id_or(database_.integer("SELECT account.id FROM account JOIN domain ON domain.id = account.domain "
                                 "WHERE domain.name = ?1 AND account.local = ?2",
                                 name.domain, name.local),
               "there is no account " + to_string(name));
}

Result<bool> Accounts::has_removal(const AddressName& name) {
  return TRY(database_.integer("SELECT EXISTS (SELECT 1 FROM removal WHERE domain = ?1 AND local = ?2)",
                               name.domain, name.local)) != 0;
}

Result<bool> Accounts::alias_exists(std::int64_t domain, const std::string& local) {
  return TRY(database_.integer("SELECT EXISTS (SELECT 1 FROM alias WHERE domain = ?1 AND local = ?2)", domain,
                               local)) != 0;
}

Result<> Accounts::write_credentials(std::int64_t account, const std::vector<StoredCredential>& credentials) {
  TRY(database_.execute("DELETE FROM credential WHERE account = ?1", account));
  for (const StoredCredential& row : credentials) {
    TRY(database_.execute("INSERT INTO credential (account, kind, value) VALUES (?1, ?2, ?3)", account,
                          row.kind, row.value));
  }
  return {};
}

Result<> Accounts::add_domain(std::string_view domain) {
  const std::string name = TRY(parse_domain(domain));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const auto added = TRY(database_.execute("INSERT OR IGNORE INTO domain (name) VALUES (?1)", name));
  if (added == 0) return failure(Errc::already_exists, "the domain " + name + " is there already");
  return std::move(transaction).commit();
}

Result<> Accounts::remove_domain(std::string_view domain) {
  const std::string name = TRY(parse_domain(domain));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t id = TRY(domain_id(name));
  const std::int64_t left = TRY(database_.integer("SELECT count(*) FROM account WHERE domain = ?1", id));
  if (left > 0) {
    return failure(Errc::in_use, "the domain " + name + " still has accounts (" + std::to_string(left) + ")");
  }
  TRY(database_.execute("DELETE FROM domain WHERE id = ?1", id));
  return std::move(transaction).commit();
}

Result<std::vector<std::string>> Accounts::domains() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  Statement rows = TRY(database_.query("SELECT name FROM domain ORDER BY name"));
  while (const auto row = TRY(rows.step())) names.emplace_back(row->text(0));
  return names;
}

Result<std::string> Accounts::add_account(std::string_view address,
                                          const std::vector<StoredCredential>& credentials) {
  const AddressName name = TRY(parse_address(address));
  if (!can_be_made(name)) {
    return failure(Errc::not_allowed, "an account's name has no quotes and no '+': " + to_string(name));
  }
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t domain = TRY(domain_id(name.domain));
  if (TRY(alias_exists(domain, name.local))) {
    return failure(Errc::already_exists, to_string(name) + " is an alias");
  }
  if (TRY(has_removal(name))) {
    return failure(Errc::in_use, "the mail of the former account " + to_string(name) + " is not removed yet");
  }
  const auto added = TRY(
      database_.execute("INSERT OR IGNORE INTO account (domain, local) VALUES (?1, ?2)", domain, name.local));
  if (added == 0)
    return failure(Errc::already_exists, "the account " + to_string(name) + " is there already");
  TRY(write_credentials(database_.last_row_id(), credentials));
  TRY(std::move(transaction).commit());
  return to_string(name);
}

Result<> Accounts::remove_account(std::string_view address) {
  const AddressName name = TRY(parse_address(address));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const auto id = account_id(name);
  if (!id && id.error().code == Errc::not_found && TRY(has_removal(name))) return {};
  if (!id) return std::unexpected(id.error());
  TRY(database_.execute("DELETE FROM account WHERE id = ?1", *id));
  TRY(database_.execute("INSERT OR IGNORE INTO removal (domain, local) VALUES (?1, ?2)", name.domain,
                        name.local));
  return std::move(transaction).commit();
}

Result<std::vector<std::string>> Accounts::unfinished_removals() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> addresses;
  Statement rows = TRY(database_.query("SELECT local, domain FROM removal ORDER BY domain, local"));
  while (const auto row = TRY(rows.step())) {
    addresses.push_back(to_string({std::string(row->text(0)), std::string(row->text(1))}));
  }
  return addresses;
}

Result<bool> Accounts::removal_is_unfinished(std::string_view address) {
  const AddressName name = TRY(parse_address(address));
  const std::lock_guard lock(mutex_);
  return has_removal(name);
}

Result<> Accounts::finish_removal(std::string_view address) {
  const AddressName name = TRY(parse_address(address));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  TRY(database_.execute("DELETE FROM removal WHERE domain = ?1 AND local = ?2", name.domain, name.local));
  return std::move(transaction).commit();
}

Result<std::vector<std::string>> Accounts::accounts(std::optional<std::string_view> domain) {
  std::optional<std::string> only;
  if (domain) only = TRY(parse_domain(*domain));
  const std::lock_guard lock(mutex_);
  if (only) TRY(domain_id(*only));
  std::vector<std::string> addresses;
  Statement rows = TRY(database_.query(
      "SELECT account.local, domain.name FROM account JOIN domain ON domain.id = account.domain "
      "WHERE ?1 IS NULL OR domain.name = ?1 ORDER BY domain.name, account.local",
      only));
  while (const auto row = TRY(rows.step())) {
    addresses.push_back(to_string({std::string(row->text(0)), std::string(row->text(1))}));
  }
  return addresses;
}

Result<bool> Accounts::has_account(std::string_view address) {
  const AddressName name = TRY(parse_address(address));
  const std::lock_guard lock(mutex_);
  const auto id = account_id(name);
  if (!id && id.error().code != Errc::not_found) return std::unexpected(id.error());
  return id.has_value();
}

Result<std::vector<std::string>> Accounts::existing(const std::vector<std::string>& addresses) {
  std::vector<std::string> there;
  const std::lock_guard lock(mutex_);
  for (const std::string& address : addresses) {
    const auto id = account_id(TRY(parse_address(address)));
    if (!id && id.error().code != Errc::not_found) return std::unexpected(id.error());
    if (id) there.push_back(address);
  }
  return there;
}

Result<> Accounts::set_password(std::string_view address, const std::vector<StoredCredential>& credentials) {
  const AddressName name = TRY(parse_address(address));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t id = TRY(account_id(name));
  TRY(write_credentials(id, credentials));
  return std::move(transaction).commit();
}

Result<> Accounts::add_alias(std::string_view alias, std::string_view target) {
  const AddressName name = TRY(parse_address(alias));
  const AddressName goal = TRY(parse_address(target));
  if (!can_be_made(name)) {
    return failure(Errc::not_allowed, "an alias has no quotes and no '+': " + to_string(name));
  }
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t domain = TRY(domain_id(name.domain));
  const auto same_name = account_id(name);
  if (same_name) return failure(Errc::already_exists, to_string(name) + " is an account");
  if (same_name.error().code != Errc::not_found) return std::unexpected(same_name.error());
  const auto leads = resolve_name(goal);
  if (!leads && leads.error().code == Errc::denied) {
    return failure(Errc::not_allowed, to_string(goal) +
                                          " is on another server: aliases to other servers come with the "
                                          "outbound queue, which this version does not have");
  }
  if (!leads) return std::unexpected(leads.error());
  const std::int64_t targets = TRY(
      database_.integer("SELECT count(*) FROM alias WHERE domain = ?1 AND local = ?2", domain, name.local));
  if (targets >= static_cast<std::int64_t>(max_targets))
    return too_large("an alias has at most 1000 targets");
  const auto added =
      TRY(database_.execute("INSERT OR IGNORE INTO alias (domain, local, target) VALUES (?1, ?2, ?3)", domain,
                            name.local, to_string(goal)));
  if (added == 0) {
    return failure(Errc::already_exists,
                   "the alias " + to_string(name) + " leads to " + to_string(goal) + " already");
  }
  return std::move(transaction).commit();
}

Result<> Accounts::remove_alias(std::string_view alias, std::optional<std::string_view> target) {
  const AddressName name = TRY(parse_address(alias));
  std::optional<std::string> goal;
  if (target) goal = to_string(TRY(parse_address(*target)));
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t domain = TRY(domain_id(name.domain));
  const auto removed = TRY(
      database_.execute("DELETE FROM alias WHERE domain = ?1 AND local = ?2 AND (?3 IS NULL OR target = ?3)",
                        domain, name.local, goal));
  if (removed == 0) return not_found("there is no alias " + to_string(name) + (goal ? " to " + *goal : ""));
  return std::move(transaction).commit();
}

Result<std::vector<Alias>> Accounts::aliases() {
  const std::lock_guard lock(mutex_);
  return read_aliases(database_.query(select_aliases("")));
}

Result<std::vector<Alias>> Accounts::aliases_to(std::string_view account) {
  const AddressName name = TRY(parse_address(account));
  const std::lock_guard lock(mutex_);
  return read_aliases(
      database_.query(select_aliases("WHERE target = ?1 OR (substr(target, 1, length(?2)) = ?2 "
                                     "AND substr(target, -length(?3)) = ?3)"),
                      to_string(name), name.local + "+", "@" + name.domain));
}

Result<std::vector<Alias>> Accounts::aliases_into(std::string_view domain) {
  const std::string name = TRY(parse_domain(domain));
  const std::lock_guard lock(mutex_);
  return read_aliases(database_.query(select_aliases("WHERE substr(target, -length(?1)) = ?1"), "@" + name));
}

Result<std::string> Accounts::credential(const AddressName& account, std::string_view kind) {
  const std::lock_guard lock(mutex_);
  Statement rows = TRY(database_.query(
      "SELECT credential.value FROM credential JOIN account ON account.id = credential.account "
      "JOIN domain ON domain.id = account.domain "
      "WHERE domain.name = ?1 AND account.local = ?2 AND credential.kind = ?3",
      account.domain, account.local, kind));
  const auto row = TRY(rows.step());
  if (!row) return not_found("no such account or credential");
  return std::string(row->text(0));
}

Result<> Accounts::refresh_credentials(const AddressName& account, std::string_view kind,
                                       const std::string& seen,
                                       const std::vector<StoredCredential>& credentials) {
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  const std::int64_t id = TRY(account_id(account));
  const std::int64_t unchanged = TRY(database_.integer(
      "SELECT EXISTS (SELECT 1 FROM credential WHERE account = ?1 AND kind = ?2 AND value = ?3)", id, kind,
      seen));
  if (unchanged == 0) return {};
  TRY(write_credentials(id, credentials));
  return std::move(transaction).commit();
}

Result<std::string> Accounts::secret(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto transaction = TRY(Transaction::begin(database_));
  std::string made(32, '\0');
  randombytes_buf(made.data(), made.size());
  TRY(database_.execute("INSERT OR IGNORE INTO secret (name, value) VALUES (?1, ?2)", name,
                        encode_base64(made)));
  std::string value;
  {
    Statement rows = TRY(database_.query("SELECT value FROM secret WHERE name = ?1", name));
    const auto row = TRY(rows.step());
    if (!row) return failure(Errc::corrupt, "a secret is not there");
    value = TRY(decode_base64(row->text(0)));
  }
  TRY(std::move(transaction).commit());
  return value;
}

Result<bool> Accounts::is_local_domain(std::string_view domain) {
  const std::string name = TRY(parse_domain(domain));
  const std::lock_guard lock(mutex_);
  const auto id = domain_id(name);
  if (!id && id.error().code != Errc::not_found) return std::unexpected(id.error());
  return id.has_value();
}

}  // namespace posthorn::auth

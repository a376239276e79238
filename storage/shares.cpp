#include "storage/shares.h"

#include "storage/acl.h"
#include "storage/state_file.h"

#include <charconv>

namespace posthorn::storage {
namespace {

constexpr std::size_t file_limit = 1U << 20U;
constexpr std::int64_t present_version = 1;

// The account whose folder this is, below DATA/mail (account_path.h).
std::string address_of(std::string_view domain, std::string_view directory) {
  std::string user;
  for (std::size_t i = 0; i < directory.size(); ++i) {
    unsigned octet = 0;
    if (directory[i] == '%' && i + 2 < directory.size()) {
      std::from_chars(&directory[i + 1], &directory[i + 1] + 2, octet, 16);
      user += static_cast<char>(octet);
      i += 2;
    } else {
      user += directory[i];
    }
  }
  return user + "@" + std::string(domain);
}

Result<> note_folder(FileSystem& files, Database& database, const std::string& account,
                     const std::string& path) {
  const auto text = files.read_whole(path + "/posthorn-acl", file_limit);
  const auto acl = text ? parse_acl(*text) : Result<Acl>(std::unexpected(text.error()));
  if (!acl) return {};  // it gives nobody any rights then
  for (const Acl::Entry& entry : acl->entries()) {
    TRY(database.execute("INSERT OR IGNORE INTO share (identifier, account) VALUES (?1, ?2)",
                         entry.identifier, account));
  }
  return {};
}

Result<> note_account(FileSystem& files, Database& database, const std::string& account,
                      const std::string& maildir) {
  const auto text = files.read_whole(maildir + "/posthorn-account", file_limit);
  const auto state = text ? parse_account_state(*text) : Result<AccountState>(AccountState());
  if (!state || !state->shared) return {};
  TRY(note_folder(files, database, account, maildir));
  for (const std::string& directory : TRY(files.list(maildir))) {
    if (directory.starts_with('.')) TRY(note_folder(files, database, account, maildir + "/" + directory));
  }
  return {};
}

// What a directory has; nothing where it is none.
std::vector<std::string> names_in(FileSystem& files, const std::string& path) {
  return files.list(path).value_or(std::vector<std::string>());
}

Result<> read_all(FileSystem& files, Database& database, const std::string& mail) {
  for (const std::string& domain : names_in(files, mail)) {
    const std::string in_domain = mail + "/" + domain;
    for (const std::string& user : names_in(files, in_domain)) {
      TRY(note_account(files, database, address_of(domain, user), in_domain + "/" + user + "/Maildir"));
    }
  }
  return {};
}

Result<> make(FileSystem& files, Database& database, const std::string& data) {
  Transaction transaction = TRY(Transaction::begin(database));
  TRY(
      database.run("CREATE TABLE IF NOT EXISTS share ("
                   "  identifier TEXT NOT NULL,"
                   "  account TEXT NOT NULL,"
                   "  PRIMARY KEY (identifier, account)) WITHOUT ROWID;"
                   "CREATE INDEX IF NOT EXISTS share_by_account ON share (account);"
                   "DELETE FROM share"));
  TRY(read_all(files, database, data + "/mail"));
  TRY(database.run("PRAGMA user_version = 1"));
  return std::move(transaction).commit();
}

Result<Database> open_made(FileSystem& files, const std::string& data) {
  Database database = TRY(Database::open(data + "/shares.sqlite", Database::Mode::create));
  TRY(database.run("PRAGMA synchronous = FULL"));
  if (TRY(database.integer("PRAGMA user_version")) != present_version) TRY(make(files, database, data));
  // A broken one is found out now.
  TRY(database.integer("SELECT count(*) FROM share"));
  return database;
}

}  // namespace

Result<std::unique_ptr<Shares>> Shares::open(FileSystem& files, Log& log, const std::string& data) {
  auto database = open_made(files, data);
  if (!database && database.error().code == Errc::corrupt) {
    log.warning("storage.shares_rebuilt", {{"cause", database.error().detail}});
    for (const char* end : {"", "-wal", "-shm"}) {
      static_cast<void>(files.unlink(data + "/shares.sqlite" + end));
    }
    database = open_made(files, data);
  }
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<Shares> shares(new Shares(*std::move(database)));
  TRY(shares->count());
  return shares;
}

Result<> Shares::count() {
  rows_ = TRY(database_.integer("SELECT count(*) FROM share"));
  return {};
}

Result<> Shares::add(std::string_view account, std::string_view identifier) {
  const std::lock_guard lock(mutex_);
  TRY(database_.execute("INSERT OR IGNORE INTO share (identifier, account) VALUES (?1, ?2)", identifier,
                        account));
  return count();
}

Result<> Shares::set(std::string_view account, const std::vector<std::string>& identifiers) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(database_));
  TRY(database_.execute("DELETE FROM share WHERE account = ?1", account));
  for (const std::string& identifier : identifiers) {
    TRY(database_.execute("INSERT OR IGNORE INTO share (identifier, account) VALUES (?1, ?2)", identifier,
                          account));
  }
  TRY(std::move(transaction).commit());
  return count();
}

Result<> Shares::remove_account(std::string_view account) {
  const std::lock_guard lock(mutex_);
  TRY(database_.execute("DELETE FROM share WHERE account = ?1", account));
  return count();
}

Result<std::vector<std::string>> Shares::accounts_naming(std::string_view one, std::string_view other) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> accounts;
  Statement statement = TRY(database_.query(
      "SELECT DISTINCT account FROM share WHERE identifier IN (?1, ?2) ORDER BY account", one, other));
  while (const auto row = TRY(statement.step())) accounts.emplace_back(row->text(0));
  return accounts;
}

}  // namespace posthorn::storage

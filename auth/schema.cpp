#include "auth/schema.h"

#include <cstdio>

namespace posthorn::auth {
namespace {

// Names are canonical (address_name.h). The domain with the smallest id is the first, so is the account.
constexpr const char* version_1 = R"(
CREATE TABLE domain (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  domain INTEGER NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
  local TEXT NOT NULL,
  UNIQUE (domain, local)
) STRICT;
CREATE TABLE credential (
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE alias (
  domain INTEGER NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
  local TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (domain, local, target)
) STRICT, WITHOUT ROWID;
)";

// Accounts that are gone while their mail may still be there.
constexpr const char* version_2 = R"(
CREATE TABLE removal (
  domain TEXT NOT NULL,
  local TEXT NOT NULL,
  PRIMARY KEY (domain, local)
) STRICT, WITHOUT ROWID;
)";

// Keys of this server's own, in base64.
constexpr const char* version_3 = R"(
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

constexpr const char* all_steps[] = {version_1, version_2, version_3};

}  // namespace

std::span<const char* const> accounts_schema() { return all_steps; }

Result<> migrate(Database& database, const std::string& path, std::span<const char* const> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  const std::int64_t before = TRY(database.integer("PRAGMA user_version"));
  if (before == newest) return {};
  if (before > newest) {
    return failure(Errc::not_allowed, path + " is of version " + std::to_string(before) +
                                          ", made by a newer Posthorn; this one knows versions up to " +
                                          std::to_string(newest));
  }
  // An older copy of that name is left from a migration that was cut off: this one takes its place.
  const std::string copy = path + ".v" + std::to_string(before);
  if (before > 0) {
    std::remove(copy.c_str());
    TRY(database.execute("VACUUM INTO ?1", copy));
  }
  auto transaction = TRY(Transaction::begin(database));
  // Another process may have been faster.
  const std::int64_t version = TRY(database.integer("PRAGMA user_version"));
  for (auto next = version; next < newest; ++next) {
    TRY(database.run(steps[static_cast<std::size_t>(next)]));
  }
  TRY(database.run("PRAGMA user_version = " + std::to_string(newest)));
  return std::move(transaction).commit();
}

}  // namespace posthorn::auth

#pragma once

#include "base/result.h"
#include "base/sqlite.h"

#include <span>
#include <string>

namespace posthorn::auth {

// The steps of the schema of accounts.sqlite: the first makes an empty file's tables, each further one turns
// a file of the version before it into the next. Their number is the version, kept in user_version.
std::span<const char* const> accounts_schema();

// Brings the database at `path` to the version that `steps` lead to, in one transaction; of an older file a
// copy is kept first, as `path`.vN. Errors: not_allowed for a newer file, in words; those of SQLite.
Result<> migrate(Database& database, const std::string& path, std::span<const char* const> steps);

}  // namespace posthorn::auth

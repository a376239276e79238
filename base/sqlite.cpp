#include "base/sqlite.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace posthorn {
namespace {

// Before SQLite's first use; a second time is refused and changes nothing.
void set_up_library() {
  // What counts its memory is one lock around every allocation, at which the threads would meet.
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(done);
}

}  // namespace

std::unexpected<Error> sqlite_failure(sqlite3* database, std::string_view what) {
  const int extended = database != nullptr ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
  Errc code = Errc::io;
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: code = Errc::corrupt; break;
    case SQLITE_FULL: code = Errc::disk_full; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = Errc::busy; break;
    case SQLITE_CONSTRAINT:
      if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY) {
        code = Errc::already_exists;
      }
      break;
    default: break;
  }
  const char* message = database != nullptr ? sqlite3_errmsg(database) : "out of memory";
  return failure(code, std::string(what) + ": " + message + " (" + std::to_string(extended) + ")");
}

std::string_view Row::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::bind(int index, std::string_view text) {
  // A null pointer would be NULL, which an empty string is not.
  sqlite3_bind_text64(statement_, index, text.data() != nullptr ? text.data() : "", text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind(int index, Blob blob) {
  sqlite3_bind_blob64(statement_, index, blob.bytes.data() != nullptr ? blob.bytes.data() : "",
                      blob.bytes.size(), SQLITE_STATIC);
}

Result<std::optional<Row>> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return Row(statement_);
  if (code == SQLITE_DONE) return std::nullopt;
  return sqlite_failure(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  set_up_library();
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database{Handle(raw)};
  if (code != SQLITE_OK) {
    auto failed = sqlite_failure(raw, "open " + path);
    // Without descriptors the code is the same; a file that is there must not be taken for one that is not.
    if ((code & 0xff) == SQLITE_CANTOPEN && access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
      failed.error().code = Errc::not_found;
    }
    return failed;
  }
  if (mode == Mode::create) chmod(path.c_str(), S_IRUSR | S_IWUSR);
  sqlite3_busy_timeout(raw, 5000);
  if (mode != Mode::read_only) TRY(database.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
  TRY(database.run("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"));
  return database;
}

Result<> Database::run(const std::string& script) {
  if (sqlite3_exec(handle_.get(), script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return sqlite_failure(handle_.get(), script.substr(0, 200));
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  const std::string key(sql);
  const auto found = prepared_.find(key);
  // One that is being stepped (a query inside another's loop) is not lent twice.
  if (found != prepared_.end() && sqlite3_stmt_busy(found->second.get()) == 0) {
    return Statement(found->second.get());
  }
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return sqlite_failure(handle_.get(), sql);
  Prepared prepared(raw);
  if (found != prepared_.end()) return malformed("statement is in use: " + key);
  return Statement(prepared_.emplace(key, std::move(prepared)).first->second.get());
}

Result<Transaction> Transaction::begin(Database& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Result<> Transaction::commit() && {
  TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace posthorn

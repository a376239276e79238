#pragma once

#include "base/handle.h"
#include "base/result.h"

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace posthorn {

// An octet string bound or read as a BLOB; a plain string_view is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

// The columns of the row that a Statement stands on. Views live until the next step.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view text(int column) const;  // also for BLOBs; empty for NULL
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* statement_;
};

class Database;

// A prepared statement in use; it is reset, and goes back to its database's cache, when it is destroyed.
class Statement {
 public:
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // ?1 is the first. Strings must live until the Statement is destroyed or bound anew.
  template <std::integral Number>
  void bind(int index, Number number) {
    sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(number));
  }
  void bind(int index, std::string_view text);
  void bind(int index, const char* text) { bind(index, std::string_view(text)); }
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, Blob blob);
  void bind(int index, std::nullopt_t) { sqlite3_bind_null(statement_, index); }
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      bind(index, std::nullopt);
    }
  }

  // The next row, or nothing at the end. Errors: corrupt for SQLITE_CORRUPT and SQLITE_NOTADB, disk_full,
  // already_exists for a broken UNIQUE, busy, otherwise io.
  Result<std::optional<Row>> step();
  // Makes it ready to be bound and run again.
  void reset() { sqlite3_reset(statement_); }

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
};

// One SQLite connection, used by one thread at a time. Blocking: on the loop thread only before it runs.
class Database {
 public:
  enum class Mode { create, read_write, read_only };

  // Opens `path` in WAL mode with foreign keys on. `create` makes the file, 0600.
  // Errors: not_found, corrupt (not a database), io.
  static Result<Database> open(const std::string& path, Mode mode);

  // Runs one or more statements without parameters or rows (a schema, PRAGMAs).
  Result<> run(const std::string& script);
  // The prepared form of `sql`, from a cache by its text: pass string literals.
  Result<Statement> prepare(std::string_view sql);

  // Runs a statement to its end; gives the number of rows that it changed.
  template <class... Values>
  Result<std::int64_t> execute(std::string_view sql, const Values&... values) {
    Statement statement = TRY(prepare(sql));
    bind_all(statement, values...);
    while (TRY(statement.step())) {
    }
    return std::int64_t{sqlite3_changes64(handle_.get())};
  }
  // A statement bound and ready to step(). The values must outlive it.
  template <class... Values>
  Result<Statement> query(std::string_view sql, const Values&... values) {
    Statement statement = TRY(prepare(sql));
    bind_all(statement, values...);
    return statement;
  }
  // The first column of the first row as an integer; not_found without a row.
  template <class... Values>
  Result<std::int64_t> integer(std::string_view sql, const Values&... values) {
    Statement statement = TRY(query(sql, values...));
    const auto row = TRY(statement.step());
    if (!row) return not_found("no row");
    return row->integer(0);
  }

  std::int64_t last_row_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* raw() { return handle_.get(); }

 private:
  using Handle = std::unique_ptr<sqlite3, FreeWith<sqlite3_close_v2>>;
  using Prepared = std::unique_ptr<sqlite3_stmt, FreeWith<sqlite3_finalize>>;

  explicit Database(Handle handle) : handle_(std::move(handle)) {}
  template <class... Values>
  static void bind_all(Statement& statement, const Values&... values) {
    int index = 0;
    (statement.bind(++index, values), ...);
  }

  Handle handle_;
  std::unordered_map<std::string, Prepared> prepared_;
};

// The Error for a failed call on `database`.
std::unexpected<Error> sqlite_failure(sqlite3* database, std::string_view what);

// One write transaction (BEGIN IMMEDIATE), rolled back unless it is committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<> commit() &&;

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace posthorn

#include "storage/search_index.h"

#include "message/charset.h"
#include "storage/token_list.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

// Raised whenever texts become other trigrams, or the schema changes.
constexpr std::int64_t schema_version = 2;
constexpr std::size_t idle_readers = 2;
// Octets that the write-ahead log has before it is moved into the index: while it is filled, and after.
constexpr std::uint64_t longest_log = 16U << 20U;
constexpr std::uint64_t longest_log_at_rest = 1U << 20U;

constexpr const char* schema = R"sql(
CREATE TABLE about (folding TEXT NOT NULL);
CREATE TABLE document (id INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL UNIQUE, complete INTEGER NOT NULL);
CREATE VIRTUAL TABLE texts USING fts5 (tokens, content='', columnsize=0, detail=none, tokenize='token_list');
CREATE TABLE filled (mailbox INTEGER PRIMARY KEY, uid_validity INTEGER NOT NULL, up_to INTEGER NOT NULL);
INSERT INTO texts (texts, rank) VALUES ('pgsz', 4000);
INSERT INTO texts (texts, rank) VALUES ('automerge', 8);
)sql";

// Commits are not synced, checkpoints are: a power cut may take the latest additions, never more than whole
// ones.
Result<> set_up(Database& database) {
  int answer = 0;
  sqlite3_db_config(database.raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &answer);
  return database.run(
      "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1024; "
      "PRAGMA journal_size_limit=16777216;");
}

// While it lives, what `database` does fails soon once `stop` is set.
class Stoppable {
 public:
  Stoppable(Database& database, const std::atomic<bool>& stop) : raw_(database.raw()), stop_(stop) {
    sqlite3_progress_handler(raw_, steps, is_stopped, this);
  }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;
  ~Stoppable() { sqlite3_progress_handler(raw_, 0, nullptr, nullptr); }

 private:
  // Instructions of SQLite's machine.
  static constexpr int steps = 1'000;
  static int is_stopped(void* self) { return static_cast<const Stoppable*>(self)->stop_ ? 1 : 0; }
  sqlite3* raw_;
  const std::atomic<bool>& stop_;
};

Result<> remove_files(FileSystem& files, const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const auto gone = files.unlink(path + suffix);
    if (!gone && gone.error().code != Errc::not_found) return gone;
  }
  return {};
}

}  // namespace

Result<> SearchIndex::check(Database& database) const {
  const std::int64_t version = TRY(database.integer("PRAGMA user_version"));
  if (version != schema_version) {
    return failure(Errc::corrupt, "search index of version " + std::to_string(version));
  }
  {
    auto about = TRY(database.query("SELECT folding FROM about"));
    const auto row = TRY(about.step());
    if (!row || row->text(0) != message::folding_version()) {
      return failure(Errc::corrupt, "search index of another Unicode");
    }
  }
  auto checked = TRY(database.query("PRAGMA quick_check(1)"));
  const auto row = TRY(checked.step());
  if (!row || row->text(0) != "ok") return failure(Errc::corrupt, "search index fails its check");
  return {};
}

// With the lock held.
Result<> SearchIndex::forget_if_changed() {
  const auto now = identify_index(*files_, path_);
  if (!now && now.error().code != Errc::not_found) return std::unexpected(now.error());
  if (now && identity_) {
    IndexIdentity expected = *identity_;
    if (writing_) {
      // Only what is written to is known to be so.
      expected.size = now->size;
      expected.modified_ns = now->modified_ns;
    }
    if (*now == expected) return {};
  }
  if (identity_) {
    // What somebody else has written may look whole and not be so.
    if (now) broken_ = "written to by another program";
    close_all();
  }
  if (!now) {
    broken_.reset();
    return not_found("no search index");
  }
  return {};
}

Result<SearchIndex::Reader> SearchIndex::take_reader() {
  const std::scoped_lock lock(mutex_);
  TRY(forget_if_changed());
  if (broken_) return failure(Errc::corrupt, *broken_);
  if (!idle_.empty()) {
    Reader reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
  }
  return connect(false);
}

// With the lock held.
Result<SearchIndex::Reader> SearchIndex::connect(bool make) {
  Reader reader{TRY(Database::open(path_, make ? Database::Mode::create : Database::Mode::read_write)),
                generation_};
  TRY(set_up(reader.database));
  TRY(register_token_list(reader.database));
  if (make && TRY(reader.database.integer("SELECT count(*) FROM sqlite_schema")) == 0) {
    auto transaction = TRY(Transaction::begin(reader.database));
    TRY(reader.database.run(std::string(schema) + "PRAGMA user_version=" + std::to_string(schema_version)));
    TRY(reader.database.execute("INSERT INTO about VALUES (?1)", message::folding_version()));
    TRY(std::move(transaction).commit());
  }
  if (!identity_) {
    TRY(check(reader.database));
    identity_ = TRY(identify_index(*files_, path_));
  }
  return reader;
}

void SearchIndex::give_back(Reader reader) {
  const std::scoped_lock lock(mutex_);
  if (reader.generation == generation_ && idle_.size() < idle_readers) idle_.push_back(std::move(reader));
}

std::uint64_t SearchIndex::generation() const {
  const std::scoped_lock lock(mutex_);
  return generation_;
}

std::uint64_t SearchIndex::additions() const {
  const std::scoped_lock lock(mutex_);
  return additions_;
}

Result<std::optional<SearchIndex::Entry>> SearchIndex::find(Reader& reader, std::int64_t fingerprint) {
  auto statement =
      TRY(reader.database.query("SELECT id, complete FROM document WHERE fingerprint = ?1", fingerprint));
  const auto row = TRY(statement.step());
  if (!row) return std::nullopt;
  return Entry{static_cast<Document>(row->integer(0)), row->integer(1) != 0};
}

Result<std::vector<bool>> SearchIndex::query(Reader& reader, std::string_view query, Document first,
                                             Document last) {
  std::vector<bool> found(std::size_t{last} - first + 1);
  auto statement = TRY(reader.database.query(
      "SELECT rowid FROM texts WHERE texts MATCH ?1 AND rowid BETWEEN ?2 AND ?3", query, first, last));
  while (const auto row = TRY(statement.step())) {
    const std::int64_t document = row->integer(0);
    if (document < first || document > last) return failure(Errc::corrupt, "it finds what was not asked for");
    found[static_cast<std::size_t>(document - first)] = true;
  }
  return found;
}

Result<std::optional<std::string>> SearchIndex::prepare() {
  const std::scoped_lock lock(mutex_);
  std::optional<std::string> lost;
  for (int attempt = 0;; ++attempt) {
    const auto there = forget_if_changed();
    if (!there && there.error().code != Errc::not_found) return std::unexpected(there.error());
    if (there && identity_ && !broken_) return lost;
    if (broken_) lost = broken_;
    // A log without its database would be played into the new one.
    if (!there || broken_) TRY(remove_files(*files_, path_));
    close_all();
    broken_.reset();
    auto reader = connect(true);
    if (reader) {
      idle_.push_back(*std::move(reader));
      return lost;
    }
    if (reader.error().code != Errc::corrupt || attempt > 0) return std::unexpected(reader.error());
    broken_ = reader.error().detail;
  }
}

Result<std::vector<SearchIndex::Filled>> SearchIndex::filled() {
  Reader reader = TRY(take_reader());
  std::vector<Filled> mailboxes;
  {
    auto statement = TRY(reader.database.query("SELECT mailbox, uid_validity, up_to FROM filled"));
    while (const auto row = TRY(statement.step())) {
      mailboxes.push_back({static_cast<MailboxId>(row->integer(0)),
                           static_cast<std::uint32_t>(row->integer(1)), static_cast<Uid>(row->integer(2))});
    }
  }
  give_back(std::move(reader));
  return mailboxes;
}

Result<> SearchIndex::add(std::span<const Text> texts, const Filled& filled, const std::atomic<bool>& stop) {
  Reader reader = TRY(take_reader());
  Database& database = reader.database;
  {
    const Stoppable stoppable(database, stop);
    auto transaction = TRY(Transaction::begin(database));
    for (const Text& text : texts) {
      const auto added =
          TRY(database.execute("INSERT OR IGNORE INTO document (fingerprint, complete) VALUES (?1, ?2)",
                               text.fingerprint, text.complete ? 1 : 0));
      if (added == 0 || !text.complete) continue;
      TRY(database.execute("INSERT INTO texts (rowid, tokens) VALUES (?1, ?2)", database.last_row_id(),
                           text.tokens));
    }
    TRY(database.execute("INSERT OR REPLACE INTO filled VALUES (?1, ?2, ?3)", filled.mailbox,
                         filled.uid_validity, filled.up_to));
    TRY(std::move(transaction).commit());
  }
  if (!texts.empty()) {
    const std::scoped_lock lock(mutex_);
    ++additions_;
  }
  give_back(std::move(reader));
  return {};
}

Result<> SearchIndex::checkpoint(Filling filling) {
  const auto log = files_->status(path_ + "-wal");
  const std::uint64_t longest = filling == Filling::goes_on ? longest_log : longest_log_at_rest;
  if (!log || log->size < longest) return {};
  Reader reader = TRY(take_reader());
  {
    const std::scoped_lock lock(mutex_);
    writing_ = true;
  }
  sqlite3* raw = reader.database.raw();
  // Where somebody reads just then, it is tried again later.
  sqlite3_busy_timeout(raw, 0);
  const int code = sqlite3_wal_checkpoint_v2(raw, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  auto done = code == SQLITE_OK || code == SQLITE_BUSY ? Result<>() : sqlite_failure(raw, "checkpoint");
  sqlite3_busy_timeout(raw, 5000);
  {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    const auto now = identify_index(*files_, path_);
    // Another file that has come meanwhile is none that we wrote to.
    if (identity_ && now && now->inode == identity_->inode && now->device == identity_->device) {
      identity_ = *now;
    }
  }
  give_back(std::move(reader));
  return done;
}

Result<std::size_t> SearchIndex::count() {
  Reader reader = TRY(take_reader());
  const auto count = TRY(reader.database.integer("SELECT coalesce(max(id), 0) FROM document"));
  give_back(std::move(reader));
  return static_cast<std::size_t>(count);
}

void SearchIndex::give_up(std::string why) {
  const std::scoped_lock lock(mutex_);
  broken_ = std::move(why);
  close_all();
}

void SearchIndex::close() {
  const std::scoped_lock lock(mutex_);
  close_all();
}

Result<> SearchIndex::remove() {
  const std::scoped_lock lock(mutex_);
  close_all();
  return remove_files(*files_, path_);
}

// With the lock held.
void SearchIndex::close_all() {
  idle_.clear();
  identity_.reset();
  ++generation_;
}

}  // namespace posthorn::storage

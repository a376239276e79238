#include "storage/index.h"

#include "storage/maildir_name.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace posthorn::storage {
namespace {

// Raised with each change of the schema: an index of another version that can't be migrated is made anew from
// the Maildir.
constexpr std::int64_t schema_version = 8;

constexpr const char* schema = R"sql(
CREATE TABLE account (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  messages INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  failed_commits INTEGER NOT NULL,
  thread_keys INTEGER NOT NULL);
INSERT INTO account VALUES (1, 0, 0, 0, 0);
CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid_validity INTEGER NOT NULL,
  special_use INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  first_recent INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  unseen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  new_modified INTEGER NOT NULL,
  cur_modified INTEGER NOT NULL,
  remembers_from INTEGER NOT NULL,
  forgotten_uid INTEGER NOT NULL);
CREATE TABLE keyword (
  mailbox INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (mailbox, place)) WITHOUT ROWID;
CREATE TABLE message (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords BLOB,
  modseq INTEGER NOT NULL,
  wire_size INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  stored_size INTEGER NOT NULL,
  email_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  info TEXT,
  lagging INTEGER NOT NULL,
  saved INTEGER NOT NULL,
  thread TEXT,
  threaded INTEGER NOT NULL,
  encoded_size INTEGER,
  gain INTEGER,
  summary_key INTEGER,
  PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
CREATE INDEX message_gain ON message (mailbox, uid) WHERE gain IS NOT 0;
CREATE INDEX message_deleted ON message (mailbox, uid) WHERE flags & 8;
CREATE INDEX message_lagging ON message (mailbox, uid) WHERE lagging = 1;
CREATE INDEX message_unthreaded ON message (mailbox, uid) WHERE threaded = 0;
CREATE TABLE thread (key INTEGER PRIMARY KEY, id TEXT NOT NULL, used INTEGER NOT NULL);
CREATE INDEX thread_used ON thread (used);
CREATE INDEX message_shared ON message (summary_key) WHERE summary_key IS NOT NULL;
CREATE TABLE summary (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE envelope_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE structure_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE sort_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE thread_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE unused_summary (key INTEGER PRIMARY KEY);
CREATE TABLE removed_mailbox (id INTEGER PRIMARY KEY);
CREATE TABLE tombstone (
  mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL, email_id TEXT,
  PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
CREATE INDEX tombstone_modseq ON tombstone (mailbox, modseq);
CREATE INDEX tombstone_pending ON tombstone (mailbox, uid) WHERE email_id IS NOT NULL;
CREATE TABLE intent (number INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL);
)sql";

// How an index of an older version becomes one of the next: from 4 on.
constexpr std::int64_t oldest_version = 4;
constexpr const char* migrations[] = {
    "ALTER TABLE message ADD COLUMN gain INTEGER;"
    "CREATE INDEX message_gain ON message (mailbox, uid) WHERE gain IS NOT 0;",
    "ALTER TABLE account ADD COLUMN thread_keys INTEGER NOT NULL DEFAULT 0;"
    "UPDATE account SET thread_keys = (SELECT count(*) FROM thread);"
    "ALTER TABLE thread ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX thread_used ON thread (used);"
    "ALTER TABLE mailbox ADD COLUMN forgotten_uid INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE message ADD COLUMN summary_key INTEGER;"
    "CREATE INDEX message_shared ON message (summary_key) WHERE summary_key IS NOT NULL;"
    "CREATE TABLE unused_summary (key INTEGER PRIMARY KEY);",
    "ALTER TABLE summary RENAME COLUMN encoded TO octets;"
    "CREATE TABLE envelope_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "CREATE TABLE structure_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "CREATE TABLE sort_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "CREATE TABLE thread_form (key INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "CREATE TABLE removed_mailbox (id INTEGER PRIMARY KEY);",
};
static_assert(std::size(migrations) == schema_version - oldest_version);

Result<> migrate(Database& database, std::int64_t version) {
  auto transaction = TRY(Transaction::begin(database));
  for (; version < schema_version; ++version) {
    auto done = database.run(migrations[version - oldest_version]);
    // An index that is not as we make them: rather a new one than an account that can't be opened.
    if (!done && sqlite3_errcode(database.raw()) == SQLITE_ERROR) done.error().code = Errc::corrupt;
    TRY(std::move(done));
  }
  TRY(database.run("PRAGMA user_version=" + std::to_string(schema_version)));
  return std::move(transaction).commit();
}

// A connection that neither checkpoints nor removes the WAL when it closes, and whose cache is small: many
// accounts may be open.
Result<> set_up(Database& database) {
  int answer = 0;
  sqlite3_db_config(database.raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &answer);
  sqlite3_db_config(database.raw(), SQLITE_DBCONFIG_DEFENSIVE, 1, &answer);
  return database.run(
      "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1024; PRAGMA journal_size_limit=16777216;");
}

constexpr const char* message_columns =
    "uid, flags, keywords, modseq, wire_size, internal_date, stored_size, email_id, place, info, lagging, "
    "saved, thread, threaded, encoded_size, gain, summary_key";

KeywordSet keywords_of(std::string_view blob) {
  KeywordSet set;
  if (blob.size() == sizeof(set.words())) std::memcpy(set.words().data(), blob.data(), blob.size());
  return set;
}

std::optional<Blob> blob_of(const KeywordSet& set) {
  if (set.empty()) return std::nullopt;
  return Blob{{reinterpret_cast<const char*>(set.words().data()), sizeof(set.words())}};
}

std::int64_t place_number(Place place) { return place == Place::fresh ? 0 : 1; }

MessageRow message_of(const Row& row) {
  MessageRow message;
  message.uid = static_cast<Uid>(row.integer(0));
  message.flags.system = static_cast<std::uint8_t>(row.integer(1));
  message.flags.keywords = keywords_of(row.text(2));
  message.modseq = static_cast<ModSeq>(row.integer(3));
  message.wire_size = static_cast<std::uint64_t>(row.integer(4));
  message.internal_date = row.integer(5);
  message.stored_size = static_cast<std::uint64_t>(row.integer(6));
  message.email_id = row.text(7);
  message.place = row.integer(8) == 0 ? Place::fresh : Place::current;
  if (!row.is_null(9)) message.info = row.text(9);
  message.lagging = row.integer(10) != 0;
  message.saved = row.integer(11);
  if (!row.is_null(12)) message.thread = row.text(12);
  message.threaded = row.integer(13) != 0;
  if (!row.is_null(14)) message.encoded_size = static_cast<std::uint64_t>(row.integer(14));
  if (!row.is_null(15)) message.gain = static_cast<std::uint64_t>(row.integer(15));
  if (!row.is_null(16)) message.shared_summary = row.integer(16);
  return message;
}

}  // namespace

std::string_view name_of(Place place) { return place == Place::fresh ? "new/" : "cur/"; }

std::string MessageRow::file() const {
  std::optional<std::int64_t> other_date;
  if (saved != internal_date) other_date = saved;
  return std::string(name_of(place)) + to_string(MaildirName{email_id, stored_size, wire_size, uid, info,
                                                             other_date, thread, encoded_size});
}

std::pair<Place, std::optional<std::string>> MessageRow::due(Uid first_recent) const {
  std::string letters = letters_of_flags(flags, info.value_or(""));
  if (place == Place::fresh && letters.empty() && uid >= first_recent) return {place, info};
  return {Place::current, std::move(letters)};
}

void MessageRow::compare(Uid first_recent) { lagging = due(first_recent) != std::pair(place, info); }

Result<Index> Index::open(const std::string& path, const FormMakers& makers) {
  Index index(TRY(Database::open(path, Database::Mode::create)), makers);
  Database& database = index.database_;
  TRY(set_up(database));
  sqlite3_wal_hook(
      database.raw(),
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<std::uint32_t*>(pages) = static_cast<std::uint32_t>(count);
        return SQLITE_OK;
      },
      index.wal_pages_.get());
  const std::int64_t version = TRY(database.integer("PRAGMA user_version"));
  if (version == schema_version) {
    TRY(index.look_for_leavings());
    return index;
  }
  if (version > schema_version) {
    return failure(Errc::unavailable, path + " is an index of version " + std::to_string(version) +
                                          ", written by a newer Posthorn");
  }
  if (version >= oldest_version) {
    TRY(migrate(database, version));
    TRY(index.look_for_leavings());
    return index;
  }
  const std::int64_t tables = TRY(database.integer("SELECT count(*) FROM sqlite_schema"));
  if (version != 0 || tables != 0)
    return failure(Errc::corrupt, "index of version " + std::to_string(version));
  auto transaction = TRY(Transaction::begin(database));
  TRY(database.run(std::string(schema) + "PRAGMA user_version=" + std::to_string(schema_version)));
  TRY(std::move(transaction).commit());
  index.is_new_ = true;
  return index;
}

Result<> Index::look_for_leavings() {
  may_have_leavings_ = TRY(database_.integer("SELECT EXISTS (SELECT 1 FROM unused_summary) "
                                             "OR EXISTS (SELECT 1 FROM removed_mailbox)")) != 0;
  return {};
}

Result<Database> Index::open_reader(const std::string& path) {
  Database database = TRY(Database::open(path, Database::Mode::read_only));
  TRY(set_up(database));
  return database;
}

Result<> Index::sync_commits(bool synced) {
  if (syncs_commits_ == synced) return {};
  TRY(database_.execute(synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  syncs_commits_ = synced;
  return {};
}

std::uint32_t Index::wal_growth() const {
  // Fewer than there were: it has begun anew.
  return *wal_pages_ < checkpointed_pages_ ? *wal_pages_ : *wal_pages_ - checkpointed_pages_;
}

Result<> Index::checkpoint() {
  const int code =
      sqlite3_wal_checkpoint_v2(database_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) return sqlite_failure(database_.raw(), "checkpoint");
  checkpointed_pages_ = *wal_pages_;
  return {};
}

Result<std::vector<MailboxRow>> Index::mailboxes() {
  std::vector<MailboxRow> rows;
  auto statement =
      TRY(database_.query("SELECT id, name, uid_validity, special_use, uid_next, first_recent, modseq, "
                          "messages, unseen, deleted, "
                          "octets, new_modified, cur_modified, remembers_from, forgotten_uid FROM mailbox"));
  while (const auto row = TRY(statement.step())) {
    MailboxRow mailbox;
    mailbox.id = static_cast<MailboxId>(row->integer(0));
    mailbox.name = row->text(1);
    mailbox.uid_validity = static_cast<std::uint32_t>(row->integer(2));
    mailbox.special_use = static_cast<SpecialUse>(row->integer(3));
    mailbox.uid_next = static_cast<Uid>(row->integer(4));
    mailbox.first_recent = static_cast<Uid>(row->integer(5));
    mailbox.modseq = static_cast<ModSeq>(row->integer(6));
    mailbox.messages = static_cast<std::uint32_t>(row->integer(7));
    mailbox.unseen = static_cast<std::uint32_t>(row->integer(8));
    mailbox.deleted = static_cast<std::uint32_t>(row->integer(9));
    mailbox.octets = static_cast<std::uint64_t>(row->integer(10));
    mailbox.new_modified = row->integer(11);
    mailbox.cur_modified = row->integer(12);
    mailbox.remembers_from = static_cast<ModSeq>(row->integer(13));
    mailbox.forgotten_uid = static_cast<Uid>(row->integer(14));
    rows.push_back(std::move(mailbox));
  }
  return rows;
}

Result<> Index::put_mailbox(const MailboxRow& row) {
  TRY(database_.execute(
      "INSERT INTO mailbox VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
      "ON CONFLICT (id) DO UPDATE SET uid_validity = ?3, special_use = ?4, uid_next = ?5, "
      "first_recent = ?6, modseq = ?7, messages = ?8, unseen = ?9, deleted = ?10, octets = ?11, "
      "new_modified = ?12, cur_modified = ?13, remembers_from = ?14, forgotten_uid = ?15",
      row.id, row.name, row.uid_validity, static_cast<int>(row.special_use), row.uid_next, row.first_recent,
      row.modseq, row.messages, row.unseen, row.deleted, row.octets, row.new_modified, row.cur_modified,
      row.remembers_from, row.forgotten_uid));
  // By itself: to set an indexed column, be it to what it is, writes a page of the index with each commit.
  TRY(database_.execute("UPDATE mailbox SET name = ?2 WHERE id = ?1 AND name <> ?2", row.id, row.name));
  return {};
}

Result<> Index::remove_mailbox(MailboxId id) {
  TRY(database_.execute("DELETE FROM keyword WHERE mailbox = ?1", id));
  TRY(database_.execute("DELETE FROM mailbox WHERE id = ?1", id));
  TRY(database_.execute("INSERT OR IGNORE INTO removed_mailbox VALUES (?1)", id));
  may_have_leavings_ = true;
  return {};
}

Result<> Index::clear_for_mailbox(MailboxId id) {
  if (TRY(database_.execute("DELETE FROM removed_mailbox WHERE id = ?1", id)) > 0) TRY(remove_messages(id));
  return forget_summaries_of(id);
}

Result<bool> Index::forget_removed(std::size_t at_once) {
  auto removed = TRY(database_.query("SELECT id FROM removed_mailbox LIMIT 1"));
  const auto row = TRY(removed.step());
  if (!row) return false;
  const auto id = static_cast<MailboxId>(row->integer(0));
  removed.reset();
  auto beyond = TRY(database_.query(
      "SELECT uid FROM message WHERE mailbox = ?1 ORDER BY uid LIMIT 1 OFFSET ?2", id, at_once));
  if (const auto first_beyond = TRY(beyond.step())) {
    const auto last = static_cast<Uid>(first_beyond->integer(0) - 1);
    beyond.reset();
    TRY(remove_rows(id, 0, last));
    return true;
  }
  TRY(remove_rows(id, 0, 0x7fffffff));
  const auto tombstones =
      TRY(database_.execute("DELETE FROM tombstone WHERE mailbox = ?1 AND uid IN "
                            "(SELECT uid FROM tombstone WHERE mailbox = ?1 ORDER BY uid LIMIT ?2)",
                            id, at_once));
  if (tombstones == static_cast<std::int64_t>(at_once)) return true;
  TRY(database_.execute("DELETE FROM removed_mailbox WHERE id = ?1", id));
  // Another one, or the summaries of these messages.
  return true;
}

Result<> Index::remove_messages(MailboxId id) {
  TRY(remove_rows(id, 0, 0x7fffffff));
  TRY(database_.execute("DELETE FROM tombstone WHERE mailbox = ?1", id));
  return {};
}

Result<> Index::forget_summaries_of(MailboxId id) {
  const std::int64_t first = summary_key(id, 0);
  const std::int64_t last = summary_key(id, 0x7fffffff);
  TRY(database_.execute("UPDATE message SET summary_key = NULL WHERE summary_key BETWEEN ?1 AND ?2", first,
                        last));
  TRY(database_.execute(statements_of(Form::summary).erase, first, last));
  for (const Form form : small_forms) TRY(database_.execute(statements_of(form).erase, first, last));
  return {};
}

Result<std::vector<std::string>> Index::keywords(MailboxId id) {
  std::vector<std::string> names;
  auto statement = TRY(database_.query("SELECT name FROM keyword WHERE mailbox = ?1 ORDER BY place", id));
  while (const auto row = TRY(statement.step())) names.emplace_back(row->text(0));
  return names;
}

Result<> Index::add_keyword(MailboxId id, std::size_t place, std::string_view name) {
  TRY(database_.execute("INSERT OR REPLACE INTO keyword VALUES (?1, ?2, ?3)", id, place, name));
  return {};
}

Result<> Index::add_to_account(std::int64_t messages, std::int64_t octets, std::int64_t thread_keys) {
  TRY(
      database_.execute("UPDATE account SET messages = messages + ?1, octets = octets + ?2, "
                        "thread_keys = thread_keys + ?3",
                        messages, octets, thread_keys));
  return {};
}

Result<> Index::insert_message(MailboxId id, const MessageRow& row) {
  const auto keywords = blob_of(row.flags.keywords);
  TRY(database_.execute(
      "INSERT INTO message (mailbox, uid, flags, keywords, modseq, wire_size, internal_date, stored_size, "
      "email_id, place, info, lagging, saved, thread, threaded, encoded_size, gain, summary_key) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
      id, row.uid, row.flags.system, keywords, row.modseq, row.wire_size, row.internal_date, row.stored_size,
      row.email_id, place_number(row.place), row.info, row.lagging ? 1 : 0, row.saved, row.thread,
      row.threaded ? 1 : 0, row.encoded_size, row.gain, row.shared_summary));
  return {};
}

Result<std::size_t> Index::count_tombstones(MailboxId id) {
  return static_cast<std::size_t>(
      TRY(database_.integer("SELECT count(*) FROM tombstone WHERE mailbox = ?1", id)));
}

Result<Index::OldTombstones> Index::old_tombstones(MailboxId id, std::size_t count) {
  OldTombstones old;
  auto last =
      TRY(database_.query("SELECT modseq FROM tombstone WHERE mailbox = ?1 AND email_id IS NULL "
                          "ORDER BY modseq LIMIT 1 OFFSET ?2",
                          id, count - 1));
  const auto row = TRY(last.step());
  if (!row) return old;
  old.modseq = static_cast<ModSeq>(row->integer(0));
  old.highest = static_cast<Uid>(TRY(database_.integer(
      "SELECT coalesce(max(uid), 0) FROM tombstone WHERE mailbox = ?1 AND modseq <= ?2", id, old.modseq)));
  return old;
}

Result<std::size_t> Index::remove_tombstones(MailboxId id, ModSeq up_to, std::size_t count) {
  return static_cast<std::size_t>(TRY(database_.execute(
      "DELETE FROM tombstone WHERE mailbox = ?1 AND uid IN (SELECT uid FROM tombstone WHERE mailbox = ?1 AND "
      "modseq <= ?2 AND email_id IS NULL LIMIT ?3)",
      id, up_to, count)));
}

Result<> Index::set_gain(MailboxId id, Uid uid, std::uint64_t octets) {
  TRY(database_.execute("UPDATE message SET gain = ?3 WHERE mailbox = ?1 AND uid = ?2", id, uid, octets));
  return {};
}

Result<> Index::update_flags(MailboxId id, const MessageRow& row) {
  const auto keywords = blob_of(row.flags.keywords);
  TRY(database_.execute(
      "UPDATE message SET flags = ?3, keywords = ?4, modseq = ?5, place = ?6, info = ?7, lagging = ?8 "
      "WHERE mailbox = ?1 AND uid = ?2",
      id, row.uid, row.flags.system, keywords, row.modseq, place_number(row.place), row.info,
      row.lagging ? 1 : 0));
  return {};
}

Result<> Index::remove_message(MailboxId id, const MessageRow& row) {
  TRY(database_.execute("DELETE FROM message WHERE mailbox = ?1 AND uid = ?2", id, row.uid));
  TRY(database_.execute("INSERT OR IGNORE INTO unused_summary VALUES (?1)",
                        row.shared_summary.value_or(summary_key(id, row.uid))));
  may_have_leavings_ = true;
  return {};
}

Result<> Index::remove_rows(MailboxId id, Uid first, Uid last) {
  TRY(
      database_.execute("INSERT OR IGNORE INTO unused_summary SELECT coalesce(summary_key, ?1 << 31 | uid) "
                        "FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                        id, first, last));
  TRY(database_.execute("DELETE FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3", id, first, last));
  may_have_leavings_ = true;
  return {};
}

Result<> Index::expunge_run(MailboxId id, Uid first, Uid last, ModSeq modseq) {
  TRY(
      database_.execute("INSERT OR REPLACE INTO tombstone SELECT mailbox, uid, ?4, email_id FROM message "
                        "WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                        id, first, last, modseq));
  return remove_rows(id, first, last);
}

Result<bool> Index::forget_summaries(std::size_t at_once) {
  TRY(database_.execute(statements_of(Form::summary).erase_unused, at_once));
  for (const Form form : small_forms) TRY(database_.execute(statements_of(form).erase_unused, at_once));
  const auto done = TRY(database_.execute(
      "DELETE FROM unused_summary WHERE key IN (SELECT key FROM unused_summary ORDER BY key LIMIT ?1)",
      at_once));
  return done == static_cast<std::int64_t>(at_once);
}

Result<bool> Index::clear_leavings(std::size_t at_once) {
  const bool more_rows = TRY(forget_removed(at_once));
  const bool more_summaries = TRY(forget_summaries(at_once));
  may_have_leavings_ = more_rows || more_summaries;
  return may_have_leavings_;
}

Result<> Index::insert_tombstone(MailboxId id, Uid uid, ModSeq modseq, std::string_view email_id) {
  std::optional<std::string_view> pending;
  if (!email_id.empty()) pending = email_id;
  TRY(database_.execute("INSERT OR REPLACE INTO tombstone VALUES (?1, ?2, ?3, ?4)", id, uid, modseq,
                        pending));
  return {};
}

Result<bool> Index::has_tombstone(MailboxId id, Uid uid) {
  auto statement = TRY(database_.query("SELECT 1 FROM tombstone WHERE mailbox = ?1 AND uid = ?2", id, uid));
  return TRY(statement.step()).has_value();
}

Result<std::vector<TombstoneRow>> Index::pending_tombstones(MailboxId id) {
  std::vector<TombstoneRow> rows;
  auto statement =
      TRY(database_.query("SELECT uid, email_id FROM tombstone INDEXED BY tombstone_pending WHERE mailbox = "
                          "?1 AND email_id IS NOT NULL",
                          id));
  while (const auto row = TRY(statement.step())) {
    rows.push_back({static_cast<Uid>(row->integer(0)), std::string(row->text(1))});
  }
  return rows;
}

Result<bool> Index::clear_pending_tombstones(MailboxId id, std::size_t at_once) {
  const auto done = TRY(
      database_.execute("UPDATE tombstone SET email_id = NULL WHERE mailbox = ?1 AND uid IN (SELECT uid FROM "
                        "tombstone INDEXED BY tombstone_pending WHERE mailbox = ?1 AND email_id IS NOT NULL "
                        "ORDER BY uid LIMIT ?2)",
                        id, at_once));
  return done == static_cast<std::int64_t>(at_once);
}

Result<> Index::clear_pending_tombstones_but(MailboxId id, const UidSet& still_there) {
  for (const TombstoneRow& row : TRY(pending_tombstones(id))) {
    if (still_there.contains(row.uid)) continue;
    TRY(database_.execute("UPDATE tombstone SET email_id = NULL WHERE mailbox = ?1 AND uid = ?2", id,
                          row.uid));
  }
  return {};
}

Result<> Index::put_summary(MailboxId id, Uid uid, std::string_view encoded) {
  const std::int64_t key = TRY(find_summary_key(database_, id, uid));
  TRY(database_.execute(statements_of(Form::summary).put, key, Blob{encoded}));
  for (const Form form : small_forms) {
    const FormMaker& maker = makers_.of(form);
    if (maker.make == nullptr) continue;
    // Whoever asks for one that can't be made is told so.
    const auto made = maker.make(encoded);
    if (made && made->size() <= longest_kept_form) {
      TRY(database_.execute(statements_of(form).put, key, Blob{*made}));
    } else {
      TRY(database_.execute(statements_of(form).erase, key, key));
    }
  }
  return {};
}

Result<> Index::put_form(MailboxId id, Uid uid, Form form, std::string_view octets) {
  const std::int64_t key = TRY(find_summary_key(database_, id, uid));
  TRY(database_.execute(statements_of(form).put, key, Blob{octets}));
  return {};
}

Result<std::vector<Uid>> Index::present(MailboxId id, const UidSet& uids) {
  std::vector<Uid> there;
  for (const UidSet::Range& range : uids.ranges()) {
    auto statement = TRY(
        database_.query("SELECT uid FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
                        id, range.first, range.last));
    while (const auto row = TRY(statement.step())) there.push_back(static_cast<Uid>(row->integer(0)));
  }
  return there;
}

Result<std::vector<MessageRow>> Index::messages(MailboxId id, const UidSet& uids) {
  return find_messages(database_, id, uids);
}

Result<std::vector<MessageRow>> Index::deleted(MailboxId id, const UidSet& uids) {
  static_assert(static_cast<int>(SystemFlag::deleted) == 8, "as the statements say");
  std::vector<MessageRow> rows;
  static const std::string sql = std::string("SELECT ") + message_columns +
                                 " FROM message WHERE mailbox = ?1 AND flags & 8 ORDER BY uid";
  auto statement = TRY(database_.query(sql, id));
  while (const auto row = TRY(statement.step())) {
    if (uids.contains(static_cast<Uid>(row->integer(0)))) rows.push_back(message_of(*row));
  }
  return rows;
}

Result<std::vector<MessageRow>> Index::lagging(MailboxId id, Uid after, std::size_t limit) {
  std::vector<MessageRow> rows;
  static const std::string sql =
      std::string("SELECT ") + message_columns +
      " FROM message WHERE mailbox = ?1 AND lagging = 1 AND uid > ?2 ORDER BY uid LIMIT ?3";
  auto statement = TRY(database_.query(sql, id, after, limit));
  while (const auto row = TRY(statement.step())) rows.push_back(message_of(*row));
  return rows;
}

Result<std::vector<MessageRow>> Index::unthreaded(MailboxId id, std::size_t limit) {
  std::vector<MessageRow> rows;
  static const std::string sql = std::string("SELECT ") + message_columns +
                                 " FROM message WHERE mailbox = ?1 AND threaded = 0 ORDER BY uid LIMIT ?2";
  auto statement = TRY(database_.query(sql, id, limit));
  while (const auto row = TRY(statement.step())) rows.push_back(message_of(*row));
  return rows;
}

Result<std::vector<Message>> Index::load(MailboxId id, Uid uid_next) {
  std::vector<Message> messages;
  // To grow step by step would be most of the time: each page of memory that is touched for the first time
  // costs more than the rows in it. Should the count be off, it does grow.
  const auto count = database_.integer("SELECT messages FROM mailbox WHERE id = ?1", id);
  if (count) messages.reserve(static_cast<std::size_t>(*count));
  auto statement = TRY(database_.query(
      "SELECT uid, flags, keywords, modseq, internal_date, coalesce(encoded_size, wire_size) FROM message "
      "WHERE mailbox = ?1 AND uid < ?2 ORDER BY uid",
      id, uid_next));
  while (const auto row = TRY(statement.step())) {
    Message message;
    message.uid = static_cast<Uid>(row->integer(0));
    message.flags.system = static_cast<std::uint8_t>(row->integer(1));
    message.flags.keywords = keywords_of(row->text(2));
    message.modseq = static_cast<ModSeq>(row->integer(3));
    message.internal_date = row->integer(4);
    message.size = static_cast<std::uint64_t>(row->integer(5));
    messages.push_back(message);
  }
  return messages;
}

Result<> Index::mark_claimed(MailboxId id, Uid from, Uid to) {
  TRY(database_.execute(
      "UPDATE message SET lagging = 1 WHERE mailbox = ?1 AND uid >= ?2 AND uid < ?3 AND place = 0", id, from,
      to));
  return {};
}

Result<std::uint32_t> Index::count_between(MailboxId id, Uid first, Uid end) {
  return static_cast<std::uint32_t>(TRY(database_.integer(
      "SELECT count(*) FROM message WHERE mailbox = ?1 AND uid >= ?2 AND uid < ?3", id, first, end)));
}

Result<> Index::visit_email_ids(const std::function<void(MailboxId, Uid, std::string_view)>& visit) {
  auto statement = TRY(database_.query("SELECT mailbox, uid, email_id FROM message"));
  while (const auto row = TRY(statement.step())) {
    visit(static_cast<MailboxId>(row->integer(0)), static_cast<Uid>(row->integer(1)), row->text(2));
  }
  return {};
}

Result<std::vector<IntentRow>> Index::intents() {
  std::vector<IntentRow> rows;
  auto statement = TRY(database_.query("SELECT number, source, target FROM intent ORDER BY number"));
  while (const auto row = TRY(statement.step())) {
    rows.push_back({row->integer(0), std::string(row->text(1)), std::string(row->text(2))});
  }
  return rows;
}

Result<> Index::add_intent(std::string_view from, std::string_view to) {
  TRY(database_.execute("INSERT INTO intent (source, target) VALUES (?1, ?2)", from, to));
  return {};
}

Result<> Index::remove_intents() {
  TRY(database_.execute("DELETE FROM intent"));
  return {};
}

Result<std::optional<MessageRow>> find_message(Database& database, MailboxId id, Uid uid) {
  static const std::string sql =
      std::string("SELECT ") + message_columns + " FROM message WHERE mailbox = ?1 AND uid = ?2";
  auto statement = TRY(database.query(sql, id, uid));
  const auto row = TRY(statement.step());
  if (!row) return std::nullopt;
  return message_of(*row);
}

Result<std::vector<MessageRow>> find_messages(Database& database, MailboxId id, const UidSet& uids) {
  std::vector<MessageRow> rows;
  for (const UidSet::Range& range : uids.ranges()) {
    static const std::string sql = std::string("SELECT ") + message_columns +
                                   " FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid";
    auto statement = TRY(database.query(sql, id, range.first, range.last));
    while (const auto row = TRY(statement.step())) rows.push_back(message_of(*row));
  }
  return rows;
}

Result<Counts> find_counts(Database& database, std::string_view name) {
  auto statement = TRY(database.query(
      "SELECT id, messages, unseen, deleted, octets, uid_next, first_recent, modseq, "
      "uid_validity, (SELECT count(*) FROM message WHERE mailbox = id AND uid >= first_recent AND "
      "uid < uid_next) "
      "FROM mailbox WHERE name = ?1",
      name));
  const auto row = TRY(statement.step());
  if (!row) return not_found("no mailbox of that name");
  Counts counts;
  counts.id = static_cast<MailboxId>(row->integer(0));
  counts.messages = static_cast<std::uint32_t>(row->integer(1));
  counts.unseen = static_cast<std::uint32_t>(row->integer(2));
  counts.deleted = static_cast<std::uint32_t>(row->integer(3));
  counts.octets = static_cast<std::uint64_t>(row->integer(4));
  counts.uid_next = static_cast<Uid>(row->integer(5));
  counts.first_recent = static_cast<Uid>(row->integer(6));
  counts.highest_modseq = static_cast<ModSeq>(row->integer(7));
  counts.uid_validity = static_cast<std::uint32_t>(row->integer(8));
  counts.recent = static_cast<std::uint32_t>(row->integer(9));
  return counts;
}

Result<std::optional<UidSet>> find_vanished(Database& database, MailboxId id, ModSeq since,
                                            std::size_t limit) {
  auto mailbox = TRY(database.query("SELECT remembers_from FROM mailbox WHERE id = ?1", id));
  const auto found = TRY(mailbox.step());
  if (!found || since < static_cast<ModSeq>(found->integer(0))) return std::nullopt;
  std::vector<Uid> uids;
  auto statement = TRY(database.query("SELECT uid FROM tombstone WHERE mailbox = ?1 AND modseq > ?2 LIMIT ?3",
                                      id, since, limit + 1));
  while (const auto row = TRY(statement.step())) uids.push_back(static_cast<Uid>(row->integer(0)));
  if (uids.size() > limit) return std::nullopt;
  std::ranges::sort(uids);
  UidSet vanished;
  for (const Uid uid : uids) vanished.append(uid);
  return vanished;
}

std::int64_t summary_key(MailboxId id, Uid uid) {
  // Both lie below 2^31.
  return static_cast<std::int64_t>(id << 31U | uid);
}

Result<std::int64_t> find_summary_key(Database& database, MailboxId id, Uid uid) {
  auto statement = TRY(database.query(
      "SELECT summary_key FROM message WHERE mailbox = ?1 AND uid = ?2 AND summary_key IS NOT NULL", id,
      uid));
  const auto row = TRY(statement.step());
  return row ? row->integer(0) : summary_key(id, uid);
}

Result<IndexIdentity> identify_index(FileSystem& files, const std::string& path) {
  const FileStatus status = TRY(files.status(path));
  IndexIdentity identity{status.device, status.inode, status.size, status.modified_ns, 0};
  const auto wal = files.status(path + "-wal");
  if (wal) identity.wal_inode = wal->inode;
  return identity;
}

}  // namespace posthorn::storage

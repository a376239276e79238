// How the index finds threads (threads.h).
#include "storage/index.h"
#include "storage/threads.h"

#include <algorithm>

namespace posthorn::storage {

std::string MessageRow::thread_id() const { return thread ? *thread : thread_id_of(email_id); }

Result<std::optional<std::string>> Index::find_thread(std::string_view email_id,
                                                      std::span<const std::int64_t> keys) {
  for (const std::int64_t key : keys) {
    auto statement = TRY(database_.query("SELECT id FROM thread WHERE key = ?1", key));
    const auto row = TRY(statement.step());
    if (!row) continue;
    std::string found(row->text(0));
    if (found == thread_id_of(email_id)) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

Result<> Index::add_to_thread(std::span<const std::int64_t> keys, std::string_view thread_id,
                              std::int64_t day) {
  for (const std::int64_t key : keys) {
    const auto added =
        TRY(database_.execute("INSERT OR IGNORE INTO thread VALUES (?1, ?2, ?3)", key, thread_id, day));
    added_thread_keys_ += added;
    if (added == 0)
      TRY(database_.execute("UPDATE thread SET used = ?2 WHERE key = ?1 AND used < ?2", key, day));
  }
  return {};
}

Result<std::size_t> Index::count_thread_keys() {
  return static_cast<std::size_t>(TRY(database_.integer("SELECT thread_keys FROM account")));
}

Result<bool> Index::forget_thread_keys(std::size_t most, std::size_t at_once) {
  const auto limit = static_cast<std::int64_t>(most);
  // What was undone is among that number; so it is counted anew.
  std::int64_t count = TRY(database_.integer("SELECT count(*) FROM thread"));
  if (count > limit) {
    // Some more than there are too many, so that the next one is not due at once.
    const std::int64_t wanted = count - limit + limit / 8;
    const std::int64_t taken = std::min(wanted, static_cast<std::int64_t>(at_once));
    count -= TRY(database_.execute(
        "DELETE FROM thread WHERE key IN (SELECT key FROM thread ORDER BY used LIMIT ?1)", taken));
  }
  TRY(database_.execute("UPDATE account SET thread_keys = ?1", count));
  return count > limit;
}

Result<> Index::mark_threaded(MailboxId id, Uid uid) {
  TRY(database_.execute("UPDATE message SET threaded = 1 WHERE mailbox = ?1 AND uid = ?2", id, uid));
  return {};
}

}  // namespace posthorn::storage

// How the index finds threads (threads.h).
#include "storage/index.h"
#include "storage/threads.h"

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

Result<> Index::add_to_thread(std::span<const std::int64_t> keys, std::string_view thread_id) {
  for (const std::int64_t key : keys) {
    TRY(database_.execute("INSERT OR IGNORE INTO thread VALUES (?1, ?2)", key, thread_id));
  }
  return {};
}

Result<> Index::mark_threaded(MailboxId id, Uid uid) {
  TRY(database_.execute("UPDATE message SET threaded = 1 WHERE mailbox = ?1 AND uid = ?2", id, uid));
  return {};
}

}  // namespace posthorn::storage

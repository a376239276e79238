#include "storage/work.h"

#include <algorithm>
#include <utility>

namespace posthorn::storage {

Work::~Work() {
  if (in_transaction_) undo();
}

void Work::begin_operation() {
  in_savepoint_ = false;
  began_transaction_ = false;
  before_operation_.clear();
  snapshots_before_operation_ = snapshots;
  outcome_before_operation_ = outcome;
  touched_before_operation_ = touched_;
  to_sync_before_operation_ = to_sync_;
  modseqs_.clear();
  changes_.clear();
  reload_.clear();
  steps_before_operation_ = steps_.size();
  written_before_operation_ = written_.size();
  to_unlink_before_operation_ = to_unlink_.size();
}

Result<> Work::fold_changes() {
  for (auto& [id, changes] : changes_) {
    const auto found = snapshots.find(id);
    const auto folder = disk.folders().find(id);
    if (found == snapshots.end() || folder == disk.folders().end() || reload_.contains(id)) continue;
    Snapshot::Change change;
    std::ranges::sort(changes.added, {}, &Message::uid);
    std::ranges::sort(changes.changed, {}, &Message::uid);
    std::ranges::sort(changes.expunged);
    for (const Uid uid : changes.expunged) change.expunged.append(uid);
    change.added = std::move(changes.added);
    change.changed = std::move(changes.changed);
    change.uid_next = folder->second.row.uid_next;
    change.highest_modseq = folder->second.row.modseq;
    found->second = found->second->after(change);
  }
  for (const MailboxId id : reload_) {
    const auto folder = disk.folders().find(id);
    if (folder == disk.folders().end() || !snapshots.contains(id)) continue;
    snapshots[id] = TRY(load(folder->second));
    outcome.keywords[id] = folder->second.keywords;
  }
  changes_.clear();
  reload_.clear();
  return {};
}

Result<> Work::end_operation() {
  TRY(fold_changes());
  if (in_savepoint_) TRY(disk.index().database().execute("RELEASE operation"));
  begin_operation();
  return {};
}

void Work::undo_operation() {
  if (in_savepoint_) {
    static_cast<void>(disk.index().database().execute("ROLLBACK TO operation"));
    static_cast<void>(disk.index().database().execute("RELEASE operation"));
    disk.index().doubt_leavings();
  } else if (began_transaction_) {
    static_cast<void>(disk.index().database().execute("ROLLBACK"));
    disk.index().doubt_leavings();
    in_transaction_ = false;
  }
  filled_.clear();
  drop_written(written_before_operation_);
  undo_steps(steps_before_operation_);
  to_unlink_.resize(to_unlink_before_operation_);
  restore(before_operation_);
  snapshots = std::move(snapshots_before_operation_);
  outcome = std::move(outcome_before_operation_);
  // What it touched and named back is listed once more.
  touched_ = std::move(touched_before_operation_);
  to_sync_ = std::move(to_sync_before_operation_);
  begin_operation();
}

bool Work::transaction_lost() {
  return in_transaction_ && sqlite3_get_autocommit(disk.index().database().raw()) != 0;
}

Result<> Work::prepare_commit() {
  TRY(fold_changes());
  if (in_transaction_) TRY(write_rows());
  TRY(put_files_in_place());
  for (const std::string& directory : to_sync_) TRY(files.sync_directory(directory));
  return {};
}

Result<> Work::commit() {
  auto done = prepare_commit();
  if (done && in_transaction_) {
    const auto committed = disk.index().database().execute("COMMIT");
    if (!committed) {
      commit_failed_with_ = sqlite3_extended_errcode(disk.index().database().raw());
      done = std::unexpected(committed.error());
    }
  }
  if (!done) {
    commit_failed_ = true;
    return done;
  }
  if (in_transaction_) disk.index_unsynced() = !synced_;
  in_transaction_ = false;
  in_savepoint_ = false;
  steps_.clear();
  to_sync_.clear();
  for (const auto& [id, before] : before_batch_) {
    const auto folder = disk.folders().find(id);
    if (folder == disk.folders().end() || !snapshots.contains(id)) continue;
    // Not its table of before: that keeps what a batch that failed has added.
    if (folder->second.keywords.size() != before.keywords_in_index)
      outcome.keywords[id] = folder->second.keywords;
  }
  before_batch_.clear();
  before_operation_.clear();
  unlink_committed();
  further_keywords_written_.clear();
  for (const MailboxId id : std::exchange(filled_, {})) {
    disk.unfinished_copies().erase(id);
    const auto folder = disk.folders().find(id);
    if (folder != disk.folders().end()) folder->second.filled_by = nullptr;
  }
  listed_.clear();
  record_mtimes();
  for (const auto& [id, snapshot] : snapshots) {
    const auto before = loaded_.find(id);
    if (before == loaded_.end() || before->second != snapshot) outcome.snapshots[id] = snapshot;
  }
  begin_operation();
  return {};
}

void Work::undo() {
  if (in_transaction_ && !transaction_lost()) {
    static_cast<void>(disk.index().database().execute("ROLLBACK"));
  }
  if (in_transaction_) disk.index().doubt_leavings();
  in_transaction_ = false;
  in_savepoint_ = false;
  commit_failed_ = false;
  bool ended = true;
  if (const auto failed_with = std::exchange(commit_failed_with_, std::nullopt)) {
    // Its pages may stand in the WAL, whole, only the sync failed: a later opening would find the commit
    // done. Another one in its place makes an end of it.
    ended =
        disk.index().database().execute("UPDATE account SET failed_commits = failed_commits + 1").has_value();
    // Of pages that could not all be written the last is missing, by which SQLite knows a commit.
    ended = ended || *failed_with == SQLITE_FULL || *failed_with == SQLITE_IOERR_WRITE;
  }
  filled_.clear();
  drop_written(0);
  if (ended) {
    undo_steps(0);
  } else {
    // Done or not, a later opening finds out: until then both the files of before and those of after stay.
    steps_.clear();
    disk.doubt_index();
  }
  to_unlink_.clear();
  to_sync_.clear();
  restore(before_operation_);
  restore(before_batch_);
  before_batch_.clear();
  std::erase_if(touched_, [this](const auto& each) { return listed_.contains(each.first.first); });
  listed_.clear();
  record_mtimes();
  snapshots = loaded_;
  outcome = {};
  begin_operation();
}

Result<Folder*> Work::folder(MailboxId id) { return unless_filled(*TRY(folder_to_read(id))); }

Result<Folder*> Work::folder(std::string_view canonical_name) {
  return unless_filled(*TRY(folder_to_read(canonical_name)));
}

Result<Folder*> Work::unless_filled(Folder& folder) {
  if (folder.filled_by == nullptr || folder.filled_by == operation) return &folder;
  waits = true;
  return failure(Errc::busy, "messages are being copied to " + folder.row.name);
}

Result<Folder*> Work::folder_to_read(MailboxId id) {
  const auto found = disk.folders().find(id);
  if (found == disk.folders().end()) return not_found("mailbox was deleted");
  if (!found->second.checked) TRY(check(found->second));
  return &found->second;
}

Result<Folder*> Work::folder_to_read(std::string_view canonical_name) {
  Folder* found = disk.find_folder(canonical_name);
  if (found == nullptr) return not_found("no mailbox of that name");
  if (!found->checked) TRY(check(*found));
  return found;
}

Folder& Work::change(Folder& folder) {
  before_operation_.try_emplace(folder.row.id, folder);
  before_batch_.try_emplace(folder.row.id, folder);
  disk.restless().insert(folder.row.id);
  return folder;
}

// What was handed out stays handed out, and what the state file says was written: the rest goes back.
void Work::restore(const std::map<MailboxId, Folder>& before) {
  for (const auto& [id, saved] : before) {
    const auto found = disk.folders().find(id);
    if (found == disk.folders().end()) continue;
    Folder& folder = found->second;
    const MailboxRow now = folder.row;
    folder.row = saved.row;
    folder.row.uid_next = std::max(now.uid_next, saved.row.uid_next);
    folder.row.modseq = std::max(now.modseq, saved.row.modseq);
    folder.keywords_in_index = saved.keywords_in_index;
    folder.checked = saved.checked;
    if (!folder.checked) disk.note_checked(id, false);
    folder.lagging = folder.lagging || saved.lagging;
    folder.tombstones_pending = folder.tombstones_pending || saved.tombstones_pending;
    folder.tombstones.reset();
    folder.has_new_tombstones = true;
    folder.unthreaded = folder.unthreaded || saved.unthreaded;
    folder.further_keywords_stale = folder.further_keywords_stale || saved.further_keywords_stale ||
                                    further_keywords_written_.contains(id);
    disk.restless().insert(id);
  }
}

Result<Index*> Work::write() {
  Database& database = disk.index().database();
  if (!in_transaction_) {
    TRY(disk.index().sync_commits(synced_));
    TRY(database.execute("BEGIN IMMEDIATE"));
    in_transaction_ = true;
    began_transaction_ = true;
  }
  if (!in_savepoint_ && !began_transaction_) {
    TRY(database.execute("SAVEPOINT operation"));
    in_savepoint_ = true;
  }
  return &disk.index();
}

Result<> Work::write_rows() {
  Index& index = disk.index();
  std::int64_t messages = 0;
  std::int64_t octets = 0;
  for (const auto& [id, before] : before_batch_) {
    messages -= before.row.messages;
    octets -= static_cast<std::int64_t>(before.row.octets);
    const auto found = disk.folders().find(id);
    if (found == disk.folders().end()) continue;
    Folder& folder = found->second;
    messages += folder.row.messages;
    octets += static_cast<std::int64_t>(folder.row.octets);
    TRY(index.put_mailbox(folder.row));
    for (; folder.keywords_in_index < folder.keywords.size(); ++folder.keywords_in_index) {
      TRY(index.add_keyword(id, folder.keywords_in_index, folder.keywords[folder.keywords_in_index]));
    }
  }
  const std::int64_t thread_keys = index.take_added_thread_keys();
  if (messages != 0 || octets != 0 || thread_keys != 0) {
    TRY(index.add_to_account(messages, octets, thread_keys));
  }
  return {};
}

}  // namespace posthorn::storage

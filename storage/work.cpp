#include "storage/work.h"

#include "storage/maildir_name.h"

#include <algorithm>
#include <utility>

namespace posthorn::storage {
namespace {

// How far a state file promises ahead of what is in use: so many UIDs and MODSEQs cost no sync of their own.
constexpr Uid uid_block = 256;
constexpr ModSeq modseq_block = 4096;
constexpr Uid highest_uid = 0x7fffffff;
constexpr std::size_t state_file_limit = 1 << 20U;
// So many new files are open at once.
constexpr std::size_t written_limit = 64;
// So many files go before the reply to whoever expunged them.
constexpr std::size_t unlinks_at_once = 100;
// What costs less as a few statements than row by row.
constexpr std::size_t long_run = 16;

}  // namespace

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
  } else if (began_transaction_) {
    static_cast<void>(disk.index().database().execute("ROLLBACK"));
    in_transaction_ = false;
  }
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

// Nobody is to wait for many files to go, as their tombstones are committed.
void Work::unlink_committed() {
  const std::size_t now = std::min(to_unlink_.size(), unlinks_at_once);
  for (std::size_t each = 0; each < to_unlink_.size(); ++each) {
    Unlink& unlink = to_unlink_[each];
    const auto folder = disk.folders().find(unlink.folder);
    if (folder == disk.folders().end()) continue;
    if (each < now) {
      unlink_now(folder->second, unlink.file);
    } else {
      disk.left_to_unlink()[unlink.folder].push_back(std::move(unlink.file));
    }
  }
  to_unlink_.clear();
}

void Work::unlink_now(Folder& folder, const std::string& file) {
  const std::string path = folder.path + "/" + file;
  const auto gone = files.unlink(path);
  if (gone) return;
  const bool renamed = gone.error().code == Errc::not_found;
  const bool is_news = !renamed && !std::exchange(folder.files_stay, true);
  // Another program has renamed it just now, or it may go at the second attempt: the next look finds it and
  // finishes this.
  if (renamed || is_news) folder.row.cur_modified = 0;
  if (is_news)
    disk.context().log.warning("storage.file_stays", {{"file", path}, {"error", gone.error().detail}});
}

bool Work::unlink_left(Folder& folder, std::size_t limit) {
  const auto found = disk.left_to_unlink().find(folder.row.id);
  if (found == disk.left_to_unlink().end()) return false;
  std::vector<std::string>& left = found->second;
  for (const Place place : {Place::fresh, Place::current}) touching(folder, place);
  for (; limit > 0 && !left.empty(); --limit) {
    unlink_now(folder, left.back());
    left.pop_back();
  }
  if (!left.empty()) return true;
  disk.left_to_unlink().erase(found);
  return false;
}

void Work::undo() {
  if (in_transaction_ && !transaction_lost()) {
    static_cast<void>(disk.index().database().execute("ROLLBACK"));
  }
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
    TRY(database.execute(synced_ ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
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

// A folder's first use since the account was opened: does its state file agree with the index? They do after
// a clean end; otherwise the index may lack the latest, or be another one altogether.
Result<> Work::check(Folder& folder) {
  change(folder);
  const std::string path = folder.path + "/posthorn-mailbox";
  std::optional<FolderState> state;
  const auto text = files.read_whole(path, state_file_limit);
  if (text) {
    auto parsed = parse_folder_state(*text);
    if (!parsed && parsed.error().code == Errc::unavailable) {
      return failure(Errc::unavailable, path + ": " + parsed.error().detail);
    }
    if (parsed) state = *std::move(parsed);
  } else if (text.error().code != Errc::not_found) {
    return std::unexpected(text.error());
  }
  MailboxRow& row = folder.row;
  const auto known = disk.known(row.id);
  const bool clean = state && !known && state->settled && state->uid_validity == row.uid_validity &&
                     state->id == row.id && state->uid_next == row.uid_next && state->modseq == row.modseq &&
                     state->keywords == folder.keywords;
  const Uid committed = folder.committed_uid_next;
  if (state) {
    TRY(take_state(folder, *state));
  } else {
    disk.context().log.warning("storage.state_missing", {{"account", disk.address()}, {"mailbox", row.name}});
    row.uid_next = std::min(row.uid_next + uid_block, highest_uid + 1);
    row.modseq += modseq_block;
    folder.uid_ceiling = row.uid_next;
    folder.modseq_ceiling = row.modseq;
  }
  if (known) {
    row.uid_next = known->uid_next;
    row.modseq = known->modseq;
    row.first_recent = known->first_recent;
  }
  if (!state || state->id != row.id) TRY(write_folder_state(folder, false));
  folder.checked = true;
  folder.mended_from = clean ? highest_uid + 1 : committed;
  if (clean) {
    // Where the rows are made anew, what sessions have is not to be added once more.
    if (row.remembers_from == 0) reload(folder);
    TRY(look(folder, row.remembers_from == 0 ? Thoroughness::mending : Thoroughness::quick));
    TRY(settle_memory(folder));
    disk.note_checked(row.id, true);
    return {};
  }
  TRY(drop_unfinished(folder, committed));
  // The index may be behind in anything.
  folder.lagging = folder.tombstones_pending = folder.further_keywords_stale = true;
  TRY(write());
  TRY(look(folder, known ? Thoroughness::mending : Thoroughness::after_crash, committed));
  TRY(settle_memory(folder));
  reload(folder);
  disk.note_checked(row.id, true);
  return {};
}

// A COPY in pieces that was cut off: nobody has seen the messages from `committed` on. Their files are theirs
// by these rows alone, as the originals may be expunged meanwhile.
Result<> Work::drop_unfinished(Folder& folder, Uid committed) {
  Index* index = TRY(write());
  UidSet uids;
  uids.append(committed, highest_uid);
  if (TRY(index->present(folder.row.id, uids)).empty()) return {};
  folder.has_new_tombstones = true;
  return index->expunge_run(folder.row.id, committed, highest_uid, TRY(modseq(folder)));
}

// Where the rows were made anew, what vanished before is not known, nor what did while they were made.
Result<> Work::settle_memory(Folder& folder) {
  if (folder.row.remembers_from != 0) return {};
  folder.row.remembers_from = folder.row.uid_next == 1 ? folder.row.modseq : TRY(modseq(folder));
  TRY(write());
  return {};
}

Result<> Work::take_state(Folder& folder, const FolderState& state) {
  MailboxRow& row = folder.row;
  const std::size_t shared = std::min(state.keywords.size(), folder.keywords.size());
  const bool same_keywords = std::equal(
      state.keywords.begin(), state.keywords.begin() + static_cast<long>(shared), folder.keywords.begin());
  if (state.uid_validity != row.uid_validity || !same_keywords) {
    // Another folder stands where the index knew one: its Maildir counts.
    TRY(write(&Index::remove_messages, row.id));
    TRY(write(&Index::forget_summaries_of, row.id));
    row.uid_validity = state.uid_validity;
    row.uid_next = 1;
    row.first_recent = 0;
    row.remembers_from = 0;
    row.forgotten_uid = 0;
    row.messages = row.unseen = row.deleted = 0;
    row.octets = 0;
    row.new_modified = row.cur_modified = 0;
    folder.keywords.clear();
    folder.keywords_in_index = 0;
  }
  if (state.keywords.size() > folder.keywords.size()) folder.keywords = state.keywords;
  row.special_use = state.special_use;
  row.uid_next = std::max(row.uid_next, state.uid_next);
  row.modseq = std::max(row.modseq, state.modseq);
  folder.other_lines = state.others;
  folder.settled = state.settled;
  folder.uid_ceiling = state.uid_next;
  folder.modseq_ceiling = state.modseq;
  return {};
}

Result<> Work::write_folder_state(Folder& folder, bool settled) {
  FolderState state;
  state.uid_validity = folder.row.uid_validity;
  state.id = folder.row.id;
  state.special_use = folder.row.special_use;
  state.settled = settled;
  state.uid_next = settled ? folder.row.uid_next : folder.uid_ceiling;
  state.modseq = settled ? folder.row.modseq : folder.modseq_ceiling;
  state.keywords = folder.keywords;
  state.others = folder.other_lines;
  TRY(files.replace(folder.path + "/posthorn-mailbox", to_string(state)));
  folder.settled = settled;
  folder.uid_ceiling = state.uid_next;
  folder.modseq_ceiling = state.modseq;
  return {};
}

// The state file must promise before anything is used.
Result<> Work::promise(Folder& folder, Uid uid_next, ModSeq modseq) {
  if (!folder.settled && uid_next <= folder.uid_ceiling && modseq <= folder.modseq_ceiling) return {};
  const Uid uid_before = folder.uid_ceiling;
  const ModSeq modseq_before = folder.modseq_ceiling;
  folder.uid_ceiling = std::max(uid_before, std::min(uid_next + uid_block, highest_uid + 1));
  folder.modseq_ceiling = std::max(modseq_before, modseq + modseq_block);
  auto written = write_folder_state(folder, false);
  if (!written) {
    folder.uid_ceiling = uid_before;
    folder.modseq_ceiling = modseq_before;
  }
  return written;
}

Result<> Work::promise_uids(Folder& folder, std::size_t count) {
  const std::uint64_t wanted = std::uint64_t{folder.row.uid_next} + count;
  change(folder);
  return promise(folder, static_cast<Uid>(std::min<std::uint64_t>(wanted, highest_uid)), folder.row.modseq);
}

Result<> Work::promise_more(Folder& folder) {
  return promise(folder, std::min(folder.row.uid_next, highest_uid) + 1, folder.row.modseq + 1);
}

Result<Uid> Work::next_uid(Folder& folder) {
  if (folder.row.uid_next > highest_uid) return too_large("the UIDs of " + folder.row.name + " are used up");
  change(folder);
  TRY(promise(folder, folder.row.uid_next + 1, folder.row.modseq));
  return folder.row.uid_next++;
}

Result<ModSeq> Work::modseq(Folder& folder) {
  const auto found = modseqs_.find(folder.row.id);
  if (found != modseqs_.end()) return found->second;
  change(folder);
  TRY(promise(folder, folder.row.uid_next, folder.row.modseq + 1));
  modseqs_[folder.row.id] = ++folder.row.modseq;
  return folder.row.modseq;
}

Result<> Work::add_keywords(Folder& folder, const std::vector<std::string>& names) {
  std::vector<std::string> added;
  for (const std::string& name : names) {
    if (!is_keyword(name)) return failure(Errc::not_allowed, "keyword that is no atom");
    if (!find_keyword(folder.keywords, name) && !find_keyword(added, name)) added.push_back(name);
  }
  if (added.empty()) return {};
  const std::size_t before = folder.keywords.size();
  if (added.size() > KeywordSet::capacity - before) return too_large("keywords of " + folder.row.name);
  change(folder);
  folder.keywords.insert(folder.keywords.end(), added.begin(), added.end());
  // On disk before a message has it. A keyword without messages, should this be undone, does no harm.
  auto written = promise(folder, folder.row.uid_next + 1, folder.row.modseq + 1);
  if (written) written = write_folder_state(folder, false);
  if (!written) folder.keywords.resize(before);
  return written;
}

Result<KeywordSet> Work::keywords(Folder& folder, const std::vector<std::string>& names) {
  TRY(add_keywords(folder, names));
  KeywordSet set;
  for (const std::string& name : names) set.add(*find_keyword(folder.keywords, name));
  return set;
}

void Work::touching(Folder& folder, Place place) {
  const auto key = std::pair(folder.row.id, place);
  if (touched_.contains(key)) return;
  const std::int64_t recorded = place == Place::fresh ? folder.row.new_modified : folder.row.cur_modified;
  const auto now = files.status(folder.place(place));
  touched_[key] = recorded != 0 && now && now->modified_ns == recorded;
}

void Work::record_mtimes() {
  for (const auto& [key, known] : touched_) {
    const auto found = disk.folders().find(key.first);
    if (found == disk.folders().end() || !known) continue;
    Folder& folder = found->second;
    std::int64_t& recorded = key.second == Place::fresh ? folder.row.new_modified : folder.row.cur_modified;
    const auto now = files.status(folder.place(key.second));
    // 0 was set meanwhile: somebody wants it listed.
    if (recorded != 0 && now) recorded = now->modified_ns;
    folder.doubtful = true;
  }
  touched_.clear();
}

Result<> Work::write_file(const std::string& path, const std::string& tmp, std::string_view bytes) {
  if (written_.size() == written_limit) TRY(put_files_in_place());
  written_.push_back(TRY(write_aside(files, path, tmp, bytes)));
  return {};
}

Result<> Work::put_files_in_place() {
  auto placed = put_in_place(files, written_);
  // What a failed sync lost is lost: the operations that they belong to can't go on.
  if (!placed) {
    commit_failed_ = true;
    return placed;
  }
  written_.clear();
  written_before_operation_ = 0;
  return {};
}

void Work::drop_written(std::size_t keep) {
  for (; written_.size() > keep; written_.pop_back()) static_cast<void>(files.unlink(written_.back().tmp));
}

void Work::undo_steps(std::size_t keep) {
  std::set<std::string> directories;
  for (; steps_.size() > keep; steps_.pop_back()) {
    const Step& step = steps_.back();
    if (!step.name_before.empty()) {
      if (!files.rename(step.path, step.name_before)) continue;
      for (const std::string& path : {step.path, step.name_before})
        directories.insert(path.substr(0, path.rfind('/')));
    } else if (!files.unlink(step.path)) {
      static_cast<void>(files.remove_directory(step.path));
    }
  }
  // The renames may be on disk already: what comes into these folders from now on is to be found in them.
  for (const std::string& directory : directories) static_cast<void>(files.sync_directory(directory));
}

void Work::unlink_after_commit(Folder& folder, const MessageRow& row) {
  touching(folder, row.place);
  folder.tombstones_pending = true;
  to_unlink_.push_back({folder.row.id, row.file()});
}

void Work::unlink_after_commit(Folder& folder, Place place, std::string_view name) {
  touching(folder, place);
  folder.tombstones_pending = true;
  to_unlink_.push_back({folder.row.id, std::string(name_of(place)) + std::string(name)});
}

bool Work::will_unlink(const Folder& folder) const {
  return std::ranges::any_of(to_unlink_, [&](const Unlink& each) { return each.folder == folder.row.id; });
}

UidSet Work::uids_to_unlink(const Folder& folder) const {
  std::vector<Uid> uids;
  for (const Unlink& unlink : to_unlink_) {
    const std::string_view name = std::string_view(unlink.file).substr(unlink.file.find('/') + 1);
    const MaildirName parsed = parse_maildir_name(name);
    if (unlink.folder == folder.row.id && parsed.uid) uids.push_back(*parsed.uid);
  }
  std::ranges::sort(uids);
  UidSet set;
  for (const Uid uid : uids) set.append(uid);
  return set;
}

std::set<std::string> Work::unlinks(const Folder& folder) const {
  std::set<std::string> paths;
  for (const Unlink& unlink : to_unlink_) {
    if (unlink.folder == folder.row.id) paths.insert(folder.path + "/" + unlink.file);
  }
  const auto left = disk.left_to_unlink().find(folder.row.id);
  if (left == disk.left_to_unlink().end()) return paths;
  for (const std::string& file : left->second) paths.insert(folder.path + "/" + file);
  return paths;
}

Result<> Work::add(Folder& folder, const MessageRow& row) {
  change(folder);
  TRY(write(&Index::insert_message, folder.row.id, row));
  Arrivals one;
  one.add(row);
  appear(folder, std::move(one));
  return {};
}

void Arrivals::add(const MessageRow& row) {
  messages.push_back(row.message());
  octets += row.seen_size();
  if (!row.flags.has(SystemFlag::seen)) ++unseen;
  if (row.flags.has(SystemFlag::deleted)) ++deleted;
  lagging = lagging || row.lagging;
  unthreaded = unthreaded || !row.threaded;
  further_keywords = further_keywords || has_further_keywords(row.flags);
}

void Work::appear(Folder& folder, Arrivals arrivals) {
  change(folder);
  folder.row.messages += static_cast<std::uint32_t>(arrivals.messages.size());
  folder.row.octets += arrivals.octets;
  folder.row.unseen += arrivals.unseen;
  folder.row.deleted += arrivals.deleted;
  folder.lagging = folder.lagging || arrivals.lagging;
  folder.unthreaded = folder.unthreaded || arrivals.unthreaded;
  folder.further_keywords_stale = folder.further_keywords_stale || arrivals.further_keywords;
  std::ranges::copy(arrivals.messages, std::back_inserter(changes_[folder.row.id].added));
}

Result<> Work::replace(Folder& folder, const Flags& before, const MessageRow& row) {
  change(folder);
  TRY(write(&Index::update_flags, folder.row.id, row));
  if (!before.has(SystemFlag::seen)) --folder.row.unseen;
  if (!row.flags.has(SystemFlag::seen)) ++folder.row.unseen;
  if (before.has(SystemFlag::deleted)) --folder.row.deleted;
  if (row.flags.has(SystemFlag::deleted)) ++folder.row.deleted;
  if (row.lagging) folder.lagging = true;
  if (has_further_keywords(before) || has_further_keywords(row.flags)) folder.further_keywords_stale = true;
  changes_[folder.row.id].changed.push_back(row.message());
  return {};
}

Result<> Work::remove(Folder& folder, const MessageRow& row, std::string_view email_id) {
  change(folder);
  const ModSeq now = TRY(modseq(folder));
  TRY(write(&Index::insert_tombstone, folder.row.id, row.uid, now, email_id));
  if (folder.tombstones) ++*folder.tombstones;
  folder.has_new_tombstones = true;
  TRY(write(&Index::remove_message, folder.row.id, row));
  count_out(folder, row);
  return {};
}

void Work::count_out(Folder& folder, const MessageRow& row) {
  --folder.row.messages;
  folder.row.octets -= row.seen_size();
  if (!row.flags.has(SystemFlag::seen)) --folder.row.unseen;
  if (row.flags.has(SystemFlag::deleted)) --folder.row.deleted;
  changes_[folder.row.id].expunged.push_back(row.uid);
}

Result<> Work::expunge(Folder& folder, std::span<const MessageRow> rows) {
  while (!rows.empty()) {
    std::size_t run = 1;
    while (run < rows.size() && rows[run].uid == rows[run - 1].uid + 1) ++run;
    if (run < long_run) {
      for (const MessageRow& row : rows.first(run)) TRY(remove(folder, row, row.email_id));
    } else {
      change(folder);
      const ModSeq now = TRY(modseq(folder));
      TRY(write(&Index::expunge_run, folder.row.id, rows[0].uid, rows[run - 1].uid, now));
      if (folder.tombstones) *folder.tombstones += run;
      folder.has_new_tombstones = true;
      for (const MessageRow& row : rows.first(run)) count_out(folder, row);
    }
    for (const MessageRow& row : rows.first(run)) unlink_after_commit(folder, row);
    rows = rows.subspan(run);
  }
  return {};
}

Result<> Work::rename_row(Folder& folder, const MessageRow& row) {
  return write(&Index::update_flags, folder.row.id, row);
}

Result<std::shared_ptr<const Snapshot>> Work::load(const Folder& folder) {
  const auto messages = TRY(disk.index().load(folder.row.id, folder.row.uid_next));
  return std::make_shared<const Snapshot>(messages, folder.row.uid_next, folder.row.modseq);
}

}  // namespace posthorn::storage

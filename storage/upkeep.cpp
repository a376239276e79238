#include "storage/upkeep.h"

#include "storage/folders.h"
#include "storage/maildir_name.h"
#include "storage/measure.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>

namespace posthorn::storage {
namespace {

constexpr std::size_t names_at_once = 500;
constexpr std::size_t headers_at_once = 32;
constexpr std::uint32_t quick_to_list = 2000;
// A folder in which something could not be done is looked after again after this time.
constexpr std::chrono::seconds again_after{30};
constexpr std::size_t tombstones_at_once = 5000;
constexpr std::size_t thread_keys_at_once = 5000;
constexpr std::size_t leavings_at_once = 200;
constexpr std::size_t unlinks_at_once = 200;
constexpr std::size_t all = 0x7fffffff;

struct Names {
  std::size_t followed = 0;
  bool missed = false;  // one was not there
  std::size_t stay = 0;
  std::string first_that_stays;
  std::string why;
};

// Gives a file the name that its row says. Errors: disk_full, and those of the index.
Result<> follow_name(Work& work, Folder& folder, MessageRow& row, Names& names) {
  const std::string from = folder.file(row);
  work.touching(folder, row.place);
  const Place place_before = row.place;
  std::tie(row.place, row.info) = row.due(folder.row.first_recent);
  row.lagging = false;
  const std::string to = folder.file(row);
  if (from != to) {
    work.touching(folder, row.place);
    const auto renamed = work.files.rename(from, to);
    if (!renamed && renamed.error().code == Errc::disk_full) return renamed;
    if (!renamed && renamed.error().code == Errc::not_found) {
      names.missed = true;
      return {};
    }
    if (!renamed) {
      // When flags in its mailbox change again, this one is tried again.
      if (++names.stay == 1)
        std::tie(names.first_that_stays, names.why) = std::pair(from, renamed.error().detail);
      return {};
    }
    // A row that is rolled back has its file's name back too: a look would take what the name says of flags
    // for another program's wish.
    work.renamed(from, to);
    work.sync_later(folder.place(place_before));
    work.sync_later(folder.place(row.place));
  }
  TRY(work.rename_row(folder, row));
  ++names.followed;
  return {};
}

// Renames files whose flags have changed, of up to `limit` messages; says how many now have their names.
Result<std::size_t> follow_names(Work& work, Folder& folder, std::size_t limit) {
  Names names;
  bool more = true;
  // So many that stay as they are keep none behind them from being named.
  for (Uid last = 0; more && names.followed == 0;) {
    auto rows = TRY(work.disk.index().lagging(folder.row.id, last, limit));
    more = rows.size() == limit;
    for (MessageRow& row : rows) TRY(follow_name(work, folder, row, names));
    if (!rows.empty()) last = rows.back().uid;
  }
  if (names.stay > 0) {
    work.disk.context().log.warning(
        "storage.name_stays",
        {{"file", names.first_that_stays}, {"files", names.stay}, {"error", names.why}});
  }
  folder.lagging = more || names.missed;
  if (names.missed) {
    // Another program was here: what its name says of the flags and what the row says go together.
    work.change(folder).row.cur_modified = 0;
    TRY(work.look(folder, Work::Thoroughness::full));
  }
  return names.followed;
}

Result<> write_further_keywords(Work& work, Folder& folder) {
  if (!folder.further_keywords_stale) return {};
  FurtherKeywords keywords;
  for (const Message& message : TRY(work.disk.index().load(folder.row.id, folder.row.uid_next))) {
    const KeywordSet further = further_keywords(message.flags.keywords);
    if (!further.empty()) keywords[message.uid] = further;
  }
  const std::string path = folder.path + "/posthorn-keywords";
  const auto there = work.files.status(path);
  if (!keywords.empty() || there) TRY(work.files.replace(path, to_string(keywords)));
  work.wrote_further_keywords(folder);
  return {};
}

// After the index was lost, messages whose names bear all that rows need were taken in unread: those that
// follow them could not be told to be of their thread.
Result<> find_threads(Work& work, Folder& folder) {
  if (!folder.unthreaded) return {};
  const auto rows = TRY(work.disk.index().unthreaded(folder.row.id, headers_at_once));
  for (const MessageRow& row : rows) {
    const auto keys = measure_thread(work.files, folder.file(row), line_ends_of(row));
    // Another program has renamed it or taken it away: it is not worth looking for.
    if (keys) TRY(work.write(&Index::add_to_thread, *keys, row.thread_id(), row.day_saved()));
    TRY(work.write(&Index::mark_threaded, folder.row.id, row.uid));
  }
  folder.unthreaded = rows.size() == headers_at_once;
  return {};
}

// Files of tombstones are gone for good once their directories are synced; not those that this batch's
// commit unlinks. Where a file could not be unlinked, the folder is listed once more, and that file's stays.
// At most `at_once` of them; says whether there are more.
Result<bool> finish_tombstones(Work& work, Folder& folder, std::size_t at_once) {
  if (!folder.tombstones_pending || work.will_unlink(folder)) return false;
  if (work.unlink_left(folder, at_once)) return true;
  const auto to_be_listed = [&] { return folder.row.cur_modified == 0 || folder.row.new_modified == 0; };
  UidSet still_there;
  if (to_be_listed() || folder.files_stay) {
    if (std::chrono::steady_clock::now() < folder.next_look) return false;
    TRY(work.look(folder, Work::Thoroughness::full));
    if (to_be_listed()) return false;
    still_there = work.uids_to_unlink(folder);
  }
  for (const Place place : {Place::fresh, Place::current})
    TRY(work.files.sync_directory(folder.place(place)));
  Index* index = TRY(work.write());
  if (!still_there.empty()) {
    TRY(index->clear_pending_tombstones_but(folder.row.id, still_there));
    return false;
  }
  folder.tombstones_pending = TRY(index->clear_pending_tombstones(folder.row.id, at_once));
  folder.files_stay = false;
  return folder.tombstones_pending;
}

// What was expunged long ago is told as a superset from then on (RFC 7162 §3.2.6).
Result<> forget_tombstones(Work& work, Folder& folder) {
  if (!folder.has_new_tombstones) return {};
  Index& index = work.disk.index();
  const MailboxId id = folder.row.id;
  const std::size_t most = work.disk.context().settings.remembered_expunges;
  if (!folder.tombstones || *folder.tombstones > most) folder.tombstones = TRY(index.count_tombstones(id));
  if (*folder.tombstones > most) {
    // Some more than there are too many, so that the next one is not due at once.
    const std::size_t wanted = std::min(*folder.tombstones - most + most / 8, tombstones_at_once);
    const auto old = TRY(index.old_tombstones(id, wanted));
    MailboxRow& row = work.change(folder).row;
    row.remembers_from = std::max(row.remembers_from, old.modseq);
    row.forgotten_uid = std::max(row.forgotten_uid, old.highest);
    TRY(work.write());
    const std::size_t removed = TRY(index.remove_tombstones(id, old.modseq, wanted));
    *folder.tombstones -= removed;
    if (removed > 0 && *folder.tombstones > most) return {};
  }
  folder.has_new_tombstones = false;
  return {};
}

// A reply to a message of long ago begins a thread of its own from then on. Says whether there is more to do.
Result<bool> forget_thread_keys(Work& work) {
  const std::size_t most = work.disk.context().settings.thread_keys;
  if (TRY(work.disk.index().count_thread_keys()) <= most) return false;
  Index* index = TRY(work.write());
  return index->forget_thread_keys(most, thread_keys_at_once);
}

// Says whether there is more to do.
Result<bool> clear_leavings(Work& work) {
  if (!work.disk.index().may_have_leavings()) return false;
  Index* index = TRY(work.write());
  return index->clear_leavings(leavings_at_once);
}

// Whether the error is about the index as a whole, so that nothing of the batch can stay.
bool concerns_all(Work& work, const Error& error) {
  return error.code == Errc::corrupt || work.transaction_lost() || work.commit_failed();
}

// Takes back what was begun in `folder`, and leaves it alone for a while.
void put_off(Work& work, Folder& folder, const Error& error) {
  work.undo_operation();
  const auto there = work.files.status(folder.path);
  const bool gone = !there && there.error().code == Errc::not_found;
  if (gone) {
    // Another program has removed it, as the next look at which folders there are will find.
    work.disk.root_modified() = 0;
    work.disk.restless().erase(folder.row.id);
  }
  folder.upkeep_after = std::chrono::steady_clock::now() + again_after;
  if (std::exchange(folder.upkeep_failed, true)) return;
  work.disk.context().log.write(gone ? LogLevel::info : LogLevel::warning, "storage.upkeep_failed",
                                {{"account", work.disk.address()},
                                 {"mailbox", folder.row.name},
                                 {"error", name_of(error.code)},
                                 {"detail", error.detail}});
}

// What has to be done in one folder, as an operation of its own: where it fails, the other folders are looked
// after still. Whether it was done; an error ends the batch.
template <class Upkeep>
Result<bool> look_after(Work& work, Folder& folder, Upkeep upkeep) {
  work.change(folder);
  Result<> done = upkeep(work, folder);
  if (done) done = work.end_operation();
  if (!done && concerns_all(work, done.error())) return std::unexpected(done.error());
  if (!done) {
    put_off(work, folder, done.error());
    return false;
  }
  folder.upkeep_failed = false;
  return true;
}

struct Followed {
  std::size_t named = 0;
  bool more_to_unlink = false;
};

Result<> follow_folder(Work& work, Folder& folder, std::size_t limit, Followed& followed) {
  followed.more_to_unlink = TRY(finish_tombstones(work, folder, unlinks_at_once));
  if (folder.lagging && limit > 0) {
    followed.named = TRY(follow_names(work, folder, limit));
    // What fails after this takes no names back.
    TRY(work.end_operation());
    work.change(folder);
  }
  TRY(write_further_keywords(work, folder));
  TRY(find_threads(work, folder));
  // Sessions that wait hear of what went under; others find it when they look.
  if (folder.doubtful && work.snapshots.contains(folder.row.id))
    TRY(work.look(folder, Work::Thoroughness::quick));
  return forget_tombstones(work, folder);
}

Result<> settle_names(Work& work, Folder& folder) {
  folder.next_look = {};
  TRY(finish_tombstones(work, folder, all));
  TRY(forget_tombstones(work, folder));
  for (int in_vain = 0; folder.lagging && in_vain < 2;)
    in_vain = TRY(follow_names(work, folder, names_at_once)) > 0 ? 0 : in_vain + 1;
  return write_further_keywords(work, folder);
}

Result<> settle_rows(Work& work, Folder& folder) {
  folder.next_look = {};
  TRY(finish_tombstones(work, folder, all));
  if (folder.doubtful && folder.row.messages <= quick_to_list) {
    folder.next_look = {};
    TRY(work.look(folder, Work::Thoroughness::quick));
  }
  // Otherwise listed at its next use.
  if (folder.doubtful || folder.files_stay) folder.row.new_modified = folder.row.cur_modified = 0;
  TRY(work.write());
  folder.relisted = false;
  return {};
}

Result<> settle_state(Work& work, Folder& folder) { return work.write_folder_state(folder, true); }

}  // namespace

Result<> Follow::run(Work& work) {
  more = false;
  std::size_t left = names_at_once;
  const std::set<MailboxId> restless = work.disk.restless();
  for (const MailboxId id : restless) {
    const auto found = work.disk.folders().find(id);
    if (found == work.disk.folders().end() || !found->second.checked) {
      work.disk.restless().erase(id);
      continue;
    }
    Folder& folder = found->second;
    if (folder.filled_by != nullptr || std::chrono::steady_clock::now() < folder.upkeep_after) continue;
    Followed followed;
    const auto follow = [left, &followed](Work& in, Folder& which) {
      return follow_folder(in, which, left, followed);
    };
    const bool done = TRY(look_after(work, folder, follow));
    left -= followed.named;
    if (!done) continue;
    const bool unfinished = folder.lagging || folder.unthreaded || folder.has_new_tombstones;
    // What could not be done now is tried again later, not at once.
    more = more || followed.more_to_unlink || folder.unthreaded || folder.has_new_tombstones ||
           (folder.lagging && (followed.named > 0 || left == 0));
    const bool waits = folder.tombstones_pending || (folder.doubtful && work.snapshots.contains(id));
    if (!unfinished && !waits) work.disk.restless().erase(id);
  }
  TRY(work.disk.replacements().forget(work));
  if (TRY(forget_thread_keys(work))) more = true;
  if (TRY(clear_leavings(work))) more = true;
  work.outcome.trash = trash(work);
  return {};
}

Result<> Settle::run(Work& work) {
  std::set<MailboxId> left_out;
  for (auto& [id, folder] : work.disk.folders()) {
    if (!folder.checked) continue;
    if (!TRY(look_after(work, folder, settle_names))) left_out.insert(id);
  }
  TRY(work.disk.replacements().forget(work));
  TRY(forget_thread_keys(work));
  empty_trash(work.disk, trash(work));
  // Twice, as the rows of the second have the mtimes that the first leaves.
  TRY(work.commit());
  for (auto& [id, folder] : work.disk.folders()) {
    // What a listing found is kept, or the next process lists it all again.
    const bool as_is = folder.settled && !folder.doubtful && !folder.relisted && !folder.files_stay;
    if (!folder.checked || as_is || left_out.contains(id)) continue;
    if (!TRY(look_after(work, folder, settle_rows))) left_out.insert(id);
  }
  TRY(work.commit());
  // Those that were left out keep a state file that says so, and are compared with it at their next use.
  for (auto& [id, folder] : work.disk.folders()) {
    if (!folder.checked || folder.settled || left_out.contains(id)) continue;
    TRY(look_after(work, folder, settle_state));
  }
  work.outcome.close = true;
  return {};
}

Result<> Checkpoint::run(Work& work) {
  auto done = work.disk.index().checkpoint();
  TRY(work.disk.refresh_identity());
  return done;
}

}  // namespace posthorn::storage

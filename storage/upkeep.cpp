#include "storage/upkeep.h"

#include "storage/folders.h"
#include "storage/maildir_name.h"
#include "storage/measure.h"

#include <algorithm>
#include <tuple>

namespace posthorn::storage {
namespace {

constexpr std::size_t names_at_once = 500;
constexpr std::size_t headers_at_once = 32;
constexpr std::uint32_t quick_to_list = 2000;

// Renames up to `limit` files whose flags have changed; says how many there were.
Result<std::size_t> follow_names(Work& work, Folder& folder, std::size_t limit) {
  std::size_t count = 0;
  for (MessageRow& row : TRY(work.disk.index().lagging(folder.row.id, limit))) {
    ++count;
    const std::string from = folder.file(row);
    work.touching(folder, row.place);
    const Place place_before = row.place;
    std::tie(row.place, row.info) = row.due(folder.row.first_recent);
    row.lagging = false;
    const std::string to = folder.file(row);
    if (from != to) {
      work.touching(folder, row.place);
      const auto renamed = work.files.rename(from, to);
      if (!renamed && renamed.error().code != Errc::not_found) return std::unexpected(renamed.error());
      // Another program was here: the next look puts the row right.
      if (!renamed) work.change(folder).row.cur_modified = 0;
      work.sync_later(folder.place(place_before));
      work.sync_later(folder.place(row.place));
    }
    TRY(work.rename_row(folder, row));
  }
  folder.lagging = count == limit;
  return count;
}

Result<> write_further_keywords(Work& work, Folder& folder) {
  if (!folder.further_keywords_stale) return {};
  FurtherKeywords keywords;
  for (const Message& message : TRY(work.disk.index().load(folder.row.id))) {
    const KeywordSet further = further_keywords(message.flags.keywords);
    if (!further.empty()) keywords[message.uid] = further;
  }
  const std::string path = folder.path + "/posthorn-keywords";
  const auto there = work.files.status(path);
  if (!keywords.empty() || there) TRY(work.files.replace(path, to_string(keywords)));
  folder.further_keywords_stale = false;
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
    if (keys) TRY(work.write(&Index::add_to_thread, *keys, row.thread_id()));
    TRY(work.write(&Index::mark_threaded, folder.row.id, row.uid));
  }
  folder.unthreaded = rows.size() == headers_at_once;
  return {};
}

// Files of tombstones are gone for good once their directories are synced.
Result<> finish_tombstones(Work& work, Folder& folder) {
  if (!folder.tombstones_pending) return {};
  if (folder.row.cur_modified == 0 || folder.row.new_modified == 0) {
    TRY(work.look(folder, Work::Thoroughness::full));
  }
  for (const Place place : {Place::fresh, Place::current})
    TRY(work.files.sync_directory(folder.place(place)));
  TRY(work.write(&Index::clear_pending_tombstones, folder.row.id));
  folder.tombstones_pending = false;
  return {};
}

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
    TRY(finish_tombstones(work, folder));
    if (folder.lagging && left > 0) left -= TRY(follow_names(work, folder, left));
    TRY(write_further_keywords(work, folder));
    TRY(find_threads(work, folder));
    // Sessions that wait hear of what went under; others find it when they look.
    if (folder.doubtful && work.snapshots.contains(id)) TRY(work.look(folder, Work::Thoroughness::quick));
    const bool unfinished = folder.lagging || folder.unthreaded;
    more = more || unfinished;
    if (!unfinished && (!folder.doubtful || !work.snapshots.contains(id))) work.disk.restless().erase(id);
  }
  TRY(work.disk.replacements().forget(work));
  empty_trash(work);
  return {};
}

Result<> Settle::run(Work& work) {
  for (auto& [id, folder] : work.disk.folders()) {
    if (!folder.checked) continue;
    TRY(finish_tombstones(work, folder));
    while (folder.lagging) TRY(follow_names(work, folder, names_at_once));
    TRY(write_further_keywords(work, folder));
  }
  TRY(work.disk.replacements().forget(work));
  empty_trash(work);
  // Twice, as the rows of the second have the mtimes that the first leaves.
  TRY(work.commit());
  for (auto& [id, folder] : work.disk.folders()) {
    if (!folder.checked || (folder.settled && !folder.doubtful)) continue;
    work.change(folder);
    if (folder.doubtful && folder.row.messages <= quick_to_list) {
      folder.next_look = {};
      TRY(work.look(folder, Work::Thoroughness::quick));
    }
    // Otherwise listed at its next use.
    if (folder.doubtful) folder.row.new_modified = folder.row.cur_modified = 0;
    TRY(work.write());
  }
  TRY(work.commit());
  for (auto& [id, folder] : work.disk.folders()) {
    if (folder.checked && !folder.settled) TRY(work.write_folder_state(folder, true));
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

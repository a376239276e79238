// Messages that come into a folder, change, or go: their rows, the folder's counts, the snapshot.
#include "storage/maildir_name.h"
#include "storage/work.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace posthorn::storage {
namespace {

// What costs less as a few statements than row by row.
constexpr std::size_t long_run = 16;

}  // namespace

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

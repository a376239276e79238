// What sessions look at, and the small notes that they leave.
#include "storage/messages.h"

#include <algorithm>

namespace posthorn::storage {

Result<> OpenMailbox::run(Work& work) {
  Folder& folder = *TRY(work.folder_to_read(name_));
  TRY(work.look(folder, Work::Thoroughness::quick));
  if (!work.snapshots.contains(folder.row.id)) {
    work.snapshots[folder.row.id] = std::make_shared<const Snapshot>();
    work.reload(folder);
  }
  info = folder.info();
  keywords = folder.keywords;
  first_recent = folder.row.first_recent;
  return {};
}

Result<> PollMailbox::run(Work& work) {
  Folder& folder = *TRY(work.folder_to_read(id_));
  return work.look(folder, Work::Thoroughness::quick);
}

Result<> ReadCounts::run(Work& work) {
  Folder& folder = *TRY(work.folder_to_read(name_));
  TRY(work.look(folder, Work::Thoroughness::quick));
  const MailboxRow& row = folder.row;
  counts = {};
  counts.id = row.id;
  counts.messages = row.messages;
  counts.unseen = row.unseen;
  counts.deleted = row.deleted;
  counts.octets = row.octets;
  counts.uid_next = row.uid_next;
  counts.first_recent = row.first_recent;
  counts.highest_modseq = row.modseq;
  counts.uid_validity = row.uid_validity;
  if (row.first_recent < row.uid_next) {
    counts.recent = TRY(work.disk.index().count_between(row.id, row.first_recent, row.uid_next));
  }
  return {};
}

Result<> ClaimRecent::run(Work& work) {
  Folder& folder = *TRY(work.folder(id_));
  const Uid before = folder.row.first_recent;
  if (first_recent_ <= before) return {};
  work.change(folder).row.first_recent = first_recent_;
  folder.lagging = true;
  return work.write(&Index::mark_claimed, id_, before, first_recent_);
}

Result<> TakeAnew::run(Work& work) {
  Folder& folder = *TRY(work.folder(id_));
  if (!TRY(find_message(work.disk.index().database(), id_, uid_))) return {};
  // So that names are as the rows say.
  TRY(work.look(folder, Work::Thoroughness::full));
  UidSet all;
  all.append(1, 0x7fffffff);
  std::size_t taken = 0;
  std::string first;
  // What did this to one has often done it to others, each of which would list the folder again.
  for (const MessageRow& row : TRY(work.disk.index().messages(id_, all))) {
    const auto status = work.files.status(folder.file(row));
    if (!status || status->size == row.stored_size) continue;
    TRY(work.remove(folder, row, {}));
    if (++taken == 1) first = folder.file(row);
  }
  if (taken == 0) return {};
  work.disk.context().log.warning("storage.size_changed",
                                  {{"account", work.disk.address()}, {"file", first}, {"files", taken}});
  return work.look(folder, Work::Thoroughness::full);
}

Result<> KeepSummaries::run(Work& work) {
  Folder& folder = *TRY(work.folder_to_read(id_));
  for (const auto& summary : summaries_) {
    // Expunged meanwhile?
    if (!TRY(find_message(work.disk.index().database(), folder.row.id, summary.uid))) continue;
    if (summary.form == Form::summary) {
      TRY(work.write(&Index::put_summary, folder.row.id, summary.uid, summary.octets));
    } else {
      TRY(work.write(&Index::put_form, folder.row.id, summary.uid, summary.form, summary.octets));
    }
  }
  return {};
}

Result<> KeepGains::run(Work& work) {
  const Folder& folder = *TRY(work.folder_to_read(id_));
  for (const auto& gain : gains_) TRY(work.write(&Index::set_gain, folder.row.id, gain.uid, gain.octets));
  return {};
}

}  // namespace posthorn::storage

// Messages on their way in: DATA, APPEND, REPLACE.
#include "storage/maildir_name.h"
#include "storage/messages.h"
#include "storage/place_file.h"

#include <algorithm>

namespace posthorn::storage {

Result<Folder*> find_folder(Work& work, const MailboxKey& key) {
  return key.id != 0 ? work.folder(key.id) : work.folder(key.name);
}

// Keywords beyond the letters are in a file that follows later.
bool AddMessages::maildir_suffices() const {
  return std::ranges::all_of(arrivals_, [](const Arrival& each) { return each.keywords.empty(); });
}

Result<> AddMessages::run(Work& work) {
  appended = {};
  Folder& folder = *TRY(find_folder(work, mailbox_));
  appended.uid_validity = folder.row.uid_validity;
  TRY(work.promise_uids(folder, arrivals_.size()));
  // What is read comes from the transaction too: one of its own would be four more locks.
  TRY(work.write());
  for (const Arrival& arrival : arrivals_) appended.uids.append(TRY(add_message(work, folder, arrival)));
  return {};
}

namespace {

FileSpool& spool_of(const Arrival& arrival) { return static_cast<FileSpool&>(*arrival.spool); }

// The message as it will be; none of its bytes are in the folder.
Result<MessageRow> new_row(Work& work, Folder& folder, const Arrival& arrival) {
  FileSpool& spool = spool_of(arrival);
  TRY(spool.work_out());
  MessageRow row;
  row.uid = TRY(work.next_uid(folder));
  row.modseq = TRY(work.modseq(folder));
  row.flags.system = arrival.system_flags;
  row.flags.keywords = TRY(work.keywords(folder, arrival.keywords));
  row.wire_size = row.stored_size = spool.size();
  row.encoded_size = spool.encoded_size();
  row.gain = spool.gain();
  row.internal_date = arrival.internal_date;
  row.saved = work.disk.context().clock.seconds();
  row.email_id = make_email_id(arrival.internal_date, spool.unique(), work.disk.context().settings.hostname);
  row.thread = TRY(work.disk.index().find_thread(row.email_id, spool.thread_keys()));
  row.threaded = true;
  std::string letters = letters_of_flags(row.flags, {});
  if (!letters.empty()) {
    row.place = Place::current;
    row.info = std::move(letters);
  }
  return row;
}

Result<> put(Work& work, Folder& folder, const MessageRow& row, FileSpool& spool) {
  const std::string path = folder.file(row);
  const std::string tmp = folder.path + "/tmp/posthorn." + row.email_id + "." + std::to_string(row.uid);
  work.touching(folder, row.place);
  work.created(path);
  if (spool.file()) {
    TRY(link_file(work.files, *spool.file(), path, tmp));
  } else {
    TRY(work.write_file(path, tmp, spool.bytes()));
  }
  work.sync_later(folder.place(row.place));
  TRY(work.add(folder, row));
  TRY(work.write(&Index::add_to_thread, spool.thread_keys(), row.thread_id(), row.day_saved()));
  TRY(work.write(&Index::put_summary, folder.row.id, row.uid, spool.summary()));
  spool.done();
  return {};
}

}  // namespace

Result<Uid> add_message(Work& work, Folder& folder, const Arrival& arrival) {
  const MessageRow row = TRY(new_row(work, folder, arrival));
  TRY(put(work, folder, row, spool_of(arrival)));
  return row.uid;
}

Result<> ReplaceMessage::run(Work& work) {
  appended = {};
  Folder& from = *TRY(work.folder(from_));
  Folder& to = *TRY(work.folder(to_));
  appended.uid_validity = to.row.uid_validity;
  UidSet replaced;
  replaced.append(uid_);
  const auto rows = TRY(work.disk.index().messages(from.row.id, replaced));
  if (rows.empty()) return {};
  const MessageRow row = TRY(new_row(work, to, arrival_));
  TRY(work.disk.replacements().note(work.files,
                                    {.from = from_, .replaced = uid_, .to = to_, .uid = row.uid}));
  TRY(put(work, to, row, spool_of(arrival_)));
  TRY(work.remove(from, rows.front(), rows.front().email_id));
  work.unlink_after_commit(from, rows.front());
  appended.uids.append(row.uid);
  return {};
}

Result<> PrepareDelivery::run(Work& work) {
  Folder& folder = *TRY(find_folder(work, mailbox_));
  TRY(work.promise_more(folder));
  TRY(spool_.share());
  const std::string tmp = folder.path + "/tmp/posthorn." + spool_.unique() + ".ready";
  work.created(tmp);
  TRY(link_file(work.files, *spool_.file(), tmp, tmp + ".copy"));
  return work.files.unlink(tmp);
}

}  // namespace posthorn::storage

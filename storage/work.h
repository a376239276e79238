#pragma once

#include "storage/account_disk.h"
#include "storage/place_file.h"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::storage {

// What messages bring to their folder.
struct Arrivals {
  std::vector<Message> messages;  // ascending by UID
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;
  bool lagging = false;
  bool unthreaded = false;
  bool further_keywords = false;

  void add(const MessageRow& row);
};

// A batch at work: one transaction, begun at the first write, with a savepoint for each further operation
// that writes; and the files that go with it.
class Work {
 public:
  // `synced`: whether COMMITs are to be synced.
  Work(AccountDisk& disk, const Snapshots& loaded, bool synced)
      : disk(disk), files(disk.files()), snapshots(loaded), loaded_(loaded), synced_(synced) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work();

  AccountDisk& disk;
  FileSystem& files;
  Snapshots snapshots;  // of loaded mailboxes, as of now
  Outcome outcome;
  // Set by an operation that changes which folders there are: if it fails, the account is read anew.
  bool layout_changing = false;
  // What runs, and whether it has to wait for what fills a folder.
  const Operation* operation = nullptr;
  bool waits = false;

  // --- for the account
  void begin_operation();
  Result<> end_operation();  // what it changed goes into the snapshots
  void undo_operation();     // its rows, its files, what it changed in folders
  bool transaction_lost();   // SQLite has rolled everything back on its own
  // Syncs what has to be, commits, unlinks. On an error everything since the last commit is to be undone.
  Result<> commit();
  void undo();
  // commit() gave an error: undo() is due.
  bool commit_failed() const { return commit_failed_; }

  // --- for operations
  // The mailbox, compared with its state file and taken in as other programs left it, if that was not done
  // since the account was opened. not_found.
  // busy, and `waits` is set, where another operation is filling it.
  Result<Folder*> folder(MailboxId id);
  Result<Folder*> folder(std::string_view canonical_name);
  // The same for those that change nothing of its messages.
  Result<Folder*> folder_to_read(MailboxId id);
  Result<Folder*> folder_to_read(std::string_view canonical_name);
  // busy, as folder().
  Result<Folder*> unless_filled(Folder& folder);
  // To be called before a member of `folder` changes, so that it can be undone.
  Folder& change(Folder& folder);
  // The index, inside the transaction.
  Result<Index*> write();
  // The same for one statement: write(&Index::put_mailbox, row).
  template <class... Parameters, class... Arguments>
  Result<> write(Result<> (Index::*statement)(Parameters...), const Arguments&... arguments) {
    Index* index = TRY(write());
    return (index->*statement)(arguments...);
  }

  // Errors: too_large when all 2^31 - 1 are used.
  Result<Uid> next_uid(Folder& folder);
  // The one MODSEQ of this operation's changes in `folder`.
  Result<ModSeq> modseq(Folder& folder);
  // The places of `names`, which are added to the table where they are not there; all of them or, on an
  // error, none. too_large, not_allowed.
  Result<KeywordSet> keywords(Folder& folder, const std::vector<std::string>& names);
  // Makes sure that so many UIDs cost one write to the state file together, or none.
  Result<> promise_uids(Folder& folder, std::size_t count);
  // Makes sure that the next UID and MODSEQ cost no write to the state file.
  Result<> promise_more(Folder& folder);
  Result<> write_folder_state(Folder& folder, bool settled);

  // To be called before files are put into, renamed in or taken from one of a folder's directories: the
  // directory's new mtime is then ours.
  void touching(Folder& folder, Place place);
  // Their file says what the rows say now; not any more, should these be rolled back.
  void wrote_further_keywords(Folder& folder) {
    folder.further_keywords_stale = false;
    further_keywords_written_.insert(folder.row.id);
  }
  // The folder's directories were listed, and what is recorded of them is of now.
  void listed(const Folder& folder) { listed_.insert(folder.row.id); }
  void sync_later(const std::string& directory) { to_sync_.insert(directory); }
  // A new file with `bytes`, durable at `path` by the commit: files of a batch are synced together. Until
  // then it is at `tmp`.
  Result<> write_file(const std::string& path, const std::string& tmp, std::string_view bytes);
  // Puts those files where they belong. An error is the whole batch's.
  Result<> put_files_in_place();
  // What is taken away, or named back, when this is undone; the latest first. A directory goes if it is
  // empty.
  void created(std::string path) { steps_.push_back({std::move(path), {}}); }
  void renamed(std::string from, std::string to) { steps_.push_back({std::move(to), std::move(from)}); }
  // The file, which a tombstone speaks of. Of many, most go later: unlink_left().
  void unlink_after_commit(Folder& folder, const MessageRow& row);
  // `name` is that of the file in `place`.
  void unlink_after_commit(Folder& folder, Place place, std::string_view name);
  bool will_unlink(const Folder& folder) const;
  UidSet uids_to_unlink(const Folder& folder) const;
  // The paths of the files of `folder` that this batch's commit unlinks, and of those that are left of
  // earlier ones. Until then these files are all that there is of a message, should the commit fail.
  std::set<std::string> unlinks(const Folder& folder) const;
  // Unlinks up to `limit` of what commits have left in `folder`; says whether there are more.
  bool unlink_left(Folder& folder, std::size_t limit);

  // A message has come into `folder`, changed (`before`: its flags until now), or gone: its row, the counts,
  // the snapshot.
  Result<> add(Folder& folder, const MessageRow& row);
  // Messages whose rows are there already are of `folder` from now on.
  void appear(Folder& folder, Arrivals arrivals);
  // Who fills the folder is done with it once this batch is committed.
  void filled_at_commit(Folder& folder) { filled_.insert(folder.row.id); }
  Result<> replace(Folder& folder, const Flags& before, const MessageRow& row);
  // `email_id` is kept in the tombstone while the file is still to be unlinked; empty if it is gone.
  Result<> remove(Folder& folder, const MessageRow& row, std::string_view email_id);
  // The same for many, ascending by UID, whose files are unlinked after the commit.
  Result<> expunge(Folder& folder, std::span<const MessageRow> rows);
  // Only how its file is called.
  Result<> rename_row(Folder& folder, const MessageRow& row);

  // A loaded mailbox's snapshot is made anew from the rows at the end of this operation.
  void reload(const Folder& folder) { reload_.insert(folder.row.id); }
  Result<std::shared_ptr<const Snapshot>> load(const Folder& folder);

  // Takes in what other programs did to the folder (reconcile.cpp). `quick` does nothing if the mtimes are
  // as they were, or known to be changed by this batch alone; `mending` is for rows that may lack messages of
  // ours, so that files keep the UIDs in their names; `after_crash` also finishes what a batch had begun, of
  // which all UIDs from `committed_uid_next` on are.
  enum class Thoroughness { quick, full, mending, after_crash };
  Result<> look(Folder& folder, Thoroughness how, Uid committed_uid_next = 0);

 private:
  struct Changes {
    std::vector<Message> added;
    std::vector<Message> changed;
    std::vector<Uid> expunged;
  };
  Result<> fold_changes();
  Result<> prepare_commit();
  Result<> check(Folder& folder);
  Result<> drop_unfinished(Folder& folder, Uid committed);
  Result<> settle_memory(Folder& folder);
  Result<> take_state(Folder& folder, const FolderState& state);
  Result<> write_rows();
  Result<> promise(Folder& folder, Uid uid_next, ModSeq modseq);
  Result<> add_keywords(Folder& folder, const std::vector<std::string>& names);
  bool is_as_recorded(Folder& folder);
  void restore(const std::map<MailboxId, Folder>& before);
  void record_mtimes();
  void count_out(Folder& folder, const MessageRow& row);
  void unlink_now(Folder& folder, const std::string& file);
  void unlink_committed();
  void undo_steps(std::size_t keep);
  void drop_written(std::size_t keep);

  const Snapshots& loaded_;
  bool synced_;
  bool in_transaction_ = false;
  bool in_savepoint_ = false;
  // This operation's write was the batch's first: to undo it is to roll back, and a savepoint, for which
  // SQLite keeps what each page was, isn't needed.
  bool began_transaction_ = false;
  bool commit_failed_ = false;
  std::optional<int> commit_failed_with_;  // SQLite's extended code
  std::map<MailboxId, Folder> before_batch_;
  std::map<MailboxId, Folder> before_operation_;
  Snapshots snapshots_before_operation_;
  Outcome outcome_before_operation_;
  std::map<MailboxId, ModSeq> modseqs_;  // of this operation
  std::map<MailboxId, Changes> changes_;
  std::set<MailboxId> reload_;
  std::set<std::string> to_sync_;
  std::set<std::string> to_sync_before_operation_;
  std::set<MailboxId> further_keywords_written_;
  std::set<MailboxId> filled_;
  struct Step {
    std::string path;
    std::string name_before;
  };
  std::vector<Step> steps_;
  std::size_t steps_before_operation_ = 0;
  std::vector<WrittenFile> written_;
  std::size_t written_before_operation_ = 0;
  struct Unlink {
    MailboxId folder;
    std::string file;  // within the folder, with "new/" or "cur/"
  };
  std::vector<Unlink> to_unlink_;
  std::size_t to_unlink_before_operation_ = 0;
  // Whether the directory's mtime was the recorded one before this batch came.
  std::map<std::pair<MailboxId, Place>, bool> touched_;
  std::map<std::pair<MailboxId, Place>, bool> touched_before_operation_;
  // Folders that were listed in this batch: their recorded mtimes are not those of its beginning.
  std::set<MailboxId> listed_;
};

}  // namespace posthorn::storage

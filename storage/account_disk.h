#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "message/binary_edit.h"
#include "message/line_ends.h"
#include "storage/folder.h"
#include "storage/index.h"
#include "storage/measure.h"
#include "storage/message_bytes.h"
#include "storage/operation.h"
#include "storage/replacement.h"
#include "storage/search_index.h"
#include "storage/snapshot.h"
#include "storage/state_file.h"
#include "storage/store.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace posthorn::storage {

class SearchDocument;
class TextScan;
class Shares;

// What every account's disk work needs.
struct DiskContext {
  FileSystem& files;
  Clock& clock;
  Random& random;
  Log& log;
  StoreSettings settings;
  Shares* shares = nullptr;  // none: nobody learns what accounts share
};

// What a batch did, for the loop thread.
struct Outcome {
  Snapshots snapshots;                     // the new ones, of mailboxes that are loaded or were opened
  std::map<MailboxId, MailboxInfo> infos;  // of mailboxes that were renamed or found renamed
  std::map<MailboxId, std::vector<std::string>> keywords;  // tables that grew
  std::vector<MailboxId> removed;
  std::vector<std::string> trash;  // paths of folders without a row, to be removed beside other work
  bool list_changed = false;
  bool restless = false;        // something is left to do behind the scenes: Follow is due
  bool checkpoint_due = false;  // the WAL has grown long
  bool open = false;            // the index is open
  bool close = false;           // it is to be closed: all is settled
};

// How the stored bytes of a message end their lines (design, decision 8), and what else its row says of them.
message::LineEnds line_ends_of(const MessageRow& row);
StoredForm form_of(const MessageRow& row);

// The mail of one account on disk: its Maildir and its index. All of it blocks, so it runs on the pool; run()
// and close() are called by one thread at a time, the reading functions by any.
//
// The order of durability in a batch, which is one transaction:
//   1. new files are synced, then put into new/ or cur/ under names that bear their UIDs;
//   2. each directory in which that happened is synced, once;
//   3. COMMIT. From then on the changes exist for clients. It is synced unless the Maildir says all of it;
//   4. files of expunged messages are unlinked.
// A crash before 3 leaves files without rows, taken in (or, as links of messages that are still in their old
// place, removed) when the folder is next looked at; a crash after 3 leaves files with a tombstone, unlinked
// then. Of a message that takes another one's place, a note was made before 1 (replacement.h).
class AccountDisk {
 public:
  // `path` is the account's folder (DATA/mail/DOMAIN/USER); `address` is for the log.
  AccountDisk(DiskContext& context, std::string path, std::string address);
  AccountDisk(const AccountDisk&) = delete;
  AccountDisk& operator=(const AccountDisk&) = delete;

  // Runs `batch`; each operation gets its result or its error. `loaded` has the snapshots that the loop
  // thread holds now. An index that is missing or broken is made anew first.
  Outcome run(std::span<Operation* const> batch, const Snapshots& loaded);

  // Closes the index: after Settle, when the state files say all, or before the account is removed.
  void close();

  // Reading beside the writer (account_reading.cpp); any thread. Errors of all: not_found without such a
  // message, io, corrupt.
  struct Summaries {
    Mailbox::Summaries present;
    std::vector<WorkedOut> worked_out;  // those that were not in the index
    std::optional<Uid> resized;         // the first whose file has another size than its row says
  };
  static constexpr std::size_t summaries_limit = 256;
  static constexpr std::size_t forms_limit = 4'096;  // small ones
  static constexpr std::size_t summary_octets_limit = 1U << 20U;
  // Of `uids` that are there: what is gone may have left its summary.
  // not_found also for a form that nobody makes.
  Result<Summaries> summaries(MailboxId id, const UidSet& uids, Effort effort, Form form);
  // Of the messages from `from` on. At most summaries_limit of them have to be worked out, from the ends of
  // their files: then `next` is where to go on.
  struct Gains {
    std::vector<Mailbox::Gain> present;
    std::vector<Mailbox::Gain> worked_out;
    std::optional<Uid> next{};
  };
  Result<Gains> gains(MailboxId id, Uid from);
  Result<std::vector<Mailbox::Origin>> origins(MailboxId id, const UidSet& uids);
  Result<StoredFile> open_message(MailboxId id, Uid uid, Octets octets);
  Result<std::vector<Mailbox::Head>> heads(MailboxId id, const UidSet& uids, Mailbox::HeadLimits limits);
  // What was expunged since; nothing where that is not known, or is more than is worth naming one by one.
  static constexpr std::size_t vanished_limit = 50'000;
  // As of the last commit. not_found; also for a mailbox that was not compared with the Maildir since the
  // account was opened.
  Result<Counts> committed_counts(std::string_view name);
  Result<std::optional<UidSet>> vanished_since(MailboxId id, ModSeq since);
  Result<std::vector<Mailbox::EmailId>> email_ids(MailboxId id, const UidSet& uids);

  // What SEARCH's index says. Errors: not_found where there is none, others where it can't be read.
  Result<Mailbox::TextHits> text_hits(MailboxId id, std::span<const TextPattern> patterns);
  // The same by reading the messages. They are known but for those that can't be read or have very long
  // texts.
  Result<Mailbox::TextHits> scan(MailboxId id, const UidSet& uids, std::span<const TextPattern> patterns);
  // Adds some messages to it that are not there yet; says whether there are more. By one thread at a time,
  // beside all others.
  Result<bool> fill_search_index();
  // Ends it within some 100 ms, and makes it fail, until it is allowed again. Any thread.
  void stop_filling() { filling_stopped_ = true; }
  void allow_filling() { filling_stopped_ = false; }
  // Whether the account is to have none; as of the last opening, or the last change. Any thread.
  bool search_index_off() const { return search_index_off_; }
  // As fill_search_index(). Errors: io, disk_full.
  Result<> set_search_index(bool on);
  // A message, and what it is known by in that index.
  struct FingerprintRow {
    Uid uid;
    std::int64_t fingerprint;
  };

  DiskContext& context() { return context_; }
  FileSystem& files() { return context_.files; }
  const std::string& path() const { return path_; }
  const std::string& maildir() const { return maildir_; }
  const std::string& address() const { return address_; }

  // For operations.
  Index& index() { return *index_; }
  std::map<MailboxId, Folder>& folders() { return folders_; }
  Folder* find_folder(std::string_view canonical_name);
  Folder& add_folder(Folder folder);
  void rename_folder(Folder& folder, std::string canonical_name);
  void remove_folder(MailboxId id);
  std::string folder_path(std::string_view canonical_name) const;
  // Folders in which something is left to do behind the scenes.
  std::set<MailboxId>& restless() { return restless_; }
  // The next UIDVALIDITY or MAILBOXID; durable when it returns.
  Result<std::uint32_t> next_number();
  AccountState& state() { return state_; }
  Result<> write_state();
  std::int64_t& root_modified() { return root_modified_; }
  // What is remembered of a folder while the account is read anew.
  struct Known {
    Uid uid_next;
    Uid first_recent;
    ModSeq modseq;
  };
  const Known* known(MailboxId id) const;
  // A rename was given up, but the index took no note of it: it is not to be finished.
  bool& intents_cancelled() { return intents_cancelled_; }
  Replacements& replacements() { return replacements_; }
  // Files of expunged messages that are still to go, by folder; within it, with "new/" or "cur/". Should they
  // be forgotten, their tombstones tell of them.
  std::map<MailboxId, std::vector<std::string>>& left_to_unlink() { return left_to_unlink_; }
  // The same of a COPY in pieces that is not done yet; rows tell of them.
  std::map<MailboxId, std::vector<std::string>>& unfinished_copies() { return unfinished_copies_; }
  // It can't be told whether the last COMMIT was done: the next batch reads the account anew, as after a
  // crash.
  void doubt_index() { index_in_doubt_ = true; }
  // The next batch reads the account anew.
  void forget_layout() { layout_forgotten_ = true; }
  // How often it was read: rows that were made before are not to be counted on.
  std::uint64_t openings() const { return openings_; }
  // The mailbox was compared with the Maildir since the account was opened; or is to be once more.
  void note_checked(MailboxId id, bool checked);
  // There may be COMMITs that a power cut would undo.
  bool& index_unsynced() { return index_unsynced_; }
  Result<> sync_index();
  // To be called when the index's file was written to by a checkpoint.
  Result<> refresh_identity();
  std::string index_path() const { return path_ + "/index.sqlite"; }
  // Where folders go that were deleted, until their files are unlinked.
  std::string trash_path() const { return path_ + "/deleted"; }

 private:
  struct Reader {
    Database database;
    std::uint64_t generation;
  };

  Result<> ensure_open();
  Result<> open_once();
  Result<> load_folders();
  Result<> read_state();
  Result<bool> index_is_ours();
  void give_up_index(std::string_view why);
  Result<> drop_index_files();
  Result<> run_all(Work& work, std::span<Operation* const> batch, const Snapshots& loaded);
  void unlink_known();
  void remember_folders();
  void forget_folders();
  struct OpenMessage {
    File file;
    MessageRow row;
    std::string path;
  };
  Result<OpenMessage> open_message(Database& database, MailboxId id, Uid uid);
  Result<> look_up_summaries(Database& database, MailboxId id, const UidSet& uids, Effort effort, Form form,
                             Mailbox::Summaries& found);
  Result<> work_out_summaries(Database& database, MailboxId id, Form form, Summaries& found);
  Result<std::string> work_out(Database& database, MailboxId id, Uid uid, Form form,
                               std::vector<WorkedOut>& worked_out);
  Result<std::string> measure_summary(Database& database, MailboxId id, Uid uid);
  Result<StoredFile> file_of(Database& database, MailboxId id, OpenMessage message, Octets octets);
  Result<std::string> end_of(Database& database, MailboxId id, OpenMessage message, std::size_t count);
  Result<std::vector<message::BinaryEdit>> edits_of(Database& database, MailboxId id,
                                                    const OpenMessage& message);
  Result<std::string> message_folder(Database& database, MailboxId id);
  Result<OpenMessage> open_named(const std::string& folder, MessageRow row);
  Result<OpenMessage> open_at(std::string path, MessageRow row);
  Result<std::string> search_message(const std::string& folder, const MessageRow& row);
  Result<Reader> take_reader();
  void give_back(Reader reader);
  void forget_readers();

  // Which documents of the search index a mailbox's messages are.
  struct SearchedMailbox {
    struct Entry {
      Uid uid;
      SearchIndex::Document document;
      bool complete;
    };
    std::pair<std::uint64_t, std::uint64_t> generations;  // of the rows and of the search index
    std::uint64_t additions = 0;
    Uid last = 0;                // the highest UID then
    Uid next = 1;                // the lowest that is not in the index, or the one behind all
    std::vector<Entry> entries;  // ascending by UID
  };
  // What was looked at by filling.
  struct Filling {
    std::pair<std::uint64_t, std::uint64_t> generations;
    std::map<MailboxId, SearchIndex::Filled> mailboxes;
    std::set<MailboxId> looked_again;
  };
  Result<std::shared_ptr<const SearchedMailbox>> searched_mailbox(Reader& reader, SearchIndex::Reader& search,
                                                                  MailboxId id);
  Result<> look_up_texts(Reader& reader, SearchIndex::Reader& search, MailboxId id,
                         std::span<const TextPattern> patterns, Mailbox::TextHits& found);
  Result<> scan_messages(MailboxId id, std::span<const Mailbox::CachedSummary> summaries, TextScan& texts,
                         Mailbox::TextHits& found);
  Result<bool> fill_search_index_once();
  Result<bool> fill_search_index_from(Database& database);
  Result<> begin_filling();
  Result<SearchIndex::Filled> add_to_search_index(SearchIndex::Filled goal,
                                                  std::span<const FingerprintRow> rows);
  Result<> make_search_document(MailboxId id, Uid uid, SearchDocument& document);
  std::uint64_t rows_generation();
  void note_broken(const Error& error);

  DiskContext& context_;
  std::string path_;
  std::string maildir_;
  std::string address_;
  std::optional<Index> index_;
  IndexIdentity identity_;
  std::map<MailboxId, Folder> folders_;
  std::map<std::string, MailboxId, std::less<>> names_;
  std::map<MailboxId, Known> known_;
  std::set<MailboxId> restless_;
  Replacements replacements_;
  std::map<MailboxId, std::vector<std::string>> left_to_unlink_;
  std::map<MailboxId, std::vector<std::string>> unfinished_copies_;
  AccountState state_;
  std::int64_t root_modified_ = 0;
  bool intents_cancelled_ = false;
  bool index_unsynced_ = true;
  bool index_in_doubt_ = false;
  bool layout_forgotten_ = false;  // the next batch reads the account anew
  std::uint64_t openings_ = 0;
  bool rebuilt_ = false;  // sessions have to be brought to what the new index says

  std::mutex checked_mutex_;
  std::set<MailboxId> checked_;

  std::mutex readers_mutex_;
  std::vector<Reader> readers_;
  std::uint64_t generation_ = 0;

  std::string search_switch() const { return path_ + "/no-search-index"; }

  SearchIndex search_;
  std::atomic<bool> search_index_off_ = false;
  Filling filling_;  // of the one thread that fills
  std::mutex searched_mutex_;
  std::map<MailboxId, std::shared_ptr<const SearchedMailbox>> searched_;
  std::map<MailboxId, Uid> unfilled_;  // from which UID on searches missed messages
  std::atomic<bool> filling_stopped_ = false;
};

}  // namespace posthorn::storage

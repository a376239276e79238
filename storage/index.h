#pragma once

#include "base/file_system.h"
#include "base/sqlite.h"
#include "storage/form.h"
#include "storage/message.h"
#include "storage/state_file.h"
#include "storage/store.h"
#include "storage/uid_set.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::storage {

// A mailbox as the index knows it.
struct MailboxRow {
  MailboxId id = 0;
  std::string name;
  std::uint32_t uid_validity = 0;
  SpecialUse special_use = SpecialUse::none;
  Uid uid_next = 1;
  Uid first_recent = 1;
  ModSeq modseq = 1;
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;
  // mtimes of new/ and cur/ when both were as the rows say; 0: they have to be listed.
  std::int64_t new_modified = 0;
  std::int64_t cur_modified = 0;
  // What was expunged by changes above this MODSEQ has tombstones; 0: it is not settled yet.
  ModSeq remembers_from = 0;
  Uid forgotten_uid = 0;  // of UIDs up to this one, tombstones may have been forgotten
};

enum class Place : std::uint8_t { fresh, current };  // new/ or cur/
std::string_view name_of(Place place);               // "new/" or "cur/"

// A message as the index knows it. The name of its file is made of this.
struct MessageRow {
  Uid uid = 0;
  Flags flags;
  ModSeq modseq = 0;
  std::uint64_t wire_size = 0;
  std::uint64_t stored_size = 0;
  std::optional<std::uint64_t> encoded_size{};  // as clients see it, if it has binary parts (binary_view.h)
  std::int64_t internal_date = 0;
  std::string email_id;
  Place place = Place::fresh;
  std::optional<std::string> info;    // the flags last seen in the name
  bool lagging = false;               // the name does not say what the flags are
  std::int64_t saved = 0;             // when it came into this mailbox, seconds since 1970
  std::optional<std::string> thread;  // the id of its thread, if that is not the one that it began itself
  bool threaded = false;              // its keys are there for those that follow it (threads.h)
  std::optional<std::uint64_t> gain;  // octets more where each line ends in CR LF, if that is known
  // Of a copy: under which key its summary is; nothing where that is summary_key() of this row.
  std::optional<std::int64_t> shared_summary;

  std::uint64_t seen_size() const { return encoded_size.value_or(wire_size); }
  Message message() const { return {uid, flags, modseq, internal_date, seen_size()}; }
  std::string thread_id() const;
  std::int64_t day_saved() const { return saved / 86'400; }
  // "cur/1700000000.x.host,S=1,W=1,U=1:2,S"
  std::string file() const;
  // Where it should be, given the UID from which on messages are recent: `place` and `info` as they should
  // be.
  std::pair<Place, std::optional<std::string>> due(Uid first_recent) const;
  // Sets `lagging` by due().
  void compare(Uid first_recent);
};

// A summary, or a small form of one, that the index lacked.
struct WorkedOut {
  Uid uid = 0;
  Form form = Form::summary;
  std::string octets;
};

struct TombstoneRow {
  Uid uid = 0;
  std::string email_id;  // empty once its file has been unlinked for good
};

// A rename that has begun.
struct IntentRow {
  std::int64_t number = 0;
  std::string from;
  std::string to;
};

// The rows of one account: what is looked up and counted, all of which can be made anew from the Maildir.
// Each function is one or a few statements and takes part in the caller's transaction. Errors: those of
// Statement::step(); corrupt means that the index has to be rebuilt.
class Index {
 public:
  // Opens the index, or makes an empty one where there is none. Errors: corrupt for a file that is none, or
  // of an older version; unavailable for one of a newer version, which may know what no file name says.
  static Result<Index> open(const std::string& path, const FormMakers& makers = {});
  // A connection for reading beside the writer.
  static Result<Database> open_reader(const std::string& path);

  Database& database() { return database_; }
  // It was empty: nothing of the Maildir is in it yet.
  bool is_new() const { return is_new_; }

  // Whether a commit is to be durable when it returns. Not inside a transaction.
  Result<> sync_commits(bool synced);
  // By how many pages the WAL has grown since the last checkpoint.
  std::uint32_t wal_growth() const;
  // Writes what the WAL holds into the index itself, as far as readers let it. Not inside a transaction.
  Result<> checkpoint();

  Result<std::vector<MailboxRow>> mailboxes();
  Result<> put_mailbox(const MailboxRow& row);
  Result<> remove_mailbox(MailboxId id);   // with all that it has; its messages' rows go later
  Result<> remove_messages(MailboxId id);  // all its messages and tombstones, at once
  // Before a mailbox gets this id: nothing of another one that had it is there.
  Result<> clear_for_mailbox(MailboxId id);
  // The mailbox's UIDs may be other messages' from now on: the summaries that its messages had are not
  // theirs, and copies that share them get new ones. At once, unlike clear_leavings().
  Result<> forget_summaries_of(MailboxId id);
  Result<std::vector<std::string>> keywords(MailboxId id);
  Result<> add_keyword(MailboxId id, std::size_t place, std::string_view name);
  Result<> add_to_account(std::int64_t messages, std::int64_t octets, std::int64_t thread_keys);

  Result<> insert_message(MailboxId id, const MessageRow& row);
  Result<> update_flags(MailboxId id, const MessageRow& row);  // flags, modseq, place, info, lagging
  Result<> remove_message(MailboxId id, const MessageRow& row);
  // The rows of messages, without a trace.
  Result<> remove_rows(MailboxId id, Uid first, Uid last);
  // Pending tombstones in place of all messages from `first` to `last`.
  Result<> expunge_run(MailboxId id, Uid first, Uid last, ModSeq modseq);
  Result<> insert_tombstone(MailboxId id, Uid uid, ModSeq modseq, std::string_view email_id);
  Result<bool> has_tombstone(MailboxId id, Uid uid);
  Result<std::vector<TombstoneRow>> pending_tombstones(MailboxId id);
  // At most `at_once` of them; says whether there may be more.
  Result<bool> clear_pending_tombstones(MailboxId id, std::size_t at_once);
  Result<> clear_pending_tombstones_but(MailboxId id, const UidSet& still_there);
  Result<std::size_t> count_tombstones(MailboxId id);
  // How far back the oldest `count` tombstones that are not pending reach.
  struct OldTombstones {
    ModSeq modseq = 0;  // of the latest of them
    Uid highest = 0;    // of all those with such a MODSEQ or a lower one
  };
  Result<OldTombstones> old_tombstones(MailboxId id, std::size_t count);
  // Removes at most `count` of those that are not pending, up to this MODSEQ; says how many it were.
  Result<std::size_t> remove_tombstones(MailboxId id, ModSeq up_to, std::size_t count);
  Result<> set_gain(MailboxId id, Uid uid, std::uint64_t octets);
  // With the small forms that are made of it.
  Result<> put_summary(MailboxId id, Uid uid, std::string_view encoded);
  // A small form alone, of a message that has a summary.
  Result<> put_form(MailboxId id, Uid uid, Form form, std::string_view octets);
  // What goes later, as it may be much: the rows of mailboxes that were removed, and summaries of messages
  // that are gone, unless copies share them.
  bool may_have_leavings() const { return may_have_leavings_; }
  // Takes away at most `at_once` rows of each kind. Says whether there may be more.
  Result<bool> clear_leavings(std::size_t at_once);
  // To be called when a transaction in which something was cleared is taken back.
  void doubt_leavings() { may_have_leavings_ = true; }

  // The UIDs of the messages among `uids`, ascending.
  Result<std::vector<Uid>> present(MailboxId id, const UidSet& uids);
  // Ascending by UID.
  Result<std::vector<MessageRow>> messages(MailboxId id, const UidSet& uids);
  Result<std::vector<MessageRow>> deleted(MailboxId id, const UidSet& uids);  // those flagged \Deleted
  Result<std::vector<MessageRow>> lagging(MailboxId id, Uid after, std::size_t limit);
  Result<std::vector<MessageRow>> unthreaded(MailboxId id, std::size_t limit);
  // Those with UIDs below `uid_next`.
  Result<std::vector<Message>> load(MailboxId id, Uid uid_next);
  Result<> mark_claimed(MailboxId id, Uid from, Uid to);  // those still in new/ are to move
  Result<std::uint32_t> count_between(MailboxId id, Uid first, Uid end);
  // Whether a message with this email id is anywhere; a scan of all rows.
  Result<> visit_email_ids(const std::function<void(MailboxId, Uid, std::string_view)>& visit);

  // The thread (MessageRow::thread) of a message with that email id and these keys: of several threads that
  // of the first key, of none its own.
  Result<std::optional<std::string>> find_thread(std::string_view email_id,
                                                 std::span<const std::int64_t> keys);
  // Makes it found by these keys, but for those that are another one's already. `day`, since 1970, is when
  // they were used.
  Result<> add_to_thread(std::span<const std::int64_t> keys, std::string_view thread_id, std::int64_t day);
  // How many keys were added since the last call, should all of that have been committed.
  std::int64_t take_added_thread_keys() { return std::exchange(added_thread_keys_, 0); }
  // How many keys there are, or some more.
  Result<std::size_t> count_thread_keys();
  // Where there are more than `most`, forgets those not used for longest, at most `at_once`. Says whether
  // there are still too many.
  Result<bool> forget_thread_keys(std::size_t most, std::size_t at_once);
  Result<> mark_threaded(MailboxId id, Uid uid);

  Result<std::vector<IntentRow>> intents();
  Result<> add_intent(std::string_view from, std::string_view to);
  Result<> remove_intents();

 private:
  Index(Database database, const FormMakers& makers) : database_(std::move(database)), makers_(makers) {}
  Result<> look_for_leavings();
  Result<bool> forget_removed(std::size_t at_once);
  Result<bool> forget_summaries(std::size_t at_once);

  Database database_;
  FormMakers makers_;
  // Written by SQLite's hook at each commit, so it stays where it is. The file's size does not tell: it stays
  // when the WAL begins anew.
  std::unique_ptr<std::uint32_t> wal_pages_ = std::make_unique<std::uint32_t>(0);
  std::uint32_t checkpointed_pages_ = 0;
  std::int64_t added_thread_keys_ = 0;
  bool may_have_leavings_ = false;
  std::optional<bool> syncs_commits_;
  bool is_new_ = false;
};

// One message's row through any connection.
Result<std::optional<MessageRow>> find_message(Database& database, MailboxId id, Uid uid);

// The rows of those of `uids` that are there, ascending by UID, through any connection.
Result<std::vector<MessageRow>> find_messages(Database& database, MailboxId id, const UidSet& uids);

// What a mailbox's row says. not_found.
Result<Counts> find_counts(Database& database, std::string_view name);

// What was expunged by changes above `since`; nothing where not all of it is remembered, or it is more than
// `limit`.
Result<std::optional<UidSet>> find_vanished(Database& database, MailboxId id, ModSeq since,
                                            std::size_t limit);
// The key of a message's summary, unless it shares that of another row; and the one under which it is.
std::int64_t summary_key(MailboxId id, Uid uid);
Result<std::int64_t> find_summary_key(Database& database, MailboxId id, Uid uid);

// What tells that a file at the index's path is still the one that was opened, and that nobody wrote into
// it: in WAL mode the file itself changes at our own checkpoints only.
struct IndexIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t wal_inode = 0;
  bool operator==(const IndexIdentity&) const = default;
};
Result<IndexIdentity> identify_index(FileSystem& files, const std::string& path);

}  // namespace posthorn::storage

#include "storage/account_disk.h"

#include "message/summary_codec.h"
#include "storage/folder_name.h"
#include "storage/folders.h"
#include "storage/maildir_name.h"
#include "storage/measure.h"
#include "storage/threads.h"
#include "storage/work.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t state_file_limit = 1 << 20U;
constexpr std::uint32_t wal_growth_limit = 1'024;  // pages of 4 KiB
constexpr std::uint32_t highest_number = 0x7fffffff;
constexpr std::size_t idle_readers = 2;

// An error that says that the index cannot be used as it is.
bool is_broken(const Error& error) { return error.code == Errc::corrupt; }

}  // namespace

AccountDisk::AccountDisk(DiskContext& context, std::string path, std::string address)
    : context_(context),
      path_(std::move(path)),
      maildir_(path_ + "/Maildir"),
      address_(std::move(address)),
      replacements_(path_ + "/replacing") {}

Outcome AccountDisk::run(std::span<Operation* const> batch, const Snapshots& loaded) {
  const bool synced =
      !std::ranges::all_of(batch, [](const Operation* each) { return each->maildir_suffices(); });
  Outcome outcome;
  for (int attempt = 0;; ++attempt) {
    for (Operation* operation : batch) {
      operation->error.reset();
      operation->waits = operation->unfinished = false;
    }
    replacements_.retire();
    auto ended = ensure_open();
    if (ended) {
      Work work(*this, loaded, synced || rebuilt_ || replacements_.has_unfinished());
      ended = run_all(work, batch, loaded);
      if (ended) {
        outcome = std::move(work.outcome);
        break;
      }
      work.undo();
      if (work.layout_changing) layout_forgotten_ = true;
    }
    // Where that can't be told, the index is what there is.
    const bool broken = index_ && (is_broken(ended.error()) || !index_is_ours().value_or(true));
    // A COMMIT of which nobody knows whether it was done left its files, which the index that is made anew
    // takes in: a second attempt would make them again.
    if (broken && attempt == 0 && !index_in_doubt_) {
      give_up_index(ended.error().detail);
      continue;
    }
    context_.log.error(
        "storage.batch_failed",
        {{"account", address_}, {"error", name_of(ended.error().code)}, {"detail", ended.error().detail}});
    for (Operation* operation : batch) {
      operation->error = ended.error();
      operation->waits = operation->unfinished = false;
    }
    break;
  }
  if (outcome.close) close();
  outcome.open = index_.has_value();
  outcome.restless =
      !restless_.empty() || replacements_.has_some() || (index_ && index_->has_unused_summaries());
  outcome.checkpoint_due = index_ && index_->wal_growth() > wal_growth_limit;
  return outcome;
}

Result<> AccountDisk::run_all(Work& work, std::span<Operation* const> batch, const Snapshots& loaded) {
  if (rebuilt_) {
    // Sessions go on with what the Maildir says.
    for (const auto& [id, snapshot] : loaded) {
      work.begin_operation();
      const auto folder = work.folder(id);
      if (!folder && folder.error().code != Errc::not_found) return std::unexpected(folder.error());
      if (!folder) work.outcome.removed.push_back(id);
      TRY(work.end_operation());
    }
    work.outcome.list_changed = true;
  }
  TRY(replacements_.finish(work));
  for (Operation* operation : batch) {
    work.begin_operation();
    work.operation = operation;
    work.waits = false;
    if (!operation->only_adds()) TRY(work.put_files_in_place());
    auto ended = operation->run(work);
    if (ended) ended = work.end_operation();
    if (ended) continue;
    if (work.waits) {
      operation->waits = true;
      work.undo_operation();
      continue;
    }
    // With the whole batch, if the index is broken or SQLite has given up the transaction.
    if (is_broken(ended.error()) || work.transaction_lost() || work.commit_failed()) return ended;
    operation->error = std::move(ended).error();
    work.undo_operation();
    if (work.layout_changing) layout_forgotten_ = true;
  }
  TRY(work.commit());
  rebuilt_ = false;
  replacements_.confirm();
  return {};
}

Result<bool> AccountDisk::index_is_ours() {
  const auto now = identify_index(files(), index_path());
  if (now) return *now == identity_;
  if (now.error().code == Errc::not_found) return false;
  return std::unexpected(now.error());
}

Result<> AccountDisk::sync_index() {
  if (!index_unsynced_) return {};
  // SQLite locks the index and its shared memory, never the WAL: closing another descriptor of it is safe.
  const auto wal = files().open(index_path() + "-wal", FileSystem::Open::read);
  if (!wal && wal.error().code != Errc::not_found) return std::unexpected(wal.error());
  if (wal) TRY(files().sync(*wal));
  index_unsynced_ = false;
  return {};
}

Result<> AccountDisk::refresh_identity() {
  identity_ = TRY(identify_index(files(), index_path()));
  return {};
}

void AccountDisk::give_up_index(std::string_view why) {
  context_.log.warning("storage.index_lost", {{"account", address_}, {"reason", why}});
  remember_folders();
  forget_readers();
  index_.reset();
  rebuilt_ = true;
  static_cast<void>(drop_index_files());
}

// With the index goes what tells that these files are no messages.
void AccountDisk::unlink_known() {
  for (const auto* files_by_folder : {&left_to_unlink_, &unfinished_copies_}) {
    for (const auto& [id, names] : *files_by_folder) {
      const auto folder = folders_.find(id);
      if (folder == folders_.end()) continue;
      for (const std::string& name : names)
        static_cast<void>(files().unlink(folder->second.path + "/" + name));
    }
  }
}

void AccountDisk::remember_folders() {
  unlink_known();
  for (const auto& [id, folder] : folders_) {
    if (folder.checked) known_[id] = {folder.row.uid_next, folder.row.first_recent, folder.row.modseq};
  }
  forget_folders();
}

const AccountDisk::Known* AccountDisk::known(MailboxId id) const {
  const auto found = known_.find(id);
  return found == known_.end() ? nullptr : &found->second;
}

Result<> AccountDisk::drop_index_files() {
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const auto gone = files().unlink(index_path() + suffix);
    if (!gone && gone.error().code != Errc::not_found) return gone;
  }
  return {};
}

Result<> AccountDisk::ensure_open() {
  if (index_ && !TRY(index_is_ours())) give_up_index("replaced or removed");
  if (index_ && !layout_forgotten_ && !index_in_doubt_) return {};
  for (int attempt = 0;; ++attempt) {
    if (index_in_doubt_) {
      context_.log.warning("storage.commit_in_doubt", {{"account", address_}});
      forget_folders();
      known_.clear();
    }
    remember_folders();
    forget_readers();
    index_.reset();
    auto opened = open_once();
    if (opened) return opened;
    const bool broken = is_broken(opened.error());
    if (broken && attempt == 0) {
      give_up_index(opened.error().detail);
      continue;
    }
    index_.reset();
    forget_folders();
    return opened;
  }
}

Result<> AccountDisk::open_once() {
  ++openings_;
  TRY(files().make_directories(maildir_));
  TRY(read_state());
  TRY(replacements_.load(files()));
  const auto there = files().status(index_path());
  if (!there && there.error().code == Errc::not_found) {
    // A log without its database would be played into the new one.
    TRY(drop_index_files());
  }
  index_ = TRY(Index::open(index_path()));
  index_unsynced_ = true;
  if (index_->is_new() && state_.mailboxes_made) rebuilt_ = true;
  // From here on flags are in the index first: its own entry must not be what a power cut takes.
  if (!there) TRY(files().sync_directory(path_));
  TRY(load_folders());
  TRY(refresh_identity());
  root_modified_ = 0;
  layout_forgotten_ = index_in_doubt_ = false;
  if (rebuilt_) context_.log.warning("storage.index_rebuilt", {{"account", address_}});
  // Mends what a crash left of the folders, and makes those of a new account.
  const Snapshots none;
  Work work(*this, none, true);
  work.begin_operation();
  auto ready = open_account(work);
  if (ready) ready = work.end_operation();
  if (ready) ready = work.commit();
  if (!ready) {
    work.undo();
    return ready;
  }
  // Not before the rows of what is there no more have gone for good.
  if (!trash(work).empty()) restless_.insert(MailboxId{0});  // no folder's: Follow empties it
  return {};
}

Result<> AccountDisk::read_state() {
  state_ = {};
  const std::string path = maildir_ + "/posthorn-account";
  const auto text = files().read_whole(path, state_file_limit);
  if (!text && text.error().code != Errc::not_found) return std::unexpected(text.error());
  if (!text) return {};
  auto parsed = parse_account_state(*text);
  if (!parsed && parsed.error().code == Errc::unavailable) {
    return failure(Errc::unavailable, path + ": " + parsed.error().detail);
  }
  if (!parsed) {
    context_.log.warning("storage.state_damaged", {{"account", address_}, {"file", path}});
    return {};
  }
  state_ = *std::move(parsed);
  return {};
}

Result<> AccountDisk::write_state() {
  return files().replace(maildir_ + "/posthorn-account", to_string(state_));
}

Result<std::uint32_t> AccountDisk::next_number() {
  // By the clock, so that an account removed and made again does not repeat what clients remember; by the
  // counter alone as the clock nears 2038.
  constexpr std::uint32_t near_the_end = highest_number - 100'000'000;
  const std::int64_t now = context_.clock.seconds();
  std::uint32_t next = state_.counter + 1;
  if (now > next && now < near_the_end) next = static_cast<std::uint32_t>(now);
  if (next > highest_number) return too_large("UIDVALIDITYs are used up");
  const std::uint32_t before = std::exchange(state_.counter, next);
  auto written = write_state();
  if (!written) {
    state_.counter = before;
    return std::unexpected(written.error());
  }
  return next;
}

Result<> AccountDisk::load_folders() {
  forget_folders();
  for (MailboxRow& row : TRY(index_->mailboxes())) {
    Folder folder;
    folder.keywords = TRY(index_->keywords(row.id));
    folder.keywords_in_index = folder.keywords.size();
    folder.row = std::move(row);
    add_folder(std::move(folder));
  }
  return {};
}

Folder* AccountDisk::find_folder(std::string_view canonical_name) {
  const auto found = names_.find(canonical_name);
  return found == names_.end() ? nullptr : &folders_.at(found->second);
}

Folder& AccountDisk::add_folder(Folder folder) {
  const MailboxId id = folder.row.id;
  folder.path = folder_path(folder.row.name);
  folder.committed_uid_next = folder.row.uid_next;
  names_[folder.row.name] = id;
  // Whatever became of the counter's file, no number is given twice.
  state_.counter = std::max({state_.counter, folder.row.uid_validity, static_cast<std::uint32_t>(id)});
  return folders_.insert_or_assign(id, std::move(folder)).first->second;
}

void AccountDisk::rename_folder(Folder& folder, std::string canonical_name) {
  names_.erase(folder.row.name);
  folder.row.name = std::move(canonical_name);
  folder.path = folder_path(folder.row.name);
  names_[folder.row.name] = folder.row.id;
}

void AccountDisk::remove_folder(MailboxId id) {
  const auto found = folders_.find(id);
  if (found == folders_.end()) return;
  names_.erase(found->second.row.name);
  known_.erase(id);
  restless_.erase(id);
  left_to_unlink_.erase(id);
  unfinished_copies_.erase(id);
  folders_.erase(found);
}

void AccountDisk::forget_folders() {
  folders_.clear();
  names_.clear();
  restless_.clear();
  left_to_unlink_.clear();
  unfinished_copies_.clear();
  const std::scoped_lock lock(checked_mutex_);
  checked_.clear();
}

std::string AccountDisk::folder_path(std::string_view name) const {
  const std::string directory = folder_directory(name);
  return directory.empty() ? maildir_ : maildir_ + "/" + directory;
}

void AccountDisk::note_checked(MailboxId id, bool checked) {
  const std::scoped_lock lock(checked_mutex_);
  if (checked) {
    checked_.insert(id);
  } else {
    checked_.erase(id);
  }
}

void AccountDisk::close() {
  forget_readers();
  index_.reset();
  forget_folders();
  known_.clear();
}

Result<AccountDisk::Reader> AccountDisk::take_reader() {
  std::uint64_t generation = 0;
  {
    const std::scoped_lock lock(readers_mutex_);
    if (!readers_.empty()) {
      Reader reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
    generation = generation_;
  }
  return Reader{TRY(Index::open_reader(index_path())), generation};
}

void AccountDisk::give_back(Reader reader) {
  const std::scoped_lock lock(readers_mutex_);
  if (reader.generation == generation_ && readers_.size() < idle_readers)
    readers_.push_back(std::move(reader));
}

void AccountDisk::forget_readers() {
  const std::scoped_lock lock(readers_mutex_);
  readers_.clear();
  ++generation_;
}

Result<AccountDisk::Summaries> AccountDisk::summaries(MailboxId id, const UidSet& uids, Effort effort) {
  Summaries found;
  Reader reader = TRY(take_reader());
  TRY(look_up_summaries(reader.database, id, uids, effort, found.present));
  TRY(work_out_summaries(reader.database, id, found));
  give_back(std::move(reader));
  return found;
}

// Those that are not there yet are empty.
Result<> AccountDisk::look_up_summaries(Database& database, MailboxId id, const UidSet& uids, Effort effort,
                                        Mailbox::Summaries& found) {
  std::size_t octets = 0;
  // False where there is no room for more.
  const auto add = [&](Uid uid, std::string_view encoded) {
    if (found.list.size() == summaries_limit) return false;
    octets += encoded.size();
    if (octets > summary_octets_limit && !found.list.empty()) {
      found.rest = uid;
      return false;
    }
    found.list.push_back({uid, std::string(encoded)});
    return true;
  };
  found.list.reserve(std::min<std::uint64_t>(uids.count(), summaries_limit));
  for (const UidSet::Range& range : uids.ranges()) {
    // As long as each is there, and of today's form, nobody has to look at the messages themselves.
    Uid uid = range.first;
    auto present =
        TRY(database.query("SELECT key, encoded FROM summary WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
                           summary_key(id, range.first), summary_key(id, range.last)));
    for (auto row = TRY(present.step()); row; row = TRY(present.step()), ++uid) {
      const std::string_view encoded = row->text(1);
      if (row->integer(0) != summary_key(id, uid) || !message::is_current(encoded)) break;
      if (!add(uid, encoded)) return {};
    }
    if (uid > range.last) continue;
    auto statement =
        TRY(database.query("SELECT uid, encoded FROM message LEFT JOIN summary "
                           "ON key = coalesce(summary_key, ?1 << 31 | uid) WHERE mailbox = ?1 AND uid "
                           "BETWEEN ?2 AND ?3 ORDER BY uid",
                           id, uid, range.last));
    while (const auto row = TRY(statement.step())) {
      const std::string_view encoded = row->text(1);
      const bool usable = message::is_current(encoded);
      if (!usable && effort == Effort::look_up) continue;
      if (!add(static_cast<Uid>(row->integer(0)), usable ? encoded : std::string_view())) return {};
    }
  }
  return {};
}

// Not worked out at arrival, or by an older version: taken over with its name in order, or the index was
// made anew.
Result<> AccountDisk::work_out_summaries(Database& database, MailboxId id, Summaries& found) {
  auto& [list, rest, unread, why] = found.present;
  std::size_t octets = 0;
  for (auto summary = list.begin(); summary != list.end(); ++summary) {
    if (summary->encoded.empty()) {
      auto worked_out = work_out_summary(database, id, summary->uid);
      if (!worked_out && worked_out.error().code == Errc::not_found) continue;
      if (!worked_out) {
        if (worked_out.error().code == Errc::corrupt && !found.resized) found.resized = summary->uid;
        unread.append(summary->uid);
        if (!why) why = std::move(worked_out).error();
        continue;
      }
      summary->encoded = *std::move(worked_out);
      found.worked_out.push_back(*summary);
    }
    const bool is_first = octets == 0;
    octets += summary->encoded.size();
    if (octets > summary_octets_limit && !is_first) {
      rest = summary->uid;
      list.erase(summary, list.end());
      break;
    }
  }
  std::erase_if(list, [](const auto& each) { return each.encoded.empty(); });
  return {};
}

Result<std::string> AccountDisk::work_out_summary(Database& database, MailboxId id, Uid uid) {
  for (int attempt = 0;; ++attempt) {
    const OpenMessage message = TRY(open_message(database, id, uid));
    auto measured = measure(files(), message.path, form_of(message.row));
    if (measured) return std::move(measured->summary);
    // Its name may have followed its flags just then.
    if (measured.error().code != Errc::not_found || attempt > 0) return std::unexpected(measured.error());
  }
}

Result<AccountDisk::Gains> AccountDisk::gains(MailboxId id, Uid from) {
  Gains gains;
  std::vector<Uid> unknown;
  Reader reader = TRY(take_reader());
  {
    auto statement = TRY(reader.database.query(
        "SELECT uid, gain FROM message WHERE mailbox = ?1 AND uid >= ?2 AND gain IS NOT 0 ORDER BY uid", id,
        from));
    while (const auto row = TRY(statement.step())) {
      const Uid uid = static_cast<Uid>(row->integer(0));
      if (!row->is_null(1)) {
        gains.present.push_back({uid, static_cast<std::uint64_t>(row->integer(1))});
      } else if (unknown.size() < summaries_limit) {
        unknown.push_back(uid);
      } else {
        gains.next = uid;
        break;
      }
    }
  }
  for (const Uid uid : unknown) {
    auto message = open_message(reader.database, id, uid);
    if (!message) continue;
    const message::LineEnds ends = line_ends_of(message->row);
    const auto end = end_of(reader.database, id, *std::move(message), 2);
    if (end) gains.worked_out.push_back({uid, gain_of_end(*end, ends)});
  }
  give_back(std::move(reader));
  return gains;
}

Result<std::vector<Mailbox::Origin>> AccountDisk::origins(MailboxId id, const UidSet& uids) {
  std::vector<Mailbox::Origin> found;
  Reader reader = TRY(take_reader());
  for (const UidSet::Range& range : uids.ranges()) {
    auto statement =
        TRY(reader.database.query("SELECT uid, saved, thread, email_id FROM message "
                                  "WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
                                  id, range.first, range.last));
    while (const auto row = TRY(statement.step())) {
      if (found.size() == summaries_limit) break;
      found.push_back({static_cast<Uid>(row->integer(0)), row->integer(1), object_id(row->text(3)),
                       row->is_null(2) ? thread_id_of(row->text(3)) : std::string(row->text(2))});
    }
  }
  give_back(std::move(reader));
  return found;
}

Result<Counts> AccountDisk::committed_counts(std::string_view name) {
  Reader reader = TRY(take_reader());
  auto counts = find_counts(reader.database, name);
  give_back(std::move(reader));
  const std::scoped_lock lock(checked_mutex_);
  if (counts && !checked_.contains(counts->id)) return not_found("the mailbox was not looked at yet");
  return counts;
}

Result<std::optional<UidSet>> AccountDisk::vanished_since(MailboxId id, ModSeq since) {
  Reader reader = TRY(take_reader());
  auto vanished = find_vanished(reader.database, id, since, vanished_limit);
  give_back(std::move(reader));
  return vanished;
}

Result<std::vector<Mailbox::EmailId>> AccountDisk::email_ids(MailboxId id, const UidSet& uids) {
  std::vector<Mailbox::EmailId> ids;
  Reader reader = TRY(take_reader());
  for (const UidSet::Range& range : uids.ranges()) {
    auto statement = TRY(reader.database.query(
        "SELECT uid, email_id FROM message WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid", id,
        range.first, range.last));
    while (const auto row = TRY(statement.step())) {
      if (ids.size() == summaries_limit) break;
      ids.push_back({static_cast<Uid>(row->integer(0)), object_id(row->text(1))});
    }
  }
  give_back(std::move(reader));
  return ids;
}

Result<StoredFile> AccountDisk::open_message(MailboxId id, Uid uid, Octets octets) {
  Reader reader = TRY(take_reader());
  auto message = open_message(reader.database, id, uid);
  if (!message) {
    give_back(std::move(reader));
    return std::unexpected(message.error());
  }
  auto file = file_of(reader.database, id, *std::move(message), octets);
  give_back(std::move(reader));
  return file;
}

Result<StoredFile> AccountDisk::file_of(Database& database, MailboxId id, OpenMessage message,
                                        Octets octets) {
  const MessageRow& row = message.row;
  if (!row.encoded_size || octets == Octets::stored) {
    return StoredFile(files(), std::move(message.file), row.stored_size, row.wire_size);
  }
  message::BinaryView view(TRY(edits_of(database, id, message)), row.stored_size);
  return StoredFile(files(), std::move(message.file), std::move(view));
}

// The last octets: as they are seen of a message with binary parts, else as they are stored, which are found
// at once.
Result<std::string> AccountDisk::end_of(Database& database, MailboxId id, OpenMessage message,
                                        std::size_t count) {
  const MessageRow& row = message.row;
  if (!row.encoded_size) {
    return files().read(message.file, row.stored_size - std::min<std::uint64_t>(row.stored_size, count),
                        count);
  }
  StoredFile file = TRY(file_of(database, id, std::move(message), Octets::seen));
  return file.read(file.size() - std::min<std::uint64_t>(file.size(), count), count);
}

Result<std::vector<Mailbox::Head>> AccountDisk::heads(MailboxId id, const UidSet& uids,
                                                      Mailbox::HeadLimits limits) {
  std::vector<Mailbox::Head> heads;
  std::size_t octets = 0;
  Reader reader = TRY(take_reader());
  const std::string folder = TRY(message_folder(reader.database, id));
  // Read to their end before a file is opened: where one has gone meanwhile, the next look sees why.
  for (MessageRow& row : TRY(find_messages(reader.database, id, uids))) {
    if (!heads.empty() && octets >= limits.all) break;
    const Uid uid = row.uid;
    auto opened = open_named(folder, std::move(row));
    if (!opened) opened = open_message(reader.database, id, uid);
    if (!opened) continue;
    auto file = file_of(reader.database, id, *std::move(opened), Octets::seen);
    if (!file) continue;
    auto head = file->head(limits.each);
    if (!head) continue;
    octets += head->size();
    heads.push_back({uid, *std::move(head)});
  }
  give_back(std::move(reader));
  return heads;
}

Result<std::vector<message::BinaryEdit>> AccountDisk::edits_of(Database& database, MailboxId id,
                                                               const OpenMessage& message) {
  const std::int64_t key = message.row.shared_summary.value_or(summary_key(id, message.row.uid));
  auto statement = TRY(database.query("SELECT encoded FROM summary WHERE key = ?1", key));
  const auto row = TRY(statement.step());
  if (row && message::is_current(row->text(0))) return message::decode_edits(row->text(0));
  return message::decode_edits(TRY(measure(files(), message.path, form_of(message.row))).summary);
}

Result<AccountDisk::OpenMessage> AccountDisk::open_message(Database& database, MailboxId id, Uid uid) {
  // Its name follows its flags in the background, and other programs rename too: then it is looked for.
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto row = TRY(find_message(database, id, uid));
    if (!row) return not_found("message is expunged");
    const std::string folder = TRY(message_folder(database, id));
    auto opened = open_named(folder, *row);
    if (!opened && opened.error().code == Errc::not_found) {
      std::string path = TRY(search_message(folder, *row));
      if (path.empty()) continue;
      opened = open_at(std::move(path), *std::move(row));
    }
    if (opened || opened.error().code != Errc::not_found) return opened;
  }
  return not_found("the file of a message is gone");
}

// Where a mailbox's new/ and cur/ are, with a slash at the end.
Result<std::string> AccountDisk::message_folder(Database& database, MailboxId id) {
  auto name = TRY(database.query("SELECT name FROM mailbox WHERE id = ?1", id));
  const auto mailbox = TRY(name.step());
  if (!mailbox) return not_found("mailbox was deleted");
  return folder_path(mailbox->text(0)) + "/";
}

// The file under the name that the row gives it.
Result<AccountDisk::OpenMessage> AccountDisk::open_named(const std::string& folder, MessageRow row) {
  std::string path = folder + row.file();
  return open_at(std::move(path), std::move(row));
}

Result<AccountDisk::OpenMessage> AccountDisk::open_at(std::string path, MessageRow row) {
  File file = TRY(open_message_file(files(), path));
  if (TRY(files().status(file)).size != row.stored_size) {
    return failure(Errc::corrupt, path + " has another size than the index says");
  }
  return OpenMessage{std::move(file), std::move(row), std::move(path)};
}

// The file of `row` under whatever flags; empty if there is none.
Result<std::string> AccountDisk::search_message(const std::string& folder, const MessageRow& row) {
  for (const Place place : {Place::fresh, Place::current}) {
    const std::string directory = folder + std::string(name_of(place));
    for (const std::string& name : TRY(files().list(directory))) {
      const MaildirName parsed = parse_maildir_name(name);
      if (parsed.uid == row.uid && parsed.email_id == row.email_id) return directory + name;
    }
  }
  return std::string();
}

StoredForm form_of(const MessageRow& row) { return {line_ends_of(row), row.encoded_size.has_value()}; }

message::LineEnds line_ends_of(const MessageRow& row) {
  return row.stored_size == row.wire_size ? message::LineEnds::crlf : message::LineEnds::lf;
}

}  // namespace posthorn::storage

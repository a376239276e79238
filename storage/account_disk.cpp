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

// An error that says that the index cannot be used as it is.
bool is_broken(const Error& error) { return error.code == Errc::corrupt; }

}  // namespace

AccountDisk::AccountDisk(DiskContext& context, std::string path, std::string address)
    : context_(context),
      path_(std::move(path)),
      maildir_(path_ + "/Maildir"),
      address_(std::move(address)),
      replacements_(path_ + "/replacing"),
      search_(context.files, path_ + "/search.sqlite") {}

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
      !restless_.empty() || replacements_.has_some() || (index_ && index_->may_have_leavings());
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
  search_index_off_ = files().status(search_switch()).has_value();
  const auto there = files().status(index_path());
  if (!there && there.error().code == Errc::not_found) {
    // A log without its database would be played into the new one.
    TRY(drop_index_files());
  }
  index_ = TRY(Index::open(index_path(), context_.settings.forms));
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
  search_.close();
  {
    const std::scoped_lock lock(searched_mutex_);
    searched_.clear();
  }
  index_.reset();
  forget_folders();
  known_.clear();
}

}  // namespace posthorn::storage

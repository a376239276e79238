// The files of a batch: new ones, those that go after the commit, and how what was done to them is taken
// back.
#include "storage/maildir_name.h"
#include "storage/work.h"

#include <algorithm>
#include <utility>

namespace posthorn::storage {
namespace {

// So many new files are open at once.
constexpr std::size_t written_limit = 64;
// So many files go before the reply to whoever expunged them.
constexpr std::size_t unlinks_at_once = 100;

}  // namespace

void Work::touching(Folder& folder, Place place) {
  const auto key = std::pair(folder.row.id, place);
  if (touched_.contains(key)) return;
  const std::int64_t recorded = place == Place::fresh ? folder.row.new_modified : folder.row.cur_modified;
  const auto now = files.status(folder.place(place));
  touched_[key] = recorded != 0 && now && now->modified_ns == recorded;
}

void Work::record_mtimes() {
  for (const auto& [key, known] : touched_) {
    const auto found = disk.folders().find(key.first);
    if (found == disk.folders().end() || !known) continue;
    Folder& folder = found->second;
    std::int64_t& recorded = key.second == Place::fresh ? folder.row.new_modified : folder.row.cur_modified;
    const auto now = files.status(folder.place(key.second));
    // 0 was set meanwhile: somebody wants it listed.
    if (recorded != 0 && now) recorded = now->modified_ns;
    folder.doubtful = true;
  }
  touched_.clear();
}

Result<> Work::write_file(const std::string& path, const std::string& tmp, std::string_view bytes) {
  if (written_.size() == written_limit) TRY(put_files_in_place());
  written_.push_back(TRY(write_aside(files, path, tmp, bytes)));
  return {};
}

Result<> Work::put_files_in_place() {
  auto placed = put_in_place(files, written_);
  // What a failed sync lost is lost: the operations that they belong to can't go on.
  if (!placed) {
    commit_failed_ = true;
    return placed;
  }
  written_.clear();
  written_before_operation_ = 0;
  return {};
}

void Work::drop_written(std::size_t keep) {
  for (; written_.size() > keep; written_.pop_back()) static_cast<void>(files.unlink(written_.back().tmp));
}

void Work::undo_steps(std::size_t keep) {
  std::set<std::string> directories;
  for (; steps_.size() > keep; steps_.pop_back()) {
    const Step& step = steps_.back();
    if (!step.name_before.empty()) {
      if (!files.rename(step.path, step.name_before)) continue;
      for (const std::string& path : {step.path, step.name_before})
        directories.insert(path.substr(0, path.rfind('/')));
    } else if (!files.unlink(step.path)) {
      static_cast<void>(files.remove_directory(step.path));
    }
  }
  // The renames may be on disk already: what comes into these folders from now on is to be found in them.
  for (const std::string& directory : directories) static_cast<void>(files.sync_directory(directory));
}

void Work::unlink_after_commit(Folder& folder, const MessageRow& row) {
  touching(folder, row.place);
  folder.tombstones_pending = true;
  to_unlink_.push_back({folder.row.id, row.file()});
}

void Work::unlink_after_commit(Folder& folder, Place place, std::string_view name) {
  touching(folder, place);
  folder.tombstones_pending = true;
  to_unlink_.push_back({folder.row.id, std::string(name_of(place)) + std::string(name)});
}

bool Work::will_unlink(const Folder& folder) const {
  return std::ranges::any_of(to_unlink_, [&](const Unlink& each) { return each.folder == folder.row.id; });
}

UidSet Work::uids_to_unlink(const Folder& folder) const {
  std::vector<Uid> uids;
  for (const Unlink& unlink : to_unlink_) {
    const std::string_view name = std::string_view(unlink.file).substr(unlink.file.find('/') + 1);
    const MaildirName parsed = parse_maildir_name(name);
    if (unlink.folder == folder.row.id && parsed.uid) uids.push_back(*parsed.uid);
  }
  std::ranges::sort(uids);
  UidSet set;
  for (const Uid uid : uids) set.append(uid);
  return set;
}

std::set<std::string> Work::unlinks(const Folder& folder) const {
  std::set<std::string> paths;
  for (const Unlink& unlink : to_unlink_) {
    if (unlink.folder == folder.row.id) paths.insert(folder.path + "/" + unlink.file);
  }
  const auto left = disk.left_to_unlink().find(folder.row.id);
  if (left == disk.left_to_unlink().end()) return paths;
  for (const std::string& file : left->second) paths.insert(folder.path + "/" + file);
  return paths;
}

// Nobody is to wait for many files to go, as their tombstones are committed.
void Work::unlink_committed() {
  const std::size_t now = std::min(to_unlink_.size(), unlinks_at_once);
  for (std::size_t each = 0; each < to_unlink_.size(); ++each) {
    Unlink& unlink = to_unlink_[each];
    const auto folder = disk.folders().find(unlink.folder);
    if (folder == disk.folders().end()) continue;
    if (each < now) {
      unlink_now(folder->second, unlink.file);
    } else {
      disk.left_to_unlink()[unlink.folder].push_back(std::move(unlink.file));
    }
  }
  to_unlink_.clear();
}

void Work::unlink_now(Folder& folder, const std::string& file) {
  const std::string path = folder.path + "/" + file;
  const auto gone = files.unlink(path);
  if (gone) return;
  const bool renamed = gone.error().code == Errc::not_found;
  const bool is_news = !renamed && !std::exchange(folder.files_stay, true);
  // Another program has renamed it just now, or it may go at the second attempt: the next look finds it and
  // finishes this.
  if (renamed || is_news) folder.row.cur_modified = 0;
  if (is_news)
    disk.context().log.warning("storage.file_stays", {{"file", path}, {"error", gone.error().detail}});
}

bool Work::unlink_left(Folder& folder, std::size_t limit) {
  const auto found = disk.left_to_unlink().find(folder.row.id);
  if (found == disk.left_to_unlink().end()) return false;
  std::vector<std::string>& left = found->second;
  for (const Place place : {Place::fresh, Place::current}) touching(folder, place);
  for (; limit > 0 && !left.empty(); --limit) {
    unlink_now(folder, left.back());
    left.pop_back();
  }
  if (!left.empty()) return true;
  disk.left_to_unlink().erase(found);
  return false;
}

}  // namespace posthorn::storage

#include "storage/replacement.h"

#include "storage/work.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

namespace posthorn::storage {
namespace {

constexpr std::uint64_t highest_number = 0x7fffffff;

// A number of the notes, from 1 on, without leading zeros; what follows it has to be `end`.
std::optional<std::uint64_t> take_number(std::string_view& text, char end) {
  std::uint64_t number = 0;
  const auto [behind, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.front() == '0' || number > highest_number) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(behind - text.data()));
  if (end == '\0') return text.empty() ? std::optional(number) : std::nullopt;
  if (!text.starts_with(end)) return std::nullopt;
  text.remove_prefix(1);
  return number;
}

// Whether the new message is there and the old one too: then that one goes.
Result<> finish_one(Work& work, const Replacement& replacement) {
  Folder& to = *TRY(work.folder(replacement.to));
  Folder& from = *TRY(work.folder(replacement.from));
  Database& index = work.disk.index().database();
  if (!TRY(find_message(index, to.row.id, replacement.uid))) return {};
  const auto row = TRY(find_message(index, from.row.id, replacement.replaced));
  if (!row) return {};
  TRY(work.remove(from, *row, row->email_id));
  work.unlink_after_commit(from, *row);
  work.disk.context().log.info(
      "storage.replace_finished",
      {{"account", work.disk.address()}, {"mailbox", from.row.name}, {"uid", replacement.replaced}});
  return {};
}

}  // namespace

std::string to_string(const Replacement& replacement) {
  return std::to_string(replacement.from) + "." + std::to_string(replacement.replaced) + "-" +
         std::to_string(replacement.to) + "." + std::to_string(replacement.uid);
}

std::optional<Replacement> parse_replacement(std::string_view name) {
  const auto from = take_number(name, '.');
  const auto replaced = from ? take_number(name, '-') : std::nullopt;
  const auto to = replaced ? take_number(name, '.') : std::nullopt;
  const auto uid = to ? take_number(name, '\0') : std::nullopt;
  if (!uid) return std::nullopt;
  return Replacement{*from, static_cast<Uid>(*replaced), *to, static_cast<Uid>(*uid)};
}

Result<> Replacements::load(FileSystem& files) {
  for (auto* list : {&unfinished_, &finished_, &noted_, &past_}) list->clear();
  const auto names = files.list(path_);
  if (!names && names.error().code == Errc::not_found) return {};
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (const auto replacement = parse_replacement(name)) unfinished_.push_back(*replacement);
  }
  return {};
}

Result<> Replacements::finish(Work& work) {
  finished_.clear();
  for (const Replacement& replacement : unfinished_) {
    work.begin_operation();
    auto done = finish_one(work, replacement);
    if (done) done = work.end_operation();
    if (!done && (done.error().code == Errc::corrupt || work.transaction_lost())) return done;
    // A mailbox that is gone has taken its message along.
    if (done || done.error().code == Errc::not_found) {
      finished_.push_back(replacement);
    } else {
      work.disk.context().log.warning("storage.replace_unfinished", {{"account", work.disk.address()},
                                                                     {"note", to_string(replacement)},
                                                                     {"error", done.error().detail}});
    }
    if (!done) work.undo_operation();
  }
  return {};
}

void Replacements::confirm() {
  std::ranges::move(finished_, std::back_inserter(past_));
  finished_.clear();
  unfinished_.clear();
}

Result<> Replacements::note(FileSystem& files, const Replacement& replacement) {
  TRY(files.make_directories(path_));
  noted_.push_back(replacement);
  const auto made = files.open(file(replacement), FileSystem::Open::create_new);
  if (!made && made.error().code != Errc::already_exists) return std::unexpected(made.error());
  return files.sync_directory(path_);
}

void Replacements::retire() {
  std::ranges::move(noted_, std::back_inserter(past_));
  noted_.clear();
}

Result<> Replacements::forget(Work& work) {
  if (past_.empty()) return {};
  std::set<std::string> directories;
  for (const Replacement& replacement : past_) {
    for (const MailboxId id : {replacement.from, replacement.to}) {
      const auto folder = work.disk.folders().find(id);
      if (folder == work.disk.folders().end()) continue;
      for (const Place place : {Place::fresh, Place::current})
        directories.insert(folder->second.place(place));
    }
  }
  for (const std::string& directory : directories) {
    const auto synced = work.files.sync_directory(directory);
    if (!synced && synced.error().code != Errc::not_found) return synced;
  }
  for (const Replacement& replacement : past_) {
    const auto gone = work.files.unlink(file(replacement));
    if (!gone && gone.error().code != Errc::not_found) return gone;
  }
  past_.clear();
  return {};
}

}  // namespace posthorn::storage

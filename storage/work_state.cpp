// A folder and its state file: whether they agree, and what the file promises of UIDs, MODSEQs and keywords.
#include "storage/work.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

// How far a state file promises ahead of what is in use: so many UIDs and MODSEQs cost no sync of their own.
constexpr Uid uid_block = 256;
constexpr ModSeq modseq_block = 4096;
constexpr Uid highest_uid = 0x7fffffff;
constexpr std::size_t state_file_limit = 1 << 20U;

}  // namespace

// A folder's first use since the account was opened: does its state file agree with the index? They do after
// a clean end; otherwise the index may lack the latest, or be another one altogether.
Result<> Work::check(Folder& folder) {
  change(folder);
  const std::string path = folder.path + "/posthorn-mailbox";
  std::optional<FolderState> state;
  const auto text = files.read_whole(path, state_file_limit);
  if (text) {
    auto parsed = parse_folder_state(*text);
    if (!parsed && parsed.error().code == Errc::unavailable) {
      return failure(Errc::unavailable, path + ": " + parsed.error().detail);
    }
    if (parsed) state = *std::move(parsed);
  } else if (text.error().code != Errc::not_found) {
    return std::unexpected(text.error());
  }
  MailboxRow& row = folder.row;
  const auto known = disk.known(row.id);
  const bool clean = state && !known && state->settled && state->uid_validity == row.uid_validity &&
                     state->id == row.id && state->uid_next == row.uid_next && state->modseq == row.modseq &&
                     state->keywords == folder.keywords;
  const Uid committed = folder.committed_uid_next;
  if (state) {
    TRY(take_state(folder, *state));
  } else {
    disk.context().log.warning("storage.state_missing", {{"account", disk.address()}, {"mailbox", row.name}});
    row.uid_next = std::min(row.uid_next + uid_block, highest_uid + 1);
    row.modseq += modseq_block;
    folder.uid_ceiling = row.uid_next;
    folder.modseq_ceiling = row.modseq;
  }
  if (known) {
    row.uid_next = known->uid_next;
    row.modseq = known->modseq;
    row.first_recent = known->first_recent;
  }
  if (!state || state->id != row.id) TRY(write_folder_state(folder, false));
  folder.checked = true;
  folder.mended_from = clean ? highest_uid + 1 : committed;
  if (clean) {
    // Where the rows are made anew, what sessions have is not to be added once more.
    if (row.remembers_from == 0) reload(folder);
    TRY(look(folder, row.remembers_from == 0 ? Thoroughness::mending : Thoroughness::quick));
    TRY(settle_memory(folder));
    disk.note_checked(row.id, true);
    return {};
  }
  TRY(drop_unfinished(folder, committed));
  // The index may be behind in anything.
  folder.lagging = folder.tombstones_pending = folder.further_keywords_stale = true;
  TRY(write());
  TRY(look(folder, known ? Thoroughness::mending : Thoroughness::after_crash, committed));
  TRY(settle_memory(folder));
  reload(folder);
  disk.note_checked(row.id, true);
  return {};
}

// A COPY in pieces that was cut off: nobody has seen the messages from `committed` on. Their files are left
// to the look that follows: an index put back from a copy has such rows for messages that are whole by now.
Result<> Work::drop_unfinished(Folder& folder, Uid committed) {
  UidSet uids;
  uids.append(committed, highest_uid);
  const auto unfinished = TRY(disk.index().present(folder.row.id, uids));
  if (unfinished.empty()) return {};
  folder.row.uid_next = std::max(folder.row.uid_next, unfinished.back() + 1);
  TRY(promise(folder, folder.row.uid_next, folder.row.modseq));
  return write(&Index::remove_rows, folder.row.id, committed, highest_uid);
}

// Where the rows were made anew, what vanished before is not known, nor what did while they were made.
Result<> Work::settle_memory(Folder& folder) {
  if (folder.row.remembers_from != 0) return {};
  folder.row.remembers_from = folder.row.uid_next == 1 ? folder.row.modseq : TRY(modseq(folder));
  TRY(write());
  return {};
}

Result<> Work::take_state(Folder& folder, const FolderState& state) {
  MailboxRow& row = folder.row;
  const std::size_t shared = std::min(state.keywords.size(), folder.keywords.size());
  const bool same_keywords = std::equal(
      state.keywords.begin(), state.keywords.begin() + static_cast<long>(shared), folder.keywords.begin());
  if (state.uid_validity != row.uid_validity || !same_keywords) {
    // Another folder stands where the index knew one: its Maildir counts.
    TRY(write(&Index::remove_messages, row.id));
    TRY(write(&Index::forget_summaries_of, row.id));
    row.uid_validity = state.uid_validity;
    row.uid_next = 1;
    row.first_recent = 0;
    row.remembers_from = 0;
    row.forgotten_uid = 0;
    row.messages = row.unseen = row.deleted = 0;
    row.octets = 0;
    row.new_modified = row.cur_modified = 0;
    folder.keywords.clear();
    folder.keywords_in_index = 0;
  }
  if (state.keywords.size() > folder.keywords.size()) folder.keywords = state.keywords;
  row.special_use = state.special_use;
  row.uid_next = std::max(row.uid_next, state.uid_next);
  row.modseq = std::max(row.modseq, state.modseq);
  folder.other_lines = state.others;
  folder.settled = state.settled;
  folder.uid_ceiling = state.uid_next;
  folder.modseq_ceiling = state.modseq;
  return {};
}

Result<> Work::write_folder_state(Folder& folder, bool settled) {
  FolderState state;
  state.uid_validity = folder.row.uid_validity;
  state.id = folder.row.id;
  state.special_use = folder.row.special_use;
  state.settled = settled;
  state.uid_next = settled ? folder.row.uid_next : folder.uid_ceiling;
  state.modseq = settled ? folder.row.modseq : folder.modseq_ceiling;
  state.keywords = folder.keywords;
  state.others = folder.other_lines;
  TRY(files.replace(folder.path + "/posthorn-mailbox", to_string(state)));
  folder.settled = settled;
  folder.uid_ceiling = state.uid_next;
  folder.modseq_ceiling = state.modseq;
  return {};
}

// The state file must promise before anything is used.
Result<> Work::promise(Folder& folder, Uid uid_next, ModSeq modseq) {
  if (!folder.settled && uid_next <= folder.uid_ceiling && modseq <= folder.modseq_ceiling) return {};
  const Uid uid_before = folder.uid_ceiling;
  const ModSeq modseq_before = folder.modseq_ceiling;
  folder.uid_ceiling = std::max(uid_before, std::min(uid_next + uid_block, highest_uid + 1));
  folder.modseq_ceiling = std::max(modseq_before, modseq + modseq_block);
  auto written = write_folder_state(folder, false);
  if (!written) {
    folder.uid_ceiling = uid_before;
    folder.modseq_ceiling = modseq_before;
  }
  return written;
}

Result<> Work::promise_uids(Folder& folder, std::size_t count) {
  const std::uint64_t wanted = std::uint64_t{folder.row.uid_next} + count;
  change(folder);
  return promise(folder, static_cast<Uid>(std::min<std::uint64_t>(wanted, highest_uid)), folder.row.modseq);
}

Result<> Work::promise_more(Folder& folder) {
  return promise(folder, std::min(folder.row.uid_next, highest_uid) + 1, folder.row.modseq + 1);
}

Result<Uid> Work::next_uid(Folder& folder) {
  if (folder.row.uid_next > highest_uid) return too_large("the UIDs of " + folder.row.name + " are used up");
  change(folder);
  TRY(promise(folder, folder.row.uid_next + 1, folder.row.modseq));
  return folder.row.uid_next++;
}

Result<ModSeq> Work::modseq(Folder& folder) {
  const auto found = modseqs_.find(folder.row.id);
  if (found != modseqs_.end()) return found->second;
  change(folder);
  TRY(promise(folder, folder.row.uid_next, folder.row.modseq + 1));
  modseqs_[folder.row.id] = ++folder.row.modseq;
  return folder.row.modseq;
}

Result<> Work::add_keywords(Folder& folder, const std::vector<std::string>& names) {
  std::vector<std::string> added;
  for (const std::string& name : names) {
    if (!is_keyword(name)) return failure(Errc::not_allowed, "keyword that is no atom");
    if (!find_keyword(folder.keywords, name) && !find_keyword(added, name)) added.push_back(name);
  }
  if (added.empty()) return {};
  const std::size_t before = folder.keywords.size();
  if (added.size() > KeywordSet::capacity - before) return too_large("keywords of " + folder.row.name);
  change(folder);
  folder.keywords.insert(folder.keywords.end(), added.begin(), added.end());
  // On disk before a message has it. A keyword without messages, should this be undone, does no harm.
  auto written = promise(folder, folder.row.uid_next + 1, folder.row.modseq + 1);
  if (written) written = write_folder_state(folder, false);
  if (!written) folder.keywords.resize(before);
  return written;
}

Result<KeywordSet> Work::keywords(Folder& folder, const std::vector<std::string>& names) {
  TRY(add_keywords(folder, names));
  KeywordSet set;
  for (const std::string& name : names) set.add(*find_keyword(folder.keywords, name));
  return set;
}

}  // namespace posthorn::storage

#include "storage/folders.h"

#include "storage/acl.h"
#include "storage/folder_name.h"
#include "storage/messages.h"
#include "storage/namespaces.h"
#include "storage/place_file.h"
#include "storage/share_folder.h"
#include "storage/wall_clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace posthorn::storage {
namespace {

constexpr std::size_t state_file_limit = 1 << 20U;
constexpr std::size_t subscriptions_limit = 8 << 20U;
constexpr std::string_view inbox = "INBOX";

struct FirstMailbox {
  std::string_view name;
  SpecialUse use;
};
// RFC 6154 §2.
constexpr std::array<FirstMailbox, 6> first_mailboxes{{{inbox, SpecialUse::none},
                                                       {"Drafts", SpecialUse::drafts},
                                                       {"Sent", SpecialUse::sent},
                                                       {"Junk", SpecialUse::junk},
                                                       {"Trash", SpecialUse::trash},
                                                       {"Archive", SpecialUse::archive}}};

std::span<const FirstMailbox> first_mailboxes_of(std::string_view account) {
  return std::span(first_mailboxes).first(is_organisation(account) ? 1 : first_mailboxes.size());
}

bool is_below(std::string_view name, std::string_view parent) {
  return name.size() > parent.size() && name.starts_with(parent) && name[parent.size()] == '/';
}

Result<> make_if_missing(Work& work, const std::string& path) {
  auto made = work.files.make_directory(path);
  if (made) work.created(path);
  if (made || made.error().code == Errc::already_exists) return {};
  return made;
}

Result<std::optional<FolderState>> read_folder_state(Work& work, const std::string& path) {
  const auto text = work.files.read_whole(path + "/posthorn-mailbox", state_file_limit);
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto state = parse_folder_state(*text);
  if (state) return *std::move(state);
  if (state.error().code == Errc::unavailable) {
    return failure(Errc::unavailable, path + ": " + state.error().detail);
  }
  work.disk.context().log.warning("storage.state_damaged",
                                  {{"account", work.disk.address()}, {"folder", path}});
  return std::nullopt;
}

// The directories of a mailbox and its state file; all but the entry of `path` itself is synced.
Result<> fill_directory(Work& work, const std::string& path, const FolderState& state, const Acl* acl) {
  TRY(make_if_missing(work, path));
  for (const char* name : {"/new", "/cur", "/tmp"}) TRY(make_if_missing(work, path + name));
  if (path != work.disk.maildir()) {
    // By which other programs know a Maildir++ folder.
    const auto mark = work.files.open(path + "/maildirfolder", FileSystem::Open::create_new);
    if (mark) work.created(path + "/maildirfolder");
    if (!mark && mark.error().code != Errc::already_exists) return std::unexpected(mark.error());
  }
  if (acl != nullptr) {
    work.created(acl_file(path));
    work.created(acl_file(path) + ".new");
    TRY(work.files.replace(acl_file(path), to_string(*acl)));
  }
  work.created(path + "/posthorn-mailbox");
  work.created(path + "/posthorn-mailbox.new");
  return work.files.replace(path + "/posthorn-mailbox", to_string(state));
}

// Where deleted folders go, and new ones are made: what a crash leaves there counts if it has a row.
Result<std::string> place_aside(Work& work, MailboxId id) {
  TRY(make_if_missing(work, work.disk.trash_path()));
  return work.disk.trash_path() + "/" + std::to_string(id) + "." + work.disk.context().random.hex(8);
}

// The mailbox that a folder put aside is of, if it has a row: then it was not deleted.
const Folder* row_of_aside(Work& work, std::string_view name) {
  MailboxId id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return nullptr;
  const auto found = work.disk.folders().find(id);
  return found == work.disk.folders().end() ? nullptr : &found->second;
}

// Folders of which a DELETE was not committed go back to where they were. One that can't is an error: it
// would be taken for one that another program has removed, and lose its row, by which its files are kept.
Result<> bring_back(Work& work) {
  const auto aside = work.files.list(work.disk.trash_path());
  if (!aside && aside.error().code == Errc::not_found) return {};
  if (!aside) return std::unexpected(aside.error());
  for (const std::string& name : *aside) {
    const Folder* folder = row_of_aside(work, name);
    if (folder == nullptr || work.files.status(folder->path)) continue;
    TRY(work.files.rename(work.disk.trash_path() + "/" + name, folder->path));
    work.sync_later(work.disk.maildir());
    work.disk.context().log.warning("storage.folder_brought_back",
                                    {{"account", work.disk.address()}, {"mailbox", folder->row.name}});
  }
  return {};
}

// A new folder appears in one step, with its UIDVALIDITY and access control list. One that another program
// has made is filled.
Result<> make_directory(Work& work, const std::string& path, const FolderState& state, const Acl* acl) {
  work.sync_later(work.disk.maildir());
  if (work.files.status(path)) return fill_directory(work, path, state, nullptr);
  const std::string aside = TRY(place_aside(work, state.id));
  TRY(fill_directory(work, aside, state, acl));
  TRY(work.files.rename(aside, path));
  work.renamed(aside, path);
  return {};
}

Result<Folder*> insert_folder(Work& work, std::string name, const FolderState& state, Uid first_recent) {
  Folder folder;
  folder.row.id = state.id;
  folder.row.name = std::move(name);
  folder.row.uid_validity = state.uid_validity;
  folder.row.special_use = state.special_use;
  folder.row.uid_next = state.uid_next;
  folder.row.modseq = state.modseq;
  folder.row.first_recent = first_recent;
  folder.keywords = state.keywords;
  folder.acl = read_acl(work.disk, work.disk.folder_path(folder.row.name));
  Folder& added = work.change(work.disk.add_folder(std::move(folder)));
  TRY(work.write(&Index::put_mailbox, added.row));
  TRY(work.write(&Index::clear_for_mailbox, added.row.id));
  work.outcome.list_changed = true;
  return &added;
}

// What a new mailbox inherits (RFC 4314 §4): the list of the level above it.
std::shared_ptr<const Acl> inherited_acl(Work& work, std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const Folder* parent =
      slash == std::string_view::npos ? nullptr : work.disk.find_folder(name.substr(0, slash));
  return parent == nullptr ? nullptr : parent->acl;
}

Result<Folder*> make_folder(Work& work, std::string name, SpecialUse use) {
  if (work.disk.folders().size() >= work.disk.context().settings.mailboxes_per_account) {
    return too_large("mailboxes of " + work.disk.address());
  }
  work.layout_changing = true;
  const std::string path = work.disk.folder_path(name);
  FolderState state;
  const auto begun = TRY(read_folder_state(work, path));
  if (begun && !work.disk.folders().contains(begun->id)) {
    state = *begun;  // a crash came before COMMIT
  } else {
    state.id = state.uid_validity = TRY(work.disk.next_number());
    state.special_use = use;
  }
  const bool is_new = !begun && !work.files.status(path);
  TRY(make_directory(work, path, state, inherited_acl(work, name).get()));
  Folder* folder = TRY(insert_folder(work, std::move(name), state, 1));
  if (!is_new) return folder;
  // Nothing has been in it that could have vanished.
  folder->row.remembers_from = state.modseq;
  return folder;
}

// The levels above `name` that are not there.
Result<> make_parents(Work& work, std::string_view name) {
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos;
       slash = name.find('/', slash + 1)) {
    const std::string_view parent = name.substr(0, slash);
    if (work.disk.find_folder(parent) == nullptr)
      TRY(make_folder(work, std::string(parent), SpecialUse::none));
  }
  return {};
}

// A folder that is on disk and not among the rows. `missing`: ids of rows without a folder.
Result<> adopt(Work& work, const std::string& name, std::set<MailboxId>& missing) {
  const std::string path = work.disk.folder_path(name);
  auto state = TRY(read_folder_state(work, path));
  const auto same = state ? work.disk.folders().find(state->id) : work.disk.folders().end();
  if (same != work.disk.folders().end() && missing.contains(state->id)) {
    work.layout_changing = true;
    missing.erase(state->id);
    Folder& folder = work.change(same->second);
    work.disk.rename_folder(folder, name);
    work.outcome.infos[folder.row.id] = folder.info();
    work.outcome.list_changed = true;
    return work.write(&Index::put_mailbox, folder.row);
  }
  // A copy of a folder has its state file too: it becomes a mailbox of its own.
  if (same != work.disk.folders().end()) state.reset();
  if (!state) {
    TRY(make_folder(work, name, SpecialUse::none))->row.first_recent = 0;
    return {};
  }
  work.layout_changing = true;
  for (const char* directory : {"/new", "/cur", "/tmp"}) TRY(make_if_missing(work, path + directory));
  TRY(insert_folder(work, name, *state, 0));
  return {};
}

// Whether a directory of the Maildir looks like a folder.
bool is_folder(Work& work, const std::string& path) {
  const auto status = work.files.status(path);
  if (!status || !status->directory) return false;
  return work.files.status(path + "/cur").has_value() ||
         work.files.status(path + "/posthorn-mailbox").has_value();
}

// Puts the folders of a tree under their new names, where a crash left any under the old one.
Result<> move_tree(Work& work, const std::string& from, const std::string& to) {
  for (auto& [id, folder] : work.disk.folders()) {
    if (folder.row.name != from && !is_below(folder.row.name, from)) continue;
    const std::string target = to + folder.row.name.substr(from.size());
    const std::string path = work.disk.folder_path(target);
    auto moved = work.files.rename(folder.path, path);
    const bool moved_before = !moved && moved.error().code == Errc::not_found && is_folder(work, path);
    if (!moved && !moved_before) return moved;
    work.renamed(folder.path, path);
    work.change(folder);
    work.disk.rename_folder(folder, target);
    TRY(work.write(&Index::put_mailbox, folder.row));
    work.outcome.infos[id] = folder.info();
  }
  work.sync_later(work.disk.maildir());
  work.outcome.list_changed = true;
  return {};
}

// RFC 3501 §6.3.5: INBOX's messages go to a new mailbox, INBOX stays.
Result<> move_inbox(Work& work, const std::string& to) {
  Folder* target = work.disk.find_folder(to);
  Folder& source = *TRY(work.folder(inbox));
  if (target == nullptr) {
    target = TRY(make_folder(work, to, SpecialUse::none));
    // If a crash cut this off before, links of INBOX's messages are there already.
    target->checked = true;
    TRY(work.look(*target, Work::Thoroughness::after_crash, 1));
  }
  target = TRY(work.folder(to));
  UidSet all;
  all.append(1, 0x7fffffff);
  TRY(transfer(work, source, all, *target, Transfer::move));
  return {};
}

// Whether a rename that a crash cut off is to be left as it is: otherwise nobody could open the account
// again. Each folder then has the name that it is found under. Messages of INBOX could be doubled.
bool may_give_up(const Error& error, bool is_inbox) {
  switch (error.code) {
    case Errc::disk_full:
    case Errc::busy:
    case Errc::corrupt: return false;
    // Commonly a folder with messages stands in the way.
    case Errc::io: return !is_inbox;
    default: return true;
  }
}

Result<> finish_intents(Work& work) {
  if (work.disk.intents_cancelled()) {
    TRY(work.write(&Index::remove_intents));
    TRY(work.commit());
    work.disk.intents_cancelled() = false;
  }
  for (const IntentRow& intent : TRY(work.disk.index().intents())) {
    work.disk.context().log.info(
        "storage.rename_finished",
        {{"account", work.disk.address()}, {"from", intent.from}, {"to", intent.to}});
    const bool is_inbox = intent.from == inbox;
    auto finished = is_inbox ? move_inbox(work, intent.to) : move_tree(work, intent.from, intent.to);
    if (!finished && !may_give_up(finished.error(), is_inbox)) return finished;
    if (!finished) {
      work.disk.context().log.error("storage.rename_given_up", {{"account", work.disk.address()},
                                                                {"from", intent.from},
                                                                {"to", intent.to},
                                                                {"error", finished.error().detail}});
    }
    TRY(work.write(&Index::remove_intents));
  }
  return {};
}

// Ends a rename that could not be done; its error stays the one that is told.
void cancel_intent(Work& work) {
  work.undo();
  work.begin_operation();
  auto removed = work.write(&Index::remove_intents);
  if (removed) removed = work.commit();
  if (!removed) work.disk.intents_cancelled() = true;
}

// Many clients show what is subscribed alone. A taken-over Maildir's own list stays as it is.
Result<> subscribe_first_mailboxes(Work& work) {
  const std::string path = work.disk.maildir() + "/posthorn-subscriptions";
  if (work.files.status(path)) return {};
  std::vector<std::string> names;
  for (const FirstMailbox& first : first_mailboxes_of(work.disk.address())) names.emplace_back(first.name);
  std::ranges::sort(names);
  return work.files.replace(path, subscriptions_to_string(names));
}

}  // namespace

Result<> open_account(Work& work) {
  work.begin_operation();
  TRY(bring_back(work));
  TRY(finish_intents(work));
  TRY(sync_folders(work));
  // Not before what a crash cut off is finished, so that each list is looked for where its folder is.
  for (auto& [id, folder] : work.disk.folders()) folder.acl = read_acl(work.disk, folder.path);
  if (work.disk.state().mailboxes_made) return {};
  for (const FirstMailbox& first : first_mailboxes_of(work.disk.address())) {
    Folder* folder = work.disk.find_folder(first.name);
    if (folder == nullptr) {
      TRY(make_folder(work, std::string(first.name), first.use));
      continue;
    }
    // Taken over from another server, which keeps the attribute elsewhere.
    const bool taken = std::ranges::any_of(
        work.disk.folders(), [&](const auto& each) { return each.second.row.special_use == first.use; });
    if (taken) continue;
    folder = TRY(work.folder(first.name));
    work.change(*folder).row.special_use = first.use;
    TRY(work.write());
    TRY(work.write_folder_state(*folder, folder->settled));
  }
  TRY(work.commit());
  TRY(subscribe_first_mailboxes(work));
  work.disk.state().mailboxes_made = true;
  auto written = work.disk.write_state();
  if (!written) work.disk.state().mailboxes_made = false;
  return written;
}

Result<> sync_folders(Work& work) {
  const FileStatus root = TRY(work.files.status(work.disk.maildir()));
  if (root.modified_ns == work.disk.root_modified()) return {};
  std::set<MailboxId> missing;
  for (const auto& [id, folder] : work.disk.folders()) {
    if (folder.row.name != inbox) missing.insert(id);
  }
  std::vector<std::string> strangers;
  for (const std::string& directory : TRY(work.files.list(work.disk.maildir()))) {
    const auto name = mailbox_of_directory(directory);
    if (!name) continue;
    const Folder* known = work.disk.find_folder(*name);
    if (known != nullptr) {
      missing.erase(known->row.id);
    } else if (is_folder(work, work.disk.maildir() + "/" + directory)) {
      strangers.push_back(*name);
    }
  }
  std::ranges::sort(strangers);
  if (work.disk.find_folder(inbox) == nullptr) strangers.insert(strangers.begin(), std::string(inbox));
  for (const std::string& name : strangers) {
    auto adopted = adopt(work, name, missing);
    if (!adopted && adopted.error().code == Errc::too_large) {
      work.disk.context().log.warning("storage.folder_left_out",
                                      {{"account", work.disk.address()}, {"mailbox", name}});
      continue;
    }
    TRY(std::move(adopted));
  }
  for (const MailboxId id : missing) {
    work.layout_changing = true;
    work.change(work.disk.folders().at(id));
    TRY(work.write(&Index::remove_mailbox, id));
    work.disk.remove_folder(id);
    work.outcome.removed.push_back(id);
    work.outcome.list_changed = true;
  }
  // Not if it changed just now: something in the same tick of the clock would go unseen.
  const bool fresh = wall_clock_ns() - root.modified_ns < mtime_tick_ns;
  work.disk.root_modified() = fresh || !strangers.empty() ? 0 : root.modified_ns;
  return {};
}

Result<> ListFolders::run(Work& work) {
  TRY(sync_folders(work));
  mailboxes.clear();
  for (const auto& [id, folder] : work.disk.folders()) mailboxes.push_back(folder.info());
  std::ranges::sort(mailboxes, {}, [](const MailboxInfo& each) {
    return std::pair(each.name != inbox, std::string_view(each.name));
  });
  return {};
}

Result<> FindFolder::run(Work& work) {
  TRY(sync_folders(work));
  const Folder* folder = work.disk.find_folder(name_);
  if (folder == nullptr) return not_found("no mailbox of that name");
  found = folder->info();
  return {};
}

Result<> CreateFolder::run(Work& work) {
  TRY(sync_folders(work));
  if (work.disk.find_folder(name_) != nullptr) return failure(Errc::already_exists, "mailbox exists");
  TRY(make_parents(work, name_));
  created = TRY(make_folder(work, name_, use_))->info();
  return {};
}

// The folder is put aside in one step, which is synced before COMMIT takes its rows away; its files go later.
// A crash in between leaves rows and a folder put aside, which is brought back when the account is opened.
Result<> RemoveFolder::run(Work& work) {
  if (name_ == inbox) return failure(Errc::not_allowed, "INBOX can't be deleted");
  TRY(sync_folders(work));
  // What other programs did stays, should this have to wait.
  TRY(work.end_operation());
  Folder* folder = work.disk.find_folder(name_);
  if (folder == nullptr || (only_ != 0 && folder->row.id != only_)) {
    return not_found("no mailbox of that name");
  }
  TRY(work.unless_filled(*folder));
  work.layout_changing = true;
  const MailboxId id = folder->row.id;
  const std::string aside = TRY(place_aside(work, id));
  TRY(work.files.rename(folder->path, aside));
  work.renamed(folder->path, aside);
  work.sync_later(work.disk.trash_path());
  work.sync_later(work.disk.maildir());
  work.sync_later(work.disk.path());
  work.change(*folder);
  TRY(work.write(&Index::remove_mailbox, id));
  work.disk.remove_folder(id);
  work.outcome.removed.push_back(id);
  work.outcome.list_changed = true;
  work.disk.restless().insert(id);  // empties the trash
  return {};
}

Result<> RenameFolder::run(Work& work) {
  TRY(sync_folders(work));
  TRY(work.end_operation());
  const Folder* source = work.disk.find_folder(from_);
  if (only_ != 0 && (source == nullptr || source->row.id != only_)) {
    return not_found("no mailbox of that name");
  }
  if (work.disk.find_folder(to_) != nullptr) return failure(Errc::already_exists, "mailbox exists");
  return from_ == inbox ? rename_inbox(work) : rename_tree(work);
}

Result<> RenameFolder::rename_tree(Work& work) {
  if (is_below(to_, from_)) return failure(Errc::not_allowed, "a mailbox can't go into itself");
  bool any = false;
  for (auto& [id, folder] : work.disk.folders()) {
    if (folder.row.name != from_ && !is_below(folder.row.name, from_)) continue;
    any = true;
    TRY(work.unless_filled(folder));
    const std::string target = to_ + folder.row.name.substr(from_.size());
    if (work.disk.find_folder(target) != nullptr) return failure(Errc::already_exists, "mailbox exists");
    TRY(canonical_mailbox_name(target));
  }
  if (!any) return not_found("no mailbox of that name");
  work.layout_changing = true;
  TRY(make_parents(work, to_));
  // From here on a crash is finished at the next opening.
  TRY(work.write(&Index::add_intent, from_, to_));
  if (auto noted = work.commit(); !noted) {
    cancel_intent(work);
    return noted;
  }
  auto moved = move_tree(work, from_, to_);
  if (moved) moved = work.write(&Index::remove_intents);
  if (moved) moved = work.commit();
  if (!moved) cancel_intent(work);
  return moved;
}

Result<> RenameFolder::rename_inbox(Work& work) {
  TRY(work.folder(inbox));
  work.layout_changing = true;
  TRY(make_parents(work, to_));
  TRY(work.write(&Index::add_intent, from_, to_));
  if (auto noted = work.commit(); !noted) {
    cancel_intent(work);
    return noted;
  }
  auto moved = move_inbox(work, to_);
  if (moved) moved = work.write(&Index::remove_intents);
  if (moved) moved = work.commit();
  if (!moved) cancel_intent(work);
  return moved;
}

std::vector<std::string> trash(Work& work) {
  std::vector<std::string> paths;
  for (const std::string& name :
       work.files.list(work.disk.trash_path()).value_or(std::vector<std::string>())) {
    if (row_of_aside(work, name) == nullptr) paths.push_back(work.disk.trash_path() + "/" + name);
  }
  return paths;
}

bool empty_trash(AccountDisk& disk, const std::vector<std::string>& trash) {
  bool all_gone = true;
  for (const std::string& path : trash) {
    const auto removed = remove_tree(disk.files(), path);
    if (removed || removed.error().code == Errc::not_found) continue;
    all_gone = false;
    disk.context().log.warning("storage.trash_stays",
                               {{"account", disk.address()}, {"error", removed.error().detail}});
  }
  return all_gone;
}

Result<> ReadSubscriptions::run(Work& work) {
  names.clear();
  const std::string path = work.disk.maildir() + "/posthorn-subscriptions";
  const auto text = work.files.read_whole(path, subscriptions_limit);
  if (!text && text.error().code == Errc::not_found) return {};
  if (!text) return std::unexpected(text.error());
  names = TRY(parse_subscriptions(*text));
  return {};
}

Result<> Subscribe::run(Work& work) {
  ReadSubscriptions read;
  TRY(read.run(work));
  const auto place = std::ranges::lower_bound(read.names, name_);
  const bool there = place != read.names.end() && *place == name_;
  if (there == on_) return {};
  if (!on_) {
    read.names.erase(place);
  } else if (read.names.size() >= work.disk.context().settings.mailboxes_per_account) {
    return too_large("subscriptions");
  } else {
    read.names.insert(place, name_);
  }
  work.outcome.list_changed = true;
  return work.files.replace(work.disk.maildir() + "/posthorn-subscriptions",
                            subscriptions_to_string(read.names));
}

}  // namespace posthorn::storage

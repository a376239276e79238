// What a folder's directories hold, compared with its rows: other programs deliver, remove and rename there,
// and a crash leaves files without rows and rows without files.
#include "storage/maildir_name.h"
#include "storage/measure.h"
#include "storage/threads.h"
#include "storage/wall_clock.h"
#include "storage/work.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace posthorn::storage {
namespace {

constexpr Uid highest_uid = 0x7fffffff;
constexpr std::size_t keyword_file_limit = 64 << 20U;
// A Maildir's tmp/ may be emptied of what is older than this.
constexpr std::int64_t tmp_age_ns = std::int64_t{36} * 3600 * 1'000'000'000;
// An empty file that another program made is taken for a message when it has stayed empty for so long.
constexpr std::int64_t young_ns = 1'000'000'000;

class Reconciliation {
 public:
  Reconciliation(Work& work, Folder& folder, Work::Thoroughness how, Uid committed_uid_next)
      : work_(work), folder_(folder), how_(how), committed_uid_next_(committed_uid_next) {}

  Result<> run() {
    TRY(list());
    TRY(match());
    work_.change(folder_);
    work_.listed(folder_);
    const auto recorded = std::pair(folder_.row.new_modified, folder_.row.cur_modified);
    // Set before anything is renamed here, so that our own renames count as ours.
    folder_.row.new_modified = steady_ ? new_modified_ : 0;
    folder_.row.cur_modified = steady_ ? cur_modified_ : 0;
    // A change in the same tick of the file system's clock would leave the mtimes as they are.
    const std::int64_t now = wall_clock_ns();
    folder_.doubtful = now - std::max(new_modified_, cur_modified_) < mtime_tick_ns;
    TRY(finish_expunges());
    TRY(correct_names());
    if (how_ == Work::Thoroughness::after_crash) {
      TRY(finish_links());
      clean_tmp();
    }
    TRY(take_in_strangers());
    // While the directory changes under the listing, a name may be missed: nothing is taken for removed then.
    if (steady_) TRY(remove_missing());
    if (put_off_) {
      folder_.row.new_modified = folder_.row.cur_modified = 0;
      folder_.doubtful = true;
    }
    // After the loss of the index, what is still in new/ has been shown to nobody.
    if (folder_.row.first_recent == 0) folder_.row.first_recent = std::min(lowest_new_, folder_.row.uid_next);
    if (recorded != std::pair(folder_.row.new_modified, folder_.row.cur_modified)) folder_.relisted = true;
    report();
    return {};
  }

 private:
  struct Found {
    Place place;
    std::string name;
    MaildirName parsed;
    bool done = false;
  };

  // new/ first: a message that another program moves to cur/ meanwhile is then seen once at least.
  Result<> list() {
    constexpr int attempts = 4;
    for (int attempt = 0; attempt < attempts && !steady_; ++attempt) {
      found_.clear();
      const std::string fresh = folder_.place(Place::fresh);
      const std::string current = folder_.place(Place::current);
      new_modified_ = TRY(work_.files.status(fresh)).modified_ns;
      cur_modified_ = TRY(work_.files.status(current)).modified_ns;
      add_found(Place::fresh, TRY(work_.files.list(fresh)));
      add_found(Place::current, TRY(work_.files.list(current)));
      steady_ = TRY(work_.files.status(fresh)).modified_ns == new_modified_ &&
                TRY(work_.files.status(current)).modified_ns == cur_modified_;
    }
    return {};
  }

  void add_found(Place place, std::vector<std::string> names) {
    found_.reserve(found_.size() + names.size());
    for (std::string& name : names) {
      if (name.starts_with('.')) continue;
      MaildirName parsed = parse_maildir_name(name);
      found_.push_back({place, std::move(name), std::move(parsed)});
    }
  }

  std::string path_of(const Found& found) const { return folder_.place(found.place) + found.name; }

  // Which file is which row's.
  Result<> match() {
    UidSet all;
    all.append(1, highest_uid);
    rows_ = TRY(work_.disk.index().messages(folder_.row.id, all));
    here_.assign(rows_.size(), nullptr);
    for (Found& found : found_) {
      const std::size_t place = row_of(found.parsed);
      if (place == rows_.size()) continue;
      Found*& before = here_[place];
      // Seen twice: it was moved from new/ to cur/ between the listings, or there are two indeed.
      if (before != nullptr && !work_.files.status(path_of(*before))) {
        before->done = true;
        before = nullptr;
      }
      if (before != nullptr && !work_.files.status(path_of(found))) found.done = true;
      if (before == nullptr) {
        before = &found;
        found.done = true;
      }
    }
    for (std::size_t place = 0; place < rows_.size(); ++place) {
      if (here_[place] != nullptr) TRY(take_name(rows_[place], *here_[place]));
    }
    return {};
  }

  // The index of the row that a name says it belongs to; rows_.size() if there is none.
  std::size_t row_of(const MaildirName& name) const {
    if (!name.uid) return rows_.size();
    const auto row = std::ranges::lower_bound(rows_, *name.uid, {}, &MessageRow::uid);
    if (row == rows_.end() || row->uid != *name.uid || row->email_id != name.email_id) return rows_.size();
    return static_cast<std::size_t>(row - rows_.begin());
  }

  // The letters in its name; of too many those alone that mean something, so that a name with all that we put
  // there stays below 255.
  static std::optional<std::string> info_of(const Found& found) {
    constexpr std::size_t limit = 40;
    const auto& info = found.parsed.info;
    if (!info || info->size() <= limit) return info;
    return letters_of_flags(flags_of_letters(*info), {});
  }

  // Another program moved or renamed a message: what changed among the letters changes among the flags.
  Result<> take_name(MessageRow& row, const Found& found) {
    const std::optional<std::string> info = info_of(found);
    if (row.place == found.place && row.info == info) return {};
    const Flags before = row.flags;
    const Flags was = flags_of_letters(row.info.value_or(""));
    const Flags is = known(flags_of_letters(info.value_or("")));
    row.flags.system = static_cast<std::uint8_t>((row.flags.system & ~(was.system & ~is.system)) |
                                                 (is.system & ~was.system));
    std::uint64_t& word = row.flags.keywords.words()[0];
    const std::uint64_t word_was = was.keywords.words()[0];
    const std::uint64_t word_is = is.keywords.words()[0];
    word = (word & ~(word_was & ~word_is)) | (word_is & ~word_was);
    row.place = found.place;
    row.info = info;
    row.compare(folder_.row.first_recent);
    ++renamed_;
    if (row.flags == before) return work_.rename_row(folder_, row);
    row.modseq = TRY(work_.modseq(folder_));
    return work_.replace(folder_, before, row);
  }

  Flags known(Flags flags) const {
    for (std::size_t place = folder_.keywords.size(); place < 26; ++place) flags.keywords.remove(place);
    return flags;
  }

  // A tombstone whose file is still here: the crash came before it was unlinked, or it is of this batch, and
  // nothing is taken away before the commit.
  Result<> finish_expunges() {
    const auto pending = TRY(work_.disk.index().pending_tombstones(folder_.row.id));
    if (pending.empty()) return {};
    std::unordered_map<Uid, std::string> by_uid;
    for (const TombstoneRow& row : pending) by_uid[row.uid] = row.email_id;
    folder_.tombstones_pending = true;
    const std::set<std::string> going = work_.unlinks(folder_);
    for (Found& found : found_) {
      if (found.done || !found.parsed.uid) continue;
      const auto row = by_uid.find(*found.parsed.uid);
      if (row == by_uid.end() || row->second != found.parsed.email_id) continue;
      found.done = true;
      if (going.contains(path_of(found))) continue;
      work_.unlink_after_commit(folder_, found.place, found.name);
      ++expunges_finished_;
    }
    return {};
  }

  // Another program kept what tells which message it is, and changed the rest of its name.
  Result<> correct_names() {
    for (std::size_t place = 0; place < rows_.size(); ++place) {
      if (here_[place] == nullptr) continue;
      const Found& found = *here_[place];
      const std::string to = folder_.file(rows_[place]);
      const std::string from = path_of(found);
      if (from == to || work_.files.status(to)) continue;
      TRY(rename(found, from, rows_[place].place, to));
    }
    return {};
  }

  // Whether it is renamed: one file that can't be is no reason to leave the others alone.
  Result<bool> rename(const Found& found, const std::string& from, Place place, const std::string& to) {
    work_.touching(folder_, found.place);
    work_.touching(folder_, place);
    const auto renamed = work_.files.rename(from, to);
    if (!renamed && renamed.error().code == Errc::disk_full) return std::unexpected(renamed.error());
    if (!renamed && renamed.error().code != Errc::not_found) leave_out(from, renamed.error());
    if (!renamed) return false;
    work_.sync_later(folder_.place(found.place));
    work_.sync_later(folder_.place(place));
    return true;
  }

  // It may be possible some other time, unless it is no message at all.
  void leave_out(const std::string& path, const Error& error) {
    if (error.code != Errc::not_allowed) folder_.doubtful = true;
    left_out_.push_back({path, error.detail});
  }

  // A batch that was cut off had linked messages to here (COPY, MOVE) without a COMMIT. Such a link goes, if
  // the same file is still where it came from: no bytes are lost, and no MOVE leaves two messages. A row that
  // was itself made for a file since the crash does not tell which of the two came first.
  Result<> finish_links() {
    std::unordered_multimap<std::string_view, Found*> candidates;
    for (Found& found : found_) {
      if (!found.done && found.parsed.is_ours(found.name) && *found.parsed.uid >= committed_uid_next_) {
        candidates.emplace(found.parsed.email_id, &found);
      }
    }
    if (candidates.empty()) return {};
    std::vector<std::pair<Found*, std::pair<MailboxId, Uid>>> twins;
    TRY(work_.disk.index().visit_email_ids([&](MailboxId id, Uid uid, std::string_view email_id) {
      const auto [begin, end] = candidates.equal_range(email_id);
      for (auto each = begin; each != end; ++each) twins.push_back({each->second, {id, uid}});
    }));
    for (auto& [found, twin] : twins) {
      const auto source = work_.folder(twin.first);
      // Of a mailbox that is gone, or that a newer version has written, nothing is known.
      const bool unknown =
          !source && (source.error().code == Errc::not_found || source.error().code == Errc::unavailable);
      if (unknown) continue;
      if (!source) return std::unexpected(source.error());
      const auto row = TRY(find_message(work_.disk.index().database(), twin.first, twin.second));
      if (found->done || !row || row->uid >= (*source)->mended_from) continue;
      const auto one = work_.files.status(path_of(*found));
      const auto other = work_.files.status((*source)->file(*row));
      if (!one || !other || one->inode != other->inode || one->device != other->device) continue;
      work_.touching(folder_, found->place);
      TRY(work_.files.unlink(path_of(*found)));
      found->done = true;
      ++links_removed_;
    }
    return {};
  }

  void clean_tmp() {
    const std::string tmp = folder_.path + "/tmp/";
    const auto names = work_.files.list(tmp);
    if (!names) return;
    const std::int64_t now = wall_clock_ns();
    for (const std::string& name : *names) {
      const auto status = work_.files.status(tmp + name);
      if (!status || status->directory) continue;
      if (!name.starts_with("posthorn.") && now - status->modified_ns < tmp_age_ns) continue;
      if (work_.files.unlink(tmp + name)) ++tmp_removed_;
    }
  }

  // Files without rows: deliveries whose row was lost, and what other programs put here.
  Result<> take_in_strangers() {
    std::vector<Found*> strangers;
    for (Found& found : found_) {
      if (!found.done) strangers.push_back(&found);
    }
    if (strangers.empty()) return {};
    // In the order of their UIDs and times, so that two looks at the same files agree.
    std::ranges::sort(strangers, [](const Found* one, const Found* other) {
      const auto key = [](const Found& found) {
        return std::tuple(found.parsed.uid.value_or(highest_uid), found.parsed.time().value_or(0),
                          std::string_view(found.name));
      };
      return key(*one) < key(*other);
    });
    TRY(work_.promise_uids(folder_, strangers.size()));
    for (Found* found : strangers) TRY(take_in(*found));
    return {};
  }

  Result<> take_in(Found& found) {
    const std::string path = path_of(found);
    const auto status = work_.files.status(path);
    if (!status) {
      if (status.error().code != Errc::not_found) leave_out(path, status.error());
      return {};
    }
    if (status->directory) return {};
    if (status->size == 0 && is_young(*status) && !found.parsed.is_ours(found.name)) {
      put_off_ = true;  // its bytes may be about to come
      return {};
    }
    const bool keeps_uid = TRY(may_keep_uid(found.parsed));
    MessageRow row;
    std::optional<Measured> measured;
    if (found.parsed.stored_size == status->size && found.parsed.is_ours(found.name)) {
      row.stored_size = *found.parsed.stored_size;
      row.wire_size = *found.parsed.wire_size;
      row.encoded_size = found.parsed.encoded_size;
    } else {
      StoredForm form;
      if (found.parsed.stored_size == status->size && found.parsed.wire_size) {
        form.line_ends =
            found.parsed.wire_size == status->size ? message::LineEnds::crlf : message::LineEnds::lf;
        form.binary = found.parsed.encoded_size.has_value();
      }
      auto read = measure(work_.files, path, form);
      if (!read) {
        leave_out(path, read.error());
        return {};
      }
      measured = *std::move(read);
      const auto status_after = work_.files.status(path);
      if (!status_after || status_after->size != measured->stored_size) {
        folder_.doubtful = true;  // it is still being written
        return {};
      }
      row.stored_size = measured->stored_size;
      row.wire_size = measured->wire_size;
      row.encoded_size = measured->encoded_size;
      row.gain = measured->gain;
    }
    const Uid uid_next_before = folder_.row.uid_next;
    row.uid = keeps_uid ? *found.parsed.uid : TRY(work_.next_uid(folder_));
    row.email_id = email_id_for(found, *status);
    row.internal_date = MaildirName{.email_id = row.email_id}.time().value_or(0);
    row.saved = found.parsed.saved.value_or(row.internal_date);
    // From another folder, or a copy: it came when somebody put it here.
    if (found.parsed.uid && !keeps_uid) row.saved = work_.disk.context().clock.seconds();
    TRY(take_thread(row, found.parsed, measured));
    row.place = found.place;
    row.info = info_of(found);
    TRY(take_flags(row, keeps_uid));
    if (!TRY(rename(found, row))) {
      // Nobody has seen the UID that it was to have.
      if (!keeps_uid) folder_.row.uid_next = uid_next_before;
      return {};
    }
    TRY(work_.add(folder_, row));
    if (measured) {
      TRY(work_.write(&Index::put_summary, folder_.row.id, row.uid, measured->summary));
      TRY(work_.write(&Index::add_to_thread, measured->thread_keys, row.thread_id(), row.day_saved()));
    }
    used_.insert(row.uid);
    if (found.place == Place::fresh) lowest_new_ = std::min(lowest_new_, row.uid);
    ++taken_in_;
    return {};
  }

  // Clients that a mailbox's UIDNEXT was told to do not ask for what is below it: only where the rows may
  // lack messages of ours may a file keep its UID. Design, decision 6: below UIDNEXT, not in use, not in a
  // tombstone, not the second of its kind. Where tombstones were forgotten it may have had one: rows that a
  // crash takes are newer than those.
  Result<bool> may_keep_uid(const MaildirName& name) {
    if (how_ != Work::Thoroughness::mending && how_ != Work::Thoroughness::after_crash) return false;
    if (!name.uid || *name.uid >= folder_.row.uid_next || used_.contains(*name.uid)) return false;
    if (*name.uid <= folder_.row.forgotten_uid) return false;
    if (std::ranges::binary_search(rows_, *name.uid, {}, &MessageRow::uid)) return false;
    return !TRY(work_.disk.index().has_tombstone(folder_.row.id, *name.uid));
  }

  std::string email_id_for(const Found& found, const FileStatus& status) const {
    const std::string& given = found.parsed.email_id;
    constexpr std::size_t limit = 110;  // so that the whole name stays below 255
    const bool usable = !given.empty() && given.size() <= limit;
    if (usable && found.parsed.time()) return given;
    const std::int64_t time = found.parsed.time().value_or(status.modified_ns / 1'000'000'000);
    if (usable) return std::to_string(time) + "." + given;
    DiskContext& context = work_.disk.context();
    return make_email_id(time, context.random.hex(12), context.settings.hostname);
  }

  // A message of ours whose name tells of no thread began its own. Its keys are read in the background.
  Result<> take_thread(MessageRow& row, const MaildirName& name, const std::optional<Measured>& measured) {
    row.threaded = measured.has_value();
    if (name.thread_id) {
      if (*name.thread_id != thread_id_of(row.email_id)) row.thread = name.thread_id;
    } else if (measured) {
      row.thread = TRY(work_.disk.index().find_thread(row.email_id, measured->thread_keys));
    }
    return {};
  }

  Result<> take_flags(MessageRow& row, bool keeps_uid) {
    row.flags = known(flags_of_letters(row.info.value_or("")));
    if (keeps_uid) {
      const KeywordSet further = TRY(further_of(row.uid));
      for (std::size_t word = 0; word < further.words().size(); ++word) {
        row.flags.keywords.words()[word] |= further.words()[word];
      }
      // The index was lost while a session has the mailbox: names lag, so what the session knows counts.
      const auto loaded = work_.snapshots.find(folder_.row.id);
      const auto place = loaded != work_.snapshots.end() ? loaded->second->find(row.uid) : std::nullopt;
      if (place) {
        const Message& message = loaded->second->at(*place);
        row.flags = message.flags;
        row.modseq = message.modseq;
      }
    }
    if (row.modseq == 0) row.modseq = TRY(work_.modseq(folder_));
    return {};
  }

  Result<KeywordSet> further_of(Uid uid) {
    if (!further_) {
      further_.emplace();
      const auto text = work_.files.read_whole(folder_.path + "/posthorn-keywords", keyword_file_limit);
      if (text) {
        auto parsed = parse_further_keywords(*text);
        if (parsed) further_ = *std::move(parsed);
      } else if (text.error().code != Errc::not_found) {
        return std::unexpected(text.error());
      }
    }
    const auto found = further_->find(uid);
    if (found == further_->end()) return KeywordSet();
    KeywordSet set = found->second;
    for (std::size_t place = folder_.keywords.size(); place < KeywordSet::capacity; ++place)
      set.remove(place);
    return set;
  }

  // Into our notation, with the UID that it has from now on.
  Result<bool> rename(const Found& found, MessageRow& row) {
    // Flags in new/ are against the rules of Maildir, but a name says what it says.
    if (row.place == Place::fresh && !row.info.value_or("").empty()) row.place = Place::current;
    row.compare(folder_.row.first_recent);
    const std::string from = path_of(found);
    const std::string to = folder_.file(row);
    if (from == to) return true;
    return rename(found, from, row.place, to);
  }

  // Whether it was written within the last second.
  static bool is_young(const FileStatus& status) {
    const std::int64_t age = wall_clock_ns() - status.modified_ns;
    return age >= 0 && age < young_ns;
  }

  Result<> remove_missing() {
    for (std::size_t place = 0; place < rows_.size(); ++place) {
      if (here_[place] != nullptr) continue;
      TRY(work_.remove(folder_, rows_[place], {}));
      ++removed_;
    }
    return {};
  }

  void report() const {
    // Not the same ones at each look.
    if (left_out_.size() != folder_.left_out) {
      for (const auto& [path, error] : left_out_)
        work_.disk.context().log.warning("storage.not_taken_in", {{"file", path}, {"error", error}});
    }
    folder_.left_out = left_out_.size();
    const std::size_t all =
        taken_in_ + removed_ + renamed_ + expunges_finished_ + links_removed_ + tmp_removed_;
    if (all == 0) return;
    const bool mending = how_ == Work::Thoroughness::after_crash;
    work_.disk.context().log.write(mending ? LogLevel::info : LogLevel::debug,
                                   mending ? "storage.mended" : "storage.taken_in",
                                   {{"account", work_.disk.address()},
                                    {"mailbox", folder_.row.name},
                                    {"files_without_row", taken_in_},
                                    {"rows_without_file", removed_},
                                    {"names_changed", renamed_},
                                    {"expunges_finished", expunges_finished_},
                                    {"links_removed", links_removed_},
                                    {"tmp_files_removed", tmp_removed_}});
  }

  Work& work_;
  Folder& folder_;
  Work::Thoroughness how_;
  Uid committed_uid_next_;

  bool steady_ = false;
  bool put_off_ = false;  // a file is to be looked at once more
  std::int64_t new_modified_ = 0;
  std::int64_t cur_modified_ = 0;
  std::vector<std::pair<std::string, std::string>> left_out_;  // paths, and why
  std::vector<Found> found_;
  std::vector<MessageRow> rows_;
  std::vector<Found*> here_;  // by row
  std::set<Uid> used_;
  std::optional<FurtherKeywords> further_;
  Uid lowest_new_ = highest_uid + 1;
  std::size_t taken_in_ = 0;
  std::size_t removed_ = 0;
  std::size_t renamed_ = 0;
  std::size_t expunges_finished_ = 0;
  std::size_t links_removed_ = 0;
  std::size_t tmp_removed_ = 0;
};

}  // namespace

// Whether the folder need not be listed. What others did while this batch was changing it is looked for as
// any doubt is.
bool Work::is_as_recorded(Folder& folder) {
  if (folder.row.new_modified == 0 || folder.row.cur_modified == 0) return false;
  if (folder.doubtful && std::chrono::steady_clock::now() >= folder.next_look) return false;
  bool ours = false;
  for (const Place place : {Place::fresh, Place::current}) {
    const std::int64_t recorded = place == Place::fresh ? folder.row.new_modified : folder.row.cur_modified;
    const auto now = files.status(folder.place(place));
    if (now && now->modified_ns == recorded) continue;
    const auto touched = touched_.find({folder.row.id, place});
    if (!now || touched == touched_.end() || !touched->second) return false;
    ours = true;
  }
  if (ours) folder.doubtful = true;
  return true;
}

Result<> Work::look(Folder& folder, Thoroughness how, Uid committed_uid_next) {
  // Its rows are not all its messages' yet.
  if (folder.filled_by != nullptr) {
    folder.doubtful = true;
    return {};
  }
  if (how == Thoroughness::quick && is_as_recorded(folder)) return {};
  // Without its own directory the folder is gone; new/, cur/ and tmp/ are made again.
  TRY(files.status(folder.path));
  for (const char* name : {"/new", "/cur", "/tmp"}) TRY(files.make_directories(folder.path + name));
  const auto begin = std::chrono::steady_clock::now();
  auto done = Reconciliation(*this, folder, how, committed_uid_next).run();
  // A look for doubt's sake takes a small part of the time only, however large the folder is.
  const auto end = std::chrono::steady_clock::now();
  folder.next_look =
      end + std::max<std::chrono::steady_clock::duration>(std::chrono::seconds(2), 50 * (end - begin));
  return done;
}

}  // namespace posthorn::storage

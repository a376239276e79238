// COPY and MOVE.
#include "storage/maildir_name.h"
#include "storage/messages.h"
#include "storage/place_file.h"

#include <array>

namespace posthorn::storage {
namespace {

// The places of keywords in the target's table for those in the source's.
class KeywordMap {
 public:
  KeywordMap(Work& work, const Folder& from, Folder& to) : work_(work), from_(from), to_(to) {}

  Result<KeywordSet> map(const KeywordSet& keywords) {
    if (&from_ == &to_) return keywords;
    KeywordSet result;
    for (std::size_t place = 0; place < from_.keywords.size(); ++place) {
      if (!keywords.has(place)) continue;
      if (!places_[place]) places_[place] = TRY(taken(from_.keywords[place]));
      for (std::size_t each = 0; each < KeywordSet::capacity; ++each) {
        if (places_[place]->has(each)) result.add(each);
      }
    }
    return result;
  }

 private:
  // Rather a message without its keyword than one that can't be moved.
  Result<KeywordSet> taken(const std::string& keyword) {
    auto place = work_.keywords(to_, {keyword});
    if (!place && place.error().code == Errc::too_large) return KeywordSet();
    return place;
  }

  Work& work_;
  const Folder& from_;
  Folder& to_;
  std::array<std::optional<KeywordSet>, KeywordSet::capacity> places_;
};

constexpr int attempts = 3;

// Makes the file of `source`'s copy in `to`, and gives the copy's row; nothing if `source` is gone. Other
// programs rename: then the row is put right first.
Result<std::optional<MessageRow>> link_copy(Work& work, Folder& from, MessageRow& source, Folder& to,
                                            KeywordMap& keywords) {
  const Uid uid = TRY(work.next_uid(to));
  for (int attempt = 1;; ++attempt) {
    MessageRow target = source;
    target.uid = uid;
    target.flags.keywords = TRY(keywords.map(source.flags.keywords));
    std::string letters = letters_of_flags(target.flags, {});
    target.place = letters.empty() ? Place::fresh : Place::current;
    target.info.reset();
    if (!letters.empty()) target.info = std::move(letters);
    target.lagging = false;
    target.saved = work.disk.context().clock.seconds();

    const std::string path = to.file(target);
    work.touching(to, target.place);
    work.created(path);
    const std::string tmp = to.path + "/tmp/posthorn." + target.email_id + "." + std::to_string(target.uid);
    const auto linked = link_file(work.files, from.file(source), path, tmp);
    if (linked) {
      work.sync_later(to.place(target.place));
      return target;
    }
    if (linked.error().code != Errc::not_found || attempt == attempts) return std::unexpected(linked.error());
    work.change(from).row.cur_modified = 0;
    TRY(work.look(from, Work::Thoroughness::full));
    auto now = TRY(find_message(work.disk.index().database(), from.row.id, source.uid));
    if (!now) return std::nullopt;
    source = *std::move(now);
  }
}

}  // namespace

Result<Copied> transfer(Work& work, Folder& from, const UidSet& uids, Folder& to, Transfer how) {
  Copied copied;
  copied.uid_validity = to.row.uid_validity;
  // So that names are as the rows say.
  TRY(work.look(from, Work::Thoroughness::quick));
  // Two links of a message, neither with a row: after a power cut nobody could tell which is the copy.
  TRY(work.disk.sync_index());
  KeywordMap keywords(work, from, to);
  auto sources = TRY(work.disk.index().messages(from.row.id, uids));
  if (!sources.empty()) TRY(work.promise_uids(to, sources.size()));
  for (MessageRow& source : sources) {
    auto linked = TRY(link_copy(work, from, source, to, keywords));
    if (!linked) continue;
    MessageRow& target = *linked;
    target.modseq = TRY(work.modseq(to));
    TRY(work.add(to, target));
    TRY(work.write(&Index::copy_summary, from.row.id, source.uid, to.row.id, target.uid));
    if (how == Transfer::move) {
      TRY(work.remove(from, source, source.email_id));
      work.unlink_after_commit(from, source);
    }
    copied.source.push_back(source.uid);
    copied.target.push_back(target.uid);
  }
  return copied;
}

Result<> TransferMessages::run(Work& work) {
  copied = {};
  Folder& from = *TRY(work.folder(from_));
  Folder& to = *TRY(work.folder(to_));
  if (missing_ == Missing::refuse) {
    copied.uid_validity = to.row.uid_validity;
    TRY(work.look(from, Work::Thoroughness::quick));
    if (TRY(work.disk.index().messages(from.row.id, uids_)).size() != uids_.count()) return {};
  }
  copied = TRY(transfer(work, from, uids_, to, how_));
  if (missing_ == Missing::refuse && copied.source.size() != uids_.count()) {
    // Another program took one away meanwhile.
    work.undo_operation();
    work.change(from).row.cur_modified = 0;
    copied = {};
    copied.uid_validity = to.row.uid_validity;
  }
  return {};
}

}  // namespace posthorn::storage

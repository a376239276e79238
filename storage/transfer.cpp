// COPY and MOVE.
#include "storage/transfer.h"

#include "storage/maildir_name.h"
#include "storage/messages.h"
#include "storage/place_file.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr int attempts = 3;

}  // namespace

Result<Flags> KeywordMap::map(const Flags& flags) {
  Flags result{static_cast<std::uint8_t>(flags.system & limits_.system), {}};
  if (limits_.keywords) result.keywords = TRY(map(flags.keywords));
  return result;
}

Result<KeywordSet> KeywordMap::map(const KeywordSet& keywords) {
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

// Rather a message without its keyword than one that can't be moved.
Result<KeywordSet> KeywordMap::taken(const std::string& keyword) {
  auto place = work_.keywords(to_, {keyword});
  if (!place && place.error().code == Errc::too_large) return KeywordSet();
  return place;
}

Result<std::optional<MessageRow>> link_copy(Work& work, Folder& from, MessageRow& source, Folder& to, Uid uid,
                                            KeywordMap& keywords) {
  for (int attempt = 1;; ++attempt) {
    MessageRow target = source;
    target.uid = uid;
    target.flags = TRY(keywords.map(source.flags));
    std::string letters = letters_of_flags(target.flags, {});
    target.place = letters.empty() ? Place::fresh : Place::current;
    target.info.reset();
    if (!letters.empty()) target.info = std::move(letters);
    target.lagging = false;
    if (!target.shared_summary) target.shared_summary = summary_key(from.row.id, source.uid);
    target.saved = work.disk.context().clock.seconds();

    const std::string path = to.file(target);
    work.touching(to, target.place);
    work.created(path);
    const std::string tmp = to.path + "/tmp/posthorn." + target.email_id + "." + std::to_string(target.uid);
    const auto linked = link_file(work.files, from.file(source), path, tmp);
    if (linked) return target;
    if (linked.error().code != Errc::not_found || attempt == attempts) return std::unexpected(linked.error());
    work.change(from).row.cur_modified = 0;
    TRY(work.look(from, Work::Thoroughness::full));
    auto now = TRY(find_message(work.disk.index().database(), from.row.id, source.uid));
    if (!now) return std::nullopt;
    source = *std::move(now);
  }
}

Result<Copied> transfer(Work& work, Folder& from, const UidSet& uids, Folder& to, Transfer how,
                        FlagLimits limits) {
  Copied copied;
  copied.uid_validity = to.row.uid_validity;
  // So that names are as the rows say.
  TRY(work.look(from, Work::Thoroughness::quick));
  // Two links of a message, neither with a row: after a power cut nobody could tell which is the copy.
  TRY(work.disk.sync_index());
  KeywordMap keywords(work, from, to, limits);
  auto sources = TRY(work.disk.index().messages(from.row.id, uids));
  if (!sources.empty()) TRY(work.promise_uids(to, sources.size()));
  for (MessageRow& source : sources) {
    const Uid uid = TRY(work.next_uid(to));
    auto linked = TRY(link_copy(work, from, source, to, uid, keywords));
    if (!linked) continue;
    MessageRow& target = *linked;
    work.sync_later(to.place(target.place));
    target.modseq = TRY(work.modseq(to));
    TRY(work.add(to, target));
    copied.source.push_back(source.uid);
    copied.target.push_back(target.uid);
  }
  if (how == Transfer::move) {
    std::erase_if(sources,
                  [&](const MessageRow& row) { return !std::ranges::binary_search(copied.source, row.uid); });
    TRY(work.expunge(from, sources));
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
  copied = TRY(transfer(work, from, uids_, to, how_, limits_));
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

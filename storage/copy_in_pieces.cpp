#include "storage/copy_in_pieces.h"

#include "storage/transfer.h"

#include <algorithm>
#include <span>

namespace posthorn::storage {
namespace {

// A piece takes some milliseconds.
constexpr std::size_t messages_at_once = 64;
constexpr Uid highest_uid = 0x7fffffff;

}  // namespace

bool CopyInPieces::maildir_suffices() const {
  return !failed && begun_ && sources_.size() - done_ > messages_at_once;
}

Result<> CopyInPieces::run(Work& work) {
  if (failed) return take_back(work);
  if (begun_ && opening_ != work.disk.openings())
    return failure(Errc::unavailable, "the account was read anew");
  Folder& to = *TRY(work.folder(to_));
  if (begun_ && to.filled_by != this) return not_found("mailbox was removed and made again");
  if (!begun_) {
    copied = {};
    copied.uid_validity = to.row.uid_validity;
    TRY(begin(work, to));
    if (!begun_) return {};
  }
  if (!missed_ && !TRY(copy_piece(work, to))) {
    // Nothing of it is copied, which is no error.
    copied = {};
    copied.uid_validity = to.row.uid_validity;
    missed_ = true;
  }
  if (missed_) return take_back(work);
  unfinished = done_ < sources_.size();
  return unfinished ? Result<>() : end(work, to);
}

// Does not begin where there is nothing to copy, or less than has to be.
Result<> CopyInPieces::begin(Work& work, Folder& to) {
  Folder& from = *TRY(work.folder(from_));
  TRY(work.look(from, Work::Thoroughness::quick));
  sources_ = TRY(work.disk.index().present(from_, uids_));
  if (sources_.empty() || (missing_ == Missing::refuse && sources_.size() != uids_.count())) return {};
  if (sources_.size() > highest_uid - to.row.uid_next + 1) {
    return too_large("the UIDs of " + to.row.name + " are used up");
  }
  // Two links of a message, neither with a row: after a power cut nobody could tell which is the copy.
  TRY(work.disk.sync_index());
  TRY(work.promise_uids(to, sources_.size()));
  opening_ = work.disk.openings();
  first_uid_ = to.row.uid_next;
  modseq_ = to.row.modseq + 1;
  to.filled_by = this;
  begun_ = true;
  return {};
}

// False where a message is gone that may not be missing.
Result<bool> CopyInPieces::copy_piece(Work& work, Folder& to) {
  Folder& from = *TRY(work.folder(from_));
  // So that names are as the rows say.
  TRY(work.look(from, Work::Thoroughness::quick));
  const auto piece = std::span(sources_).subspan(done_, std::min(messages_at_once, sources_.size() - done_));
  UidSet uids;
  for (const Uid uid : piece) uids.append(uid);
  auto rows = TRY(work.disk.index().messages(from_, uids));
  if (missing_ == Missing::refuse && rows.size() != piece.size()) return false;
  KeywordMap keywords(work, from, to, limits_);
  auto row = rows.begin();
  for (const Uid source : piece) {
    const Uid uid = first_uid_ + static_cast<Uid>(done_++);
    if (row == rows.end() || row->uid != source) continue;
    auto target = TRY(link_copy(work, from, *row++, to, uid, keywords));
    if (!target && missing_ == Missing::refuse) return false;
    if (!target) continue;
    work.disk.unfinished_copies()[to_].push_back(target->file());
    target->modseq = modseq_;
    TRY(work.write(&Index::insert_message, to_, *target));
    arrivals_.add(*target);
    copied.source.push_back(source);
    copied.target.push_back(uid);
  }
  return true;
}

Result<> CopyInPieces::end(Work& work, Folder& to) {
  if (arrivals_.messages.empty()) {
    work.filled_at_commit(to);
    return {};
  }
  for (const Place place : {Place::fresh, Place::current}) work.sync_later(to.place(place));
  work.change(to).row.uid_next = end_of_uids();
  if (TRY(work.modseq(to)) != modseq_) return failure(Errc::io, "MODSEQ was used meanwhile");
  work.appear(to, std::move(arrivals_));
  TRY(work.write(&Index::put_mailbox, to.row));
  work.filled_at_commit(to);
  return {};
}

// In pieces, the last first. The UIDs are not used again. Where the account was read anew meanwhile, that has
// taken everything back, or what the last COMMIT was in doubt about is done.
Result<> CopyInPieces::take_back(Work& work) {
  unfinished = false;
  const auto found = work.disk.folders().find(to_);
  if (!begun_ || opening_ != work.disk.openings() || found == work.disk.folders().end()) return {};
  Folder& to = found->second;
  if (to.filled_by != this) return not_found("mailbox was removed and made again");
  for (const Place place : {Place::fresh, Place::current}) work.touching(to, place);
  std::vector<std::string>& files = work.disk.unfinished_copies()[to_];
  for (std::size_t left = messages_at_once; left > 0 && !files.empty(); --left) {
    const std::string path = to.path + "/" + files.back();
    files.pop_back();
    const auto gone = work.files.unlink(path);
    // It will be taken for a message that another program has put there.
    if (!gone && gone.error().code != Errc::not_found) {
      work.disk.context().log.warning("storage.copy_stays", {{"file", path}, {"error", gone.error().detail}});
    }
  }
  const std::size_t first = done_ - std::min(done_, messages_at_once);
  TRY(work.write(&Index::remove_rows, to_, first_uid_ + static_cast<Uid>(first), highest_uid));
  done_ = first;
  unfinished = done_ > 0 || !files.empty();
  if (unfinished) return {};
  MailboxRow& row = work.change(to).row;
  row.uid_next = std::max(row.uid_next, end_of_uids());
  work.filled_at_commit(to);
  return {};
}

}  // namespace posthorn::storage

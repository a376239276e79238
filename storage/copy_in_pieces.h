#pragma once

#include "storage/operation.h"
#include "storage/store.h"
#include "storage/work.h"

#include <vector>

namespace posthorn::storage {

// COPY of many messages to another mailbox: some at a time, so that others need not wait for all of them.
// Clients see all of them at once, when the last has its row.
//
// Until then the rows have UIDs that the mailbox's row does not count as used, and nobody else may change the
// mailbox (Folder::filled_by). A crash leaves such rows, which are removed when the mailbox is next used, and
// links of messages, which recovery removes as those of any COPY; but for one whose message was expunged from
// its old place meanwhile, as nothing tells that it is not the only one of an acknowledged message.
class CopyInPieces final : public Operation {
 public:
  CopyInPieces(MailboxId from, UidSet uids, MailboxId to, Missing missing, FlagLimits limits = {})
      : from_(from), uids_(std::move(uids)), to_(to), missing_(missing), limits_(limits) {}
  Result<> run(Work& work) override;
  bool in_pieces() const override { return true; }
  bool is_long() const override { return true; }
  // The last COMMIT is synced, and all before it with it.
  bool maildir_suffices() const override;

  Copied copied;

 private:
  Result<> begin(Work& work, Folder& to);
  Result<bool> copy_piece(Work& work, Folder& to);
  Result<> end(Work& work, Folder& to);
  Result<> take_back(Work& work);
  Uid end_of_uids() const { return first_uid_ + static_cast<Uid>(sources_.size()); }

  MailboxId from_;
  UidSet uids_;
  MailboxId to_;
  Missing missing_;
  FlagLimits limits_;

  bool begun_ = false;
  std::uint64_t opening_ = 0;  // of the account, in which it began
  std::vector<Uid> sources_;
  std::size_t done_ = 0;  // of them
  Uid first_uid_ = 0;     // in the target; the n-th source gets the n-th from here
  ModSeq modseq_ = 0;
  Arrivals arrivals_;
  bool missed_ = false;  // one that may not be missing
};

}  // namespace posthorn::storage

#pragma once

#include "protocols/imap/command.h"
#include "storage/snapshot.h"

namespace posthorn::imap {

// The UIDs below which a client knows of every expunge (RFC 7162 §3.2.5.2): one more than the highest of
// `match` that stands at the same place in `messages`; 1 if none does. Quick however large the sets are.
storage::Uid matched_below(const QuickResync::Match& match, const storage::Snapshot& messages);

// The UIDs that the client has or may have, of those that `messages` ever had.
storage::UidSet known_uids(const QuickResync& resync, const storage::Snapshot& messages);

// Those of them of which it may not know that they vanished.
storage::UidSet unmatched_uids(const QuickResync& resync, const storage::Snapshot& messages);

}  // namespace posthorn::imap

#pragma once

#include "protocols/imap/command.h"
#include "storage/snapshot.h"
#include "storage/uid_set.h"

namespace posthorn::imap {

// Fills in what every `$` of a command stands for (RFC 5182 §2.1): of the messages that a SEARCH saved, those
// that are still in `messages`, as sequence numbers or UIDs, whichever the command takes there. None is a set
// without ranges. Not in the keys of SEARCH, which may be many: they share one set (search_keys.h). Pure.
void put_in_saved(Command::Body& body, const storage::UidSet& saved, const storage::Snapshot& messages);

}  // namespace posthorn::imap

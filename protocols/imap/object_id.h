#pragma once

#include "storage/store.h"

#include <string>

namespace posthorn::imap {

// MAILBOXID of RFC 8474 §4, which a mailbox keeps when it is renamed: "(F12)", with its parentheses.
inline std::string mailbox_id(storage::MailboxId id) { return "(F" + std::to_string(id) + ")"; }

}  // namespace posthorn::imap

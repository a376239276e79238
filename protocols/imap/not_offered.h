#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/reply.h"

namespace posthorn::imap {

// Whether a command is or uses something that the grammar reads but CAPABILITY does not promise: nothing
// that a client asked for is silently left out.
bool uses_what_is_not_offered(const Command& command);

// The answer to such a command.
Reply not_offered();

}  // namespace posthorn::imap

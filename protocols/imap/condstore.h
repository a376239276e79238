#pragma once

#include "protocols/imap/command.h"

namespace posthorn::imap {

// Whether a command is one of those by which a client says that it wants to hear of mod-sequences (CONDSTORE
// enabling commands, RFC 7162 §3.1), ENABLE aside.
bool enables_condstore(const Command::Body& body);

}  // namespace posthorn::imap

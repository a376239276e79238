#pragma once

#include "protocols/imap/command.h"

namespace posthorn::imap {

// Whether a command takes or answers message sequence numbers (RFC 9586 §3.2, §3.5, §3.7), which nobody may
// use once UIDONLY is enabled: by its own numbering, by a key of UID SEARCH, or by the match data of QRESYNC.
// `$` is no number. Pure.
bool uses_sequence_numbers(const Command::Body& body);

}  // namespace posthorn::imap

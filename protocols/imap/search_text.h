#pragma once

#include "base/task.h"
#include "message/structure.h"
#include "protocols/imap/message_source.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/slice.h"

namespace posthorn::imap {

// Looks for `wants` in a message: its decoded text streams by and is never whole in memory. Of the header,
// the first longest_header octets (section.h) count for fields. Errors: as MessageSource.
Task<Result<TextFindings>> look_for(const TextWants& wants, const message::Summary& summary,
                                    MessageSource& source, Slice& slice);

}  // namespace posthorn::imap

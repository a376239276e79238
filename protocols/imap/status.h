#pragma once

#include "base/task.h"
#include "protocols/imap/command.h"
#include "protocols/imap/dialect.h"
#include "storage/store.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What STATUS and LIST ... RETURN (STATUS ...) tell of mailboxes (RFC 3501 §6.3.10, RFC 5819).
namespace posthorn::imap {

// Appends "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)" and the line end: the items in the order asked
// for. `append_limit` is in octets (RFC 7889 §3.1).
void append_status(std::string& out, std::string_view mailbox, std::span<const StatusItem> items,
                   const storage::Counts& counts, std::uint64_t append_limit, Dialect dialect);

// The counts of all of `mailboxes`, in their order; an Error where there are none. All are asked for at once,
// so that storage answers many in one go.
Task<std::vector<Result<storage::Counts>>> counts_of(storage::Account& account,
                                                     std::span<const std::string> mailboxes);

}  // namespace posthorn::imap

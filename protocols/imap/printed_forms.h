#pragma once

#include "base/result.h"
#include "protocols/imap/dialect.h"
#include "storage/form.h"

#include <string_view>

// ENVELOPE and BODYSTRUCTURE as FETCH prints them (structure_printer.h), made once for each message, as it
// arrives: most clients ask for them, and often of all messages of a mailbox.
namespace posthorn::imap {

// What the store is given to make them. Most look the same in all dialects, and are there once then.
storage::FormMakers printed_forms();

// What such a form has for a client of this dialect. Errors: corrupt for what printed_forms() did not make.
Result<std::string_view> printed(std::string_view form, Dialect dialect);

}  // namespace posthorn::imap

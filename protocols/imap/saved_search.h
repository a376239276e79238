#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/command.h"
#include "protocols/imap/places.h"
#include "protocols/imap/view.h"

#include <memory>

// `$`, the messages that a SEARCH saved (RFC 5182 §2.1).
namespace posthorn::imap {

// Whether a command other than SEARCH, or a key of SEARCH, names it.
bool names_saved(const Command::Body& body);
bool names_saved(const SearchKey& key);

// Where those that were saved and are still there stand in `view`. They may be very many: in steps.
Task<std::shared_ptr<const Places>> saved_places(Connection& connection, const View& view);

// Fills in what every `$` of a command stands for, as sequence numbers, whatever the command takes there.
// None is a set without ranges. Not in the keys of SEARCH, which may be many: they share one set
// (search_keys.h).
void put_in_saved(Command::Body& body, const Places& saved);

}  // namespace posthorn::imap

#pragma once

#include "protocols/imap/dialect.h"
#include "storage/store.h"

#include <optional>
#include <string>

// FETCH items of extensions, each as name and value.
namespace posthorn::imap {

// SAVEDATE, RFC 8514 §4.1.
void append_save_date(std::string& out, const storage::Mailbox::Origin& origin);

// THREADID, RFC 8474 §5.2.
void append_thread_id(std::string& out, const storage::Mailbox::Origin& origin);

// PREVIEW, RFC 8970 §3.2: none is NIL, which only a client that asked for it LAZY may get.
void append_preview(std::string& out, const std::optional<std::string>& preview, Dialect dialect);

}  // namespace posthorn::imap

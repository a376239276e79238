#include "protocols/imap/fetch_items.h"

#include "protocols/imap/printer.h"
#include "protocols/imap/text_printer.h"

namespace posthorn::imap {

void append_save_date(std::string& out, const storage::Mailbox::Origin& origin) {
  out += "SAVEDATE ";
  append_internal_date(out, {.unix_seconds = origin.saved, .zone_minutes = 0});
}

void append_thread_id(std::string& out, const storage::Mailbox::Origin& origin) {
  out += "THREADID (" + origin.thread_id + ")";
}

void append_preview(std::string& out, const std::optional<std::string>& preview, Dialect dialect) {
  out += "PREVIEW ";
  append_nstring(out, preview, dialect);
}

}  // namespace posthorn::imap

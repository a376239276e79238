#include "protocols/imap/text_printer.h"

#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

#include <algorithm>

namespace posthorn::imap {
namespace {

bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

void append_string(std::string& out, std::string_view text, Dialect dialect) {
  const bool is_quoted = dialect.utf8() && std::ranges::any_of(text, is_8bit) &&
                         text.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos &&
                         is_utf8(text);
  if (is_quoted) {
    append_escaped(out, text);
  } else {
    append_string(out, text);
  }
}

void append_nstring(std::string& out, const std::optional<std::string_view>& text, Dialect dialect) {
  if (text) {
    append_string(out, *text, dialect);
  } else {
    out.append("NIL");
  }
}

}  // namespace posthorn::imap

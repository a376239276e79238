#include "protocols/imap/not_offered.h"

namespace posthorn::imap {

bool uses_what_is_not_offered(const Command& command) {
  return std::holds_alternative<Replace>(command.body);
}

Reply not_offered() { return bad("That is not offered here"); }

}  // namespace posthorn::imap

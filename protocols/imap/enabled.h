#pragma once

#include "protocols/imap/dialect.h"

namespace posthorn::imap {

// What a client enabled (RFC 5161 §3.1), by ENABLE or by a command that enables on its own. It stays until
// the end of the login.
struct Enabled {
  Dialect dialect;         // how commands are read and answered
  bool condstore = false;  // RFC 7162 §3.1: MODSEQ goes with every FETCH response of flags
  bool qresync = false;    // RFC 7162 §3.2: VANISHED in place of EXPUNGE; never without condstore
  bool uid_only = false;   // RFC 9586 §3: no sequence numbers, neither in commands nor in responses

  bool rev2() const { return dialect.rev2; }
  // Messages that are gone are told by UID.
  bool vanished() const { return qresync || uid_only; }
  bool operator==(const Enabled&) const = default;
};

}  // namespace posthorn::imap

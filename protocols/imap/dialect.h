#pragma once

namespace posthorn::imap {

// What the client enabled (RFC 5161) that changes how its commands are read and answered.
struct Dialect {
  bool utf8_accept = false;  // UTF8=ACCEPT, RFC 6855 §3
  bool rev2 = false;         // IMAP4rev2, RFC 9051 §6.3.1

  // Mailbox names are plain UTF-8 instead of modified UTF-7, quoted strings hold UTF-8 (RFC 6855 §3,
  // RFC 9051 §5.1, §4.3).
  bool utf8() const { return utf8_accept || rev2; }
  bool operator==(const Dialect&) const = default;
};

}  // namespace posthorn::imap

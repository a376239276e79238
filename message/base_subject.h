#pragma once

#include <string>
#include <string_view>

namespace posthorn::message {

// A subject without what replies, forwards and mailing lists add to it (RFC 5256 §2.1).
struct BaseSubject {
  std::string text;  // UTF-8 in the author's case; to be compared without regard to case (§5, §7)
  // Whether "Re:", "Fwd:", "(fwd)" or "[fwd: ...]" was there (§3, THREAD=REFERENCES).
  bool is_reply_or_forward = false;

  bool operator==(const BaseSubject&) const = default;
};

// The base subject of a Subject field's value, folded or not, encoded words as they are. Exactly the RFC's
// algorithm, except that NULs vanish. Linear time.
BaseSubject base_subject(std::string_view value);

}  // namespace posthorn::message

#pragma once

#include "message/structure.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// Of a message's references this many are kept: the first ones, which name the thread's beginning, and the
// last ones, which name the nearest ancestors.
inline constexpr std::size_t first_references_kept = 20;
inline constexpr std::size_t last_references_kept = 80;

// How a message is linked to others (RFC 5256 §3, THREAD=REFERENCES; RFC 8474 §5.2). All ids are in normal
// form, to be compared octet by octet; they may hold octets that are no UTF-8.
struct ThreadReferences {
  std::optional<std::string> message_id;  // none: the message needs one that nobody else has
  std::vector<std::string> in_reply_to;
  std::vector<std::string> references;

  // What step (1) of the algorithm calls the message's references, the parent last: those of References, or
  // else the first of In-Reply-To, as others there often are mail addresses.
  std::vector<std::string> ancestors() const;

  bool operator==(const ThreadReferences&) const = default;
};

// The msg-ids in the value of a Message-ID, In-Reply-To or References field (RFC 5322 §3.6.4), folded or not,
// in their order, repeated ones too.
//
// In normal form they have no angle brackets, no comments, no white space, and no quotes: <"a b"@c> is the
// same as <ab@c>. Case stays (RFC 5256 §3). Taken are also ids without "@", ids whose ">" is missing, fields
// that are encoded words as a whole, and, in a field without any angle bracket, words with "@"; not taken are
// ids of no or more than 998 octets. Linear time.
std::vector<std::string> parse_message_ids(std::string_view value);

// Those of a message. An id is in each list once, at its first place, but for the last one in the list, which
// stays last; the message's own is in neither. A list has at most first_references_kept +
// last_references_kept elements.
ThreadReferences thread_references(const Summary& summary);

}  // namespace posthorn::message

#pragma once

#include "message/structure.h"
#include "message/text.h"

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// The bodies that a preview (RFC 8970) may be made from, the best first: text/plain and text/html that are no
// attachments, of a multipart/alternative the plain one before others, of a multipart/related its root first.
// At most 4, each of at most 128 KiB: the rest of a longer body is not needed.
//
// None if a message has no text of its own (embedded messages are not its own), and none from where something
// encrypted or signed stands on: multipart/encrypted, multipart/signed, S/MIME, PGP.
std::vector<TextRange> preview_ranges(const Summary& summary);

// The preview that one of those ranges gives, read from `wire_bytes`, which are its bytes as on the wire: one
// line of UTF-8, at most 200 characters (RFC 8970 §3.3), without control characters; see PreviewText. The
// charset that an HTML document itself names counts where the part names none. Empty if the range has no
// text: the next one is to be tried.
std::string preview_of(const TextRange& range, std::string_view wire_bytes);

// The preview of a message that is in memory as a whole.
std::string preview_of(const Summary& summary, std::string_view wire_bytes);

}  // namespace posthorn::message

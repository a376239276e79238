#pragma once

#include "message/structure.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// A Content-Type field (RFC 2045 §5.1); neither `type` nor `subtype` is empty.
struct ContentType {
  std::string type;
  std::string subtype;
  std::vector<Parameter> parameters;
};

// The value of a Content-Type field, folded or not. A known type without subtype gets its commonest one
// ("text" is text/plain, "multipart" is multipart/mixed), any other word alone is application/octet-stream.
// Semicolons may be missing, unquoted values may hold spaces and 8-bit octets. At most 200 parameters are
// kept. None if there is no type at all (RFC 2045 §5.2: text/plain then).
std::optional<ContentType> parse_content_type(std::string_view value);

// The value of a Content-Disposition field (RFC 2183 §2), as tolerant; none if it has no type.
std::optional<Disposition> parse_disposition(std::string_view value);

// The tags of a Content-Language field (RFC 3282 §2); at most 100.
std::vector<std::string> parse_languages(std::string_view value);

// The value of a Content-Transfer-Encoding field (RFC 2045 §6.1) without comments, as given; "quoted
// printable" gets its hyphen. Empty if there is none.
std::string parse_encoding(std::string_view value);

}  // namespace posthorn::message

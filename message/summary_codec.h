#pragma once

#include "base/result.h"
#include "message/structure.h"

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// A Summary as compact bytes, for the index. The first octet is the version of the form.
std::string encode(const Summary& summary);

// What encode() made, as a value. For each Summary that SummaryParser gives, decode(encode(summary)) equals
// it, and what decodes encodes to the same bytes again.
//
// Errors: Errc::corrupt for any bytes that encode() cannot have made, and for another version.
Result<Summary> decode(std::string_view bytes);

// The envelope alone, or the structure alone, of what encode() made; summary_view.h has them without copies.
// The rest of the bytes is not looked at.
//
// Errors: as decode().
Result<Envelope> decode_envelope(std::string_view bytes);
Result<BodyPart> decode_structure(std::string_view bytes);

// What was kept of the header alone (common_fields.h), a view into `bytes`; nothing if it was not kept.
// Errors: as decode().
Result<std::optional<std::string_view>> decode_common_fields(std::string_view bytes);

// The preview alone; nothing if it was not known. Errors: as decode().
Result<std::optional<std::string>> decode_preview(std::string_view bytes);

// The edits alone (binary_view.h); none for a message that is shown as it is stored. Errors: as decode().
Result<std::vector<BinaryEdit>> decode_edits(std::string_view bytes);

// Whether the bytes are of the version that encode() makes today: what an older one made is to be worked out
// anew.
bool is_current(std::string_view bytes);

}  // namespace posthorn::message

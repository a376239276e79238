#pragma once

#include "message/structure.h"
#include "protocols/imap/command.h"
#include "protocols/imap/message_source.h"

#include <cstdint>
#include <optional>
#include <string>

// What the sections of BODY[...] mean (RFC 3501 §6.4.5).
namespace posthorn::imap {

// A stretch of the message as on the wire.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool operator==(const Extent&) const = default;
};

// Where the octets of `section` are; for HEADER.FIELDS and its opposite, where the whole header is. Nothing
// where the message has no such part, or the part no header of a message.
std::optional<Extent> extent_of(const Section& section, const message::BodyPart& root);

// Whether extent_of() needs the structure: not for the message as a whole.
bool needs_structure(const Section& section);

// Whether the answer is a selection of header fields: HEADER.FIELDS and its opposite.
bool is_filtered(const Section& section);

// What of `extent` lies in a message of `size` octets.
Extent within(Extent extent, std::uint64_t size);

// The part of `whole` that <first.count> leaves; empty behind its end.
Extent cut(Extent whole, const std::optional<Partial>& partial);

// The header at `header`, of which only the first longest_header octets count.
inline constexpr std::size_t longest_header = 1U << 20U;
Task<Result<std::string>> read_header(Extent header, MessageSource& source);

// The fields of HEADER.FIELDS or HEADER.FIELDS.NOT out of a header, or out of the one at `header`.
std::string fields_of(const Section& section, std::string_view header);
Task<Result<std::string>> header_fields(const Section& section, Extent header, MessageSource& source);

}  // namespace posthorn::imap

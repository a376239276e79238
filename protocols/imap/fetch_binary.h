#pragma once

#include "base/connection.h"
#include "message/binary_edit.h"
#include "message/structure.h"
#include "message/transfer_encoding.h"
#include "protocols/imap/command.h"
#include "protocols/imap/message_source.h"
#include "protocols/imap/section.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Sections without their transfer encoding: BINARY, BINARY.PEEK and BINARY.SIZE (RFC 3516 §4, RFC 9051
// §6.4.5).
namespace posthorn::imap {

// Where the content of a section is, and in which encoding.
struct EncodedSection {
  Extent extent;
  message::TransferEncoding encoding = message::TransferEncoding::identity;
  // A message or a multipart: its content is that of what lies in it, encoded or not.
  bool is_composite = false;
  bool operator==(const EncodedSection&) const = default;
};

// The section that `part` names, empty for the whole message. A message and a multipart have no encoding of
// their own (RFC 2045 §6.4). Nothing where there is no such part.
//
// Errors: Errc::unavailable for a leaf or message whose encoding is not known: [UNKNOWN-CTE] (RFC 3516 §4.3).
Result<std::optional<EncodedSection>> encoded_section(const std::vector<std::uint32_t>& part,
                                                      const message::BodyPart& root);

// The same section among the octets that are stored, of a message that is shown another way.
EncodedSection stored_section(const EncodedSection& section, const std::vector<message::BinaryEdit>& edits,
                              std::uint64_t stored_size);

// Reads a section's content from its beginning on, or what `partial` leaves of it (RFC 3516 §4.2: of the
// decoded octets). It holds one piece of it at a time.
class ContentReader {
 public:
  ContentReader(MessageSource& source, const EncodedSection& section, const std::optional<Partial>& partial);

  // The next octets; none at the end. Errors: those of the source; corrupt where it ends early.
  Task<Result<std::string>> next();

 private:
  MessageSource& source_;
  message::TransferDecoder decoder_;
  Extent rest_;            // still encoded
  std::uint64_t skipped_;  // decoded octets before the first that is wanted
  std::uint64_t wanted_;   // decoded octets that are still wanted
  bool is_finished_ = false;
};

// What a section's content proved to be.
struct Content {
  std::uint64_t size = 0;
  bool has_nul = false;                 // it can only be told in a literal8
  std::optional<std::string> octets{};  // itself, if it is short
};

// Reads a content through, in slices of time. It is kept if it has `longest_kept` octets at most.
Task<Result<Content>> examine(Connection& connection, ContentReader reader, std::size_t longest_kept);

}  // namespace posthorn::imap

#pragma once

#include "message/address.h"
#include "message/binary_edit.h"
#include "message/date.h"
#include "message/line_ends.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// What IMAP's ENVELOPE says of a message (RFC 3501 §7.4.2). Strings are the field's value on one line, 8-bit
// octets and encoded words as they are, no NUL in them; absent where the field is. `sender` and `reply_to`
// are copies of `from` where their own field is absent or empty. Of a field that stands there twice, the
// first that is not empty counts; To, Cc and Bcc are joined (RFC 5322 §4.5.3).
struct Envelope {
  std::optional<std::string> date;
  std::optional<std::string> subject;
  std::vector<Address> from;
  std::vector<Address> sender;
  std::vector<Address> reply_to;
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
  std::optional<std::string> in_reply_to;
  std::optional<std::string> message_id;

  bool operator==(const Envelope&) const = default;
};

// One parameter of Content-Type or Content-Disposition: the name as given (RFC 2231's "name*0*" too), the
// value without quotes. parameter_value() in encoded_word.h joins and decodes.
struct Parameter {
  std::string name;
  std::string value;

  bool operator==(const Parameter&) const = default;
};

// RFC 2183.
struct Disposition {
  std::string type;  // as given; never empty
  std::vector<Parameter> parameters;

  bool operator==(const Disposition&) const = default;
};

// One MIME entity (RFC 2045 §2.4) and where its bytes are. Offsets count octets of the message as on the
// wire, from its first one; an entity's body follows its header at once, and children lie inside their
// parent's body.
//
// So that a BODYSTRUCTURE can always be printed: `type` and `subtype` are never empty; a multipart has at
// least one child (without any delimiter: a text/plain that is the body up to the closing delimiter or the
// end); message/rfc822 and message/global have exactly one child, the embedded message, and its envelope; no
// other type has children or an envelope. A multipart or message that lies beyond a limit is not opened and
// becomes application/octet-stream.
struct BodyPart {
  // As given, in any case; is() and is_multipart() compare. Without a Content-Type that can be read:
  // text/plain with charset=us-ascii (RFC 2045 §5.2), or message/rfc822 in a multipart/digest (RFC 2046
  // §5.1.5).
  std::string type;
  std::string subtype;
  std::vector<Parameter> parameters;
  std::optional<std::string> id;           // Content-ID
  std::optional<std::string> description;  // Content-Description, encoded words as they are
  std::optional<std::string> encoding;     // Content-Transfer-Encoding as given; absent means 7bit
  std::optional<std::string> md5;          // Content-MD5
  std::optional<Disposition> disposition;
  std::vector<std::string> languages;   // Content-Language, RFC 3282
  std::optional<std::string> location;  // Content-Location, RFC 2557

  std::uint64_t header_offset = 0;
  std::uint64_t header_size = 0;  // with the blank line that ends it
  std::uint64_t body_offset = 0;  // header_offset + header_size
  std::uint64_t body_size = 0;    // without the CRLF that belongs to the delimiter after it (RFC 2046 §5.1.1)
  std::uint64_t header_lines = 0;
  std::uint64_t body_lines = 0;  // a last line without line end counts

  std::vector<BodyPart> children;
  std::optional<Envelope> envelope;

  // Whether this is that MIME type; both in lower case.
  bool is(std::string_view lower_type, std::string_view lower_subtype) const;
  bool is_multipart() const;
  // message/rfc822 or message/global: has a child and an envelope.
  bool is_message() const;

  bool operator==(const BodyPart&) const = default;
};

// What is kept of a message at its arrival, so that ENVELOPE, BODY, BODYSTRUCTURE, sections and most searches
// need no second look at its bytes.
struct Summary {
  Envelope envelope;
  BodyPart root;                          // root.header_offset is 0, root.header_size the size of the header
  std::optional<ParsedDate> date_sent;    // the Date field, where it can be read
  std::optional<std::string> references;  // the References field on one line, for threads
  // What keep_common_fields() keeps of the header.
  std::optional<std::string> common_fields;
  std::optional<std::string> preview;  // see preview.h; SummaryParser leaves it to others
  // Of a message that is shown in another form than it is stored, from which all this is: see binary_view.h.
  std::vector<BinaryEdit> edits;

  bool operator==(const Summary&) const = default;
};

// What a parser keeps at most. Beyond these, offsets and sizes stay exact; content is dropped as each limit
// says.
struct Limits {
  std::size_t depth = 100;               // entities in each other, the message itself being 1; at most 1000
  std::size_t parts = 10'000;            // entities; after that delimiters are text of the last one
  std::size_t header_bytes = 256 << 10;  // of one entity's header; fields beyond are not looked at
  std::size_t addresses = 10'000;        // in all envelopes together
  std::size_t kept_bytes = 4 << 20;  // of header text in the whole Summary; later entities get plain defaults
};

// Reads a message as it streams by and gives its Summary at the end. Never fails: broken mail gets what a
// person would make of it. The result does not depend on how the bytes are cut into chunks. Linear time;
// memory is bounded by the limits, not by the message.
class SummaryParser {
 public:
  explicit SummaryParser(LineEnds ends = LineEnds::crlf, const Limits& limits = {});
  SummaryParser(SummaryParser&&) noexcept;
  SummaryParser& operator=(SummaryParser&&) noexcept;
  ~SummaryParser();

  void feed(std::string_view chunk);

  // To be called once; the parser is used up.
  Summary finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The Summary of a message that is in memory as a whole.
Summary parse_summary(std::string_view whole, LineEnds ends = LineEnds::crlf, const Limits& limits = {});

// The part that the numbers of an IMAP section name (RFC 3501 §6.4.5): {} is the message itself, {1} of a
// message that is no multipart its only part, {3, 1} the first part of the message that is part 3. Null if
// there is none. The root (or an embedded root) that is no multipart is found under 1 with its own header.
const BodyPart* find_part(const BodyPart& root, std::span<const std::uint32_t> numbers);

}  // namespace posthorn::message

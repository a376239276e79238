#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::message {

// One field of a header block (RFC 5322 §2.2); views into that block.
struct HeaderField {
  std::string_view name;   // without the colon and white space before it; never empty
  std::string_view value;  // after the colon, without the last line end; folds are still in it
  std::string_view raw;    // the whole field with its line ends
};

// Walks the fields of a header block of either line end, up to the blank line or the end of the block.
//
// Lines that are no field (mbox's "From ", text without a colon, white space that continues nothing) are
// skipped together with the lines that continue them. White space before the colon is accepted (RFC 5322
// §4.5).
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view block) : rest_(block) {}

  // The next field; none at the end.
  std::optional<HeaderField> next();

  // After next() gave none: the blank line that ended the header, with its line end. Empty without one.
  std::string_view blank_line() const { return blank_line_; }

 private:
  std::string_view rest_;
  std::string_view blank_line_;
};

// The name of the field that `line` begins, or an empty view if it begins none.
std::string_view field_name_of(std::string_view line);

// Whether two field names, MIME types or charset names are equal: ASCII letters match in any case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// `text` with ASCII letters in lower case.
std::string to_lower_ascii(std::string_view text);

// A field's value on one line: line ends removed (RFC 5322 §2.2.3), NULs too, white space at both ends
// trimmed. Folding white space stays as it is.
std::string unfold(std::string_view value);

// The first field, or all fields, of that name, in any case.
std::optional<HeaderField> find_field(std::string_view block, std::string_view name);
std::vector<HeaderField> find_fields(std::string_view block, std::string_view name);

// Appends `lines`, which end in LF or CRLF, with CRLF; the last one too.
void append_with_crlf(std::string_view lines, std::string& out);

enum class FieldFilter { only, except };

// The bytes of BODY[HEADER.FIELDS (names)] or BODY[HEADER.FIELDS.NOT (names)] (RFC 3501 §6.4.5): the
// fields whose name is, or is not, among `names`, folds as they are, then the blank line if `block` has one.
// Lines end with CRLF whatever `block` has; lines that are no field are in neither. Linear time.
std::string filter_fields(std::string_view block, std::span<const std::string> names, FieldFilter filter);

}  // namespace posthorn::message

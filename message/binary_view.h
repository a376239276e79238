#pragma once

#include "base/result.h"
#include "message/binary_edit.h"
#include "message/line_ends.h"
#include "message/structure.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Messages with binary parts (RFC 3030 §3, RFC 3516): they are stored as they came, and shown with these
// parts in base64, since outside of BINARY no NUL may go to a client (RFC 3501 §9, CHAR8; RFC 3516 §6).
namespace posthorn::message {

// Gives stored octets: up to `size` of them from `offset` on, fewer only at the end.
using ReadStored = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

// How a message with NULs is to be shown: each part with a NUL in its body in base64 (text too, as
// quoted-printable may not come back to the very octets everywhere), its Content-Transfer-Encoding
// accordingly; a multipart or message around it that calls itself binary as 8bit. Nothing else changes. Parts
// that are called 7bit, 8bit, or nothing, count as binary where they have a NUL.
//
// `root` is the structure of the `stored_size` octets that `read` gives, which are read through once. Gives
// edits in ascending order that do not overlap; none where there is no NUL.
//
// Errors: not_allowed for a NUL that no encoding can save: outside of the bodies of parts, or in a part that
// is encoded already, has no header, or one of more than 128 KiB; those of `read`; corrupt when it gives less
// than `stored_size`.
Result<std::vector<BinaryEdit>> find_binary_edits(const BodyPart& root, std::uint64_t stored_size,
                                                  const ReadStored& read);

// A stored message, and how its octets become those that clients see.
class BinaryView {
 public:
  // `edits` as find_binary_edits() gives them; from elsewhere, what lies outside of the message or before the
  // end of the one before it is passed over.
  BinaryView(std::vector<BinaryEdit> edits, std::uint64_t stored_size);

  // Octets that clients see.
  std::uint64_t size() const { return size_; }
  std::uint64_t stored_size() const { return stored_size_; }

  // Up to `count` of them from `offset` on, fewer only at the end. It reads little more than what it gives,
  // wherever that is. Errors: those of `read`; corrupt when it gives too little.
  Result<std::string> read(std::uint64_t offset, std::size_t count, const ReadStored& read) const;

  // The stored octet that the seen one at `offset` shows, or where the stretch begins that is shown another
  // way. Beginnings and ends of parts map to their like.
  std::uint64_t stored_offset(std::uint64_t offset) const;

 private:
  enum class Kind : std::uint8_t { same, text, base64 };
  struct Stretch {
    Kind kind;
    std::uint64_t seen_offset;
    std::uint64_t stored_offset;
    std::uint64_t stored_size;
    std::string text;
  };
  void add(Stretch stretch);
  const Stretch& stretch_at(std::uint64_t offset) const;

  std::vector<Stretch> stretches_;  // of all that is seen, ascending; none is empty
  std::uint64_t size_ = 0;
  std::uint64_t stored_size_;
};

// The Summary of what is seen, with the edits in it, and its preview.
// Errors: those of BinaryView::read().
Result<Summary> summarise(const BinaryView& view, std::vector<BinaryEdit> edits, const ReadStored& read);

// Fed with all that is seen. Errors: the same.
Result<LineEndGain> line_end_gain(const BinaryView& view, const ReadStored& read);

}  // namespace posthorn::message

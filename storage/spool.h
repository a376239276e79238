#pragma once

#include "base/result.h"
#include "base/task.h"

#include <cstdint>
#include <string_view>

namespace posthorn::storage {

// A message on its way in, as on the wire (CRLF). Small ones stay in memory until they are committed, larger
// ones go to DATA/spool while they come. Dropped without a commit, it leaves nothing behind.
//
// Its MIME structure is worked out as the octets pass.
class Spool {
 public:
  virtual ~Spool() = default;
  // Takes more octets. too_large once the message passes [limits] message_size: the rest may still be
  // written and is dropped, so that the session can read on to the end. disk_full, io likewise.
  virtual Task<Result<>> write(std::string_view bytes) = 0;
  // Says that from now on NULs may come, as content of binary parts: the message is stored as it came and
  // shown with these parts in base64 (message/binary_view.h). Other NULs are shown as 0x80.
  virtual void accept_binary() {}
  // Says that the message is complete; it can be delivered then. not_allowed for a NUL that no part can have:
  // see message::find_binary_edits().
  virtual Task<Result<>> close() = 0;
  // Of a closed one: holds nothing of it in memory any more, at the price of reading it once again. For
  // whoever has many.
  virtual Task<Result<>> put_aside() { co_return Result<>(); }
  virtual std::uint64_t size() const = 0;
};

}  // namespace posthorn::storage

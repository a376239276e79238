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
  // Says that the message is complete; it can be delivered then.
  virtual Task<Result<>> close() = 0;
  virtual std::uint64_t size() const = 0;
};

}  // namespace posthorn::storage

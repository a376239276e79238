#pragma once

#include "base/result.h"
#include "base/task.h"
#include "storage/read_ahead.h"
#include "storage/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::imap {

// The octets of one message, in as few hops to the disk as can be: a small one, or the beginning of a large
// one, comes in a single hop, and only what lies farther opens the file for more.
class MessageSource {
 public:
  // `size` as the index has it, of seen octets. `mailbox` outlives the source.
  MessageSource(storage::Mailbox& mailbox, storage::Uid uid, std::uint64_t size,
                storage::Octets octets = storage::Octets::seen)
      : mailbox_(mailbox), uid_(uid), size_(size), octets_(octets) {}

  // Makes ready for reading up to the octet `end`; call it once, first. With `ahead`, those of `next` that
  // follow are read along with it.
  // Errors: not_found when the message was expunged; io; corrupt.
  Task<Result<>> open(std::uint64_t end);
  Task<Result<>> open(std::uint64_t end, storage::ReadAhead& ahead, const storage::UidSet& next);

  // The same message, not open, with such octets.
  MessageSource twin(storage::Octets octets) const { return {mailbox_, uid_, size_, octets}; }

  // Octets that there really are, after open().
  std::uint64_t size() const { return size_; }

  // The same of octets that were read with open() already, without a copy; nothing where they were not.
  std::optional<std::string_view> held(std::uint64_t offset, std::uint64_t count) const;
  // Up to `count` octets (at most longest_read) from `offset` on, fewer only at the end of the message.
  Task<Result<std::string>> read(std::uint64_t offset, std::size_t count);
  static constexpr std::size_t longest_read = 65'536;
  // A message up to here is read as a whole by open(), and a hop of a ReadAhead brings so much together.
  static constexpr std::size_t longest_head = 131'072;
  static constexpr std::size_t longest_heads = 262'144;

 private:
  Result<> hold(std::uint64_t wanted, Result<std::string> head);
  Task<Result<>> open_file();

  storage::Mailbox& mailbox_;
  storage::Uid uid_;
  std::uint64_t size_;
  storage::Octets octets_;
  std::string head_;
  std::unique_ptr<storage::MessageBytes> bytes_;
};

}  // namespace posthorn::imap

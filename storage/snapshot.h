#pragma once

#include "storage/message.h"
#include "storage/uid_set.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace posthorn::storage {

// The messages of a mailbox at one moment, ascending by UID; it never changes, so that any thread may read
// it and all sessions of a mailbox share it. A newer one shares with the older all blocks of messages in
// which nothing changed: a delivery into 100,000 messages copies one block, not all.
//
// A session holds the Snapshot that its client has been told of; what it has to tell next is the
// difference to the mailbox's present one, and sequence numbers are places in its own.
class Snapshot {
 public:
  // What one commit changed. All ascending by UID.
  struct Change {
    std::vector<Message> added;    // each UID above all that the mailbox ever had
    std::vector<Message> changed;  // the new values
    UidSet expunged;
    ModSeq highest_modseq = 0;
    Uid uid_next = 0;
  };

  Snapshot() = default;
  // `messages` ascending by UID.
  Snapshot(std::span<const Message> messages, Uid uid_next, ModSeq highest_modseq);
  // This one after `change`. UIDs in `changed` and `expunged` that are not here are passed over. An added
  // UID that is not above all here (a foreign program's file) is put in its place.
  std::shared_ptr<const Snapshot> after(const Change& change) const;

  std::uint32_t size() const { return size_; }
  // The message with sequence number index + 1. index < size().
  const Message& at(std::uint32_t index) const;
  // Where the message with this UID stands, if it is here.
  std::optional<std::uint32_t> find(Uid uid) const;
  // The place of the first message with this UID or a higher one; size() if there is none.
  std::uint32_t lower_bound(Uid uid) const;
  // Calls `visit(index, message)` for the places first to last - 1, quicker than at() for each.
  void visit(std::uint32_t first, std::uint32_t last,
             const std::function<void(std::uint32_t, const Message&)>& visit) const;

  Uid uid_next() const { return uid_next_; }
  ModSeq highest_modseq() const { return highest_modseq_; }

  // The difference that leads from `older` to `newer`; blocks that both share cost nothing.
  // `added` has what is only in the newer, `changed` what differs in flags or modseq (new values).
  static Change difference(const Snapshot& older, const Snapshot& newer);

  // Those of `uids` that are not here.
  UidSet without(const UidSet& uids) const;

 private:
  using Block = std::vector<Message>;

  void number();

  std::vector<std::shared_ptr<const Block>> blocks_;
  std::vector<std::uint32_t> begins_;  // the place of each block's first message
  std::uint32_t size_ = 0;
  Uid uid_next_ = 1;
  ModSeq highest_modseq_ = 1;
};

}  // namespace posthorn::storage

#include "storage/snapshot.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace posthorn::storage {
namespace {

constexpr std::size_t block_limit = 512;
// Neighbours that fit into this together are joined, so that expunging one by one leaves no crumbs.
constexpr std::size_t join_limit = 256;

using Block = std::vector<Message>;

// What of a Change is still to be applied, while the blocks go by in ascending order.
class Pending {
 public:
  explicit Pending(const Snapshot::Change& change)
      : added_(change.added), changed_(change.changed), expunged_(change.expunged.ranges()) {}

  // Whether a block that holds `first` to `last`, and takes in what comes before `limit`, is touched.
  bool touches(Uid first, Uid last, std::uint64_t limit) {
    while (!changed_.empty() && changed_.front().uid < first) changed_ = changed_.subspan(1);
    while (!expunged_.empty() && expunged_.front().last < first) expunged_ = expunged_.subspan(1);
    return (!added_.empty() && added_.front().uid < limit) ||
           (!changed_.empty() && changed_.front().uid <= last) ||
           (!expunged_.empty() && expunged_.front().first <= last);
  }

  // The messages of `block` after the change, with those added before `limit`.
  Block apply(const Block& block, std::uint64_t limit) {
    Block result;
    result.reserve(block.size() + 1);
    for (const Message& message : block) {
      take_added(result, message.uid);
      if (is_expunged(message.uid)) continue;
      while (!changed_.empty() && changed_.front().uid < message.uid) changed_ = changed_.subspan(1);
      const bool changed = !changed_.empty() && changed_.front().uid == message.uid;
      result.push_back(changed ? changed_.front() : message);
    }
    take_added(result, limit);
    return result;
  }

 private:
  void take_added(Block& result, std::uint64_t limit) {
    for (; !added_.empty() && added_.front().uid < limit; added_ = added_.subspan(1)) {
      if (!is_expunged(added_.front().uid)) result.push_back(added_.front());
    }
  }
  bool is_expunged(Uid uid) {
    while (!expunged_.empty() && expunged_.front().last < uid) expunged_ = expunged_.subspan(1);
    return !expunged_.empty() && expunged_.front().first <= uid;
  }

  std::span<const Message> added_;
  std::span<const Message> changed_;
  std::span<const UidSet::Range> expunged_;
};

// Adds `messages` to `blocks`, cut to size or joined with the last one.
void push(std::vector<std::shared_ptr<const Block>>& blocks, std::span<const Message> messages) {
  if (messages.empty()) return;
  if (!blocks.empty() && blocks.back()->size() + messages.size() <= join_limit) {
    Block joined = *blocks.back();
    joined.insert(joined.end(), messages.begin(), messages.end());
    blocks.back() = std::make_shared<const Block>(std::move(joined));
    return;
  }
  for (std::size_t begin = 0; begin < messages.size(); begin += block_limit) {
    const std::size_t end = std::min(begin + block_limit, messages.size());
    blocks.push_back(std::make_shared<const Block>(messages.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   messages.begin() + static_cast<std::ptrdiff_t>(end)));
  }
}

}  // namespace

Snapshot::Snapshot(std::span<const Message> messages, Uid uid_next, ModSeq highest_modseq)
    : uid_next_(uid_next), highest_modseq_(highest_modseq) {
  push(blocks_, messages);
  number();
}

void Snapshot::number() {
  begins_.clear();
  begins_.reserve(blocks_.size());
  size_ = 0;
  for (const auto& block : blocks_) {
    begins_.push_back(size_);
    size_ += static_cast<std::uint32_t>(block->size());
  }
}

std::shared_ptr<const Snapshot> Snapshot::after(const Change& change) const {
  auto result = std::make_shared<Snapshot>();
  result->uid_next_ = std::max(uid_next_, change.uid_next);
  result->highest_modseq_ = std::max(highest_modseq_, change.highest_modseq);
  result->blocks_.reserve(blocks_.size() + 1);
  Pending pending(change);
  constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();
  if (blocks_.empty()) push(result->blocks_, pending.apply({}, no_limit));
  for (std::size_t index = 0; index < blocks_.size(); ++index) {
    const Block& block = *blocks_[index];
    const std::uint64_t limit = index + 1 < blocks_.size() ? blocks_[index + 1]->front().uid : no_limit;
    if (!pending.touches(block.front().uid, block.back().uid, limit)) {
      result->blocks_.push_back(blocks_[index]);
      continue;
    }
    Block changed = pending.apply(block, limit);
    if (changed == block) {
      result->blocks_.push_back(blocks_[index]);
    } else {
      push(result->blocks_, changed);
    }
  }
  result->number();
  return result;
}

const Message& Snapshot::at(std::uint32_t index) const {
  assert(index < size_);
  const auto after = std::ranges::upper_bound(begins_, index);
  const auto block = static_cast<std::size_t>(after - begins_.begin()) - 1;
  return (*blocks_[block])[index - begins_[block]];
}

std::optional<std::uint32_t> Snapshot::find(Uid uid) const {
  const std::uint32_t place = lower_bound(uid);
  if (place == size_ || at(place).uid != uid) return std::nullopt;
  return place;
}

std::uint32_t Snapshot::lower_bound(Uid uid) const {
  const auto block = std::ranges::partition_point(
      blocks_, [uid](const std::shared_ptr<const Block>& each) { return each->back().uid < uid; });
  if (block == blocks_.end()) return size_;
  const auto message = std::ranges::lower_bound(**block, uid, {}, &Message::uid);
  return begins_[static_cast<std::size_t>(block - blocks_.begin())] +
         static_cast<std::uint32_t>(message - (*block)->begin());
}

void Snapshot::visit(std::uint32_t first, std::uint32_t last,
                     const std::function<void(std::uint32_t, const Message&)>& visit) const {
  if (first >= last) return;
  assert(last <= size_);
  auto block = static_cast<std::size_t>(std::ranges::upper_bound(begins_, first) - begins_.begin()) - 1;
  for (std::uint32_t index = first; index < last; ++block) {
    const Block& messages = *blocks_[block];
    for (std::size_t inside = index - begins_[block]; inside < messages.size() && index < last; ++inside) {
      visit(index++, messages[inside]);
    }
  }
}

UidSet Snapshot::without(const UidSet& uids) const {
  UidSet absent;
  for (const UidSet::Range range : uids.ranges()) {
    Uid next = range.first;  // the first that is not settled yet
    const std::uint32_t end =
        range.last == std::numeric_limits<Uid>::max() ? size_ : lower_bound(range.last + 1);
    visit(lower_bound(range.first), end, [&](std::uint32_t, const Message& message) {
      if (message.uid > next) absent.append(next, message.uid - 1);
      next = message.uid + 1;
    });
    if (next <= range.last) absent.append(next, range.last);
  }
  return absent;
}

Snapshot::Change Snapshot::difference(const Snapshot& older, const Snapshot& newer) {
  Change change;
  change.highest_modseq = newer.highest_modseq_;
  change.uid_next = newer.uid_next_;
  struct Cursor {
    const std::vector<std::shared_ptr<const Block>>& blocks;
    std::size_t block = 0;
    std::size_t inside = 0;

    bool at_end() const { return block == blocks.size(); }
    const Message& message() const { return (*blocks[block])[inside]; }
    void next() {
      if (++inside < blocks[block]->size()) return;
      inside = 0;
      ++block;
    }
  };
  Cursor was{older.blocks_};
  Cursor is{newer.blocks_};
  while (!was.at_end() || !is.at_end()) {
    const bool both = !was.at_end() && !is.at_end();
    if (both && was.inside == 0 && is.inside == 0 && was.blocks[was.block] == is.blocks[is.block]) {
      ++was.block;
      ++is.block;
    } else if (is.at_end() || (both && was.message().uid < is.message().uid)) {
      change.expunged.append(was.message().uid);
      was.next();
    } else if (was.at_end() || is.message().uid < was.message().uid) {
      change.added.push_back(is.message());
      is.next();
    } else {
      if (was.message() != is.message()) change.changed.push_back(is.message());
      was.next();
      is.next();
    }
  }
  return change;
}

}  // namespace posthorn::storage

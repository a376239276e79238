#pragma once

#include "storage/message.h"

#include <vector>

namespace posthorn::storage {

// Uids as ascending ranges that neither touch nor overlap.
class UidSet {
 public:
  struct Range {
    Uid first;
    Uid last;  // included
    bool operator==(const Range&) const = default;
  };

  // Adds what lies behind all others, or extends the last range by it: uids come in ascending order.
  void append(Uid uid) { append(uid, uid); }
  void append(Uid first, Uid last);
  bool contains(Uid uid) const;
  bool empty() const { return ranges_.empty(); }
  std::uint64_t count() const;
  const std::vector<Range>& ranges() const { return ranges_; }
  bool operator==(const UidSet&) const = default;

 private:
  std::vector<Range> ranges_;
};

}  // namespace posthorn::storage

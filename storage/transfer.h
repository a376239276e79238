#pragma once

#include "storage/work.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

// What COPY and MOVE share.
namespace posthorn::storage {

// What a message's flags become in the target: keywords have other places in its table.
class KeywordMap {
 public:
  KeywordMap(Work& work, const Folder& from, Folder& to, FlagLimits limits)
      : work_(work), from_(from), to_(to), limits_(limits) {}
  // Those for which the target's table has no room are left out, and flags beyond the limits.
  Result<Flags> map(const Flags& flags);

 private:
  Result<KeywordSet> map(const KeywordSet& keywords);
  Result<KeywordSet> taken(const std::string& keyword);

  Work& work_;
  const Folder& from_;
  Folder& to_;
  FlagLimits limits_;
  std::array<std::optional<KeywordSet>, KeywordSet::capacity> places_;
};

// Makes the file of `source`'s copy in `to`, which becomes durable when its directory is synced, and gives
// the copy's row, with `uid` and without a MODSEQ; nothing if `source` is gone. Other programs rename: then
// the row of `source` is put right first.
Result<std::optional<MessageRow>> link_copy(Work& work, Folder& from, MessageRow& source, Folder& to, Uid uid,
                                            KeywordMap& keywords);

}  // namespace posthorn::storage

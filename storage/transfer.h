#pragma once

#include "storage/work.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

// What COPY and MOVE share.
namespace posthorn::storage {

// The places of keywords in the target's table for those in the source's.
class KeywordMap {
 public:
  KeywordMap(Work& work, const Folder& from, Folder& to) : work_(work), from_(from), to_(to) {}
  // Those for which the target's table has no room are left out.
  Result<KeywordSet> map(const KeywordSet& keywords);

 private:
  Result<KeywordSet> taken(const std::string& keyword);

  Work& work_;
  const Folder& from_;
  Folder& to_;
  std::array<std::optional<KeywordSet>, KeywordSet::capacity> places_;
};

// Makes the file of `source`'s copy in `to`, which becomes durable when its directory is synced, and gives
// the copy's row, with `uid` and without a MODSEQ; nothing if `source` is gone. Other programs rename: then
// the row of `source` is put right first.
Result<std::optional<MessageRow>> link_copy(Work& work, Folder& from, MessageRow& source, Folder& to, Uid uid,
                                            KeywordMap& keywords);

}  // namespace posthorn::storage

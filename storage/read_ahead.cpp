#include "storage/read_ahead.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

// One hop serves so many messages at most, however small they are.
constexpr std::size_t messages_limit = 64;

// `uid`, and of `next` what follows it.
UidSet from(Uid uid, const UidSet& next) {
  UidSet result;
  result.append(uid);
  std::size_t count = 1;
  for (const UidSet::Range& range : next.ranges()) {
    for (Uid each = std::max(range.first, uid + 1); each <= range.last && count < messages_limit; ++each) {
      result.append(each);
      ++count;
    }
  }
  return result;
}

}  // namespace

Task<Result<std::string>> ReadAhead::head(Mailbox& mailbox, Uid uid, const UidSet& next) {
  if (read_.empty() || read_.back().uid != uid) {
    read_ = co_await mailbox.heads(from(uid, next), limits_);
    std::ranges::reverse(read_);
  }
  if (read_.empty() || read_.back().uid != uid) co_return co_await mailbox.head(uid, limits_.each);
  std::string octets = std::move(read_.back().octets);
  read_.pop_back();
  // What an empty vector keeps is of no use to an idle session.
  if (read_.empty()) read_ = {};
  co_return octets;
}

}  // namespace posthorn::storage

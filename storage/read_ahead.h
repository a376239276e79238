#pragma once

#include "storage/store.h"

#include <string>
#include <vector>

namespace posthorn::storage {

// Messages that are asked for one after the other: one hop to the disk reads the beginnings of several.
class ReadAhead {
 public:
  // `limits.each`: of a message, this many octets; a small message is whole then. `limits.all`: what is held
  // at most, and one message beyond it.
  explicit ReadAhead(Mailbox::HeadLimits limits) : limits_(limits) {}

  // What head() gives of each.
  std::size_t each() const { return limits_.each; }

  // The beginning of `uid`; if it has to be read, so are those of the UIDs in `next` that follow it. All of
  // `next`, which has to outlive the call, are thought to be there. Errors: those of Mailbox::head.
  Task<Result<std::string>> head(Mailbox& mailbox, Uid uid, const UidSet& next);

 private:
  Mailbox::HeadLimits limits_;
  std::vector<Mailbox::Head> read_;  // the next one last
};

}  // namespace posthorn::storage

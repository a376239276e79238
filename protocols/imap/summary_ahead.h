#pragma once

#include "base/task.h"
#include "storage/store.h"

#include <exception>
#include <optional>

namespace posthorn::imap {

// The summaries of many messages, batch after batch: while one batch is made use of, the disk reads the next.
// Two batches are held at most.
class SummaryAhead {
 public:
  using Summaries = storage::Mailbox::Summaries;

  // `mailbox` outlives this.
  SummaryAhead(storage::Mailbox& mailbox, storage::Effort effort, storage::Form form)
      : mailbox_(mailbox), effort_(effort), form_(form) {}
  SummaryAhead(const SummaryAhead&) = delete;
  SummaryAhead& operator=(const SummaryAhead&) = delete;

  // What Mailbox::summaries() gives of `uids`; from what was begun, if that was with the same.
  // Errors: as there; those of what was begun are told here.
  Task<Result<Summaries>> take(storage::UidSet uids);

  // Begins to read those that are taken next. What was begun before was taken.
  void begin(storage::UidSet uids);

  // Returns once nothing is under way. To be awaited before this is destroyed.
  Task<void> end();

 private:
  Task<void> read(storage::UidSet uids);

  storage::Mailbox& mailbox_;
  storage::Effort effort_;
  storage::Form form_;
  TaskGroup reading_;
  std::optional<storage::UidSet> begun_;
  Result<Summaries> read_;
  std::exception_ptr thrown_;
};

}  // namespace posthorn::imap

#pragma once

#include "base/result.h"
#include "base/task.h"
#include "storage/snapshot.h"
#include "storage/store.h"

#include <map>
#include <memory>
#include <optional>

namespace posthorn::storage {

class Work;
using Snapshots = std::map<MailboxId, std::shared_ptr<const Snapshot>>;

// One thing to do in an account, queued on the loop thread, run on the pool as part of a batch. Results are
// members of the classes made of it; they count when there is no error.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Does the work. It may be called again after a failure of the whole batch, so results begin anew. What it
  // did is undone when it gives an error.
  virtual Result<> run(Work& work) = 0;
  // It shares its batch with no other, as it decides about commits itself.
  virtual bool alone() const { return false; }
  // It neither reads nor moves files that operations before it in the batch brought: these may still be on
  // their way to their places.
  virtual bool only_adds() const { return false; }
  // What it changes can be had back from the Maildir: its COMMIT needs no sync of its own.
  virtual bool maildir_suffices() const { return false; }

  // It does its work in several calls of run(), each in a batch of its own, so that others have their turns
  // in between; run() says in `unfinished` whether it is to be called again. After an error, `failed` has it,
  // and one more call takes back what the calls before have committed.
  virtual bool in_pieces() const { return false; }
  // After it nothing else runs: it has to wait until what goes in pieces is done.
  virtual bool ends_use() const { return false; }

  // It may take longer than another client should be kept waiting: whoever only looks makes do with what is
  // known meanwhile.
  virtual bool is_long() const { return false; }

  std::optional<Error> error;
  Signal done;

  bool unfinished = false;
  std::optional<Error> failed;
  // It needs a mailbox that is being filled in pieces, and did nothing: it has its turn when that is done.
  bool waits = false;

 protected:
  ~Operation() = default;
};

}  // namespace posthorn::storage

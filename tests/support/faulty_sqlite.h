#pragma once

#include "tests/support/faulty_file_system.h"

namespace posthorn::testing {

// While it lives, what SQLite writes, syncs, cuts and deletes counts as changing calls of `files` and fails
// with them. One at a time; databases are to be opened and closed while it lives.
class FaultySqlite {
 public:
  explicit FaultySqlite(FaultyFileSystem& files);
  FaultySqlite(const FaultySqlite&) = delete;
  FaultySqlite& operator=(const FaultySqlite&) = delete;
  ~FaultySqlite();
};

}  // namespace posthorn::testing

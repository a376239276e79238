#pragma once

#include "auth/accounts.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/offload.h"
#include "base/random.h"
#include "server/config.h"
#include "storage/store.h"

#include <memory>
#include <string>

namespace posthorn::server {

// The data directory while this process owns it: accounts, mail, and the threads that work on them. The
// server has one, and so has a command where no server runs.
class Data {
 public:
  // Takes the lock; the directory exists. Errors: in_use when another process has it; those of open_store()
  // and Accounts::open().
  static Result<std::unique_ptr<Data>> open(Loop& loop, Log& log, const Settings& settings);
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  // Writes what lags behind. Nothing but the destructor may follow.
  Task<void> close() { return store_->close(); }

  Lane& disk() { return disk_; }
  // For all that reads or writes accounts(), one at a time: who waits for their lock waits here and not on a
  // thread that a letter could use.
  Lane& accounts_lane() { return accounts_lane_; }
  Lane& hashing() { return hashing_; }
  FileSystem& files() { return files_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  auth::Accounts& accounts() { return *accounts_; }
  storage::Store& store() { return *store_; }

 private:
  Data(Loop& loop, const Settings& settings);

  Lane disk_;
  Lane accounts_lane_;
  Lane hashing_;
  SystemFileSystem files_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<auth::Accounts> accounts_;
};

}  // namespace posthorn::server

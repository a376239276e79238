#pragma once

#include "base/file_system.h"
#include "base/log.h"
#include "base/sqlite.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::storage {

// DATA/shares.sqlite: which accounts may share mailboxes with whom, so that not all have to be opened to
// learn it. It says no less than the access control lists in the accounts' folders do, by which alone rights
// are judged, and is made anew from these where it is missing or broken.
//
// All functions but open_to_none() block; safe from any thread.
class Shares {
 public:
  // `data` is the data directory.
  static Result<std::unique_ptr<Shares>> open(FileSystem& files, Log& log, const std::string& data);

  // To be called before an access control list of `account` names `identifier`: durable when it returns.
  Result<> add(std::string_view account, std::string_view identifier);
  // The account's lists name these alone.
  Result<> set(std::string_view account, const std::vector<std::string>& identifiers);
  Result<> remove_account(std::string_view account);
  // The accounts whose lists may name one of two identifiers, ascending.
  Result<std::vector<std::string>> accounts_naming(std::string_view one, std::string_view other);

  // Nobody shares anything.
  bool open_to_none() const { return rows_ == 0; }

 private:
  explicit Shares(Database database) : database_(std::move(database)) {}
  Result<> count();

  std::mutex mutex_;  // a Database is one thread's at a time
  Database database_;
  std::atomic<std::int64_t> rows_ = 0;
};

}  // namespace posthorn::storage

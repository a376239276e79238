#pragma once

#include "storage/operation.h"
#include "storage/work.h"

// What is done behind the scenes.
namespace posthorn::storage {

// Lets file names follow flags, the files of further keywords follow rows, and tombstones be done with. At
// most some hundred names at a time.
class Follow final : public Operation {
 public:
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

  bool more = false;  // there is more of it
};

// Writes all that lags, and the state files with exact values: the end of an account's use.
class Settle final : public Operation {
 public:
  Result<> run(Work& work) override;
  bool alone() const override { return true; }
  bool ends_use() const override { return true; }
};

// Moves what the WAL has grown by into the index.
class Checkpoint final : public Operation {
 public:
  Result<> run(Work& work) override;
  bool alone() const override { return true; }
};

}  // namespace posthorn::storage

#pragma once

#include "storage/operation.h"
#include "storage/work.h"

#include <memory>
#include <string>

// Access control lists in the folders of an account (acl.h).
namespace posthorn::storage {

// The file of the folder at `path`.
std::string acl_file(const std::string& path);

// The list of the folder at `path`; none where there is none. A file that can't be read is logged, and gives
// nobody any rights.
std::shared_ptr<const Acl> read_acl(AccountDisk& disk, const std::string& path);

// SETACL and DELETEACL. First the account says that it shares something, then Shares knows with whom, then
// the list is written: a crash in between leaves nobody rights that nobody finds.
class ShareFolder final : public Operation {
 public:
  // `name` and `identifier` are canonical. `only`, unless it is 0: that mailbox and no other.
  ShareFolder(std::string name, std::string identifier, RightsChange change, MailboxId only)
      : name_(std::move(name)), identifier_(std::move(identifier)), change_(change), only_(only) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

 private:
  std::string name_;
  std::string identifier_;
  RightsChange change_;
  MailboxId only_;
};

// Takes all entries of `identifiers` off all lists of the account: of a user that is no more.
class UnshareFolders final : public Operation {
 public:
  explicit UnshareFolders(std::vector<std::string> identifiers) : identifiers_(std::move(identifiers)) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

 private:
  std::vector<std::string> identifiers_;
};

}  // namespace posthorn::storage

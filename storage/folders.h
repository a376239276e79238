#pragma once

#include "storage/operation.h"
#include "storage/store.h"
#include "storage/work.h"

#include <string>
#include <vector>

// The folders of an account as a whole: which there are, made, removed, renamed. All of these run alone.
namespace posthorn::storage {

// Called when an account is opened: finishes renames that a crash cut off, takes in the folders that are
// there, and makes the mailboxes of a new account.
Result<> open_account(Work& work);

// Takes in which folders other programs have made, renamed or removed.
Result<> sync_folders(Work& work);

class ListFolders final : public Operation {
 public:
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

  std::vector<MailboxInfo> mailboxes;
};

class FindFolder final : public Operation {
 public:
  explicit FindFolder(std::string name) : name_(std::move(name)) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

  MailboxInfo found;

 private:
  std::string name_;
};

class CreateFolder final : public Operation {
 public:
  CreateFolder(std::string name, SpecialUse use) : name_(std::move(name)), use_(use) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

  MailboxInfo created;

 private:
  std::string name_;
  SpecialUse use_;
};

class RemoveFolder final : public Operation {
 public:
  explicit RemoveFolder(std::string name, MailboxId only = 0) : name_(std::move(name)), only_(only) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

 private:
  std::string name_;
  MailboxId only_;
};

class RenameFolder final : public Operation {
 public:
  RenameFolder(std::string from, std::string to, MailboxId only = 0)
      : from_(std::move(from)), to_(std::move(to)), only_(only) {}
  Result<> run(Work& work) override;
  bool alone() const override { return true; }

 private:
  Result<> rename_tree(Work& work);
  Result<> rename_inbox(Work& work);

  std::string from_;
  std::string to_;
  MailboxId only_;
};

// The paths of the folders that RemoveFolder put aside, but for those that still have a row.
std::vector<std::string> trash(Work& work);
// Unlinks all of that; says whether it is all gone.
bool empty_trash(AccountDisk& disk, const std::vector<std::string>& trash);

class ReadSubscriptions final : public Operation {
 public:
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

  std::vector<std::string> names;
};

class Subscribe final : public Operation {
 public:
  Subscribe(std::string name, bool on) : name_(std::move(name)), on_(on) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  std::string name_;
  bool on_;
};

}  // namespace posthorn::storage

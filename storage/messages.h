#pragma once

#include "storage/file_spool.h"
#include "storage/operation.h"
#include "storage/store.h"
#include "storage/work.h"

#include <memory>
#include <string>
#include <vector>

// What is done with the messages of mailboxes.
namespace posthorn::storage {

// A mailbox by its id, as sessions have it open, or by its name, as deliveries have it.
struct MailboxKey {
  MailboxId id = 0;
  std::string name;  // canonical; counts when id is 0
};
Result<Folder*> find_folder(Work& work, const MailboxKey& key);

// Makes a mailbox loaded.
class OpenMailbox final : public Operation {
 public:
  explicit OpenMailbox(std::string name) : name_(std::move(name)) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

  MailboxInfo info;
  std::vector<std::string> keywords;
  Uid first_recent = 1;

 private:
  std::string name_;
};

class PollMailbox final : public Operation {
 public:
  explicit PollMailbox(MailboxId id) : id_(id) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  MailboxId id_;
};

class ReadCounts final : public Operation {
 public:
  explicit ReadCounts(std::string name) : name_(std::move(name)) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

  Counts counts;

 private:
  std::string name_;
};

// Puts messages into a mailbox.
class AddMessages final : public Operation {
 public:
  AddMessages(MailboxKey mailbox, std::vector<Arrival> arrivals)
      : mailbox_(std::move(mailbox)), arrivals_(std::move(arrivals)) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override;
  bool only_adds() const override { return true; }

  Appended appended;

 private:
  MailboxKey mailbox_;
  std::vector<Arrival> arrivals_;
};
Result<Uid> add_message(Work& work, Folder& folder, const Arrival& arrival);

// REPLACE: the new message's row and the old one's tombstone in one transaction, which is synced. A note
// (replacement.h) comes first: should a crash before COMMIT leave the new message's file, it is taken in, and
// the old message goes, when the account is opened.
class ReplaceMessage final : public Operation {
 public:
  ReplaceMessage(MailboxId from, Uid uid, MailboxId to, Arrival arrival)
      : from_(from), uid_(uid), to_(to), arrival_(std::move(arrival)) {}
  Result<> run(Work& work) override;

  Appended appended;

 private:
  MailboxId from_;
  Uid uid_;
  MailboxId to_;
  Arrival arrival_;
};

// Makes sure that a message can be added: the mailbox is there, UIDs are at hand, its disk takes a file.
class PrepareDelivery final : public Operation {
 public:
  PrepareDelivery(MailboxKey mailbox, FileSpool& spool) : mailbox_(std::move(mailbox)), spool_(spool) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }
  bool only_adds() const override { return true; }

 private:
  MailboxKey mailbox_;
  FileSpool& spool_;
};

// So many messages change within a few milliseconds.
inline constexpr std::uint64_t few_messages = 100;

class ChangeFlags final : public Operation {
 public:
  ChangeFlags(MailboxId id, StoreRequest request) : id_(id), request_(std::move(request)) {}
  Result<> run(Work& work) override;
  bool is_long() const override { return request_.uids.count() > few_messages; }

  Stored stored;

 private:
  MailboxId id_;
  StoreRequest request_;
};

class Expunge final : public Operation {
 public:
  Expunge(MailboxKey mailbox, UidSet uids, bool all)
      : mailbox_(std::move(mailbox)), uids_(std::move(uids)), all_(all) {}
  Result<> run(Work& work) override;
  bool is_long() const override { return uids_.count() > few_messages; }

  UidSet expunged;

 private:
  MailboxKey mailbox_;
  UidSet uids_;
  bool all_;
};

enum class Transfer : std::uint8_t { copy, move };

// COPY and MOVE to another mailbox of the account. A MOVE is one transaction: the new rows and the old one's
// tombstones. Before its COMMIT the new files are links that recovery removes, after it the old files are
// what recovery unlinks.
class TransferMessages final : public Operation {
 public:
  TransferMessages(MailboxId from, UidSet uids, MailboxId to, Transfer how, Missing missing,
                   FlagLimits limits = {})
      : from_(from), uids_(std::move(uids)), to_(to), how_(how), missing_(missing), limits_(limits) {}
  Result<> run(Work& work) override;
  bool is_long() const override { return uids_.count() > few_messages; }

  Copied copied;

 private:
  MailboxId from_;
  UidSet uids_;
  MailboxId to_;
  Transfer how_;
  Missing missing_;
  FlagLimits limits_;
};
// Those that another program took away meanwhile are left out.
Result<Copied> transfer(Work& work, Folder& from, const UidSet& uids, Folder& to, Transfer how,
                        FlagLimits limits = {});

// Remembers that messages below `first_recent` were shown as \Recent.
class ClaimRecent final : public Operation {
 public:
  ClaimRecent(MailboxId id, Uid first_recent) : id_(id), first_recent_(first_recent) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  MailboxId id_;
  Uid first_recent_;
};

// A message whose file has another size than its row says: another program was still writing when it was
// taken in, or has written since. What clients know of it is not what it is, so it goes, and comes anew; with
// it all others of its mailbox of which that is so.
class TakeAnew final : public Operation {
 public:
  TakeAnew(MailboxId id, Uid uid) : id_(id), uid_(uid) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  MailboxId id_;
  Uid uid_;
};

// Keeps summaries that had to be worked out later than at arrival.
class KeepSummaries final : public Operation {
 public:
  KeepSummaries(MailboxId id, std::vector<WorkedOut> summaries) : id_(id), summaries_(std::move(summaries)) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  MailboxId id_;
  std::vector<WorkedOut> summaries_;
};

// The same for what messages gain where each line ends in CR LF.
class KeepGains final : public Operation {
 public:
  KeepGains(MailboxId id, std::vector<Mailbox::Gain> gains) : id_(id), gains_(std::move(gains)) {}
  Result<> run(Work& work) override;
  bool maildir_suffices() const override { return true; }

 private:
  MailboxId id_;
  std::vector<Mailbox::Gain> gains_;
};

}  // namespace posthorn::storage

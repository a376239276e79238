#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/offload.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "message/structure.h"
#include "storage/form.h"
#include "storage/message.h"
#include "storage/rights.h"
#include "storage/snapshot.h"
#include "storage/spool.h"
#include "storage/uid_set.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// All that others may call of storage. Everything here lives on the loop thread; functions that return a
// Task do their disk work on the pool. What changes mail is durable when its Task gives a value
// (design: "durable means durable"): an OK may be sent then.
namespace posthorn::storage {

class Acl;

// A mailbox's number, unique in its account for ever, kept by RENAME and by a rebuilt index. Never 0.
using MailboxId = std::uint64_t;

// RFC 6154 §2.
enum class SpecialUse : std::uint8_t { none, all, archive, drafts, flagged, junk, sent, trash, important };
std::string_view name_of(SpecialUse use);  // "\\Archive"; empty for none

struct Counts {
  MailboxId id = 0;
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;
  Uid uid_next = 1;
  Uid first_recent = 1;  // messages with this UID or a higher one have been told to no session as \Recent
  std::uint32_t recent = 0;
  ModSeq highest_modseq = 1;
  std::uint32_t uid_validity = 0;
  bool operator==(const Counts&) const = default;
};

struct MailboxInfo {
  MailboxId id = 0;
  std::string name;  // UTF-8, levels separated by '/'; "INBOX" exactly so
  std::uint32_t uid_validity = 0;
  SpecialUse special_use = SpecialUse::none;
  // Who else has rights (acl.h); none: nobody. To a user who may not see it: none.
  std::shared_ptr<const Acl> acl{};
  Rights rights = Rights::all();  // of the user that the account was opened for
};

// Who has rights on a mailbox.
struct Sharing {
  std::string owner;   // has all, whatever the list says; empty for a mailbox of an organisation
  std::string domain;  // of identifiers without one
  std::shared_ptr<const Acl> acl{};  // none: nobody else
};

// Where a message goes to, and as what.
struct Arrival {
  Spool* spool = nullptr;          // closed; may be shared by several arrivals: the file is then linked
  std::int64_t internal_date = 0;  // seconds since 1970 UTC
  std::uint8_t system_flags = 0;
  std::vector<std::string> keywords;  // "$Forwarded"
};

struct Appended {
  std::uint32_t uid_validity = 0;
  UidSet uids;  // one for each Arrival, in their order
};

struct Copied {
  std::uint32_t uid_validity = 0;
  // Same length, same order: source UIDs ascending, and what each became. Those that had been expunged
  // meanwhile are left out.
  std::vector<Uid> source;
  std::vector<Uid> target;
};

enum class FlagChange { add, remove, replace };
// What COPY and MOVE do where some of the messages are gone: the others, or nothing at all.
enum class Missing { skip, refuse };

// What reading does for a message that the index does not know all of: works it out from the file, or leaves
// it out.
enum class Effort { full, look_up };

struct StoreRequest {
  UidSet uids;
  FlagChange how = FlagChange::add;
  std::uint8_t system_flags = 0;
  std::vector<std::string> keywords;
  std::optional<ModSeq> unchanged_since;  // RFC 7162 §3.1.3
  // What the client knows: where it adds or removes flags, that others than these changed meanwhile is no
  // reason to refuse (RFC 7162 §3.1.12).
  std::shared_ptr<const Snapshot> known{};
  FlagLimits limits{};  // other flags stay as they are
};

struct Stored {
  std::vector<Message> changed;  // the new values; those that were so already are not here
  UidSet modified;               // refused, as they changed after unchanged_since
};

// Which octets of a message: those that clients see, or those that are stored. They differ for one with
// binary parts (message/binary_view.h).
enum class Octets : std::uint8_t { seen, stored };

// A text that is looked for (RFC 3501 §6.4.4).
struct TextPattern {
  enum class In : std::uint8_t {
    header,   // in one field of the message's own header: FROM, SUBJECT, HEADER and so on
    body,     // BODY
    anywhere  // TEXT
  };
  In in;
  std::string folded;
};

class Account;
class Mailbox;

// The bytes of one stored message, as on the wire (CRLF, also for a foreign file of bare LFs).
class MessageBytes {
 public:
  virtual ~MessageBytes() = default;
  virtual std::uint64_t size() const = 0;
  // Up to `size` octets (at most 256 KiB) at `offset`; fewer only at the end.
  // Errors: io, corrupt when the file is shorter than the index says.
  virtual Task<Result<std::string>> read(std::uint64_t offset, std::size_t size) = 0;
};

// Told on the loop thread, never from inside a storage call of the listener's own: to be quick, and to look
// at what is new later.
class Listener {
 public:
  virtual void mailbox_changed() = 0;

 protected:
  ~Listener() = default;
};

// One mailbox that is in use, shared by all who use it. It stays valid when the mailbox is renamed; when it
// is deleted, `deleted()` says so and every call gives not_found.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual const MailboxInfo& info() const = 0;
  virtual bool deleted() const = 0;
  virtual Account& account() = 0;
  // Of the user that the account was opened for, as of now.
  virtual Rights rights() const { return Rights::all(); }

  // As of the last commit.
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  // Keyword names by place; it only grows.
  virtual const std::vector<std::string>& keywords() const = 0;
  // The place of `keyword` (in any case), if the mailbox has it.
  virtual std::optional<std::size_t> find_keyword(std::string_view keyword) const = 0;

  // Makes the caller the one session that shows these messages as \Recent (RFC 3501 §2.3.2): those with a
  // UID from the returned one up to uid_next of the present snapshot. Not for EXAMINE.
  virtual Uid claim_recent() = 0;
  virtual Uid first_recent() const = 0;

  virtual void add_listener(Listener& listener) = 0;
  virtual void remove_listener(Listener& listener) = 0;

  // Takes in what other programs did to the Maildir since the last look: two stat calls when nothing. While
  // the account is at work that takes long, that is left for later.
  virtual Task<Result<>> poll() = 0;

  // Errors of all below: not_found (the mailbox was deleted), denied (the user lacks a right), disk_full,
  // over_quota, busy, io.
  virtual Task<Result<Appended>> append(std::vector<Arrival> arrivals) = 0;
  // too_large when the mailbox's keyword table would pass 256.
  virtual Task<Result<Stored>> store(StoreRequest request) = 0;
  // Expunges those of `uids` that are flagged \Deleted (`all` = false), or all of them.
  virtual Task<Result<UidSet>> expunge(UidSet uids, bool all) = 0;
  // Keywords for which the target's table has no place are left out, as are flags beyond `limits`.
  virtual Task<Result<Copied>> copy(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                    FlagLimits limits = {}) = 0;
  // Copies and expunges as one transaction (RFC 6851).
  virtual Task<Result<Copied>> move(UidSet uids, std::shared_ptr<Mailbox> target, Missing missing,
                                    FlagLimits limits = {}) = 0;
  // Appends to `target` and expunges `uid` here, as one transaction (RFC 8508 §3.4). Where that message is
  // gone nothing is done, and no UID given.
  virtual Task<Result<Appended>> replace(Uid uid, std::shared_ptr<Mailbox> target, Arrival arrival) = 0;

  // What was worked out at arrival, for up to 256 messages at a time (4,096 in a small form): in the order of
  // `uids`, those that are gone are left out. `encoded` is message::decode's input, or what the maker of the
  // form gave.
  struct CachedSummary {
    Uid uid;
    std::string encoded;
  };
  // They end at 1 MiB of `encoded` (one may have 4 MiB): with one at least, and before `rest`, from which on
  // the caller asks again.
  struct Summaries {
    std::vector<CachedSummary> list;
    std::optional<Uid> rest;
    UidSet unread{};             // messages that are there, but could not be read
    std::optional<Error> why{};  // of the first of these
  };
  // Errors: not_found also for a form that StoreSettings::forms has no maker of.
  virtual Task<Result<Summaries>> summaries(UidSet uids, Effort effort = Effort::full,
                                            Form form = Form::summary) = 0;

  // How many octets messages gain where each of their lines is made to end in CR LF, the last one too (RFC
  // 1939 §3): ascending by UID, those that gain any.
  struct Gain {
    Uid uid;
    std::uint64_t octets;
  };
  virtual Task<Result<std::vector<Gain>>> gains() = 0;

  // Where messages came from, for up to 256 at a time, as summaries() gives them.
  struct Origin {
    Uid uid;
    std::int64_t saved;     // when it came into this mailbox, seconds since 1970 UTC (RFC 8514)
    std::string email_id;   // as email_ids() gives it
    std::string thread_id;  // of its thread (RFC 8474 §5.2); it begins with `T`, as no email id does
  };
  virtual Task<Result<std::vector<Origin>>> origins(UidSet uids) = 0;

  // Those of `within` that were expunged by a change with a MODSEQ above `since` (RFC 7162 §3.2.6), none of
  // which is there now. Where that is not remembered (the index was made anew) or they are very many: all of
  // `within` that are not there, whether they ever were or not.
  virtual Task<Result<UidSet>> vanished_since(ModSeq since, UidSet within) = 0;

  // EMAILID of RFC 8474 §5.1, the same for all copies of a message: up to 255 letters, digits, '-' and '_'.
  // For up to 256 messages at a time, in the order of `uids`; those that are gone are left out.
  struct EmailId {
    Uid uid;
    std::string id;
  };
  virtual Task<Result<std::vector<EmailId>>> email_ids(UidSet uids) = 0;

  // Which messages can have texts: SEARCH's index says it, as far as there is one. Of each text all that have
  // it, and some more; texts are folded for search (message::fold_for_search).
  struct TextHits {
    UidSet known;  // of others, it says nothing
    // In the order of the patterns; none: it says nothing of that text.
    std::vector<std::optional<UidSet>> hits;
    bool exact = false;  // for all patterns but those of headers: no message too many
  };
  // At most patterns_limit of them are looked up.
  static constexpr std::size_t patterns_limit = 64;
  virtual Task<TextHits> text_hits(std::vector<TextPattern> /*patterns*/) { co_return TextHits{}; }
  // The same, by reading these messages: for some hundred at a time. Those that can't be read, or have very
  // long texts, are not known.
  virtual Task<TextHits> scan(UidSet /*uids*/, std::vector<TextPattern> /*patterns*/) {
    co_return TextHits{};
  }

  // not_found when it is expunged.
  virtual Task<Result<std::unique_ptr<MessageBytes>>> bytes(Uid uid, Octets octets = Octets::seen) = 0;
  // The whole of a small message, or its first `limit` octets, in one hop.
  virtual Task<Result<std::string>> head(Uid uid, std::size_t limit) = 0;
  // The same of several messages in one hop, in the order of `uids`: as many as come to `all` octets, one at
  // least. What can't be read is left out; head() gives the reason.
  struct Head {
    Uid uid;
    std::string octets;
  };
  struct HeadLimits {
    std::size_t each;
    std::size_t all;
  };
  virtual Task<std::vector<Head>> heads(UidSet uids, HeadLimits limits) = 0;
};

// The mail of one account. Names of mailboxes are UTF-8 with '/' between levels, INBOX in any case.
//
// As Store::open() gives it, it asks for no rights. As Store::open_for() gives it, there are the mailboxes
// that others share beside the user's own, and each function gives denied where the user lacks a right that
// it takes (RFC 4314 §4), or not_found where that must not be told.
class Account {
 public:
  virtual ~Account() = default;
  virtual const std::string& address() const = 0;

  // All mailboxes, ascending by name, INBOX first. What other programs did to the folders is taken in first.
  virtual Task<Result<std::vector<MailboxInfo>>> list() = 0;
  // What other programs did to it is taken in first. not_found, not_allowed.
  virtual Task<Result<std::shared_ptr<Mailbox>>> open(std::string name) = 0;
  // The same for putting messages into it, which takes another right than reading it.
  virtual Task<Result<std::shared_ptr<Mailbox>>> open_target(std::string name) {
    return open(std::move(name));
  }
  // What list() says of one. not_found, not_allowed.
  virtual Task<Result<MailboxInfo>> find(std::string name) = 0;
  // From the index, without loading the messages.
  virtual Task<Result<Counts>> status(std::string name) = 0;

  // Makes the levels above it too (RFC 3501 §6.3.3). Errors: already_exists; not_allowed for a name that
  // can't be (empty level, ".", "..", controls, not UTF-8); too_large (over 240 octets on disk).
  virtual Task<Result<MailboxInfo>> create(std::string name, SpecialUse use) = 0;
  // Its children stay (RFC 3501 §6.3.4). Errors: not_found; not_allowed for INBOX.
  // `only`, unless it is 0: not_found for a mailbox with another number, which got the name meanwhile.
  virtual Task<Result<>> remove(std::string name, MailboxId only = 0) = 0;
  // With its children; INBOX's messages move to a new mailbox and INBOX stays (RFC 3501 §6.3.5).
  virtual Task<Result<>> rename(std::string from, std::string to, MailboxId only = 0) = 0;

  // Who has rights on it. not_found, not_allowed.
  virtual Task<Result<Sharing>> sharing(std::string name) = 0;
  // Changes the entry of an identifier (acl.h) in the list of who has rights; durable when it returns.
  // Errors: malformed for the identifier; not_found; not_allowed for the owner's rights; too_large for more
  // entries than [storage] acl_entries.
  virtual Task<Result<>> share(std::string name, std::string identifier, RightsChange change,
                               MailboxId only = 0) = 0;

  // Subscribed names, which need not exist (RFC 3501 §6.3.6), ascending.
  virtual Task<Result<std::vector<std::string>>> subscriptions() = 0;
  virtual Task<Result<>> subscribe(std::string name, bool on) = 0;

  // Hears of changes to the list of mailboxes.
  virtual void add_listener(Listener& listener) = 0;
  virtual void remove_listener(Listener& listener) = 0;

  // The lock of a POP3 session (RFC 1939 §3): false when another holds it.
  virtual bool lock_maildrop() = 0;
  virtual void unlock_maildrop() = 0;
};

// One message for some accounts.
struct Delivery {
  std::vector<std::string> accounts;  // canonical addresses
  std::string mailbox = "INBOX";
  Spool* spool = nullptr;
  std::int64_t internal_date = 0;
};

struct StoreSettings {
  std::string data;                  // the data directory
  std::string hostname;              // goes into file names
  std::size_t spool_memory = 65536;  // octets of a message held in memory before it goes to disk
  std::size_t open_indexes = 200;    // at most so many accounts' indexes are open
  std::size_t mailboxes_per_account = 10'000;
  std::size_t remembered_expunges = 100'000;  // UIDs a mailbox; of more, the latest
  std::size_t thread_keys = 1'000'000;  // msg-ids an account by which threads are found; the latest used
  std::uint64_t message_size = 64ULL << 20U;  // octets; a larger one is too_large
  std::size_t acl_entries = 100;              // of one mailbox's access control list, 1 to most_acl_entries
  FormMakers forms{};
  bool search_index = false;                            // SEARCH is answered from an index
  std::chrono::milliseconds search_index_delay{1'000};  // after it, what has arrived goes into the index
};

// The store of all accounts. One process owns it, by a lock on DATA/lock.
class Store {
 public:
  virtual ~Store() = default;

  // Checks the name and makes what is missing: a new account gets INBOX, Drafts, Sent, Junk, Trash and
  // Archive. The caller has made sure that the account exists.
  virtual Task<Result<std::shared_ptr<Account>>> open(std::string address) = 0;
  // The same as its user may see it, with what others share (user_account.h). The store outlives it.
  Task<Result<std::shared_ptr<Account>>> open_for(std::string user);
  // The accounts that may have given rights to `user`, a canonical address, or to anyone; none is missing.
  virtual Task<Result<std::vector<std::string>>> sharing_with(std::string user) = 0;

  virtual std::unique_ptr<Spool> spool() = 0;
  // Into every account or, as far as a disk allows, into none: all is prepared before the first commit.
  virtual Task<Result<>> deliver(Delivery delivery) = 0;

  // Removes an account's mail for good.
  virtual Task<Result<>> remove_account(std::string address) = 0;
  // Whether there is mail under this name, whoever's it was. Errors: those of open() for the name; io.
  virtual Task<Result<bool>> has_mail(std::string address) = 0;

  // Switches the search index of one account: without it its file goes, and messages are read. It lasts.
  // Errors: as open(); io, disk_full.
  virtual Task<Result<>> set_search_index(std::string address, bool on) = 0;

  // Writes what lags behind (flags in file names, settled state files), closes all indexes. After it, only
  // the destructor may be called.
  virtual Task<void> close() = 0;
};

// Opens the store at settings.data, making the directories that it needs (0700), and takes its lock.
// `disk` is where all its blocking work runs. Errors: in_use when another process holds the lock; io;
// unavailable when the data was written by a newer version.
Result<std::unique_ptr<Store>> open_store(Lane& disk, FileSystem& files, Clock& clock, Random& random,
                                          Log& log, StoreSettings settings);

}  // namespace posthorn::storage

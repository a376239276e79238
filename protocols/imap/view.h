#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/command.h"
#include "protocols/imap/enabled.h"
#include "protocols/imap/places.h"
#include "storage/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::imap {

// Whether EXPUNGE responses may be sent now: not in response to FETCH, STORE and SEARCH by sequence numbers
// (RFC 3501 §7.4.1, §5.5). Behind the EXISTS of what is new, they leave a client that had a message replaced
// with the new one before the old one goes (the examples of RFC 8508).
enum class Expunges { tell, tell_behind_exists, hold };

// Appends "MODSEQ (12)" of a message (RFC 7162 §3.1.4.2).
void append_modseq(std::string& out, const storage::Message& message);

// Sends "* VANISHED 1:3,7" (RFC 7162 §3.2.10), in lines of bounded length; nothing for none.
Task<void> send_vanished(Connection& connection, const storage::UidSet& uids);
// "* VANISHED (EARLIER) 1:3,7" in the same way; of `uids`, those that are still in `messages` are left out.
Task<void> send_vanished_earlier(Connection& connection, const storage::UidSet& uids,
                                 std::shared_ptr<const storage::Snapshot> messages);

// The selected mailbox as the client has been told of it: its messages, their sequence numbers, flags, and
// which of them are \Recent here. What happens in the mailbox reaches the client by tell(), or by whoever
// takes it for told (take_flags()) and prints it, so that it hears of each change once, and numbers mean the
// same on both sides.
class View {
 public:
  // `enabled` outlives the view; it may change meanwhile.
  View(std::shared_ptr<storage::Mailbox> mailbox, Select::Access access, const Enabled& enabled);

  storage::Mailbox& mailbox() const { return *mailbox_; }
  const std::shared_ptr<storage::Mailbox>& shared_mailbox() const { return mailbox_; }
  // Also to who may change nothing in it (RFC 4314 §5.2).
  bool read_only() const {
    return access_ == Select::Access::read_only || !mailbox_->rights().has_any(storage::rights_to_change);
  }

  // Sequence numbers are places in it, plus 1. A message that somebody expunged stays until that was told.
  const storage::Snapshot& messages() const { return *told_; }
  const std::shared_ptr<const storage::Snapshot>& shared_messages() const { return told_; }

  // All changes up to this MODSEQ have been told (RFC 7162 §6, HIGHESTMODSEQ).
  storage::ModSeq synced() const { return synced_; }

  // What `$` stands for (RFC 5182 §2.1): nothing at first. Who is expunged is out of it by itself, as no UID
  // is given twice.
  const storage::UidSet& saved_search() const { return saved_search_; }
  void save_search(storage::UidSet found) { saved_search_ = std::move(found); }

  bool is_recent(storage::Uid uid) const { return recent_.contains(uid); }
  std::uint32_t recent_count() const;

  // Appends the untagged responses of SELECT and EXAMINE (RFC 3501 §6.3.1, RFC 9051 §6.3.2) but for LIST.
  void append_selected(std::string& out);
  // Appends "* OK [HIGHESTMODSEQ 715] ...", with synced().
  void append_highest_modseq(std::string& out) const;

  // Tells what the client missed since it was connected last (RFC 7162 §3.2.5.1): `vanished`, then the flags
  // of those of `known` that changed after `since`.
  Task<void> tell_missed(Connection& connection, const storage::UidSet& vanished,
                         const storage::UidSet& known, storage::ModSeq since);

  // Tells what has happened since the last time, as far as `expunges` lets it: keywords, EXPUNGE, EXISTS,
  // RECENT, FETCH of changed flags, with their UIDs where `numbering` is uid; in the forms that the client
  // enabled.
  Task<void> tell(Connection& connection, Expunges expunges, Numbering numbering);

  // Takes the present flags and MODSEQs of these messages for told: the caller prints them. Gives those that
  // the client has not heard of before.
  storage::UidSet take_flags(const storage::UidSet& uids);
  // The same for the given new values.
  void take_flags(std::vector<storage::Message> changed);

  // Takes for told what the client itself reckons after STORE .SILENT (RFC 3501 §6.4.6): if it is wrong, as
  // another session changed the flags too, the next tell() says so.
  Task<void> expect_flags(Connection& connection, const Places& places, const storage::StoreRequest& request);

  // Appends FLAGS and PERMANENTFLAGS if the mailbox has keywords that the client has not heard of, as it must
  // know a flag before it sees one in a FETCH response (RFC 3501 §7.2.6), or if the user's rights are others
  // now (RFC 4314 §5.1.1).
  void append_new_keywords(std::string& out);

  // Appends "FLAGS (\Seen $Forwarded)" of a message.
  void append_message_flags(std::string& out, const storage::Message& message) const;
  // Appends what a response about a message begins with: "* 3 FETCH ", or "* 7 UIDFETCH " of its UID (RFC
  // 9586 §3.3).
  void append_fetch(std::string& out, std::uint32_t place) const;
  // Appends "* 3 FETCH (UID 7 FLAGS (\Seen) MODSEQ (12))" and the line end: UID and MODSEQ where the client
  // enabled CONDSTORE (RFC 7162 §3.2.4), UID by `numbering` and in IMAP4rev2 (RFC 9051 appendix E, 21) too.
  void append_changed(std::string& out, std::uint32_t place, const storage::Message& message,
                      Numbering numbering) const;

 private:
  void append_keyword_lines(std::string& out);
  void note_recent(storage::Uid known_before);
  Task<void> tell_expunged(Connection& connection, const storage::Snapshot& before,
                           const storage::Snapshot::Change& news, storage::Uid told_anew_above);
  Task<void> tell_vanished(Connection& connection, const storage::Snapshot& before,
                           const storage::UidSet& expunged, storage::Uid told_anew_above);
  void tell_size(std::string& out, bool has_grown);
  Task<void> tell_flags(Connection& connection, const storage::Snapshot& before,
                        const std::vector<storage::Message>& changed, storage::Uid last, Numbering numbering);

  std::shared_ptr<storage::Mailbox> mailbox_;
  Select::Access access_;
  const Enabled& enabled_;
  std::shared_ptr<const storage::Snapshot> told_;
  storage::ModSeq synced_;
  storage::UidSet recent_;
  storage::UidSet saved_search_;
  std::uint32_t told_recent_ = 0;
  bool held_ = false;  // expunges that happened are still to be told
  std::size_t told_keywords_ = 0;
  storage::Rights told_rights_;
};

}  // namespace posthorn::imap

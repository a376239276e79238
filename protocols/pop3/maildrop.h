#pragma once

#include "base/result.h"
#include "base/task.h"
#include "protocols/pop3/grammar.h"
#include "storage/read_ahead.h"
#include "storage/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::pop3 {

// An INBOX as it was when the session began (RFC 1939 §3), under the lock that keeps other POP3 sessions
// away. What IMAP does to it meanwhile shows only in messages that can't be read any more.
class Maildrop {
 public:
  // Opens and locks it. Errors: in_use when another POP3 session has it; those of storage.
  static Task<Result<std::unique_ptr<Maildrop>>> open(storage::Store& store, std::string address);
  Maildrop(const Maildrop&) = delete;
  Maildrop& operator=(const Maildrop&) = delete;
  ~Maildrop();

  // Message-numbers go from 1 to here, those of messages marked as deleted included.
  Number highest() const { return snapshot_->size(); }
  // The message, unless there is none of that number or it is marked as deleted: null then.
  const storage::Message* find(Number number) const;
  // Messages, and their octets as RETR sends them, but for dots that are doubled (RFC 1939 §11), without
  // those marked as deleted.
  Number messages() const { return messages_; }
  std::uint64_t octets() const { return octets_; }
  // Of one message.
  std::uint64_t octets(const storage::Message& message) const;

  // Never another message's in this maildrop, and the message's own for as long as it lives (RFC 1939 §7).
  std::string unique_id(const storage::Message& message) const;

  // find(number) must have given a message.
  void mark_deleted(Number number);
  void unmark_all();
  bool has_marks() const { return messages_ != highest(); }
  // Removes what is marked, in one step; durable once it gives a value.
  Task<Result<>> update();

  // The message's first octets: all of it, or `block` of them. Read together with those of the messages that
  // follow, as soon as the client goes through the maildrop in order. Errors: those of storage.
  Task<Result<std::string>> head(Number number);
  static constexpr std::size_t block = 65'536;

  storage::Mailbox& mailbox() { return *mailbox_; }

 private:
  Maildrop(std::shared_ptr<storage::Account> account, std::shared_ptr<storage::Mailbox> mailbox,
           std::shared_ptr<const storage::Snapshot> snapshot,
           const std::vector<storage::Mailbox::Gain>& gains);

  std::shared_ptr<storage::Account> account_;
  std::shared_ptr<storage::Mailbox> mailbox_;
  std::shared_ptr<const storage::Snapshot> snapshot_;
  std::vector<storage::Mailbox::Gain> gains_;  // of messages of the snapshot
  std::vector<bool> deleted_;                  // by number - 1
  Number messages_ = 0;
  std::uint64_t octets_ = 0;
  storage::ReadAhead ahead_{{.each = block, .all = 2 * block}};
  Number last_read_ = 0;
};

}  // namespace posthorn::pop3

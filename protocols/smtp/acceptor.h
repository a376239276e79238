#pragma once

#include "base/result.h"
#include "base/task.h"
#include "storage/spool.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::smtp {

// A recipient that the Acceptor has agreed to.
struct Recipient {
  std::string address;                // as the client gave it, without brackets
  std::vector<std::string> accounts;  // whose mailboxes it reaches: canonical addresses, each once
};

// Everything about a message but the message.
struct Envelope {
  std::string session;                  // the connection's id, for the log
  std::string id;                       // of the message, for the log: also in its Received field
  std::string reverse_path;             // empty: the null reverse-path
  std::string login;                    // the account that submits it; empty for mail from another server
  std::vector<std::string> recipients;  // their addresses as given, those that were named twice once
  std::set<std::string> accounts;       // whom these reach, all together
  bool smtp_utf8 = false;               // RFC 6531: it may only go where SMTPUTF8 is offered
};

// Where accepted mail goes. Declared here and implemented above (delivery/), so that the protocol knows
// nothing of routes.
class Acceptor {
 public:
  virtual ~Acceptor() = default;

  // Whether there is room for a message at all. Errors: disk_full.
  virtual Task<Result<>> has_room() = 0;

  // Whether mail for `address` is taken, as the next recipient of `envelope`. Errors: not_found (no such
  // user); denied (not ours); unavailable (an alias that leads where this server does not deliver);
  // malformed; too_large (an alias that leads to too many); busy.
  virtual Task<Result<Recipient>> admit(const Envelope& envelope, std::string address) = 0;

  // Takes a message on its way in.
  virtual std::unique_ptr<storage::Spool> spool() = 0;

  // Takes over the responsibility for the message (RFC 5321 §6.1): it is durable once this gives a value, and
  // goes to no recipient if it does not. `spool` is closed. Errors: as of storage.
  virtual Task<Result<>> accept(const Envelope& envelope, storage::Spool& spool) = 0;
};

}  // namespace posthorn::smtp

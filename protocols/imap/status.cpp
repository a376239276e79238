#include "protocols/imap/status.h"

#include "protocols/imap/object_id.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

namespace posthorn::imap {
namespace {

std::uint64_t number_of(StatusItem item, const storage::Counts& counts, std::uint64_t append_limit) {
  switch (item) {
    case StatusItem::messages: return counts.messages;
    case StatusItem::recent: return counts.recent;
    case StatusItem::uid_next: return counts.uid_next;
    case StatusItem::uid_validity: return counts.uid_validity;
    case StatusItem::unseen: return counts.unseen;
    case StatusItem::deleted: return counts.deleted;
    case StatusItem::size: return counts.octets;
    case StatusItem::highest_mod_sequence: return counts.highest_modseq;
    case StatusItem::append_limit: return append_limit;
    case StatusItem::mailbox_id: break;  // no number
  }
  return 0;
}

Task<void> ask(storage::Account& account, const std::string& mailbox, Result<storage::Counts>& answer) {
  answer = co_await account.status(mailbox);
}

}  // namespace

void append_status(std::string& out, std::string_view mailbox, std::span<const StatusItem> items,
                   const storage::Counts& counts, std::uint64_t append_limit, Dialect dialect) {
  out += "* STATUS ";
  append_mailbox(out, mailbox, dialect);
  out += ' ';
  {
    Spaced list(out);
    for (const StatusItem item : items) {
      std::string& next = list.next();
      next += name_of(item);
      next += ' ';
      if (item == StatusItem::mailbox_id) {
        next += mailbox_id(counts.id);
      } else {
        append_number(next, number_of(item, counts, append_limit));
      }
    }
  }
  out += "\r\n";
}

Task<std::vector<Result<storage::Counts>>> counts_of(storage::Account& account,
                                                     std::span<const std::string> mailboxes) {
  std::vector<Result<storage::Counts>> answers(mailboxes.size(), failure(Errc::io, "not asked"));
  Signal all_answered;
  TaskGroup asking([](const std::exception_ptr&) {});  // its answer stays the failure that it is
  for (std::size_t i = 0; i < mailboxes.size(); ++i) asking.start(ask(account, mailboxes[i], answers[i]));
  asking.when_empty([&all_answered] { all_answered.notify(); });
  co_await all_answered;
  co_return answers;
}

}  // namespace posthorn::imap

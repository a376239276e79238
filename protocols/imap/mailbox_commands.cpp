#include "protocols/imap/cursor.h"
#include "protocols/imap/object_id.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <array>
#include <utility>

// What makes, removes, renames and asks about mailboxes (RFC 3501 §6.3.3 to §6.3.7, §6.3.10; RFC 2342).
namespace posthorn::imap {
namespace {

// What a mailbox of a user can be made for. \All and \Flagged would be views of other mailboxes.
constexpr std::array<storage::SpecialUse, 5> special_uses = {
    storage::SpecialUse::archive, storage::SpecialUse::drafts, storage::SpecialUse::junk,
    storage::SpecialUse::sent, storage::SpecialUse::trash};

std::optional<storage::SpecialUse> special_use_of(const std::vector<std::string>& attributes) {
  if (attributes.empty()) return storage::SpecialUse::none;
  if (attributes.size() > 1) return std::nullopt;
  const auto* found = std::ranges::find_if(special_uses, [&](storage::SpecialUse use) {
    return equal_ignoring_case(storage::name_of(use), attributes.front());
  });
  if (found == special_uses.end()) return std::nullopt;
  return *found;
}

std::string_view status_name(StatusItem item) {
  switch (item) {
    case StatusItem::messages: return "MESSAGES";
    case StatusItem::recent: return "RECENT";
    case StatusItem::uid_next: return "UIDNEXT";
    case StatusItem::uid_validity: return "UIDVALIDITY";
    case StatusItem::unseen: return "UNSEEN";
    case StatusItem::append_limit: return "APPENDLIMIT";
    default: break;  // not offered
  }
  return "";
}

std::uint64_t value_of(StatusItem item, const storage::Counts& counts) {
  switch (item) {
    case StatusItem::messages: return counts.messages;
    case StatusItem::recent: return counts.recent;
    case StatusItem::uid_next: return counts.uid_next;
    case StatusItem::uid_validity: return counts.uid_validity;
    case StatusItem::unseen: return counts.unseen;
    default: break;  // not offered
  }
  return 0;
}

}  // namespace

// With USE, RFC 6154 §3: one special use at most, and one that a real mailbox can have.
Task<Reply> Session::on(const Create& create) {
  const auto use = special_use_of(create.special_use);
  if (!use) co_return no("[USEATTR] Not with that special use");
  const auto created = co_await account_->create(create.mailbox, *use);
  if (!created) co_return reply_to(created.error());
  connection_.log(LogLevel::debug, "imap.create", {{"mailbox", create.mailbox}});
  co_return ok("[MAILBOXID " + mailbox_id(created->id) + "] CREATE completed");
}

// A session that deletes its own selected mailbox has none selected afterwards; others hear a BYE (RFC 2180
// §3.3).
Task<Reply> Session::on(const Delete& remove) {
  const auto removed = co_await account_->remove(remove.mailbox);
  if (!removed) co_return reply_to(removed.error());
  if (view_ && view_->mailbox().deleted()) view_.reset();
  connection_.log(LogLevel::debug, "imap.delete", {{"mailbox", remove.mailbox}});
  co_return ok("DELETE completed");
}

Task<Reply> Session::on(const Rename& rename) {
  const auto renamed = co_await account_->rename(rename.from, rename.to);
  if (!renamed) co_return reply_to(renamed.error());
  connection_.log(LogLevel::debug, "imap.rename", {{"mailbox", rename.from}, {"to", rename.to}});
  co_return ok("RENAME completed");
}

Task<Reply> Session::on(const Subscribe& subscribe) {
  const auto done = co_await account_->subscribe(subscribe.mailbox, true);
  if (!done) co_return reply_to(done.error());
  co_return ok("SUBSCRIBE completed");
}

Task<Reply> Session::on(const Unsubscribe& unsubscribe) {
  const auto done = co_await account_->subscribe(unsubscribe.mailbox, false);
  if (!done) co_return reply_to(done.error());
  co_return ok("UNSUBSCRIBE completed");
}

// RFC 2342 §5: the user's own mailboxes alone.
Task<Reply> Session::on(const Namespace&) {
  send("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
  co_return ok("NAMESPACE completed");
}

Task<Reply> Session::on(const Status& status) {
  if (view_ && view_->mailbox().info().name == status.mailbox) {
    static_cast<void>(co_await view_->mailbox().poll());
  }
  const auto counts = co_await account_->status(status.mailbox);
  if (!counts) co_return reply_to(counts.error());
  std::string& out = connection_.output();
  out += "* STATUS ";
  append_mailbox(out, status.mailbox, enabled_.dialect);
  out += ' ';
  {
    Spaced list(out);
    for (const StatusItem item : status.items) {
      std::string& next = list.next();
      next += status_name(item);
      next += ' ';
      append_number(next,
                    item == StatusItem::append_limit ? settings_.message_octets : value_of(item, *counts));
    }
  }
  out += "\r\n";
  co_return ok("STATUS completed");
}

}  // namespace posthorn::imap

#include "protocols/imap/cursor.h"
#include "protocols/imap/object_id.h"
#include "protocols/imap/session.h"
#include "protocols/imap/status.h"
#include "storage/namespaces.h"

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

}  // namespace

// With USE, RFC 6154 §3: one special use at most, and one that a real mailbox can have.
Task<Reply> Session::on(const Create& create) {
  const auto use = special_use_of(create.special_use);
  if (!use) co_return no("[USEATTR] Not with that special use");
  const auto created = co_await account_->create(create.mailbox, *use);
  if (!created) co_return reply_to(created.error());
  connection_.log(LogLevel::debug, "imap.create", {{"mailbox", create.mailbox}});
  if (enabled_.rev2() && denormalised_) co_await tell_old_name(create.mailbox, *denormalised_);
  co_return ok("[MAILBOXID " + mailbox_id(created->id) + "] CREATE completed");
}

// A session that deletes its own selected mailbox has none selected afterwards; others hear a BYE (RFC 2180
// §3.3).
Task<Reply> Session::on(const Delete& remove) {
  const auto removed = co_await account_->remove(remove.mailbox);
  if (!removed) co_return reply_to(removed.error());
  if (view_ && view_->mailbox().deleted()) view_.reset();
  connection_.log(LogLevel::debug, "imap.delete", {{"mailbox", remove.mailbox}});
  if (enabled_.rev2() && denormalised_) co_await tell_old_name(remove.mailbox, *denormalised_);
  co_return ok("DELETE completed");
}

// RFC 9051 §6.3.9.7: the new name is told with the one that the client gave, which names the mailbox to it.
// INBOX is there still (§6.3.6), so that only a name that was made another is told.
Task<Reply> Session::on(const Rename& rename) {
  const auto renamed = co_await account_->rename(rename.from, rename.to);
  if (!renamed) co_return reply_to(renamed.error());
  connection_.log(LogLevel::debug, "imap.rename", {{"mailbox", rename.from}, {"to", rename.to}});
  if (enabled_.rev2() && (rename.from != "INBOX" || denormalised_)) {
    co_await tell_old_name(rename.to, denormalised_.value_or(rename.from));
  }
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

// RFC 2342 §5. What there is in the last two the user may have rights on or not.
Task<Reply> Session::on(const Namespace&) {
  const auto prefix = [](std::string_view name) { return "((\"" + std::string(name) + "/\" \"/\"))"; };
  send("* NAMESPACE ((\"\" \"/\")) " + prefix(storage::other_users) + " " + prefix(storage::organisation) +
       "\r\n");
  co_return ok("NAMESPACE completed");
}

// The answer has the name that was asked for (RFC 9051 §7.3.4), by which clients find it.
Task<Reply> Session::on(const Status& status) {
  if (view_ && view_->mailbox().info().name == status.mailbox) {
    static_cast<void>(co_await view_->mailbox().poll());
  }
  const auto counts = co_await account_->status(status.mailbox);
  if (!counts) co_return reply_to(counts.error());
  append_status(connection_.output(), denormalised_.value_or(status.mailbox), status.items, *counts,
                settings_.message_octets, enabled_.dialect);
  co_return ok("STATUS completed");
}

}  // namespace posthorn::imap

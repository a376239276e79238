#include "protocols/imap/list_pattern.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <map>
#include <utility>

// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9), with children (RFC 3348) and special uses (RFC 6154).
namespace posthorn::imap {
namespace {

// A name of the hierarchy: a mailbox, or a level above one.
struct Level {
  bool exists = false;
  bool has_children = false;
  storage::SpecialUse special_use = storage::SpecialUse::none;
};
using Levels = std::map<std::string, Level, std::less<>>;

// Calls `visit` with "a" and "a/b" for "a/b/c", the nearest first, until it gives false.
template <class Visit>
void each_level_above(std::string_view name, Visit visit) {
  for (std::size_t end = name.rfind('/'); end != std::string_view::npos && end > 0;
       end = name.rfind('/', end - 1)) {
    if (!visit(name.substr(0, end))) return;
  }
}

Levels levels_of(const std::vector<storage::MailboxInfo>& mailboxes) {
  Levels levels;
  for (const storage::MailboxInfo& mailbox : mailboxes) {
    Level& own = levels[mailbox.name];
    own.exists = true;
    own.special_use = mailbox.special_use;
    each_level_above(mailbox.name, [&](std::string_view above) {
      return !std::exchange(levels[std::string(above)].has_children, true);
    });
  }
  return levels;
}

void append_attributes(std::string& out, const Level& level) {
  Spaced attributes(out);
  if (!level.exists) attributes.next() += "\\Noselect";
  attributes.next() += level.has_children ? "\\HasChildren" : "\\HasNoChildren";
  if (level.special_use != storage::SpecialUse::none)
    attributes.next() += storage::name_of(level.special_use);
}

// The empty pattern asks for the separator and the root of the reference; our names have none.
constexpr std::string_view root_without_name = "* LIST (\\Noselect) \"/\" \"\"\r\n";
constexpr std::string_view root_of_slash = "* LIST (\\Noselect) \"/\" \"/\"\r\n";

}  // namespace

Task<Reply> Session::on(const List& list) {
  if (list.patterns.front().empty()) {
    send(list.reference.starts_with('/') ? root_of_slash : root_without_name);
    co_return ok("LIST completed");
  }
  const auto mailboxes = co_await account_->list();
  if (!mailboxes) co_return reply_to(mailboxes.error());
  const Levels levels = levels_of(*mailboxes);
  const ListPattern pattern(list.reference, list.patterns.front());
  Slice slice(connection_);
  for (const auto& [name, level] : levels) {
    co_await slice;
    if (list.selection.special_use && level.special_use == storage::SpecialUse::none) continue;
    if (!pattern.matches(name)) continue;
    std::string& out = connection_.output();
    out += "* LIST ";
    append_attributes(out, level);
    out += " \"/\" ";
    append_mailbox(out, name, enabled_.dialect);
    out += "\r\n";
    co_await connection_.flush_if_large();
  }
  co_return ok("LIST completed");
}

// A `%` at the end names a level that is not subscribed itself, but has subscribed ones below that the
// pattern does not match; \Noselect marks it (§6.3.9). Subscribed names need not exist.
Task<Reply> Session::on(const Lsub& lsub) {
  const auto subscriptions = co_await account_->subscriptions();
  if (!subscriptions) co_return reply_to(subscriptions.error());
  const ListPattern pattern(lsub.reference, lsub.pattern);
  const bool names_levels = lsub.pattern.ends_with('%');
  std::map<std::string, bool, std::less<>> names;  // and whether each is subscribed itself
  Slice slice(connection_);
  for (const std::string& name : *subscriptions) {
    co_await slice;
    if (pattern.matches(name)) {
      names[name] = true;
    } else if (names_levels) {
      each_level_above(name, [&](std::string_view above) {
        if (pattern.matches(above)) names.try_emplace(std::string(above), false);
        return true;
      });
    }
  }
  for (const auto& [name, is_subscribed] : names) {
    std::string& out = connection_.output();
    out += is_subscribed ? "* LSUB () \"/\" " : "* LSUB (\\Noselect) \"/\" ";
    append_mailbox(out, name, enabled_.dialect);
    out += "\r\n";
    co_await connection_.flush_if_large();
  }
  co_return ok("LSUB completed");
}

}  // namespace posthorn::imap

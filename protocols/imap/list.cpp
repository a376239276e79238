#include "message/normal_form.h"
#include "protocols/imap/acl.h"
#include "protocols/imap/list_pattern.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/status.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9, RFC 5258), with children (RFC 3348), special uses (RFC 6154) and
// STATUS (RFC 5819); XLIST; LIST responses of other commands (RFC 9051 §6.3.2, §6.3.9.7).
namespace posthorn::imap {
namespace {

// A name of the hierarchy: a mailbox, a level above one, or what is subscribed without being there.
struct Level {
  bool exists = false;
  bool has_children = false;
  bool subscribed = false;
  storage::SpecialUse special_use = storage::SpecialUse::none;
  storage::Rights rights;           // the user's, of a mailbox
  bool matches = false;             // one of the patterns
  bool has_selected_below = false;  // a name that the selection options select
  bool has_unlisted_below = false;  // and one that no pattern matches
};
using Levels = std::map<std::string, Level, std::less<>>;

// "a/b" for "a/b/c"; none for "a".
std::optional<std::string_view> level_above(std::string_view name) {
  const std::size_t end = name.rfind('/');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  return name.substr(0, end);
}

// Calls `visit` with "a/b" and "a" for "a/b/c", the nearest first, until it gives false.
template <class Visit>
void each_level_above(std::string_view name, Visit visit) {
  for (auto above = level_above(name); above && visit(*above); above = level_above(*above)) {
  }
}

Levels levels_of(const std::vector<storage::MailboxInfo>& mailboxes) {
  Levels levels;
  for (const storage::MailboxInfo& mailbox : mailboxes) {
    Level& own = levels[mailbox.name];
    own.exists = true;
    own.special_use = mailbox.special_use;
    own.rights = mailbox.rights;
    each_level_above(mailbox.name, [&](std::string_view above) {
      return !std::exchange(levels[std::string(above)].has_children, true);
    });
  }
  return levels;
}

bool matches_any(const std::vector<ListPattern>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const ListPattern& pattern) { return pattern.matches(name); });
}

// Those that are no mailboxes are names of their own where they are selected (RFC 5258 §3.1). So is what is
// above them (§3.5), but where it is not listed anyhow: a name may have a hundred levels, and there are many
// names.
Task<void> add_subscriptions(Levels& levels, const std::vector<std::string>& subscriptions, const List& list,
                             const std::vector<ListPattern>& patterns, Slice& slice) {
  for (const std::string& name : subscriptions) {
    co_await slice;
    if (!list.selection.subscribed && !levels.contains(name)) continue;
    levels[name].subscribed = true;
    if (!list.selection.recursive_match || matches_any(patterns, name)) continue;
    for (auto above = level_above(name); above; above = level_above(*above)) {
      co_await slice;
      if (matches_any(patterns, *above)) levels.try_emplace(std::string(*above));
    }
  }
}

// Without selection options every name is, a level that is no mailbox too (RFC 5258 §3.5, example 11).
bool is_selected(const Level& level, const List::Selection& selection) {
  if (selection.special_use && level.special_use == storage::SpecialUse::none) return false;
  return !selection.subscribed || level.subscribed;
}

Task<void> note_selected_below(Levels& levels, const List::Selection& selection, Slice& slice) {
  for (const auto& [name, level] : levels) {
    if (!is_selected(level, selection)) continue;
    const bool is_listed = level.matches;
    for (auto above = level_above(name); above; above = level_above(*above)) {
      co_await slice;
      const auto parent = levels.find(*above);
      if (parent == levels.end()) continue;
      parent->second.has_selected_below = true;
      parent->second.has_unlisted_below = parent->second.has_unlisted_below || !is_listed;
    }
  }
}

// RFC 5258 §3.3: what is selected, and with RECURSIVEMATCH what has below it something selected that is not
// listed itself. (The last listing of §5's example 9, which names more, is what §3.5 advises against.)
bool is_listed(const Level& level, const List::Selection& selection) {
  if (!level.matches) return false;
  return is_selected(level, selection) || (selection.recursive_match && level.has_unlisted_below);
}

// RFC 5819 §2: of a name that is there for what is below it alone, no STATUS is told.
bool has_status(const Level& level, const List& list) {
  return !list.returned.status.empty() && level.exists && is_selected(level, list.selection);
}

// RFC 8440 §3, §4: the same holds of MYRIGHTS.
bool has_rights(const Level& level, const List& list) {
  return list.returned.my_rights && level.exists && is_selected(level, list.selection);
}

// Without extended data items and the line end.
void append_list(std::string& out, std::string_view name, const Level& level, List::Syntax syntax,
                 Dialect dialect) {
  // LIST of RFC 3501 knows no \NonExistent.
  const bool extended = syntax == List::Syntax::extended || dialect.rev2;
  out += "* LIST ";
  {
    Spaced attributes(out);
    if (!level.exists) attributes.next() += extended ? "\\NonExistent" : "\\Noselect";
    if (level.subscribed) attributes.next() += "\\Subscribed";
    attributes.next() += level.has_children ? "\\HasChildren" : "\\HasNoChildren";
    if (level.special_use != storage::SpecialUse::none) {
      attributes.next() += storage::name_of(level.special_use);
    }
  }
  out += " \"/\" ";
  append_mailbox(out, name, dialect);
}

void append_list(std::string& out, std::string_view name, const Level& level, const List& list,
                 Dialect dialect) {
  append_list(out, name, level, list.syntax, dialect);
  // RFC 5258 §3.5. SUBSCRIBED is the one option that RECURSIVEMATCH goes with.
  if (list.selection.recursive_match && level.has_selected_below) out += " (\"CHILDINFO\" (\"SUBSCRIBED\"))";
  out += "\r\n";
}

// The names that Gmail's XLIST has for what RFC 6154 §2 names otherwise.
std::string_view xlist_name_of(storage::SpecialUse use) {
  switch (use) {
    case storage::SpecialUse::all: return "\\AllMail";
    case storage::SpecialUse::flagged: return "\\Starred";
    case storage::SpecialUse::junk: return "\\Spam";
    default: return storage::name_of(use);
  }
}

void append_xlist(std::string& out, std::string_view name, const Level& level, Dialect dialect) {
  out += "* XLIST ";
  {
    Spaced attributes(out);
    if (!level.exists) attributes.next() += "\\Noselect";
    attributes.next() += level.has_children ? "\\HasChildren" : "\\HasNoChildren";
    if (name == "INBOX") attributes.next() += "\\Inbox";
    if (level.special_use != storage::SpecialUse::none) attributes.next() += xlist_name_of(level.special_use);
  }
  out += " \"/\" ";
  append_mailbox(out, name, dialect);
  out += "\r\n";
}

// Where names are in Net-Unicode, a pattern that is not names those too that it is made to (RFC 9051 §5.1).
std::vector<ListPattern> patterns_of(const std::string& reference, std::span<const std::string> patterns,
                                     Dialect dialect) {
  std::vector<ListPattern> all;
  const std::string normal_reference = dialect.utf8() ? message::to_nfc(reference) : reference;
  for (const std::string& pattern : patterns) {
    // RFC 5258 §3: an empty one matches nothing, whatever the reference.
    if (pattern.empty()) continue;
    all.emplace_back(reference, pattern);
    if (!dialect.utf8()) continue;
    const std::string normal = message::to_nfc(pattern);
    if (normal_reference != reference || normal != pattern) all.emplace_back(normal_reference, normal);
  }
  return all;
}

// The empty pattern asks for the separator and the root of the reference; our names have none.
constexpr std::string_view root_without_name = "* LIST (\\Noselect) \"/\" \"\"\r\n";
constexpr std::string_view root_of_slash = "* LIST (\\Noselect) \"/\" \"/\"\r\n";

// So many mailboxes' counts are asked for at once.
constexpr std::size_t status_batch = 128;

}  // namespace

// The LIST response of one mailbox that nobody asked to list, with the name that it had (RFC 9051 §6.3.9.7).
Task<Result<std::string>> Session::list_line(std::string name, std::optional<std::string> old_name) {
  const auto mailboxes = co_await account_->list();
  if (!mailboxes) co_return std::unexpected(mailboxes.error());
  const auto subscriptions = co_await account_->subscriptions();
  if (!subscriptions) co_return std::unexpected(subscriptions.error());
  Level level;
  level.subscribed = std::ranges::find(*subscriptions, name) != subscriptions->end();
  const std::string below = name + '/';
  for (const storage::MailboxInfo& mailbox : *mailboxes) {
    if (mailbox.name.starts_with(below)) level.has_children = true;
    if (mailbox.name != name) continue;
    level.exists = true;
    level.special_use = mailbox.special_use;
  }
  std::string line;
  append_list(line, name, level, List::Syntax::extended, enabled_.dialect);
  if (old_name) {
    line += " (\"OLDNAME\" (";
    append_mailbox(line, *old_name, enabled_.dialect);
    line += "))";
  }
  co_return line + "\r\n";
}

// Without it the command has still done its work.
Task<void> Session::tell_old_name(std::string name, std::string old_name) {
  const auto line = co_await list_line(std::move(name), std::move(old_name));
  if (line) send(*line);
}

Task<Reply> Session::on(const List& list) {
  if (list.syntax == List::Syntax::basic && list.patterns.front().empty()) {
    send(list.reference.starts_with('/') ? root_of_slash : root_without_name);
    co_return ok("LIST completed");
  }
  const auto mailboxes = co_await account_->list();
  if (!mailboxes) co_return reply_to(mailboxes.error());
  Levels levels = levels_of(*mailboxes);
  const std::vector<ListPattern> patterns = patterns_of(list.reference, list.patterns, enabled_.dialect);
  Slice slice(connection_);
  if (list.selection.subscribed || list.returned.subscribed) {
    const auto subscriptions = co_await account_->subscriptions();
    if (!subscriptions) co_return reply_to(subscriptions.error());
    co_await add_subscriptions(levels, *subscriptions, list, patterns, slice);
  }
  for (auto& [name, level] : levels) {
    for (const ListPattern& pattern : patterns) {
      co_await slice;
      level.matches = pattern.matches(name);
      if (level.matches) break;
    }
  }
  if (list.selection.recursive_match) co_await note_selected_below(levels, list.selection, slice);
  std::erase_if(levels, [&](const auto& each) { return !is_listed(each.second, list.selection); });

  // The counts of the selected mailbox are as of now, too.
  if (view_ && !list.returned.status.empty()) static_cast<void>(co_await view_->mailbox().poll());
  for (auto begin = levels.begin(); begin != levels.end();) {
    const auto end = std::ranges::next(begin, status_batch, levels.end());
    std::vector<std::string> asked;
    for (auto each = begin; each != end; ++each) {
      if (has_status(each->second, list)) asked.push_back(each->first);
    }
    const auto counts = co_await counts_of(*account_, asked);
    auto answer = counts.begin();
    for (; begin != end; ++begin) {
      co_await slice;
      auto& [name, level] = *begin;
      const bool answered = has_status(level, list);
      // Removed meanwhile: RFC 5819 §2.
      if (answered && !*answer && answer->error().code == Errc::not_found) level.exists = false;
      append_list(connection_.output(), name, level, list, enabled_.dialect);
      if (has_rights(level, list))
        append_my_rights(connection_.output(), name, level.rights, enabled_.dialect);
      if (answered) {
        if (*answer) {
          append_status(connection_.output(), name, list.returned.status, **answer, settings_.message_octets,
                        enabled_.dialect);
        } else {
          connection_.log(LogLevel::debug, "imap.no_status", {{"cause", answer->error().detail}});
        }
        ++answer;
      }
      co_await connection_.flush_if_large();
    }
  }
  co_return ok("LIST completed");
}

// Gmail's, from before there was RFC 6154: LIST with names of its own for special uses, INBOX's among them.
Task<Reply> Session::on(const Xlist& xlist) {
  const auto mailboxes = co_await account_->list();
  if (!mailboxes) co_return reply_to(mailboxes.error());
  const Levels levels = levels_of(*mailboxes);
  const auto patterns = patterns_of(xlist.reference, {&xlist.pattern, 1}, enabled_.dialect);
  Slice slice(connection_);
  for (const auto& [name, level] : levels) {
    co_await slice;
    if (!matches_any(patterns, name)) continue;
    append_xlist(connection_.output(), name, level, enabled_.dialect);
    co_await connection_.flush_if_large();
  }
  co_return ok("XLIST completed");
}

// A `%` at the end names a level that is not subscribed itself, but has subscribed ones below that the
// pattern does not match; \Noselect marks it (§6.3.9). Subscribed names need not exist.
Task<Reply> Session::on(const Lsub& lsub) {
  const auto subscriptions = co_await account_->subscriptions();
  if (!subscriptions) co_return reply_to(subscriptions.error());
  const auto patterns = patterns_of(lsub.reference, {&lsub.pattern, 1}, enabled_.dialect);
  const bool names_levels = lsub.pattern.ends_with('%');
  std::map<std::string, bool, std::less<>> names;  // and whether each is subscribed itself
  Slice slice(connection_);
  for (const std::string& name : *subscriptions) {
    co_await slice;
    if (matches_any(patterns, name)) {
      names[name] = true;
    } else if (names_levels) {
      each_level_above(name, [&](std::string_view above) {
        if (matches_any(patterns, above)) names.try_emplace(std::string(above), false);
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

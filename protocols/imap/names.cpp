#include "message/normal_form.h"
#include "protocols/imap/cursor.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

// Names of mailboxes in Net-Unicode, which is in Normalization Form C (RFC 5198 §2): RFC 9051 §5.1, RFC 6855
// §3. In modified UTF-7 names are kept as they were written (RFC 9051 appendix A.1).
namespace posthorn::imap {
namespace {

// The names of mailboxes that a command gives, the first being the one that is there.
std::vector<std::string*> names_in(Command::Body& body) {
  if (auto* rename = std::get_if<Rename>(&body)) return {&rename->from, &rename->to};
  std::vector<std::string*> names;
  std::visit(
      [&](auto& command) {
        if constexpr (requires { command.mailbox; }) names.push_back(&command.mailbox);
      },
      body);
  return names;
}

// The first name that `command` gives, as it was written: of commands that tell OLDNAME wherever they were
// given another name than the one that came of it (RFC 9051 §6.3.9.7). INBOX is there behind a RENAME.
std::optional<std::string> name_as_written(const Command::Body& body, std::string_view command,
                                           Dialect dialect) {
  const auto* rename = std::get_if<Rename>(&body);
  const bool tells_it = std::holds_alternative<Select>(body) || std::holds_alternative<Create>(body) ||
                        std::holds_alternative<Delete>(body) ||
                        (rename != nullptr && rename->from != "INBOX");
  if (!tells_it) return std::nullopt;
  Cursor in(command, dialect);
  in.take_tag();
  in.take_spaces();
  in.take_atom();
  in.take_spaces();
  auto name = in.mailbox_as_written();
  if (!name) return std::nullopt;
  return *std::move(name);
}

// The size of what `name` begins with that names `mailbox` or a level above it.
std::size_t common_levels(std::string_view name, std::string_view mailbox) {
  const auto [end, other] = std::ranges::mismatch(name, mailbox);
  const auto same = static_cast<std::size_t>(end - name.begin());
  const bool is_level = (end == name.end() || *end == '/') && (other == mailbox.end() || *other == '/');
  if (is_level) return same;
  const std::size_t slash = name.substr(0, same).rfind('/');
  return slash == std::string_view::npos ? 0 : slash;
}

}  // namespace

// A mailbox of exactly this name, which a client that speaks modified UTF-7 or another program may have made,
// goes before the one whose name is its normal form; so does a level above, for what is not there yet.
Task<std::string> Session::name_found(std::string name) {
  const std::string normal = message::to_nfc(name);
  if (normal == name) co_return name;
  const auto subscriptions = co_await account_->subscriptions();
  if (subscriptions && std::ranges::find(*subscriptions, name) != subscriptions->end()) co_return name;
  const auto mailboxes = co_await account_->list();
  if (!mailboxes) co_return normal;
  const auto is_there = [&](const std::string& wanted) {
    return std::ranges::find(*mailboxes, wanted, &storage::MailboxInfo::name) != mailboxes->end();
  };
  std::size_t levels = 0;
  for (const auto& mailbox : *mailboxes) levels = std::max(levels, common_levels(name, mailbox.name));
  const std::string found = name.substr(0, levels) + message::to_nfc(name.substr(levels));
  co_return is_there(found) || !is_there(normal) ? found : normal;
}

Task<void> Session::normalise_names(Command::Body& body, std::string_view command) {
  denormalised_.reset();
  if (!account_ || !enabled_.dialect.utf8()) co_return;
  const std::vector<std::string*> names = names_in(body);
  if (names.empty()) co_return;
  const std::string first = name_as_written(body, command, enabled_.dialect).value_or(*names.front());
  if (first != *names.front()) denormalised_ = first;
  for (std::string* name : names) {
    std::string found = co_await name_found(*name);
    if (found == *name) continue;
    *name = std::move(found);
    denormalised_ = first;
  }
}

}  // namespace posthorn::imap

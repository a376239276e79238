#include "message/normal_form.h"
#include "protocols/imap/session.h"

#include <algorithm>
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

}  // namespace

// A mailbox of exactly this name, which a client that speaks modified UTF-7 or another program may have made,
// goes before the one whose name is its normal form.
Task<std::string> Session::name_found(std::string name) {
  std::string normal = message::to_nfc(name);
  if (normal == name) co_return name;
  const auto mailboxes = co_await account_->list();
  const auto subscriptions = co_await account_->subscriptions();
  const bool exists =
      (mailboxes && std::ranges::find(*mailboxes, name, &storage::MailboxInfo::name) != mailboxes->end()) ||
      (subscriptions && std::ranges::find(*subscriptions, name) != subscriptions->end());
  co_return exists ? name : normal;
}

Task<void> Session::normalise_names(Command::Body& body) {
  denormalised_.reset();
  if (!account_ || !enabled_.dialect.utf8()) co_return;
  const std::vector<std::string*> names = names_in(body);
  for (std::string* name : names) {
    std::string found = co_await name_found(*name);
    if (found == *name) continue;
    std::swap(found, *name);
    if (name == names.front()) denormalised_ = std::move(found);
  }
}

}  // namespace posthorn::imap

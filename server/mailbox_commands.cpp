#include "server/mailbox_commands.h"

#include "auth/address_name.h"
#include "storage/acl.h"
#include "storage/namespaces.h"

#include <algorithm>

namespace posthorn::server {
namespace {

// The account whose mailboxes `owner` means.
Result<std::string> account_of(auth::Accounts& accounts, const std::string& owner) {
  if (owner.contains('@')) {
    const std::string account = auth::to_string(TRY(auth::parse_address(owner)));
    if (!TRY(accounts.has_account(account))) return not_found("there is no account " + account);
    return account;
  }
  const std::string domain = TRY(auth::parse_domain(owner));
  if (!TRY(accounts.is_local_domain(domain))) return not_found("there is no domain " + domain);
  return storage::organisation_of("@" + domain);
}

// In words.
Error explained(Error error, const control::Request& request) {
  const std::string mailbox = request.argument("mailbox");
  switch (error.code) {
    case Errc::not_found: error.detail = "there is no mailbox " + mailbox; break;
    case Errc::already_exists: error.detail = "there is a mailbox " + mailbox + " already"; break;
    case Errc::too_large:
      error.detail = "that passes a limit: " + error.detail + " ([storage] in the configuration)";
      break;
    case Errc::not_allowed: error.detail = mailbox + ": " + error.detail; break;
    default: break;
  }
  return error;
}

std::vector<std::string> lines_of(const storage::Sharing& sharing) {
  std::vector<std::string> lines;
  if (!sharing.acl) return lines;
  for (const auto& entry : sharing.acl->entries()) {
    lines.push_back(entry.identifier + " " + storage::to_string(entry.rights));
  }
  return lines;
}

Task<Result<control::Reply>> list(storage::Account& account) {
  const auto mailboxes = co_await account.list();
  if (!mailboxes) co_return std::unexpected(mailboxes.error());
  control::Reply reply;
  for (const storage::MailboxInfo& mailbox : *mailboxes) {
    // That of an organisation is only there as each account has one.
    const bool is_hidden = mailbox.name == "INBOX" && storage::is_organisation(account.address());
    if (!is_hidden) reply.lines.push_back(mailbox.name);
  }
  co_return reply;
}

Task<Result<control::Reply>> share(storage::Account& account, const control::Request& request) {
  const std::string rights = request.argument("rights");
  const auto change =
      rights == "none" ? Result<storage::RightsChange>({}) : storage::parse_rights_change(rights);
  if (!change) {
    co_return malformed("RIGHTS: expected letters of lrswipkxtea, +LETTERS, -LETTERS or none, got " + rights);
  }
  const auto shared = co_await account.share(request.argument("mailbox"), request.argument("who"), *change);
  if (!shared) co_return std::unexpected(shared.error());
  co_return control::Reply{};
}

Task<Result<control::Reply>> execute(storage::Account& account, const control::Request& request) {
  const std::string mailbox = request.argument("mailbox");
  if (request.command == "mailbox.list") co_return co_await list(account);
  if (request.command == "mailbox.share") co_return co_await share(account, request);
  if (request.command == "mailbox.add") {
    const auto made = co_await account.create(mailbox, storage::SpecialUse::none);
    if (!made) co_return std::unexpected(made.error());
    co_return control::Reply{};
  }
  if (request.command == "mailbox.remove") {
    const auto removed = co_await account.remove(mailbox);
    if (!removed) co_return std::unexpected(removed.error());
    co_return control::Reply{};
  }
  if (request.command == "mailbox.rights") {
    const auto sharing = co_await account.sharing(mailbox);
    if (!sharing) co_return std::unexpected(sharing.error());
    co_return control::Reply{true, {}, lines_of(*sharing)};
  }
  co_return failure(Errc::unavailable, "the server does not know the command " + request.command);
}

}  // namespace

Task<Result<control::Reply>> mailbox_command(auth::Accounts& accounts, storage::Store& store, Lane& lane,
                                             control::Request request) {
  const std::string owner = request.argument("owner");
  auto find = [&] { return account_of(accounts, owner); };
  const auto name = co_await Offload(lane, find);
  if (!name) co_return std::unexpected(name.error());
  const auto there = co_await store.has_mail(*name);
  if (!there) co_return std::unexpected(there.error());
  // Looking makes nothing.
  if (!*there && request.command == "mailbox.list") co_return control::Reply{};
  const auto account = co_await store.open(*name);
  if (!account) co_return std::unexpected(account.error());
  auto reply = co_await execute(**account, request);
  if (!reply) co_return std::unexpected(explained(std::move(reply).error(), request));
  co_return reply;
}

}  // namespace posthorn::server

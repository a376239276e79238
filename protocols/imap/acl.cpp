#include "protocols/imap/acl.h"

#include "protocols/imap/printer.h"
#include "protocols/imap/session.h"
#include "storage/acl.h"
#include "storage/namespaces.h"

#include <utility>

// Who may do what with a mailbox (RFC 4314). The rights themselves are asked for by storage, wherever a
// mailbox is used (storage/user_account.h).
namespace posthorn::imap {
namespace {

void append_pair(std::string& out, std::string_view identifier, storage::Rights rights) {
  out += ' ';
  append_astring(out, identifier);
  out += ' ';
  append_astring(out, storage::with_obsolete(rights));
}

// What an identifier can't be is BAD (RFC 4314 §3).
Reply reply_to_unshared(const Error& error) {
  switch (error.code) {
    case Errc::malformed: return bad("That can be no identifier");
    case Errc::too_large: return no("[LIMIT] The access control list has as many entries as it may");
    default: return reply_to(error);
  }
}

}  // namespace

void append_acl(std::string& out, std::string_view mailbox, const storage::Sharing& sharing,
                Dialect dialect) {
  out += "* ACL ";
  append_mailbox(out, mailbox, dialect);
  if (!sharing.owner.empty()) append_pair(out, sharing.owner, storage::Rights::all());
  if (sharing.acl) {
    for (const auto& entry : sharing.acl->entries()) append_pair(out, entry.identifier, entry.rights);
  }
  out += "\r\n";
}

void append_list_rights(std::string& out, std::string_view mailbox, std::string_view identifier,
                        std::string_view canonical, const storage::Sharing& sharing, Dialect dialect) {
  const bool is_owners = storage::is_of(canonical, sharing.owner);
  out += "* LISTRIGHTS ";
  append_mailbox(out, mailbox, dialect);
  // Nothing is taken from the owner by "-owner".
  const bool has_all = is_owners && canonical == sharing.owner;
  append_pair(out, identifier, has_all ? storage::Rights::all() : storage::Rights());
  if (!is_owners) out += " l r s w i p k x t e c d a";
  out += "\r\n";
}

void append_my_rights(std::string& out, std::string_view mailbox, storage::Rights rights, Dialect dialect) {
  out += "* MYRIGHTS ";
  append_mailbox(out, mailbox, dialect);
  out += ' ';
  append_astring(out, storage::with_obsolete(rights));
  out += "\r\n";
}

// RFC 4314 §3.1.
Task<Reply> Session::on(const SetAcl& command) {
  const auto shared = co_await account_->share(command.mailbox, command.identifier, command.change);
  if (!shared) co_return reply_to_unshared(shared.error());
  connection_.log(LogLevel::info, "imap.shared",
                  {{"user", login_.address},
                   {"mailbox", command.mailbox},
                   {"identifier", command.identifier},
                   {"rights", storage::to_string(command.change.rights)}});
  co_return ok("SETACL completed");
}

// RFC 4314 §3.2.
Task<Reply> Session::on(const DeleteAcl& command) {
  const auto shared = co_await account_->share(command.mailbox, command.identifier, {});
  if (!shared) co_return reply_to_unshared(shared.error());
  connection_.log(
      LogLevel::info, "imap.shared",
      {{"user", login_.address}, {"mailbox", command.mailbox}, {"identifier", command.identifier}});
  co_return ok("DELETEACL completed");
}

// RFC 4314 §3.3. The answer has the name that was asked for.
Task<Reply> Session::on(const GetAcl& command) {
  const auto sharing = co_await account_->sharing(command.mailbox);
  if (!sharing) co_return reply_to(sharing.error());
  append_acl(connection_.output(), denormalised_.value_or(command.mailbox), *sharing, enabled_.dialect);
  co_return ok("GETACL completed");
}

// RFC 4314 §3.4: with the identifier as it was sent.
Task<Reply> Session::on(const ListRights& command) {
  const auto sharing = co_await account_->sharing(command.mailbox);
  if (!sharing) co_return reply_to(sharing.error());
  const auto canonical = storage::canonical_identifier(command.identifier, sharing->domain);
  if (!canonical) co_return reply_to_unshared(canonical.error());
  append_list_rights(connection_.output(), denormalised_.value_or(command.mailbox), command.identifier,
                     *canonical, *sharing, enabled_.dialect);
  co_return ok("LISTRIGHTS completed");
}

// RFC 4314 §3.5.
Task<Reply> Session::on(const MyRights& command) {
  const auto found = co_await account_->find(command.mailbox);
  if (!found) co_return reply_to(found.error());
  append_my_rights(connection_.output(), denormalised_.value_or(command.mailbox), found->rights,
                   enabled_.dialect);
  co_return ok("MYRIGHTS completed");
}

}  // namespace posthorn::imap

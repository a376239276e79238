#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <string>
#include <utility>

// The commands of RFC 4314 §7 that have an identifier. What one may be is storage's to judge (acl.h).
namespace posthorn::imap {
namespace {

template <class Of>
Result<Of> parse_mailbox_and_identifier(Cursor& in) {
  Of command;
  TRY(in.space("mailbox name"));
  command.mailbox = TRY(in.mailbox());
  TRY(in.space("identifier"));
  command.identifier = TRY(in.astring("identifier"));
  return command;
}

}  // namespace

// RFC 4314 §3.1: a right that is not known is BAD.
Result<Body> parse_set_acl(Cursor& in) {
  SetAcl command = TRY(parse_mailbox_and_identifier<SetAcl>(in));
  TRY(in.space("rights"));
  const std::string rights = TRY(in.astring("rights"));
  command.change = TRY(storage::parse_rights_change(rights));
  return command;
}

Result<Body> parse_delete_acl(Cursor& in) { return TRY(parse_mailbox_and_identifier<DeleteAcl>(in)); }

Result<Body> parse_list_rights(Cursor& in) { return TRY(parse_mailbox_and_identifier<ListRights>(in)); }

}  // namespace posthorn::imap

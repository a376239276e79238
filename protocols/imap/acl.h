#pragma once

#include "protocols/imap/dialect.h"
#include "storage/store.h"

#include <string>
#include <string_view>

// Responses of RFC 4314 §3. Each appends a whole line.
namespace posthorn::imap {

// "* ACL INBOX ann@example.org lrswipkxtecda bob@example.org lrs": the owner first, where there is one.
void append_acl(std::string& out, std::string_view mailbox, const storage::Sharing& sharing, Dialect dialect);

// "* LISTRIGHTS INBOX bob "" l r s w i p k x t e c d a": any right by itself; of the owner, all of them
// always. `canonical` is what `identifier` means (storage/acl.h).
void append_list_rights(std::string& out, std::string_view mailbox, std::string_view identifier,
                        std::string_view canonical, const storage::Sharing& sharing, Dialect dialect);

// "* MYRIGHTS INBOX lrs".
void append_my_rights(std::string& out, std::string_view mailbox, storage::Rights rights, Dialect dialect);

}  // namespace posthorn::imap

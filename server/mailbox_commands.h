#pragma once

#include "auth/accounts.h"
#include "base/offload.h"
#include "base/task.h"
#include "server/control.h"
#include "storage/store.h"

namespace posthorn::server {

// `posthorn mailbox ...`: mailboxes of an account or, where the owner is a domain, of what its users see as
// Shared/. Errors, in words for the administrator: not_found for the owner or the mailbox; malformed for
// rights and identifiers; those of storage::Account.
Task<Result<control::Reply>> mailbox_command(auth::Accounts& accounts, storage::Store& store, Lane& lane,
                                             control::Request request);

}  // namespace posthorn::server

#pragma once

#include "storage/store.h"

#include <memory>

// COPY, MOVE and REPLACE from a mailbox of one account to one of another. Each account has an index of its
// own, so there is no transaction of both: the target gets all that it is to get, durably, before anything
// goes here (RFC 6851 §3.3 lets others see both meanwhile). What fails is taken back at the target; a crash
// may leave copies there, and never loses a message.
namespace posthorn::storage {

// As Mailbox::copy(), move(), replace(). `store` outlives the call; all mailboxes are as Store::open() gives
// them.
Task<Result<Copied>> copy_across(Store& store, std::shared_ptr<Mailbox> from, UidSet uids,
                                 std::shared_ptr<Mailbox> to, Missing missing, FlagLimits limits);
Task<Result<Copied>> move_across(Store& store, std::shared_ptr<Mailbox> from, UidSet uids,
                                 std::shared_ptr<Mailbox> to, Missing missing, FlagLimits limits);
Task<Result<Appended>> replace_across(std::shared_ptr<Mailbox> from, Uid uid, std::shared_ptr<Mailbox> to,
                                      Arrival arrival);

}  // namespace posthorn::storage

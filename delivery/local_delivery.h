#pragma once

#include "auth/directory.h"
#include "base/clock.h"
#include "base/log.h"
#include "delivery/free_space.h"
#include "protocols/smtp/acceptor.h"
#include "storage/store.h"

#include <memory>
#include <string>

namespace posthorn::delivery {

// Accepted mail goes into the INBOXes of local accounts, at once: nothing is queued, so nothing bounces.
class LocalDelivery final : public smtp::Acceptor {
 public:
  // All of these outlive it. Without `space` there is always room.
  LocalDelivery(auth::Directory& directory, storage::Store& store, Clock& clock, Log& log,
                FreeSpace* space = nullptr);

  Task<Result<>> has_room() override;

  // Targets of an alias that are gone or on another server are passed over, in the log with the address;
  // unavailable if that leaves none.
  Task<Result<smtp::Recipient>> admit(const smtp::Envelope& envelope, std::string address) override;
  std::unique_ptr<storage::Spool> spool() override;
  // Each account gets the message once, however many of its addresses are among the recipients. One that was
  // removed since admit() gets nothing; not_found if that leaves none.
  Task<Result<>> accept(const smtp::Envelope& envelope, storage::Spool& spool) override;

 private:
  void log_lost(const smtp::Envelope& envelope, const std::string& address,
                const auth::Directory::Resolution& resolved);

  auth::Directory& directory_;
  storage::Store& store_;
  Clock& clock_;
  Log& log_;
  FreeSpace* space_;
};

}  // namespace posthorn::delivery

#include "delivery/local_delivery.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace posthorn::delivery {

LocalDelivery::LocalDelivery(auth::Directory& directory, storage::Store& store, Clock& clock, Log& log)
    : directory_(directory), store_(store), clock_(clock), log_(log) {}

Task<Result<smtp::Recipient>> LocalDelivery::admit(const smtp::Envelope& envelope, std::string address) {
  auto resolved = co_await directory_.resolve(address);
  if (!resolved) co_return std::unexpected(std::move(resolved).error());
  if (!resolved->remote.empty()) {
    log_.info("delivery.remote_alias",
                 {{"id", envelope.id}, {"address", address}, {"target", resolved->remote.front()}});
    co_return failure(Errc::unavailable, "alias leads to another server");
  }
  co_return smtp::Recipient{std::move(address), std::move(resolved->accounts)};
}

std::unique_ptr<storage::Spool> LocalDelivery::spool() { return store_.spool(); }

Task<Result<>> LocalDelivery::accept(const smtp::Envelope& envelope, storage::Spool& spool) {
  storage::Delivery delivery;
  for (const auto& recipient : envelope.recipients) {
    delivery.accounts.insert(delivery.accounts.end(), recipient.accounts.begin(), recipient.accounts.end());
  }
  std::sort(delivery.accounts.begin(), delivery.accounts.end());
  delivery.accounts.erase(std::unique(delivery.accounts.begin(), delivery.accounts.end()),
                          delivery.accounts.end());
  delivery.spool = &spool;
  delivery.internal_date = clock_.seconds();
  return store_.deliver(std::move(delivery));
}

}  // namespace posthorn::delivery

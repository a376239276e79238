#include "delivery/local_delivery.h"

#include <utility>
#include <vector>

namespace posthorn::delivery {

LocalDelivery::LocalDelivery(auth::Directory& directory, storage::Store& store, Clock& clock, Log& log,
                             FreeSpace* space)
    : directory_(directory), store_(store), clock_(clock), log_(log), space_(space) {}

Task<Result<>> LocalDelivery::has_room() {
  if (space_ == nullptr) co_return Result<>();
  co_return co_await space_->check();
}

Task<Result<smtp::Recipient>> LocalDelivery::admit(const smtp::Envelope& envelope, std::string address) {
  auto resolved = co_await directory_.resolve(address);
  if (!resolved) co_return std::unexpected(std::move(resolved).error());
  log_lost(envelope, address, *resolved);
  if (resolved->accounts.empty()) co_return failure(Errc::unavailable, "alias leads to another server");
  co_return smtp::Recipient{std::move(address), std::move(resolved->accounts)};
}

// No alias is given such a target; one that was removed since stays until the administrator looks.
void LocalDelivery::log_lost(const smtp::Envelope& envelope, const std::string& address,
                             const auth::Directory::Resolution& resolved) {
  const std::size_t lost = resolved.remote.size() + resolved.nowhere.size();
  if (lost == 0 || !log_.enabled(LogLevel::warning)) return;
  log_.write(LogLevel::warning, "delivery.alias_target_lost", envelope.session,
             {{"id", envelope.id},
              {"address", address},
              {"target", (resolved.remote.empty() ? resolved.nowhere : resolved.remote).front()},
              {"lost", lost},
              {"accounts", resolved.accounts.size()}});
}

std::unique_ptr<storage::Spool> LocalDelivery::spool() { return store_.spool(); }

Task<Result<>> LocalDelivery::accept(const smtp::Envelope& envelope, storage::Spool& spool) {
  // One that was removed since RCPT gets nothing: whoever makes it anew is not to find the letter.
  auto existing = co_await directory_.existing({envelope.accounts.begin(), envelope.accounts.end()});
  if (!existing) co_return std::unexpected(std::move(existing).error());
  if (existing->empty()) co_return not_found("the accounts were removed meanwhile");
  if (existing->size() < envelope.accounts.size()) {
    log_.info("delivery.account_removed",
              {{"id", envelope.id}, {"accounts", envelope.accounts.size() - existing->size()}});
  }
  storage::Delivery delivery;
  delivery.accounts = *std::move(existing);
  delivery.spool = &spool;
  delivery.internal_date = clock_.seconds();
  co_return co_await store_.deliver(std::move(delivery));
}

}  // namespace posthorn::delivery

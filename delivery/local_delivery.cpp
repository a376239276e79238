#include "delivery/local_delivery.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace posthorn::delivery {
namespace {

// Each once.
std::vector<std::string> accounts_of(const smtp::Envelope& envelope) {
  std::vector<std::string> accounts;
  for (const auto& recipient : envelope.recipients) {
    accounts.insert(accounts.end(), recipient.accounts.begin(), recipient.accounts.end());
  }
  std::ranges::sort(accounts);
  const auto twice = std::ranges::unique(accounts);
  accounts.erase(twice.begin(), twice.end());
  return accounts;
}

}  // namespace

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
  // One that was removed since RCPT gets nothing: whoever makes it anew is not to find the letter.
  std::vector<std::string> accounts = accounts_of(envelope);
  const std::size_t wanted = accounts.size();
  auto existing = co_await directory_.existing(std::move(accounts));
  if (!existing) co_return std::unexpected(std::move(existing).error());
  if (existing->empty()) co_return not_found("the accounts were removed meanwhile");
  if (existing->size() < wanted) {
    log_.info("delivery.account_removed", {{"id", envelope.id}, {"accounts", wanted - existing->size()}});
  }
  storage::Delivery delivery;
  delivery.accounts = *std::move(existing);
  delivery.spool = &spool;
  delivery.internal_date = clock_.seconds();
  return store_.deliver(std::move(delivery));
}

}  // namespace posthorn::delivery

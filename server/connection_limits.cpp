#include "server/connection_limits.h"

#include <algorithm>

namespace posthorn::server {

ConnectionLimits::Slot::~Slot() {
  if (limits_ == nullptr) return;
  --limits_->counted_;
  const auto found = limits_->by_network_.find(network_);
  if (--found->second == 0) limits_->by_network_.erase(found);
}

bool ConnectionLimits::trusted(const IpAddress& address) const {
  return std::ranges::any_of(settings_.trusted,
                             [&](const Network& network) { return network.contains(address); });
}

Result<ConnectionLimits::Slot> ConnectionLimits::admit(const IpAddress& address) {
  const Network network = Network::around(address, address.v6 ? 64 : 32);
  if (trusted(address)) return Slot(nullptr, network);
  if (counted_ >= settings_.connections) return failure(Errc::busy, "too many connections");
  const auto found = by_network_.find(network);
  if (found != by_network_.end() && found->second >= settings_.connections_per_address) {
    return failure(Errc::denied, "too many connections from " + network.text());
  }
  ++counted_;
  ++by_network_[network];
  return Slot(this, network);
}

}  // namespace posthorn::server

#include "server/connection_limits.h"

#include <algorithm>

namespace posthorn::server {

ConnectionLimits::Slot::~Slot() {
  if (limits_ == nullptr) return;
  --limits_->counted_;
  limits_->forget(network_);
  if (wide_) limits_->forget(*wide_);
}

void ConnectionLimits::forget(const Network& network) {
  const auto found = by_network_.find(network);
  if (--found->second == 0) by_network_.erase(found);
}

bool ConnectionLimits::full(const Network& network, std::size_t limit) const {
  const auto found = by_network_.find(network);
  return found != by_network_.end() && found->second >= limit;
}

bool ConnectionLimits::trusted(const IpAddress& address) const {
  return std::ranges::any_of(settings_.trusted,
                             [&](const Network& network) { return network.contains(address); });
}

Result<ConnectionLimits::Slot> ConnectionLimits::admit(const IpAddress& address) {
  const Network network = Network::around(address, address.v6 ? 64 : 32);
  if (trusted(address)) return Slot();
  if (counted_ >= settings_.connections) return failure(Errc::busy, "too many connections");
  if (full(network, settings_.connections_per_address)) {
    return failure(Errc::denied, "too many connections from " + network.text());
  }
  std::optional<Network> wide;
  if (address.v6) {
    wide = Network::around(address, 48);
    if (full(*wide, wide_share * settings_.connections_per_address)) {
      return failure(Errc::denied, "too many connections from " + wide->text());
    }
    ++by_network_[*wide];
  }
  ++counted_;
  ++by_network_[network];
  return Slot(*this, network, wide);
}

}  // namespace posthorn::server

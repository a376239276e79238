#pragma once

#include "server/network.h"

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace posthorn::server {

// Counts connections: all of them, and those of each address, where a /64 is one address of IPv6, as that is
// what one customer has. As many customers have more than one, a /48 has at most four addresses' share. It
// must outlive its slots.
class ConnectionLimits {
 public:
  struct Settings {
    std::size_t connections = 0;
    std::size_t connections_per_address = 0;
    std::vector<Network> trusted;  // neither counted nor refused
  };

  // A place among the connections, given back when it goes.
  class Slot {
   public:
    Slot(Slot&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), network_(other.network_), wide_(other.wide_) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    friend class ConnectionLimits;
    Slot() = default;
    Slot(ConnectionLimits& limits, const Network& network, const std::optional<Network>& wide)
        : limits_(&limits), network_(network), wide_(wide) {}
    ConnectionLimits* limits_ = nullptr;  // null: not counted
    Network network_;
    std::optional<Network> wide_;  // that a part of it counts to as well
  };

  explicit ConnectionLimits(Settings settings) : settings_(std::move(settings)) {}
  ConnectionLimits(const ConnectionLimits&) = delete;
  ConnectionLimits& operator=(const ConnectionLimits&) = delete;

  // New limits hold for connections from now on.
  void configure(Settings settings) { settings_ = std::move(settings); }

  bool trusted(const IpAddress& address) const;
  // Errors: busy (too many in all), denied (too many from this address).
  Result<Slot> admit(const IpAddress& address);

 private:
  static constexpr std::size_t wide_share = 4;
  void forget(const Network& network);
  bool full(const Network& network, std::size_t limit) const;

  Settings settings_;
  std::size_t counted_ = 0;
  std::map<Network, std::size_t> by_network_;
};

}  // namespace posthorn::server

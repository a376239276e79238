#pragma once

#include "server/network.h"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace posthorn::server {

// Counts connections: all of them, and those of each address, where a /64 is one address of IPv6, as that is
// what one customer has. It must outlive its slots.
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
    Slot(Slot&& other) noexcept : limits_(std::exchange(other.limits_, nullptr)), network_(other.network_) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    friend class ConnectionLimits;
    Slot(ConnectionLimits* limits, const Network& network) : limits_(limits), network_(network) {}
    ConnectionLimits* limits_;  // null: not counted
    Network network_;
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
  Settings settings_;
  std::size_t counted_ = 0;
  std::map<Network, std::size_t> by_network_;
};

}  // namespace posthorn::server

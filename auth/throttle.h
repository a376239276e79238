#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace posthorn::auth {

// How guesses at passwords are slowed down. Pure: the time is given, nothing waits here.
//
// Guesses are counted by network: an IPv4 address, or the /64 of an IPv6 one, which is what one customer has.
// Each raises the network's level by one, each minute lowers it by one. The delay of a failure grows with the
// level, 1, 2, 4, … seconds up to a maximum; only the connection that failed is held. At level 20 the network
// is blocked for a time. As some customers have a /48, its level is kept too: a guess raises it by an eighth.
//
// A right password is never delayed. Whoever has logged in from a network before is not kept out by a block
// of it: the account's password is verified, while the neighbours' guesses at it are delayed. Such a login is
// vouched for too, and verified first (see Turns), until somebody there guesses at that account; and after
// 100 such guesses within the time of a block, that account is blocked there as well. A client that repeats
// the same wrong password (a telephone after a change of it) is delayed but makes no new guess, so that it
// never gets its office blocked. All this is kept in memory, bounded, and forgotten at a restart; where there
// is no more room, the network with the lowest level is forgotten first.
class Throttle {
 public:
  using Seconds = std::chrono::seconds;
  struct Settings {
    Seconds max_delay{15};  // 0: no delays
    Seconds block{600};     // 0: no blocks
  };
  static constexpr double block_level = 20;
  static constexpr double wide_part = 1.0 / 8;  // of a guess, that it adds to the level of its /48
  static constexpr unsigned known_guesses = 100;
  static constexpr std::size_t max_networks = 10'000;
  static constexpr std::size_t max_known = 10'000;

  explicit Throttle(Settings settings) : settings_(settings) {}
  void configure(Settings settings) { settings_ = settings; }

  // Whether a login must be refused without a look at its password. `now` is monotonic.
  bool blocked(std::string_view address, std::string_view user, std::chrono::milliseconds now) const;

  // What stands against a network.
  struct Record {
    double level = 0;   // of its guesses, or those of its /48; 0: none of late
    unsigned room = 1;  // so many more until it is blocked; at least 1
  };
  Record record(std::string_view address, std::chrono::milliseconds now) const;
  // Whether `user` has logged in from this network, and nobody there has guessed at that account since.
  bool vouched(std::string_view address, std::string_view user) const;

  struct Verdict {
    std::chrono::milliseconds delay{0};
    bool block_began = false;
    std::string blocked;  // the network whose block began; of a user alone where this is empty
  };
  // After a wrong password of `user`, of which `guess` is a secret fingerprint together with its user.
  Verdict failed(std::string_view address, std::string_view user, std::uint64_t guess,
                 std::chrono::milliseconds now);
  // How long a refused login of a blocked network is held.
  std::chrono::milliseconds blocked_delay() const { return settings_.max_delay; }
  // After a right password.
  void succeeded(std::string_view address, std::string_view user);

  std::size_t networks() const { return networks_.size(); }
  std::size_t known() const { return known_.size(); }

 private:
  struct Network {
    std::string key;
    double level = 0;
    std::chrono::milliseconds updated{0};
    std::chrono::milliseconds blocked_until{0};
    std::uint64_t recent[8] = {};  // the last different guesses
    std::size_t next_recent = 0;
  };
  struct Known {
    std::string key;          // "network user"
    bool guessed_at = false;  // since the last login
    unsigned guesses = 0;     // since `counted_since`
    std::chrono::milliseconds counted_since{0};
    std::chrono::milliseconds blocked_until{0};
  };
  using Networks = std::list<Network>;

  Network& touch(const std::string& key, std::chrono::milliseconds now);
  void forget_lowest(std::chrono::milliseconds now);
  bool network_blocked(const std::string& key, std::chrono::milliseconds now) const;
  double level_of(const std::string& key, std::chrono::milliseconds now) const;
  bool raise(Network& network, double by, std::uint64_t guess, std::chrono::milliseconds now);
  bool count_known(std::string_view network, std::string_view user, bool repeated,
                   std::chrono::milliseconds now);
  static double level_at(const Network& network, std::chrono::milliseconds now);

  Settings settings_;
  Networks networks_;  // the one that failed last is first
  std::unordered_map<std::string_view, Networks::iterator> by_key_;
  std::list<Known> known_;  // the last to log in first
  std::unordered_map<std::string_view, std::list<Known>::iterator> known_by_key_;
};

// The network that an address counts to: itself, or "2001:db8:1:2::/64".
std::string network_of(std::string_view address);
// The wider network around it, "2001:db8:1::/48"; empty for IPv4. An address or what network_of() gave.
std::string wide_network_of(std::string_view address);

}  // namespace posthorn::auth

#include "auth/throttle.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

namespace posthorn::auth {
namespace {

using std::chrono::milliseconds;

// How long it takes until one guess is forgotten.
constexpr milliseconds forgiveness{60'000};

std::string known_key(std::string_view network, std::string_view user) {
  return std::string(network) + " " + std::string(user);
}

std::optional<in6_addr> parse_v6(std::string_view address) {
  const std::string text(address);
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return {};
  return parsed;
}

// The address with all but its first octets zero.
std::string prefix_of(in6_addr address, std::size_t octets) {
  std::fill(address.s6_addr + octets, address.s6_addr + 16, std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return text;
}

}  // namespace

std::string network_of(std::string_view address) {
  const auto parsed = parse_v6(address);
  if (!parsed) return std::string(address);
  if (IN6_IS_ADDR_V4MAPPED(&*parsed)) {
    char mapped[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, parsed->s6_addr + 12, mapped, sizeof mapped);
    return mapped;
  }
  return prefix_of(*parsed, 8) + "/64";
}

std::string wide_network_of(std::string_view address) {
  if (address.ends_with("/64")) address.remove_suffix(3);
  const auto parsed = parse_v6(address);
  if (!parsed || IN6_IS_ADDR_V4MAPPED(&*parsed)) return {};
  return prefix_of(*parsed, 6) + "/48";
}

double Throttle::level_at(const Network& network, milliseconds now) {
  if (now <= network.updated) return network.level;
  const double forgiven = std::chrono::duration<double>(now - network.updated) / forgiveness;
  return std::max(0.0, network.level - forgiven);
}

bool Throttle::network_blocked(const std::string& key, milliseconds now) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() && now < found->second->blocked_until;
}

bool Throttle::blocked(std::string_view address, std::string_view user, milliseconds now) const {
  if (settings_.block.count() == 0) return false;
  const std::string network = network_of(address);
  const auto known = known_by_key_.find(known_key(network, user));
  if (known != known_by_key_.end()) return now < known->second->blocked_until;
  return network_blocked(network, now) || network_blocked(wide_network_of(address), now);
}

double Throttle::level_of(const std::string& key, milliseconds now) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? 0 : level_at(*found->second, now);
}

Throttle::Record Throttle::record(std::string_view address, milliseconds now) const {
  Record record;
  record.level = level_of(network_of(address), now);
  const double wide = level_of(wide_network_of(address), now);
  const double room =
      std::min(std::floor(block_level - record.level), std::floor((block_level - wide) / wide_part));
  // Of a /48 that guesses from one /64 after the other, none of which has a level yet. Less than one is what
  // a few slips of its many people come to.
  record.level = std::max(record.level, std::floor(wide));
  record.room = settings_.block.count() == 0 ? std::numeric_limits<unsigned>::max()
                                             : static_cast<unsigned>(std::max(1.0, room));
  return record;
}

bool Throttle::vouched(std::string_view address, std::string_view user) const {
  const auto found = known_by_key_.find(known_key(network_of(address), user));
  return found != known_by_key_.end() && !found->second->guessed_at;
}

Throttle::Network& Throttle::touch(const std::string& key, milliseconds now) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    networks_.splice(networks_.begin(), networks_, found->second);
    return networks_.front();
  }
  if (networks_.size() >= max_networks) forget_lowest(now);
  networks_.push_front(Network{key, 0, now, milliseconds(0), {}, 0});
  by_key_.emplace(networks_.front().key, networks_.begin());
  return networks_.front();
}

// Of several, the one that failed longest ago. Whoever spreads guesses over many networks does not make those
// forgotten that are blocked.
void Throttle::forget_lowest(milliseconds now) {
  auto lowest = std::prev(networks_.end());
  for (auto entry = lowest; level_at(*lowest, now) > 0; --entry) {
    if (level_at(*entry, now) < level_at(*lowest, now)) lowest = entry;
    if (entry == networks_.begin()) break;
  }
  by_key_.erase(lowest->key);
  networks_.erase(lowest);
}

// Counts a guess; whether a block of the network begins with it.
bool Throttle::raise(Network& network, double by, std::uint64_t guess, milliseconds now) {
  network.level = level_at(network, now);
  network.updated = std::max(network.updated, now);
  if (std::ranges::find(network.recent, guess) != std::end(network.recent)) return false;
  network.recent[network.next_recent++ % std::size(network.recent)] = guess;
  network.level += by;
  if (settings_.block.count() == 0 || network.level <= block_level - 1 || now < network.blocked_until) {
    return false;
  }
  network.blocked_until = now + settings_.block;
  // Whoever goes on afterwards is blocked again after half as many: nothing is forgiven during the block.
  network.level = block_level / 2;
  network.updated = network.blocked_until;
  return true;
}

// A guess at an account that has logged in from there; whether a block of it begins.
bool Throttle::count_known(std::string_view network, std::string_view user, bool repeated, milliseconds now) {
  const auto found = known_by_key_.find(known_key(network, user));
  if (found == known_by_key_.end()) return false;
  Known& known = *found->second;
  known.guessed_at = true;
  if (repeated || settings_.block.count() == 0) return false;
  if (now - known.counted_since >= settings_.block) {
    known.counted_since = now;
    known.guesses = 0;
  }
  if (++known.guesses <= known_guesses || now < known.blocked_until) return false;
  known.blocked_until = now + settings_.block;
  return true;
}

Throttle::Verdict Throttle::failed(std::string_view address, std::string_view user, std::uint64_t guess,
                                   milliseconds now) {
  Verdict verdict;
  const std::string key = network_of(address);
  const auto begins = [&](const std::string& network) {
    verdict.block_began = true;
    verdict.blocked = network;
  };
  // Before the next may make this one forgotten.
  const std::string wide = wide_network_of(address);
  if (!wide.empty() && raise(touch(wide, now), wide_part, guess, now)) begins(wide);
  Network& network = touch(key, now);
  const bool repeated = std::ranges::find(network.recent, guess) != std::end(network.recent);
  if (count_known(key, user, repeated, now)) verdict.block_began = true;
  const double before = level_at(network, now);
  if (raise(network, 1, guess, now)) begins(key);
  // 1, 2, 4, … seconds; a float's range is left far behind long after the maximum is reached.
  const double seconds = std::exp2(std::clamp(std::ceil(before + (repeated ? 0 : 1)) - 1, 0.0, 30.0));
  const double capped = std::min(seconds, static_cast<double>(settings_.max_delay.count()));
  verdict.delay = milliseconds(static_cast<std::int64_t>(capped * 1000));
  return verdict;
}

void Throttle::succeeded(std::string_view address, std::string_view user) {
  std::string key = known_key(network_of(address), user);
  const auto found = known_by_key_.find(key);
  if (found != known_by_key_.end()) {
    known_.splice(known_.begin(), known_, found->second);
    known_.front().guessed_at = false;
    return;
  }
  if (known_.size() >= max_known) {
    known_by_key_.erase(known_.back().key);
    known_.pop_back();
  }
  known_.push_front({std::move(key)});
  known_by_key_.emplace(known_.front().key, known_.begin());
}

}  // namespace posthorn::auth

#include "auth/throttle.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cmath>
#include <limits>

namespace posthorn::auth {
namespace {

using std::chrono::milliseconds;

// How long it takes until one guess is forgotten.
constexpr milliseconds forgiveness{60'000};

std::string known_key(std::string_view network, std::string_view user) {
  return std::string(network) + " " + std::string(user);
}

}  // namespace

std::string network_of(std::string_view address) {
  std::string text(address);
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    char mapped[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, parsed.s6_addr + 12, mapped, sizeof mapped);
    return mapped;
  }
  std::fill(parsed.s6_addr + 8, parsed.s6_addr + 16, std::uint8_t{0});
  char network[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &parsed, network, sizeof network);
  return std::string(network) + "/64";
}

double Throttle::level_at(const Network& network, milliseconds now) {
  if (now <= network.updated) return network.level;
  const double forgiven = std::chrono::duration<double>(now - network.updated) / forgiveness;
  return std::max(0.0, network.level - forgiven);
}

bool Throttle::blocked(std::string_view address, std::string_view user, milliseconds now) const {
  const std::string network = network_of(address);
  const auto found = by_key_.find(network);
  if (found == by_key_.end() || settings_.block.count() == 0 || now >= found->second->blocked_until)
    return false;
  return !known_by_key_.contains(known_key(network, user));
}

Throttle::Record Throttle::record(std::string_view address, milliseconds now) const {
  const auto found = by_key_.find(network_of(address));
  Record record;
  if (found != by_key_.end()) record.level = level_at(*found->second, now);
  record.room = settings_.block.count() == 0
                    ? std::numeric_limits<unsigned>::max()
                    : static_cast<unsigned>(std::max(1.0, std::floor(block_level - record.level)));
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
  if (networks_.size() >= max_networks) {
    by_key_.erase(networks_.back().key);
    networks_.pop_back();
  }
  networks_.push_front(Network{key, 0, now, milliseconds(0), {}, 0});
  by_key_.emplace(networks_.front().key, networks_.begin());
  return networks_.front();
}

Throttle::Verdict Throttle::failed(std::string_view address, std::string_view user, std::uint64_t guess,
                                   milliseconds now) {
  Network& network = touch(network_of(address), now);
  network.level = level_at(network, now);
  network.updated = std::max(network.updated, now);
  if (const auto known = known_by_key_.find(known_key(network.key, user)); known != known_by_key_.end()) {
    known->second->guessed_at = true;
  }
  const bool repeated = std::ranges::find(network.recent, guess) != std::end(network.recent);
  if (!repeated) {
    network.recent[network.next_recent++ % std::size(network.recent)] = guess;
    network.level += 1;
  }
  Verdict verdict;
  // 1, 2, 4, … seconds; a float's range is left far behind long after the maximum is reached.
  const double seconds = std::exp2(std::clamp(std::ceil(network.level) - 1, 0.0, 30.0));
  const double capped = std::min(seconds, static_cast<double>(settings_.max_delay.count()));
  verdict.delay = milliseconds(static_cast<std::int64_t>(capped * 1000));
  if (settings_.block.count() > 0 && network.level > block_level - 1 && !repeated &&
      now >= network.blocked_until) {
    verdict.block_began = true;
    network.blocked_until = now + settings_.block;
    // Whoever goes on afterwards is blocked again after half as many: nothing is forgiven during the block.
    network.level = block_level / 2;
    network.updated = network.blocked_until;
  }
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

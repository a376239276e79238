#include "auth/turns.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <tuple>

namespace posthorn::auth {
namespace {

constexpr std::uint64_t turn_of_the_oldest = 4;

}  // namespace

struct Turns::Waiter {
  std::string user;
  std::uint64_t arrival;
  Signal called{};
  Standing standing = Standing::stranger;  // that it was called under
  bool guesser = false;
  bool pushed_out = false;
};

Turns::~Turns() { assert(running_ == 0 && waiting_ == 0); }

void Turns::Turn::release() {
  if (turns_ != nullptr) std::exchange(turns_, nullptr)->ended(key_, guesser_);
}

Task<Result<Turns::Turn>> Turns::take(std::string network, std::string user, Standing standing) {
  Waiter waiter{std::move(user), ++arrivals_};
  const Key key{standing, network};
  const auto waiting = waiting_under(key);
  if (waiting >= settings_.per_network) {
    co_return failure(Errc::busy, "too many logins from " + network + " wait for hashing");
  }
  // A stranger's place is not taken for another stranger, unless that one's network has fewer.
  const auto spared = standing == Standing::vouched ? 0 : waiting + 1;
  if (waiting_ >= settings_.all && !push_out(spared)) {
    co_return failure(Errc::busy, "too many logins of all networks wait for hashing");
  }
  queues_[key].waiting.push_back(&waiter);
  ++waiting_;
  start();
  co_await waiter.called;
  if (waiter.pushed_out) {
    co_return failure(Errc::busy, "too many logins of all networks wait for hashing");
  }
  co_return Turn(*this, {waiter.standing, std::move(network)}, waiter.guesser);
}

std::size_t Turns::waiting_under(const Key& key) const {
  const auto found = queues_.find(key);
  return found == queues_.end() ? 0 : found->second.waiting.size();
}

// Makes room at the cost of the strangers' longest queue, if more than `spared` wait in it.
bool Turns::push_out(std::size_t spared) {
  Queues::iterator longest = queues_.end();
  for (auto entry = queues_.begin(); entry != queues_.end(); ++entry) {
    if (entry->first.first == Standing::vouched || entry->second.waiting.size() <= spared) continue;
    spared = entry->second.waiting.size();
    longest = entry;
  }
  if (longest == queues_.end()) return false;
  Waiter& last = *longest->second.waiting.back();
  longest->second.waiting.pop_back();
  --waiting_;
  if (longest->second.waiting.empty() && longest->second.running == 0) queues_.erase(longest);
  last.pushed_out = true;
  wake(last);
  return true;
}

// Not on the caller's stack: one turn that ends at once would begin the next inside itself, and so on.
void Turns::wake(Waiter& waiter) {
  loop_.soon([&waiter] { waiter.called.notify(); });
}

void Turns::start() {
  while (running_ < settings_.at_once) {
    const auto chosen = next();
    if (chosen == queues_.end()) return;
    auto& [key, queue] = *chosen;
    Waiter& waiter = *queue.waiting.front();
    queue.waiting.pop_front();
    --waiting_;
    waiter.standing = key.first;
    waiter.guesser = key.first == Standing::stranger && look_(key.second).level > 0;
    if (waiter.guesser) ++guessers_;
    ++running_;
    ++queue.running;
    queue.last_turn = ++turns_;
    wake(waiter);
  }
}

// A network whose guesses could reach the block together waits until some of them are known to be right or
// wrong.
bool Turns::may_start(const Key& key, const Queue& queue, const Throttle::Record& record) const {
  if (queue.waiting.empty()) return false;
  if (key.first == Standing::vouched) return true;
  if (queue.running > 0 && queue.running >= record.room) return false;
  return record.level <= 0 || guessers_ < std::max(1U, settings_.at_once - 1);
}

Turns::Queues::iterator Turns::next() {
  using Merit = std::tuple<Standing, double, std::uint64_t, std::uint64_t>;  // the least is the best
  const bool oldest = (turns_ + 1) % turn_of_the_oldest == 0;
  Queues::iterator best = queues_.end();
  Merit best_merit;
  for (auto entry = queues_.begin(); entry != queues_.end(); ++entry) {
    const auto& [key, queue] = *entry;
    const bool stranger = key.first == Standing::stranger;
    const Throttle::Record record = stranger ? look_(key.second) : Throttle::Record{};
    if (!may_start(key, queue, record)) continue;
    const std::uint64_t arrival = queue.waiting.front()->arrival;
    const auto attempts = static_cast<double>(queue.waiting.size() + queue.running);
    const double charge = stranger ? std::ceil(record.level) + attempts : 0;
    const Merit merit =
        oldest ? Merit{Standing::vouched, 0, 0, arrival} : Merit{key.first, charge, queue.last_turn, arrival};
    if (best != queues_.end() && merit >= best_merit) continue;
    best = entry;
    best_merit = merit;
  }
  return best;
}

void Turns::ended(const Key& key, bool guesser) {
  const auto found = queues_.find(key);
  --running_;
  if (guesser) --guessers_;
  if (--found->second.running == 0 && found->second.waiting.empty()) queues_.erase(found);
  start();
}

void Turns::vouch(const std::string& network, const std::string& user) {
  const auto found = queues_.find({Standing::stranger, network});
  if (found == queues_.end()) return;
  std::deque<Waiter*>& from = found->second.waiting;
  const auto of_user = [&](const Waiter* waiter) { return waiter->user == user; };
  if (std::ranges::none_of(from, of_user)) return;
  std::deque<Waiter*>& to = queues_[{Standing::vouched, network}].waiting;
  std::ranges::copy_if(from, std::back_inserter(to), of_user);
  std::erase_if(from, of_user);
  std::ranges::sort(to, {}, &Waiter::arrival);
  if (from.empty() && found->second.running == 0) queues_.erase(found);
  start();
}

}  // namespace posthorn::auth

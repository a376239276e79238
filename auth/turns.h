#pragma once

#include "auth/throttle.h"
#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace posthorn::auth {

// Who verifies a password next, where more want to than may at once: one network's burst of guesses delays
// that network alone. It runs on the loop thread, and outlives its turns and those who wait.
//
// First come those who are vouched for, network by network in rotation; then strangers, the network with the
// least to its charge first: its guesses of late, and its attempts that are on their way. Of the networks
// with guesses, one at least always leaves a place to others, where there are two or more. Every fourth turn
// goes to who waits longest, so that nobody waits for ever.
class Turns {
 public:
  struct Settings {
    unsigned at_once = 2;
    std::size_t per_network = 256;  // who wait; those who are vouched for are counted by themselves
    std::size_t all = 1024;
  };
  // What stands against a network at this moment. It is asked of strangers only, who have at most as many
  // turns at once as there is room until the block.
  using Look = std::function<Throttle::Record(const std::string& network)>;
  enum class Standing : std::uint8_t { vouched, stranger };

  // Given back when it goes.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)),
          key_(std::move(other.key_)),
          guesser_(other.guesser_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { release(); }
    void release();

   private:
    friend class Turns;
    using Key = std::pair<Standing, std::string>;
    Turn(Turns& turns, Key key, bool guesser) : turns_(&turns), key_(std::move(key)), guesser_(guesser) {}
    Turns* turns_;
    Key key_;
    bool guesser_;
  };

  Turns(Loop& loop, Settings settings, Look look)
      : loop_(loop), settings_(settings), look_(std::move(look)) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  ~Turns();

  // Waits for a turn. Errors: busy when too many of the network wait; or too many in all, where the
  // strangers' network with the most loses its last, and to one who is vouched for any of them does.
  Task<Result<Turn>> take(std::string network, std::string user, Standing standing);

  // From now on `user` is vouched for in `network`, and so are those who wait there under that name.
  void vouch(const std::string& network, const std::string& user);

  std::size_t waiting() const { return waiting_; }

 private:
  struct Waiter;
  struct Queue {
    std::deque<Waiter*> waiting;
    std::size_t running = 0;
    std::uint64_t last_turn = 0;
  };
  using Key = Turn::Key;
  using Queues = std::map<Key, Queue>;

  std::size_t waiting_under(const Key& key) const;
  bool push_out(std::size_t spared);
  void start();
  Queues::iterator next();
  bool may_start(const Key& key, const Queue& queue, const Throttle::Record& record) const;
  void ended(const Key& key, bool guesser);
  void wake(Waiter& waiter);

  Loop& loop_;
  Settings settings_;
  Look look_;
  Queues queues_;  // of those who wait or have a turn
  std::size_t waiting_ = 0;
  unsigned running_ = 0;
  unsigned guessers_ = 0;  // of these, from networks with guesses
  std::uint64_t arrivals_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace posthorn::auth

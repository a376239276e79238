#pragma once

#include "base/task.h"

#include <deque>
#include <vector>

namespace posthorn::storage {

// One at a time, in the order in which they come; who waits may be sent away. The loop thread's.
class Turns {
 public:
  struct Place {
    Signal woken;
    bool has_turn = false;
  };

  // Waits for its turn, which next() ends. False where it was sent away instead. `place` outlives the wait.
  Task<bool> take(Place& place) {
    place.has_turn = !taken_;
    if (!taken_) {
      taken_ = true;
      co_return true;
    }
    waiting_.push_back(&place);
    co_await place.woken;
    co_return place.has_turn;
  }

  // Nothing where it does not wait.
  void send_away(Place& place) {
    if (std::erase(waiting_, &place) > 0) place.woken.notify();
  }

  void next() {
    taken_ = !waiting_.empty();
    if (!taken_) return;
    Place* const first = waiting_.front();
    waiting_.pop_front();
    first->has_turn = true;
    first->woken.notify();
  }

 private:
  std::deque<Place*> waiting_;
  bool taken_ = false;
};

}  // namespace posthorn::storage

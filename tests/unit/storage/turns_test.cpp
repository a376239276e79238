#include "storage/turns.h"

#include <doctest/doctest.h>

#include <string>

namespace posthorn::storage {
namespace {

struct Queue {
  Task<void> come(Turns::Place& place, char name) {
    const bool has_turn = co_await turns.take(place);
    said += has_turn ? name : '-';
  }
  Turns turns;
  TaskGroup group;
  std::string said;
};

}  // namespace

TEST_CASE("turns: one after the other, and who is sent away has none") {
  Queue queue;
  Turns::Place a;
  Turns::Place b;
  Turns::Place c;
  queue.group.start(queue.come(a, 'a'));
  queue.group.start(queue.come(b, 'b'));
  queue.group.start(queue.come(c, 'c'));
  CHECK(queue.said == "a");
  queue.turns.send_away(b);
  CHECK(queue.said == "a-");
  // It does not wait.
  queue.turns.send_away(a);
  queue.turns.next();
  CHECK(queue.said == "a-c");
  queue.turns.next();
  queue.group.start(queue.come(b, 'b'));
  CHECK(queue.said == "a-cb");
}

}  // namespace posthorn::storage

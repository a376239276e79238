#include "base/uv_stream.h"

#include "socket_pair.h"

#include <doctest/doctest.h>

#include <optional>

using namespace posthorn;
using posthorn::test::SocketPair;

namespace {

struct Outcome {
  std::string read;
  int woken = 0;
  std::optional<CloseReason> closed;
};

Task<void> read_all(Stream& stream, std::size_t max, Outcome& outcome) {
  try {
    while (true) {
      if (co_await stream.read_some(outcome.read, max) == ReadEvent::woken) ++outcome.woken;
    }
  } catch (const ConnectionClosed& closed) {
    outcome.closed = closed.reason();
  }
}

Task<void> write_all(Stream& stream, std::string bytes, Outcome& outcome, bool& done) {
  try {
    co_await stream.write(bytes);
    done = true;
  } catch (const ConnectionClosed& closed) {
    outcome.closed = closed.reason();
  }
}

void turn(Loop& loop, int times = 20) {
  for (int turn = 0; turn < times; ++turn) loop.run_once();
}

}  // namespace

TEST_CASE("a reader gets what was sent, in portions of at most what it asked for, then the end") {
  Loop loop;
  TaskGroup group;
  Outcome outcome;
  SocketPair pair(loop);
  group.start(read_all(*pair.stream, 3, outcome));
  pair.send("0123456789");
  pair.hang_up();
  turn(loop);
  CHECK(outcome.read == "0123456789");
  CHECK(outcome.closed == CloseReason::peer);
  pair.stream.reset();
  loop.run();
}

TEST_CASE("what nobody reads stays with the kernel: a stream holds one block at most") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome first;
  bool done = false;
  const auto read_once = [](Stream& stream, Outcome& into, bool& finished) -> Task<void> {
    co_await stream.read_some(into.read, 1);
    finished = true;
  };
  group.start(read_once(*pair.stream, first, done));
  const std::string block(50'000, 'x');
  std::size_t sent = 0;
  for (int round = 0; round < 100; ++round) {
    const ssize_t taken = ::write(pair.peer, block.data(), block.size());
    if (taken > 0) sent += static_cast<std::size_t>(taken);
    turn(loop, 2);
  }
  CHECK(done);
  // The kernel's buffer and one of ours: far less than the 5 MB that the peer tried to send.
  CHECK(sent < 1'000'000);
  pair.stream->close(CloseReason::local);
  loop.run();
}

TEST_CASE("a writer waits while the peer does not read") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome outcome;
  bool done = false;
  group.start(write_all(*pair.stream, std::string(4'000'000, 'y'), outcome, done));
  turn(loop);
  CHECK_FALSE(done);
  std::size_t received = 0;
  for (int round = 0; round < 1000 && !done; ++round) {
    received += pair.receive().size();
    turn(loop, 2);
  }
  received += pair.receive().size();
  CHECK(done);
  CHECK(received == 4'000'000);
  pair.stream->close(CloseReason::local);
  loop.run();
}

TEST_CASE("close ends a waiting read and a waiting write with its reason, not on the caller's stack") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome reading;
  Outcome writing;
  bool done = false;
  group.start(read_all(*pair.stream, 100, reading));
  group.start(write_all(*pair.stream, std::string(4'000'000, 'z'), writing, done));
  turn(loop);
  pair.stream->close(CloseReason::timeout, "last words");
  CHECK_FALSE(reading.closed);
  CHECK_FALSE(writing.closed);
  loop.run();
  CHECK(reading.closed == CloseReason::timeout);
  CHECK(writing.closed == CloseReason::timeout);
  CHECK_FALSE(done);
  CHECK(group.size() == 0);
}

TEST_CASE("close sends last words when nothing else is under way") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome reading;
  group.start(read_all(*pair.stream, 100, reading));
  pair.stream->close(CloseReason::shutdown, "* BYE\r\n");
  pair.stream->close(CloseReason::timeout, "again");
  loop.run();
  CHECK(pair.receive() == "* BYE\r\n");
  CHECK(reading.closed == CloseReason::shutdown);
}

TEST_CASE("wake_reader ends a read that waits, or the next one, once") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome outcome;
  pair.stream->wake_reader();
  pair.stream->wake_reader();
  group.start(read_all(*pair.stream, 100, outcome));
  CHECK(outcome.woken == 1);
  pair.stream->wake_reader();
  CHECK(outcome.woken == 1);
  turn(loop);
  CHECK(outcome.woken == 2);
  pair.send("more");
  turn(loop);
  CHECK(outcome.read == "more");
  pair.stream->close(CloseReason::local);
  loop.run();
  CHECK(outcome.closed == CloseReason::local);
}

TEST_CASE("a stream may go while a wake is under way, or before its handle is closed") {
  Loop loop;
  TaskGroup group;
  {
    SocketPair pair(loop);
    Outcome outcome;
    group.start(read_all(*pair.stream, 100, outcome));
    pair.stream->wake_reader();
    pair.hang_up();
    pair.stream->close(CloseReason::local);
    loop.run();
    CHECK(outcome.closed);
  }
  {
    const SocketPair pair(loop);
    pair.stream->close(CloseReason::local);
  }
  loop.run();
}

TEST_CASE("end_writing is seen by the peer while reading goes on") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome outcome;
  const auto end = [](Stream& stream) -> Task<void> { co_await stream.end_writing(); };
  group.start(end(*pair.stream));
  group.start(read_all(*pair.stream, 100, outcome));
  turn(loop);
  char octet = 0;
  CHECK(::read(pair.peer, &octet, 1) == 0);
  pair.send("late");
  pair.hang_up();
  loop.run();
  CHECK(outcome.read == "late");
  CHECK(outcome.closed == CloseReason::peer);
}

TEST_CASE("a peer that has half-closed still gets its replies") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  Outcome outcome;
  group.start(read_all(*pair.stream, 100, outcome));
  pair.send("QUIT");
  shutdown(pair.peer, SHUT_WR);
  turn(loop);
  CHECK(outcome.read == "QUIT");
  CHECK(outcome.closed == CloseReason::peer);
  Outcome writing;
  bool done = false;
  group.start(write_all(*pair.stream, "221 bye", writing, done));
  turn(loop);
  CHECK(done);
  CHECK(pair.receive() == "221 bye");
  pair.stream->close(CloseReason::local);
  loop.run();
}

TEST_CASE("a wake that octets overtake is told to the next read") {
  Loop loop;
  TaskGroup group;
  SocketPair pair(loop);
  std::string trail;
  const auto read = [](Stream& stream, std::string& into) -> Task<void> {
    try {
      std::string octets;
      while (true) into += co_await stream.read_some(octets, 1) == ReadEvent::woken ? 'w' : 'd';
    } catch (const ConnectionClosed&) {
    }
  };
  group.start(read(*pair.stream, trail));
  pair.send("x");
  pair.stream->wake_reader();
  turn(loop);
  CHECK(trail.size() == 2);
  CHECK(trail.find('w') != std::string::npos);
  pair.stream->close(CloseReason::local);
  loop.run();
}

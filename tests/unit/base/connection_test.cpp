#include "base/connection.h"

#include "socket_pair.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace posthorn;
using posthorn::test::SocketPair;

namespace {

struct World {
  Loop loop;
  Log log{LogLevel::error, LogFormat::text};
  TaskGroup group;
  int peer = -1;
  SocketPair pair{loop};
  Connection connection{loop, log, std::move(pair.stream), Peer{}, "test"};
  std::optional<CloseReason> closed;
  std::vector<Connection::Line> lines;

  // Runs the loop until it is idle or a second has passed.
  void settle() {
    for (int turn = 0; turn < 50; ++turn) loop.run_once();
  }
};

Task<void> read_lines(World& world, std::size_t max) {
  try {
    while (true) world.lines.push_back(co_await world.connection.read_line(max));
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

Task<void> pause_for(World& world, Milliseconds duration, bool& over) {
  try {
    co_await world.connection.pause(duration);
    over = true;
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

Task<void> finish(World& world, bool& over) {
  co_await world.connection.finish();
  over = true;
}

Task<void> reply_to_each(World& world) {
  try {
    while (true) {
      const auto line = co_await world.connection.read_line(100);
      world.connection.queue("re " + line.text + "\r\n");
    }
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

}  // namespace

TEST_CASE("lines come whole however they are cut") {
  const std::string sent = "one\r\ntwo\n\r\nthr\ree\r\n";
  for (const std::size_t chunk : {1U, 2U, 3U, 7U, 100U}) {
    World world;
    world.group.start(read_lines(world, 10));
    for (std::size_t at = 0; at < sent.size(); at += chunk) {
      world.pair.send(sent.substr(at, chunk));
      world.settle();
    }
    world.pair.hang_up();
    world.loop.run();
    REQUIRE(world.lines.size() == 4);
    CHECK(world.lines[0].text == "one");
    CHECK_FALSE(world.lines[0].bare_lf);
    CHECK(world.lines[1].text == "two");
    CHECK(world.lines[1].bare_lf);
    CHECK(world.lines[2].text.empty());
    CHECK(world.lines[3].text == "thr\ree");
    CHECK(world.closed == CloseReason::peer);
  }
}

TEST_CASE("a line of the limit passes, one octet more is cut and its rest thrown away") {
  for (const std::size_t chunk : {1U, 5U, 4000U, 200'000U}) {
    World world;
    const std::string sent = std::string(20, 'a') + "\r\n" + std::string(21, 'b') + "\r\n" +
                             std::string(100'000, 'c') + "\r\n" + std::string(20, 'd') + "\n" +
                             std::string(21, 'e') + "\nend\r\n";
    if (chunk == 1U && sent.size() > 1) {
      // Octet by octet only around the borders: the long middle would take its time.
      world.pair.send(sent.substr(0, 40));
      world.settle();
    }
    std::size_t at = chunk == 1U ? 40 : 0;
    world.group.start(read_lines(world, 20));
    while (at < sent.size()) {
      const std::size_t now = at > 60 && at < 100'000 ? 20'000 : chunk;
      const std::string part = sent.substr(at, now);
      const ssize_t taken = ::write(world.pair.peer, part.data(), part.size());
      if (taken > 0) at += static_cast<std::size_t>(taken);
      world.settle();
    }
    world.settle();
    REQUIRE(world.lines.size() == 6);
    CHECK(world.lines[0].text == std::string(20, 'a'));
    CHECK_FALSE(world.lines[0].too_long);
    CHECK(world.lines[1].text == std::string(20, 'b'));
    CHECK(world.lines[1].too_long);
    CHECK(world.lines[2].too_long);
    CHECK_FALSE(world.lines[2].bare_lf);
    CHECK_FALSE(world.lines[3].too_long);
    CHECK(world.lines[4].too_long);
    CHECK(world.lines[5].text == "end");
    world.pair.hang_up();
    world.loop.run();
  }
}

TEST_CASE("replies to pipelined commands go out together, before the session would wait") {
  World world;
  world.pair.send("a\r\nb\r\nc\r\n");
  world.group.start(reply_to_each(world));
  world.settle();
  CHECK(world.pair.receive() == "re a\r\nre b\r\nre c\r\n");
  world.pair.hang_up();
  world.loop.run();
}

TEST_CASE("an idle connection is closed at its deadline, with its last words") {
  World world;
  world.connection.set_timeouts({.idle = Milliseconds(20)});
  world.connection.set_last_words([](CloseReason reason) {
    return reason == CloseReason::timeout ? std::string("421 too slow\r\n") : std::string("421 bye\r\n");
  });
  world.group.start(read_lines(world, 100));
  world.loop.run();
  CHECK(world.closed == CloseReason::timeout);
  CHECK(world.pair.receive() == "421 too slow\r\n");
}

TEST_CASE("a line once begun must end in time, however steadily its octets drip") {
  World world;
  world.connection.set_timeouts({.idle = Milliseconds(60'000), .line = Milliseconds(60)});
  world.group.start(read_lines(world, 1000));
  int octets = 0;
  Timer drip(world.loop, [&] {
    if (world.closed || ++octets > 1000) return;
    world.pair.send("x");
    drip.start(Milliseconds(5));
  });
  drip.start(Milliseconds(1));
  world.loop.run();
  CHECK(world.closed == CloseReason::timeout);
  CHECK(octets < 200);
}

TEST_CASE("a peer that does not read is closed when no write makes progress") {
  World world;
  world.connection.set_timeouts({.write = Milliseconds(30)});
  const auto flood = [](World& all) -> Task<void> {
    try {
      all.connection.queue(std::string(8'000'000, 'x'));
      co_await all.connection.flush();
    } catch (const ConnectionClosed& closed) {
      all.closed = closed.reason();
    }
  };
  world.group.start(flood(world));
  world.loop.run();
  CHECK(world.closed == CloseReason::timeout);
}

TEST_CASE("a pause ends in its time, or at once when the connection is closed") {
  {
    World world;
    bool over = false;
    world.group.start(pause_for(world, Milliseconds(5), over));
    world.settle();
    world.loop.run();
    CHECK(over);
    CHECK_FALSE(world.closed);
  }
  World world;
  bool over = false;
  world.group.start(pause_for(world, Milliseconds(60'000), over));
  world.connection.close(CloseReason::shutdown);
  CHECK_FALSE(world.closed);
  world.loop.run();
  CHECK_FALSE(over);
  CHECK(world.closed == CloseReason::shutdown);
}

TEST_CASE("finish sends what is queued and outlasts a peer that still talks") {
  World world;
  bool over = false;
  world.connection.queue("221 bye\r\n");
  world.pair.send("unread");
  world.group.start(finish(world, over));
  world.settle();
  CHECK(world.pair.receive() == "221 bye\r\n");
  world.pair.hang_up();
  world.loop.run();
  CHECK(over);
}

TEST_CASE("wait_for_input tells input from a wake") {
  World world;
  std::string trail;
  const auto wait = [](World& all, std::string& into) -> Task<void> {
    try {
      while (true) {
        if (co_await all.connection.wait_for_input()) {
          into += 'i';
          all.connection.consume(all.connection.buffered().size());
        } else {
          into += 'w';
        }
      }
    } catch (const ConnectionClosed&) {
      into += '.';
    }
  };
  world.group.start(wait(world, trail));
  world.connection.wake();
  world.settle();
  world.pair.send("x");
  world.settle();
  world.connection.wake();
  world.settle();
  world.pair.hang_up();
  world.loop.run();
  CHECK(trail == "wiw.");
}

TEST_CASE("what was sent before another stream is put on top is thrown away (RFC 3207 §4.2)") {
  World world;
  world.pair.send("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n");
  const auto upgrade = [](World& all) -> Task<void> {
    try {
      all.lines.push_back(co_await all.connection.read_line(100));
      all.connection.replace_stream([](std::unique_ptr<Stream> stream) { return stream; });
      all.lines.push_back(co_await all.connection.read_line(100));
    } catch (const ConnectionClosed&) {
    }
  };
  world.group.start(upgrade(world));
  world.settle();
  world.pair.send("fresh\r\n");
  world.settle();
  REQUIRE(world.lines.size() == 2);
  CHECK(world.lines[1].text == "fresh");
  world.connection.close(CloseReason::local);
  world.loop.run();
}

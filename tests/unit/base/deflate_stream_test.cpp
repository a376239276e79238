#include "base/deflate_stream.h"

#include "base/connection.h"
#include "tests/support/memory_stream.h"
#include "tests/support/raw_deflate.h"
#include "tests/support/stream_pair.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <vector>

using namespace posthorn;
using posthorn::test::make_stream_pair;
using posthorn::test::PairedStream;
using posthorn::test::PairOptions;
using posthorn::test::RawDeflate;
using posthorn::test::RawInflate;
using posthorn::test::sample;
using posthorn::test::StreamPair;
using posthorn::testing::MemoryPeer;
using posthorn::testing::MemoryScript;
using posthorn::testing::run_until;

namespace {

constexpr std::size_t kib = 1024;

// The stream under test, and the far end in the hands of the test.
struct World {
  Loop loop;
  int bugs = 0;
  TaskGroup tasks{[this](std::exception_ptr) { ++bugs; }};
  MemoryPeer peer;
  DeflateStream stream;
  std::string got;
  std::optional<CloseReason> closed;
  std::vector<ReadEvent> events;

  explicit World(MemoryScript script, std::string received = {},
                 Milliseconds idle_after = Milliseconds(10'000))
      : peer(loop, std::move(script)), stream(loop, peer.stream(), std::move(received), idle_after) {}
  ~World() {
    stream.close(CloseReason::local);
    loop.run();
    CHECK(tasks.size() == 0);
    CHECK(bugs == 0);
  }
  void settle() {
    CHECK(run_until(loop, [this] { return peer.idle() || tasks.size() == 0; }));
  }
};

Task<void> read_to_end(World& world, std::size_t max) {
  try {
    while (true) {
      const std::size_t before = world.got.size();
      world.events.push_back(co_await world.stream.read_some(world.got, max));
      CHECK(world.got.size() - before <= max);
      CHECK((world.got.size() > before) == (world.events.back() == ReadEvent::data));
    }
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

Task<void> write(World& world, std::string text) {
  try {
    co_await world.stream.write(text);
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

Task<void> end_writing(World& world) { co_await world.stream.end_writing(); }

Task<void> take_end(World& world) {
  try {
    co_await world.stream.take_end();
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

// Bits in DEFLATE's order: the lowest of an octet first (RFC 1951 §3.1.1).
class BitWriter {
 public:
  void add(unsigned value, unsigned bits) {
    for (unsigned bit = 0; bit < bits; ++bit, ++count_) {
      if (count_ % 8 == 0) bytes_ += '\0';
      if (((value >> bit) & 1U) != 0) bytes_.back() = static_cast<char>(bytes_.back() | (1U << count_ % 8));
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

// Blocks without content that begin and end within octets, for ever (RFC 1951 §3.2.6, §3.2.7): the first has
// ten bits, each other 92.
std::string flush_without_end(std::size_t octets) {
  BitWriter bits;
  bits.add(0b010, 10);
  while (bits.bytes().size() < octets) {
    bits.add(0b100, 3);
    bits.add(0, 10);  // 257 literals and lengths, 1 distance
    bits.add(14, 4);  // 18 lengths of the code of lengths: 18 has one bit, 0 and 1 have two
    for (const unsigned length : {0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}) bits.add(length, 3);
    bits.add(0, 1);  // 138 times nothing
    bits.add(127, 7);
    bits.add(0, 1);  // 118 times
    bits.add(107, 7);
    bits.add(0b11, 2);  // the end of a block has one bit
    bits.add(0b01, 2);  // no distance
    bits.add(0, 1);     // the end of the block
  }
  return bits.bytes();
}

Task<void> pour(DeflateStream& stream, std::string text, std::size_t step) {
  for (std::size_t at = 0; at < text.size(); at += step) {
    co_await stream.write(std::string_view(text).substr(at, step));
  }
  co_await stream.end_writing();
}

Task<void> drink(DeflateStream& stream, std::string& got, std::size_t max) {
  try {
    while (true) co_await stream.read_some(got, max);
  } catch (const ConnectionClosed& closed) {
    CHECK(closed.reason() == CloseReason::peer);
  }
}

TEST_CASE("deflate stream: bytes come back as they went, both ways at once, in chunks of any size") {
  struct Case {
    std::size_t chunk, capacity, size, step, max;
  };
  for (const Case& with :
       {Case{1, 10, 3000, 7, 5}, Case{3, 1000, 30'000, 1000, 100}, Case{700, 4000, 300'000, 100'000, 65'536},
        Case{65'536, 65'536, 1'000'000, 1'000'000, 9000}}) {
    Loop loop;
    TaskGroup tasks([](std::exception_ptr) { FAIL("bug"); });
    StreamPair streams = make_stream_pair(loop, {.chunk = with.chunk, .capacity = with.capacity});
    DeflateStream first(loop, std::move(streams.first));
    DeflateStream second(loop, std::move(streams.second));
    const std::string there = sample(with.size, 1);
    const std::string back = sample(with.size, 2);
    std::string at_first;
    std::string at_second;
    tasks.start(pour(first, there, with.step));
    tasks.start(pour(second, back, with.step));
    tasks.start(drink(first, at_first, with.max));
    tasks.start(drink(second, at_second, with.max));
    loop.run();
    CHECK(tasks.size() == 0);
    CHECK((at_second == there));
    CHECK((at_first == back));
  }
}

TEST_CASE("deflate stream: the peer can read each write at once, and sees the end (RFC 4978 §3)") {
  World world({.hold_open = true});
  RawInflate peer;
  for (unsigned i = 1; i < 30; ++i) {
    const std::string text = sample(i * i * 100, i);
    world.tasks.start(write(world, text));
    CHECK(run_until(world.loop, [&] { return world.tasks.size() == 0; }));
    CHECK((peer(world.peer.take_output()) == text));
  }
  world.tasks.start(end_writing(world));
  world.loop.run();
  peer(world.peer.take_output());
  CHECK(peer.result() == Z_STREAM_END);
  // Nothing may follow.
  world.tasks.start(write(world, "more"));
  world.loop.run();
  CHECK(world.closed == CloseReason::local);
  CHECK(world.peer.take_output() == "");
}

TEST_CASE("deflate stream: what was read before it was made comes first") {
  RawDeflate peer;
  const std::string compressed = peer(sample(5000), Z_SYNC_FLUSH);
  for (const std::size_t received : {std::size_t{0}, std::size_t{1}, std::size_t{100}, compressed.size()}) {
    World world({.input = compressed.substr(received), .chunk = 50}, compressed.substr(0, received));
    world.tasks.start(read_to_end(world, 1000));
    world.loop.run();
    CHECK((world.got == sample(5000)));
    CHECK(world.closed == CloseReason::peer);
    CHECK(world.stream.failure() == "");
  }
}

Task<void> serve_compress(Loop& loop, Connection& connection, std::string& got) {
  const auto line = co_await connection.read_line(100);
  CHECK(line.text == "a COMPRESS DEFLATE");
  connection.queue("a OK\r\n");
  co_await connection.flush();
  std::string received(connection.buffered());
  connection.replace_stream([&](std::unique_ptr<Stream> plain) {
    return std::make_unique<DeflateStream>(loop, std::move(plain), std::move(received));
  });
  try {
    while (true) {
      got = (co_await connection.read_line(100)).text;
      connection.queue(got + " OK\r\n");
    }
  } catch (const ConnectionClosed&) {
  }
  co_await connection.finish();
}

TEST_CASE("deflate stream: a connection turns to it, with what came behind COMPRESS in one packet") {
  for (const std::size_t chunk : {1U, 5U, 1000U}) {
    Loop loop;
    TaskGroup tasks([](std::exception_ptr) { FAIL("bug"); });
    posthorn::testing::MemoryLog log;
    RawDeflate compress;
    MemoryPeer peer(
        loop, {.input = "a COMPRESS DEFLATE\r\n" + compress("b NOOP\r\n", Z_SYNC_FLUSH), .chunk = chunk});
    Connection connection(loop, log, peer.stream(), {}, "1");
    std::string got;
    tasks.start(serve_compress(loop, connection, got));
    loop.run();
    CHECK(tasks.size() == 0);
    CHECK(got == "b NOOP");
    const std::string output = peer.take_output();
    REQUIRE(output.starts_with("a OK\r\n"));
    RawInflate inflate;
    CHECK(inflate(std::string_view(output).substr(6)) == "b NOOP OK\r\n");
  }
}

TEST_CASE("deflate stream: the peer's last block ends reading, writing goes on") {
  RawDeflate peer;
  World world({.input = peer("last", Z_FINISH) + "what nobody reads", .hold_open = true});
  world.tasks.start(read_to_end(world, 1000));
  world.loop.run();
  CHECK(world.got == "last");
  CHECK(world.closed == CloseReason::peer);
  CHECK(world.stream.failure() == "");
  world.closed = std::nullopt;
  world.tasks.start(write(world, "answer"));
  world.loop.run();
  CHECK_FALSE(world.closed);
  RawInflate inflate;
  CHECK(inflate(world.peer.output()) == "answer");
}

TEST_CASE("deflate stream: garbage is the peer's close, with a reason; what came before it is read") {
  RawDeflate peer;
  World world({.input = peer("good", Z_SYNC_FLUSH) + "\x07 NOOP\r\n", .chunk = 3, .hold_open = true});
  world.tasks.start(read_to_end(world, 1000));
  world.loop.run();
  CHECK(world.got == "good");
  CHECK(world.closed == CloseReason::peer);
  CHECK(world.stream.failure() == "invalid block type");
  world.tasks.start(read_to_end(world, 1000));
  CHECK(world.tasks.size() == 0);
  // The last words can still be said.
  world.stream.close(CloseReason::local, "* BYE\r\n");
  RawInflate inflate;
  CHECK(inflate(world.peer.output()) == "* BYE\r\n");
}

TEST_CASE("deflate stream: cut off in the middle, all that came is read") {
  RawDeflate peer;
  const std::string whole = peer("one", Z_SYNC_FLUSH) + peer("two", Z_SYNC_FLUSH);
  World world({.input = whole.substr(0, whole.size() - 6)});
  world.tasks.start(read_to_end(world, 1000));
  world.loop.run();
  CHECK(world.got.starts_with("one"));
  CHECK(world.closed == CloseReason::peer);
  CHECK(world.stream.failure() == "");
}

Task<void> count_turns(World& world, int& turns) {
  while (!world.closed) {
    co_await Yield(world.loop);
    ++turns;
  }
}

Task<void> swallow(World& world, std::size_t& total, std::size_t& most_held) {
  try {
    while (true) {
      std::string block;
      co_await world.stream.read_some(block, 65'536);
      total += block.size();
      most_held = std::max(most_held, world.stream.held() + block.capacity());
    }
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
}

TEST_CASE("deflate stream: a bomb holds neither memory nor the loop") {
  constexpr std::size_t size = 30'000'000;
  RawDeflate peer;
  std::string bomb = peer(std::string(size, 'x'), Z_SYNC_FLUSH);
  World world({.input = std::move(bomb)});
  std::size_t total = 0;
  std::size_t most_held = 0;
  int turns = 0;
  world.tasks.start(swallow(world, total, most_held));
  world.tasks.start(count_turns(world, turns));
  world.loop.run();
  CHECK(total == size);
  CHECK(most_held < (40 + 16 + 64 + 1) * kib);
  CHECK(turns > 90);
}

TEST_CASE("deflate stream: blocks without content are no data (RFC 1951 §3.2.4)") {
  std::string empty;
  for (int i = 0; i < 10'000; ++i) empty.append("\x00\x00\x00\xff\xff", 5);
  World world({.input = empty, .chunk = 999, .hold_open = true}, empty);
  world.stream.wake_reader();
  world.tasks.start(read_to_end(world, 100));
  world.settle();
  CHECK(world.events == std::vector{ReadEvent::woken});
  CHECK(world.stream.held() < 42 * kib);
}

TEST_CASE("deflate stream: a flush without end is the peer's close, and holds little memory") {
  World world({.input = flush_without_end(10 * kib * kib), .hold_open = true});
  world.tasks.start(take_end(world));
  while (!world.closed && !world.peer.idle()) {
    uv_run(world.loop.raw(), UV_RUN_ONCE);
    CHECK(world.stream.held() < 160 * kib);
  }
  CHECK(world.closed == CloseReason::peer);
  CHECK(world.stream.failure().empty());
}

TEST_CASE("deflate stream: memory when active, and none but the client's last words when idle") {
  World world({.hold_open = true}, {}, Milliseconds(20));
  Timer busy(world.loop, [] {});  // keeps the loop going, as a server's listeners do
  busy.start(Milliseconds(3'600'000));
  CHECK(world.stream.held() < 100);
  RawDeflate compress;
  RawInflate inflate;
  world.tasks.start(read_to_end(world, 65'536));
  const auto exchange = [&](const std::string& command, const std::string& reply) {
    const std::size_t before = world.got.size();
    world.peer.send(compress(command, Z_PARTIAL_FLUSH));
    CHECK(run_until(world.loop, [&] { return world.got.size() - before == command.size(); }));
    world.tasks.start(write(world, reply));
    CHECK(run_until(world.loop, [&] { return world.tasks.size() == 1; }));
    CHECK((inflate(world.peer.take_output()) == reply));
  };
  const auto idle = [&] { return run_until(world.loop, [&] { return world.stream.held() < 39 * kib; }); };
  for (int i = 0; i < 3; ++i) {
    exchange("a FETCH 1:* FLAGS\r\n", sample(100'000));
    MESSAGE("octets when active: ", world.stream.held());
    CHECK(world.stream.held() > 100 * kib);
    CHECK(world.stream.held() < 112 * kib);
    CHECK(idle());
    MESSAGE("octets when idle: ", world.stream.held());
    CHECK(world.stream.held() < 200);
  }
  // After an upload the window is full: this much the client may refer back to.
  exchange(sample(200'000), "a OK\r\n");
  CHECK(idle());
  CHECK(world.stream.held() > 32 * kib);
  CHECK(world.stream.held() < 33 * kib);
  exchange(sample(200'000), "a OK\r\n");
  // Neither does a flush of nothing bring the memory back for good.
  CHECK(idle());
  world.peer.send(std::string("\x00\x00\x00\xff\xff", 5) + compress("", Z_SYNC_FLUSH));
  CHECK(run_until(world.loop, [&] { return world.stream.held() > 39 * kib; }));
  CHECK(idle());
  exchange(sample(200'000), "a OK\r\n");
  // By hand, too, and at any time.
  world.stream.release_idle();
  CHECK(world.stream.held() < 33 * kib);
  world.stream.release_idle();
  exchange("b NOOP\r\n", "b OK\r\n");
}

TEST_CASE("deflate stream: a rest at any point of either direction is not seen") {
  RawDeflate compress;
  const std::string text = sample(20'000);
  World world({.input = compress(text, Z_SYNC_FLUSH), .chunk = 100});
  RawInflate inflate;
  world.tasks.start(read_to_end(world, 70));
  world.tasks.start(write(world, text));
  world.peer.hold_writes(true);
  while (world.tasks.size() > 0) {
    world.loop.run_once();
    world.stream.release_idle();
    world.peer.hold_writes(false);
  }
  CHECK((world.got == text));
  CHECK((inflate(world.peer.output()) == text));
}

TEST_CASE("deflate stream: a peer that does not read holds its writer, and a bounded number of octets") {
  constexpr std::size_t capacity = 65'536;
  Loop loop;
  TaskGroup tasks;
  bool closed = false;
  StreamPair streams = make_stream_pair(loop, {.capacity = capacity});
  PairedStream& below = *streams.first;
  DeflateStream stream(loop, std::move(streams.first));
  const auto flood = [](DeflateStream& to, bool& ended) -> Task<void> {
    try {
      co_await to.write(sample(2'000'000));
    } catch (const ConnectionClosed& reason) {
      ended = reason.reason() == CloseReason::timeout;
    }
  };
  tasks.start(flood(stream, closed));
  for (int i = 0; i < 200; ++i) loop.run_once();
  CHECK(tasks.size() == 1);
  CHECK(below.sent() <= capacity);
  CHECK(stream.held() < 72 * kib);
  // Behind a write that waits, last words would come in the middle of it.
  stream.close(CloseReason::timeout, "* BYE\r\n");
  loop.run();
  CHECK(closed);
  CHECK(below.sent() <= capacity);
}

TEST_CASE("deflate stream: a wake reaches the reader once, also behind half a block") {
  World world({.hold_open = true});
  RawDeflate compress;
  const std::string compressed = compress("data", Z_SYNC_FLUSH);
  world.tasks.start(read_to_end(world, 100));
  world.settle();
  world.stream.wake_reader();
  for (int i = 0; i < 20; ++i) world.loop.run_once();
  CHECK(world.events == std::vector{ReadEvent::woken});
  world.peer.send(compressed.substr(0, 1));
  world.stream.wake_reader();
  for (int i = 0; i < 20; ++i) world.loop.run_once();
  CHECK(world.events == std::vector{ReadEvent::woken, ReadEvent::woken});
  world.peer.send(compressed.substr(1));
  for (int i = 0; i < 20; ++i) world.loop.run_once();
  CHECK(world.events == std::vector{ReadEvent::woken, ReadEvent::woken, ReadEvent::data});
  CHECK(world.got == "data");
}

TEST_CASE("deflate stream: last words are compressed, and are the last") {
  World world({.hold_open = true});
  world.tasks.start(read_to_end(world, 100));
  world.settle();
  world.stream.close(CloseReason::shutdown, "* BYE\r\n");
  world.stream.close(CloseReason::timeout, "again");
  world.loop.run();
  CHECK(world.closed == CloseReason::shutdown);
  RawInflate inflate;
  CHECK(inflate(world.peer.output()) == "* BYE\r\n");
  CHECK(inflate.result() == Z_STREAM_END);
  CHECK(inflate.left() == 0);
}

// Reads, answers, ends: each await of the stream at least once, also those that cut long work.
Task<void> converse(World& world, int& ended) {
  try {
    while (world.got.size() < 600'000) co_await world.stream.read_some(world.got, 65'536);
    co_await world.stream.write(sample(60'000));
    co_await world.stream.end_writing();
    while (true) co_await world.stream.read_some(world.got, 10);
  } catch (const ConnectionClosed& closed) {
    world.closed = closed.reason();
  }
  ++ended;
}

std::string conversation() {
  RawDeflate compress;
  return compress(std::string(600'000, 'x'), Z_SYNC_FLUSH) + compress("LOGOUT\r\n", Z_SYNC_FLUSH);
}

TEST_CASE("deflate stream: the connection dies in each await, and everything that waits ends") {
  std::size_t awaits = 1;
  for (std::size_t kill_at = 1; kill_at <= awaits; ++kill_at) {
    World world(
        {.input = conversation(), .chunk = 100, .kill_at = kill_at, .kill_reason = CloseReason::timeout});
    int ended = 0;
    world.tasks.start(converse(world, ended));
    world.loop.run();
    CHECK(ended == 1);
    CHECK(world.closed == (world.peer.awaits() < kill_at ? CloseReason::peer : CloseReason::timeout));
    if (kill_at == awaits && world.peer.awaits() >= awaits) ++awaits;
    REQUIRE(awaits < 1000);
  }
  CHECK(awaits > 10);
}

TEST_CASE("deflate stream: closed from here at any point, everything that waits ends") {
  bool finished = false;
  int points = 0;
  for (; !finished; ++points) {
    World world({.input = conversation(), .chunk = 100});
    int ended = 0;
    world.tasks.start(converse(world, ended));
    for (int i = 0; i < points && ended == 0; ++i) world.loop.run_once();
    finished = ended == 1;
    world.stream.close(CloseReason::shutdown, "* BYE\r\n");
    world.loop.run();
    CHECK(ended == 1);
    if (!finished) CHECK(world.closed == CloseReason::shutdown);
    REQUIRE(points < 1000);
  }
  CHECK(points > 10);
}

}  // namespace

#pragma once

#include "base/log.h"
#include "base/loop.h"
#include "base/stream.h"

#include <coroutine>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace posthorn::testing {

// How the far end of a MemoryStream behaves.
struct MemoryScript {
  std::string input;                                            // what it sends, all of it at once
  std::size_t chunk = std::numeric_limits<std::size_t>::max();  // octets that one read gives at most
  bool hold_open = false;                                       // no end of the stream after `input`
  // The await (1 is the first) at which the connection dies with `kill_reason`; 0 is never. Reads, writes,
  // the end of writing and MemoryPeer::turn() count.
  std::size_t kill_at = 0;
  CloseReason kill_reason = CloseReason::peer;
};

// The far end of a MemoryStream, in the hands of the test. It may live shorter or longer than the stream.
//
//   Loop loop;
//   MemoryPeer peer(loop, {.input = "NOOP\r\nQUIT\r\n", .chunk = 1});
//   Connection connection(loop, log, peer.stream(), {}, "1");
//   TaskGroup group;
//   group.start(run_session(connection, ...));
//   loop.run();                       // or run_until(loop, ...) where the script holds the line open
//   CHECK(peer.output() == "...");
class MemoryPeer {
 public:
  MemoryPeer(Loop& loop, MemoryScript script);

  // The near end. Every operation on it suspends and goes on from the loop, as a socket's would.
  std::unique_ptr<Stream> stream() const;

  // Sends more. Only before the end was said.
  void send(std::string_view bytes);
  // Ends its direction (FIN): the reader gets what was sent, then ConnectionClosed(peer).
  void hang_up();
  // Stops to take octets, or takes them again: writes wait meanwhile.
  void hold_writes(bool hold);

  // All that the stream's user wrote, last words included.
  const std::string& output() const;
  // What was written since the last call.
  std::string take_output();
  // Awaits so far: the range for kill_at.
  std::size_t awaits() const;
  // Whether the near end waits for input and there is none: the session is idle.
  bool idle() const;
  // Whether a write waits for hold_writes(false).
  bool write_waits() const;
  // Whether the near end was closed, by close() or by kill_at.
  bool closed() const;

  // `co_await peer.turn()`: for fakes of what a session awaits besides its stream. Lets the loop go round
  // once, and counts as an await, so that kill_at can end the connection meanwhile. Does not throw.
  class Turn;
  Turn turn() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

class MemoryPeer::Turn {
 public:
  explicit Turn(std::shared_ptr<State> state) : state_(std::move(state)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const;
  void await_resume() const noexcept {}

 private:
  std::shared_ptr<State> state_;
};

// Runs the loop until `done` says so: true. False when that has not happened after `limit` of work and
// waiting, which is not time on the wall: a machine that is busy with other things is no failure.
bool run_until(Loop& loop, const std::function<bool()>& done, Milliseconds limit = Milliseconds(10'000));

// A log that keeps its lines.
class MemoryLog final : public Log {
 public:
  explicit MemoryLog(LogLevel level = LogLevel::debug) : Log(level, LogFormat::text) {}
  const std::string& text() const { return text_; }
  bool contains(std::string_view part) const { return text_.find(part) != std::string::npos; }

 protected:
  void emit(LogLevel level, const std::string& line) override;

 private:
  std::string text_;
};

}  // namespace posthorn::testing

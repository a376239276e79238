#pragma once

#include "base/handle.h"

#include <uv.h>

#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <vector>

namespace posthorn {

using Milliseconds = std::chrono::milliseconds;

// The event loop; one thread runs it, and all protocol code runs there.
class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // Everything that was started on the loop must have been closed before.
  ~Loop();

  // Runs until nothing is left to wait for, or stop().
  void run();
  // Runs what is ready now and returns; true while something is left to wait for.
  bool run_once();
  void stop();

  // Calls `function` from the loop, not on the caller's stack.
  void soon(std::function<void()> function);

  // Monotonic time of this loop iteration.
  Milliseconds now() const { return Milliseconds(uv_now(&loop_)); }

  uv_loop_t* raw() { return &loop_; }

  // Where every stream's octets arrive before they are copied to their reader: one for all, so that an
  // idle connection holds no buffer.
  std::array<char, 65536>& receive_buffer() { return *receive_buffer_; }

 private:
  void run_soon();

  uv_loop_t loop_;
  uv_idle_t idle_;
  std::vector<std::function<void()>> soon_;
  std::unique_ptr<std::array<char, 65536>> receive_buffer_;
};

// Calls back once, on the loop, after a time. Starting it again begins anew.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  void start(Milliseconds after);
  void stop();
  bool active() const;
  // A timer that is unreferenced does not keep the loop running.
  void unreference();

 private:
  std::function<void()> callback_;
  UvHandle<uv_timer_t> handle_;
};

// `co_await Sleep(loop, 5ms)`: for background work that nothing cancels, and for tests.
class Sleep {
 public:
  Sleep(Loop& loop, Milliseconds duration)
      : duration_(duration), timer_(loop, [this] { waiting_.resume(); }) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    timer_.start(duration_);
  }
  void await_resume() const noexcept {}

 private:
  Milliseconds duration_;
  std::coroutine_handle<> waiting_;
  Timer timer_;
};

// `co_await Yield(loop)`: lets everybody else go first. Long work on the loop thread is cut by it.
class Yield {
 public:
  explicit Yield(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const {
    loop_.soon([waiting] { waiting.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
};

}  // namespace posthorn

#include "tests/support/memory_stream.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

namespace posthorn::testing {

struct MemoryPeer::State : std::enable_shared_from_this<MemoryPeer::State> {
  State(Loop& its_loop, MemoryScript its_script)
      : loop(its_loop), script(std::move(its_script)), ended(!script.hold_open) {}

  Loop& loop;
  MemoryScript script;
  std::size_t taken = 0;  // of script.input
  bool ended;             // nothing comes after script.input
  bool woken = false;
  bool writes_held = false;
  std::optional<CloseReason> closed;
  std::size_t awaits = 0;
  std::string output;
  std::size_t output_taken = 0;
  std::coroutine_handle<> reader;
  std::coroutine_handle<> writer;
  bool scheduled = false;

  bool can_read() const { return closed || woken || ended || taken < script.input.size(); }
  bool can_write() const { return closed || !writes_held; }

  void count_await() {
    if (++awaits == script.kill_at && !closed) closed = script.kill_reason;
  }

  // Resumes whoever can go on, from the loop.
  void schedule() {
    if (std::exchange(scheduled, true)) return;
    loop.soon([self = shared_from_this()] {
      self->scheduled = false;
      if (self->reader && self->can_read()) std::exchange(self->reader, {}).resume();
      if (self->writer && self->can_write()) std::exchange(self->writer, {}).resume();
    });
  }
};

namespace {

// Suspends once; State::schedule() goes on when it may.
struct Waiting {
  MemoryPeer::State& state;
  std::coroutine_handle<> MemoryPeer::State::* place;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const {
    state.*place = waiting;
    state.count_await();
    state.schedule();
  }
  void await_resume() const noexcept {}
};

class MemoryStream final : public Stream {
 public:
  explicit MemoryStream(std::shared_ptr<MemoryPeer::State> state) : state_(std::move(state)) {}
  ~MemoryStream() override {
    if (!state_->closed) state_->closed = CloseReason::local;
  }

  Task<ReadEvent> read_some(std::string& into, std::size_t max) override {
    co_await Waiting{*state_, &MemoryPeer::State::reader};
    if (state_->closed) throw ConnectionClosed(*state_->closed);
    const std::string_view left = std::string_view(state_->script.input).substr(state_->taken);
    if (!left.empty()) {
      const std::string_view part = left.substr(0, std::min(max, state_->script.chunk));
      into.append(part);
      state_->taken += part.size();
      co_return ReadEvent::data;
    }
    if (std::exchange(state_->woken, false)) co_return ReadEvent::woken;
    state_->closed = CloseReason::peer;
    throw ConnectionClosed(CloseReason::peer);
  }

  void wake_reader() override {
    state_->woken = true;
    state_->schedule();
  }

  Task<void> write(std::string_view bytes) override {
    co_await Waiting{*state_, &MemoryPeer::State::writer};
    if (state_->closed) throw ConnectionClosed(*state_->closed);
    state_->output.append(bytes);
  }

  Task<void> end_writing() override {
    if (!state_->closed) co_await Waiting{*state_, &MemoryPeer::State::writer};
  }

  void close(CloseReason reason, std::string_view last_words) override {
    if (state_->closed) return;
    if (!state_->writes_held) state_->output.append(last_words);
    state_->closed = reason;
    state_->schedule();
  }

 private:
  std::shared_ptr<MemoryPeer::State> state_;
};

}  // namespace

MemoryPeer::MemoryPeer(Loop& loop, MemoryScript script)
    : state_(std::make_shared<State>(loop, std::move(script))) {}

std::unique_ptr<Stream> MemoryPeer::stream() const { return std::make_unique<MemoryStream>(state_); }

void MemoryPeer::send(std::string_view bytes) {
  state_->script.input.append(bytes);
  state_->schedule();
}

void MemoryPeer::hang_up() {
  state_->ended = true;
  state_->schedule();
}

void MemoryPeer::hold_writes(bool hold) {
  state_->writes_held = hold;
  state_->schedule();
}

const std::string& MemoryPeer::output() const { return state_->output; }

std::string MemoryPeer::take_output() {
  std::string fresh = state_->output.substr(state_->output_taken);
  state_->output_taken = state_->output.size();
  return fresh;
}

std::size_t MemoryPeer::awaits() const { return state_->awaits; }

bool MemoryPeer::idle() const { return state_->reader && !state_->can_read(); }

bool MemoryPeer::write_waits() const { return state_->writer && !state_->can_write(); }

bool MemoryPeer::closed() const { return state_->closed.has_value(); }

MemoryPeer::Turn MemoryPeer::turn() const { return Turn(state_); }

void MemoryPeer::Turn::await_suspend(std::coroutine_handle<> waiting) const {
  state_->count_await();
  state_->loop.soon([waiting] { waiting.resume(); });
}

bool run_until(Loop& loop, const std::function<bool()>& done, Milliseconds limit) {
  constexpr std::chrono::microseconds nap{200};
  const std::clock_t begin = std::clock();
  std::chrono::microseconds slept{0};
  while (!done()) {
    const std::chrono::microseconds worked((std::clock() - begin) * 1'000'000 / CLOCKS_PER_SEC);
    if (worked + slept > limit) return false;
    loop.run_once();
    // Nothing is ready: a timer or another thread will make it so.
    if (uv_backend_timeout(loop.raw()) != 0) {
      std::this_thread::sleep_for(nap);
      slept += nap;
    }
  }
  return true;
}

void MemoryLog::emit(LogLevel, const std::string& line) {
  text_ += line;
  text_ += '\n';
}

}  // namespace posthorn::testing

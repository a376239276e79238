#include "base/loop.h"

#include <cassert>
#include <cstdlib>
#include <utility>

namespace posthorn {

Loop::Loop() : receive_buffer_(std::make_unique<std::array<char, 65536>>()) {
  // Without memory or descriptors for the loop itself there is no server to run.
  if (uv_loop_init(&loop_) != 0) std::abort();
  uv_idle_init(&loop_, &idle_);
  idle_.data = this;
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  const int left = uv_loop_close(&loop_);
  assert(left == 0);
  static_cast<void>(left);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

bool Loop::run_once() { return uv_run(&loop_, UV_RUN_NOWAIT) != 0; }

void Loop::stop() { uv_stop(&loop_); }

void Loop::soon(std::function<void()> function) {
  soon_.push_back(std::move(function));
  uv_idle_start(&idle_, [](uv_idle_t* idle) { static_cast<Loop*>(idle->data)->run_soon(); });
}

void Loop::run_soon() {
  const auto ready = std::exchange(soon_, {});
  for (const auto& function : ready) function();
  if (soon_.empty()) uv_idle_stop(&idle_);
}

Timer::Timer(Loop& loop, std::function<void()> callback)
    : callback_(std::move(callback)), handle_(new uv_timer_t) {
  uv_timer_init(loop.raw(), handle_.get());
  handle_->data = this;
}

Timer::~Timer() = default;

void Timer::start(Milliseconds after) {
  // uv_now may lag behind by what this iteration has taken so far; a deadline must not fire early for it.
  uv_update_time(handle_->loop);
  uv_timer_start(
      handle_.get(), [](uv_timer_t* timer) { static_cast<Timer*>(timer->data)->callback_(); },
      static_cast<std::uint64_t>(after.count() > 0 ? after.count() : 0), 0);
}

void Timer::stop() { uv_timer_stop(handle_.get()); }

bool Timer::active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

void Timer::unreference() { uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get())); }

}  // namespace posthorn

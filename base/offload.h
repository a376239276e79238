#pragma once

#include "base/loop.h"
#include "base/result.h"

#include <uv.h>

#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>

namespace posthorn {

// A bounded share of the thread pool for one class of work (disk, hashing, directories), so that one
// class cannot take all threads, nor pile up work without end. The pool's size must be at least the sum
// of all lanes' concurrency (UV_THREADPOOL_SIZE, set in main).
class Lane {
 public:
  // At most `concurrency` jobs run at once and `queue_limit` wait; a further one is refused.
  Lane(Loop& loop, std::string name, unsigned concurrency, std::size_t queue_limit);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  Loop& loop() { return loop_; }
  const std::string& name() const { return name_; }
  std::size_t waiting() const { return queue_.size(); }

  // What Offload is made of: a job lives in the awaiting frame until finish() was called on the loop.
  class Job {
   public:
    Job() { request_.data = this; }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual void work() = 0;
    virtual void finish() = 0;

   protected:
    ~Job() = default;

   private:
    friend class Lane;
    uv_work_t request_;
    Lane* lane_ = nullptr;
  };

  // False when the queue is full: the job was not taken.
  bool submit(Job& job);

 private:
  void begin(Job& job);
  void ended();

  Loop& loop_;
  std::string name_;
  unsigned concurrency_;
  std::size_t queue_limit_;
  unsigned running_ = 0;
  std::deque<Job*> queue_;
};

// `auto value = co_await Offload(lane, function)` runs `function`, which returns a Result, on a thread of
// the pool and goes on on the loop thread. What the function names is its own meanwhile: the loop leaves
// it alone. Errc::busy when the lane's queue is full; the function was then never called.
template <class Function>
class [[nodiscard]] Offload : Lane::Job {
 public:
  using Value = std::invoke_result_t<Function&>;

  Offload(Lane& lane, Function function) : lane_(lane), function_(std::move(function)) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    if (lane_.submit(*this)) return true;
    value_.emplace(failure(Errc::busy, "too much work waits for " + lane_.name()));
    return false;
  }
  Value await_resume() {
    if (error_) std::rethrow_exception(error_);
    return *std::move(value_);
  }

 private:
  void work() override {
    try {
      value_.emplace(function_());
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  void finish() override { waiting_.resume(); }

  Lane& lane_;
  Function function_;
  std::optional<Value> value_;
  std::exception_ptr error_;
  std::coroutine_handle<> waiting_;
};

}  // namespace posthorn

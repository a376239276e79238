#pragma once

#include "base/loop.h"
#include "base/result.h"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace posthorn {

// Threads for one class of work (disk, hashing, directories), bounded so that one class can neither take all
// of the machine nor pile up work without end.
class Lane {
 public:
  // At most `concurrency` jobs run at once, each on a thread that is made when it is first needed, and
  // `queue_limit` wait; a further one is refused.
  Lane(Loop& loop, std::string name, unsigned concurrency, std::size_t queue_limit);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  // What was submitted has finished.
  ~Lane();

  Loop& loop() { return loop_; }
  const std::string& name() const { return name_; }

  // What Offload is made of: a job lives in the awaiting frame until finish() was called on the loop.
  class Job {
   public:
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual void work() = 0;
    virtual void finish() = 0;

   protected:
    ~Job() = default;
  };

  // False when the queue is full: the job was not taken.
  bool submit(Job& job);

 private:
  class Crew;

  Loop& loop_;
  std::string name_;
  std::unique_ptr<Crew> crew_;
};

// `auto value = co_await Offload(lane, function)` runs `function`, which returns a Result, on a thread of
// the lane and goes on on the loop thread. What the function names is its own meanwhile: the loop leaves
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

#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace posthorn {

template <class T = void>
class Task;

namespace detail {

// Ends a Task by going on with whoever awaits it (symmetric transfer, so that the stack does not grow).
struct ResumeContinuation {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
    return ended.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct TaskPromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr error;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  ResumeContinuation final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T result() {
    if (error) std::rethrow_exception(error);
    return *std::move(value);
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void result() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

// A coroutine that starts when it is awaited and gives a T. Await it once. A reference, string_view or
// span parameter must outlive the await: `co_await f(x)` is fine, a Task kept for later is not.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  // Only a Task that was never started, or that has ended, is destroyed: to cancel one, close its stream.
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
    frame_.promise().continuation = waiting;
    return frame_;
  }
  T await_resume() { return frame_.promise().result(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// Runs Tasks that nobody awaits: sessions and background work. It counts them, so that shutdown can wait
// until the last has ended; it must outlive them.
class TaskGroup {
 public:
  // `on_failure` hears of an exception that left a Task: a bug there, which must not take the others down.
  explicit TaskGroup(std::function<void(std::exception_ptr)> on_failure = {})
      : on_failure_(std::move(on_failure)) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // Starts `task` at once, on the caller's stack until it first suspends.
  void start(Task<void> task);
  std::size_t size() const { return running_; }
  // Called once, the next time that no task is left; at once if none is left now.
  void when_empty(std::function<void()> callback);

 private:
  struct Detached;
  static Detached run(TaskGroup& group, Task<void> task);
  void ended();

  std::size_t running_ = 0;
  std::function<void(std::exception_ptr)> on_failure_;
  std::function<void()> when_empty_;
};

// One coroutine waits, anyone on the loop thread wakes it. A notification without a waiter is kept, once.
// The waiter goes on inside notify().
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void notify() {
    if (auto waiting = std::exchange(waiting_, {})) {
      waiting.resume();
    } else {
      notified_ = true;
    }
  }
  bool has_waiter() const { return static_cast<bool>(waiting_); }

  bool await_ready() noexcept { return std::exchange(notified_, false); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  void await_resume() const noexcept {}

 private:
  std::coroutine_handle<> waiting_;
  bool notified_ = false;
};

}  // namespace posthorn

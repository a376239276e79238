#include "base/task.h"

#include <cassert>

namespace posthorn {

// A root frame: starts at once and frees itself at its end.
struct TaskGroup::Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

TaskGroup::~TaskGroup() { assert(running_ == 0); }

TaskGroup::Detached TaskGroup::run(TaskGroup& group, Task<void> task) {
  std::exception_ptr failure;
  {
    // The task's frame goes before the group hears of its end: what it owned must not outlive the group.
    Task<void> owned = std::move(task);
    try {
      co_await owned;
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (failure && !group.on_failure_) std::terminate();
  if (failure) group.on_failure_(failure);
  group.ended();
}

void TaskGroup::start(Task<void> task) {
  ++running_;
  run(*this, std::move(task));
}

void TaskGroup::ended() {
  --running_;
  if (running_ == 0 && when_empty_) std::exchange(when_empty_, {})();
}

void TaskGroup::when_empty(std::function<void()> callback) {
  if (running_ == 0) {
    callback();
  } else {
    when_empty_ = std::move(callback);
  }
}

}  // namespace posthorn

// Run by meson.build at configure time: coroutine shapes that some compilers build into double frees or
// lost values (g++ 12.2 among them). Exit status 0 means that this compiler gets them right.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace {

int alive = 0;

// Counts its live copies and notices a second destruction.
struct Counted {
  std::string text;
  bool valid = true;
  explicit Counted(std::string value) : text(std::move(value)) { ++alive; }
  Counted(const Counted& other) : text(other.text) { ++alive; }
  Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() {
    if (!valid) std::terminate();
    valid = false;
    --alive;
  }
};

template <class T>
struct Task {
  struct promise_type {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    T value{};
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> handle) noexcept {
          return handle.promise().continuation;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() { std::terminate(); }
  };
  explicit Task(std::coroutine_handle<promise_type> frame) : handle(frame) {}
  Task(Task&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Task() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
    handle.promise().continuation = waiting;
    return handle;
  }
  T await_resume() { return std::move(handle.promise().value); }
  std::coroutine_handle<promise_type> handle;
};

struct Pair {
  Counted first;
  Counted second;
};

template <class F>
struct Call {
  F function;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { waiting.resume(); }
  auto await_resume() { return function(); }
};
template <class F>
Call(F) -> Call<F>;

Task<std::string> joined(Pair pair) { co_return pair.first.text + pair.second.text; }
Task<std::string> echo(Counted counted) { co_return counted.text; }

Task<int> shapes(bool choice) {
  const Counted captured("captured");
  // A lambda with by-value captures inside the awaited expression.
  const std::string one = co_await Call([captured] { return captured.text + "!"; });
  // An aggregate temporary as an argument of an awaited coroutine.
  const std::string two = co_await joined(Pair{Counted("left"), Counted("right")});
  // A class-typed conditional in one full expression with co_await.
  const std::string three = choice ? co_await echo(Counted("yes")) : std::string("no");
  const std::string four = co_await echo(choice ? Counted("true") : Counted("false"));
  co_return one == "captured!" && two == "leftright" && three == (choice ? "yes" : "no") &&
          four == (choice ? "true" : "false")
      ? 1
      : 0;
}

}  // namespace

int main() {
  for (const bool choice : {true, false}) {
    Task<int> task = shapes(choice);
    task.handle.resume();
    if (!task.handle.done() || task.handle.promise().value != 1) return 1;
  }
  if (alive != 0) {
    std::fprintf(stderr, "%d objects destroyed too often or never\n", alive);
    return 1;
  }
  return 0;
}

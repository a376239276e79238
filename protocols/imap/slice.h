#pragma once

#include "base/connection.h"

#include <uv.h>

#include <coroutine>
#include <cstdint>

namespace posthorn::imap {

// Cuts long work of a session on the loop thread: `co_await slice` between its steps goes on at once unless a
// millisecond has passed since it was made or last let everybody else go first; then it does so. Time that
// the work waited elsewhere counts too. Throws ConnectionClosed once the connection was closed.
class Slice {
 public:
  explicit Slice(Connection& connection) : connection_(&connection), begun_(uv_hrtime()) {}
  // Goes on at once always: where there is no connection, and nobody else.
  Slice() = default;
  Slice(const Slice&) = delete;
  Slice& operator=(const Slice&) = delete;

  bool await_ready() const noexcept { return connection_ == nullptr || uv_hrtime() - begun_ < longest; }
  void await_suspend(std::coroutine_handle<> waiting) {
    connection_->loop().soon([this, waiting] {
      begun_ = uv_hrtime();
      waiting.resume();
    });
  }
  void await_resume() const {
    if (connection_ != nullptr) connection_->throw_if_closed();
  }

 private:
  static constexpr std::uint64_t longest = 1'000'000;  // nanoseconds

  Connection* connection_ = nullptr;
  std::uint64_t begun_ = 0;
};

}  // namespace posthorn::imap

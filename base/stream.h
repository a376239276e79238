#pragma once

#include "base/task.h"

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace posthorn {

enum class CloseReason {
  peer,      // the other side ended or reset the connection
  timeout,   // a deadline passed
  shutdown,  // the server ends
  limit,     // a limit was reached
  local,     // this side has finished
};

std::string_view name_of(CloseReason reason);

// Thrown by every operation on a stream that ended, for whatever reason, so that handlers hold only the
// protocol. The session's root alone catches it.
class ConnectionClosed : public std::exception {
 public:
  explicit ConnectionClosed(CloseReason reason) : reason_(reason) {}
  CloseReason reason() const { return reason_; }
  const char* what() const noexcept override { return "connection closed"; }

 private:
  CloseReason reason_;
};

enum class ReadEvent {
  data,   // at least one octet was appended
  woken,  // wake_reader() was called; nothing was appended
};

// A byte stream in both directions, used from the loop thread. One reader and one writer at a time.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Appends 1 to `max` octets to `into` as soon as there are some; holds no buffer while it waits.
  // Throws ConnectionClosed at the end of the stream and once it is closed.
  virtual Task<ReadEvent> read_some(std::string& into, std::size_t max) = 0;

  // Ends a read that waits, or the next one, with ReadEvent::woken.
  virtual void wake_reader() = 0;

  // Returns when the kernel has taken all of `bytes`: a slow peer holds its own session only.
  // Throws ConnectionClosed.
  virtual Task<void> write(std::string_view bytes) = 0;

  // Says that nothing more will be written (close_notify, FIN). Never throws; reading may go on.
  virtual Task<void> end_writing() = 0;

  // Ends the stream now: a read or write that waits throws ConnectionClosed(reason), later and not on the
  // caller's stack. `last_words` are sent if that can be done without waiting. A second call does nothing.
  virtual void close(CloseReason reason, std::string_view last_words = {}) = 0;
};

}  // namespace posthorn

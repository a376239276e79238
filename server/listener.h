#pragma once

#include "base/file_system.h"
#include "base/log.h"
#include "base/loop.h"
#include "server/network.h"

#include <uv.h>

#include <functional>

namespace posthorn::server {

// Accepts what comes in on one socket. Where the process has no descriptor left, or the socket is broken, it
// waits a moment: clients then queue in the kernel instead of being lost.
class Listener {
 public:
  // A connected socket, non-blocking, and both its ends.
  struct Accepted {
    File descriptor;
    ListenAddress peer;
    ListenAddress local;
  };

  // `accept` is called on the loop for each connection.
  Listener(Loop& loop, Log& log, File socket, std::function<void(Accepted)> accept);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Stops to take connections for a while, or goes on.
  void pause();
  void resume();

 private:
  void on_readable();
  void back_off(int error);

  Log& log_;
  File socket_;
  std::function<void(Accepted)> accept_;
  UvHandle<uv_poll_t> poll_;
  Timer retry_;
  bool paused_ = false;
  Milliseconds complained_{-1};
  Loop& loop_;
};

}  // namespace posthorn::server

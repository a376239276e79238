#pragma once

#include "base/uv_stream.h"

#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace posthorn::test {

// Two ends of a real socket: a Stream on the loop, and the peer's descriptor.
struct SocketPair {
  std::unique_ptr<UvStream> stream;
  int peer = -1;

  explicit SocketPair(Loop& loop) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
    UvStream::Handle handle(new uv_any_handle);
    uv_pipe_init(loop.raw(), &handle->pipe, 0);
    uv_pipe_open(&handle->pipe, ends[0]);
    stream = std::make_unique<UvStream>(loop, std::move(handle));
    peer = ends[1];
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() { hang_up(); }

  void hang_up() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }
  void send(std::string_view bytes) const {
    if (::write(peer, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  // What has arrived at the peer so far.
  std::string receive() const {
    std::string all;
    char block[65536];
    for (ssize_t got = 0; (got = ::read(peer, block, sizeof block)) > 0;) {
      all.append(block, static_cast<std::size_t>(got));
    }
    return all;
  }
};

}  // namespace posthorn::test

#include "server/listener.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>

namespace posthorn::server {
namespace {

// Taken at most in one turn of the loop, so that a flood of newcomers does not hold up those who are in.
constexpr int batch = 64;
constexpr Milliseconds retry_after{100};
constexpr Milliseconds complain_every{60'000};

}  // namespace

Listener::Listener(Loop& loop, Log& log, File socket, std::function<void(Accepted)> accept)
    : log_(log),
      socket_(std::move(socket)),
      accept_(std::move(accept)),
      poll_(new uv_poll_t),
      retry_(loop,
             [this] {
               if (!paused_) resume();
             }),
      loop_(loop) {
  // Fails only for what is no socket, or one that this loop polls already.
  if (uv_poll_init(loop.raw(), poll_.get(), socket_.descriptor()) != 0) std::abort();
  poll_->data = this;
  resume();
}

Listener::~Listener() { uv_poll_stop(poll_.get()); }

void Listener::pause() {
  paused_ = true;
  uv_poll_stop(poll_.get());
}

void Listener::resume() {
  paused_ = false;
  uv_poll_start(poll_.get(), UV_READABLE,
                [](uv_poll_t* poll, int, int) { static_cast<Listener*>(poll->data)->on_readable(); });
}

void Listener::on_readable() {
  for (int taken = 0; taken < batch && !paused_; ++taken) {
    SocketAddress peer;
    File descriptor(accept4(socket_.descriptor(), peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!descriptor) {
      const bool no_room = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      if (no_room) wait_for_descriptors(errno);
      // Otherwise none is left (EAGAIN), or this one went before it was taken (ECONNABORTED and the like):
      // the next turn will show.
      return;
    }
    SocketAddress local;
    getsockname(descriptor.descriptor(), local.raw(), &local.size);
    accept_({std::move(descriptor), peer.listen_address(), local.listen_address()});
  }
}

void Listener::wait_for_descriptors(int error) {
  uv_poll_stop(poll_.get());
  retry_.start(retry_after);
  if (complained_ >= Milliseconds(0) && loop_.now() - complained_ < complain_every) return;
  complained_ = loop_.now();
  log_.warning("listener.paused", {{"reason", std::strerror(error)}});
}

}  // namespace posthorn::server

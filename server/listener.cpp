#include "server/listener.h"

#include <algorithm>
#include <array>
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

// Whether the next turn is another matter: nobody is left, or somebody went before he was taken, perhaps with
// an error of his network (accept(2) on Linux).
bool passes(int error) {
  constexpr std::array<int, 13> harmless{EAGAIN,       EINTR,     ECONNABORTED, EPERM,     EPROTO,
                                         ENETDOWN,     ENONET,    ENOPROTOOPT,  EHOSTDOWN, ECONNRESET,
                                         EHOSTUNREACH, ETIMEDOUT, ENETUNREACH};
  return std::ranges::find(harmless, error) != harmless.end();
}

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
      // Otherwise no descriptors are left, or the socket is good for nothing: the next turn would be the
      // same.
      if (!passes(errno)) back_off(errno);
      return;
    }
    SocketAddress local;
    getsockname(descriptor.descriptor(), local.raw(), &local.size);
    accept_({std::move(descriptor), peer.listen_address(), local.listen_address()});
  }
}

void Listener::back_off(int error) {
  uv_poll_stop(poll_.get());
  retry_.start(retry_after);
  if (complained_ >= Milliseconds(0) && loop_.now() - complained_ < complain_every) return;
  complained_ = loop_.now();
  log_.warning("listener.paused", {{"reason", std::strerror(error)}});
}

}  // namespace posthorn::server

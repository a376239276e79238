#include "server/listening_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace posthorn::server {
namespace {

void set_option(const File& socket, int level, int option) {
  const int on = 1;
  setsockopt(socket.descriptor(), level, option, &on, sizeof(on));
}

std::unexpected<Error> bind_failure(const ListenAddress& address) {
  const std::string where = "cannot listen on " + address.text() + ": ";
  if (errno == EADDRINUSE) return failure(Errc::in_use, where + "another program already does");
  if (errno == EACCES) return failure(Errc::denied, where + "this user may not; ports below 1024 need root");
  if (errno == EADDRNOTAVAIL) return failure(Errc::io, where + "this machine has no such address");
  return failure(Errc::io, where + std::strerror(errno));
}

// The path of a Unix socket outlives its server: one that nobody answers on is removed.
void remove_stale_socket(const ListenAddress& address) {
  struct stat found{};
  if (lstat(address.path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const File probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto where = SocketAddress::of(address);
  if (connect(probe.descriptor(), where.raw(), where.size) != 0 && errno == ECONNREFUSED) {
    unlink(address.path.c_str());
  }
}

// A Unix socket comes into being with its mode: whoever may write in its folder could put a link in its place
// before a chmod, which root would follow.
int bind_with_mode(const File& socket, const SocketAddress& where, mode_t mode) {
  const mode_t before = umask(0777 & ~mode);
  const int bound = bind(socket.descriptor(), where.raw(), where.size);
  const int refused = errno;
  umask(before);
  errno = refused;
  return bound;
}

}  // namespace

const Endpoint& endpoint_of(Service service) {
  return *std::ranges::find(endpoints, service, &Endpoint::service);
}

Result<File> listen_on(const ListenAddress& address, mode_t mode) {
  const auto where = SocketAddress::of(address);
  const int family = where.storage.ss_family;
  File bound(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound) return bind_failure(address);
  if (family == AF_UNIX) {
    remove_stale_socket(address);
  } else {
    set_option(bound, SOL_SOCKET, SO_REUSEADDR);
    // Inherited by what is accepted: replies are written whole, so waiting for more only delays them.
    set_option(bound, IPPROTO_TCP, TCP_NODELAY);
  }
  // "[::]" is IPv6 alone, whatever the system's default; IPv4 is asked for by "0.0.0.0".
  if (family == AF_INET6) set_option(bound, IPPROTO_IPV6, IPV6_V6ONLY);
  if (bind_with_mode(bound, where, mode) != 0) return bind_failure(address);
  if (listen(bound.descriptor(), SOMAXCONN) != 0) return bind_failure(address);
  return bound;
}

ListenAddress bound_address(const File& socket) {
  SocketAddress address;
  getsockname(socket.descriptor(), address.raw(), &address.size);
  return address.listen_address();
}

Result<std::vector<ListeningSocket>> open_sockets(const Settings& settings,
                                                  std::vector<systemd::Socket> handed_over) {
  std::vector<ListeningSocket> sockets;
  for (systemd::Socket& given : handed_over) {
    const auto* endpoint = std::ranges::find(endpoints, std::string_view(given.name), &Endpoint::name);
    if (endpoint == endpoints.end()) {
      return malformed("systemd handed over a socket called \"" + given.name +
                       "\"; FileDescriptorName= must be a key of [listen]");
    }
    const int flags = fcntl(given.descriptor.descriptor(), F_GETFL);
    fcntl(given.descriptor.descriptor(), F_SETFL, flags | O_NONBLOCK);
    set_option(given.descriptor, IPPROTO_TCP, TCP_NODELAY);
    const ListenAddress address = bound_address(given.descriptor);
    sockets.push_back({endpoint, std::move(given.descriptor), address, false});
  }
  const std::size_t from_systemd = sockets.size();
  for (const Endpoint& endpoint : endpoints) {
    const auto given = std::span(sockets).first(from_systemd);
    if (std::ranges::find(given, &endpoint, &ListeningSocket::endpoint) != given.end()) continue;
    const Settings::Addresses& key = settings.listen.*endpoint.key;
    for (const ListenAddress& address : key.value) {
      auto opened = listen_on(address);
      if (!opened) {
        return failure(opened.error().code, problem_with(settings, key, opened.error().detail));
      }
      const ListenAddress bound = bound_address(*opened);
      sockets.push_back({&endpoint, *std::move(opened), bound});
    }
  }
  return sockets;
}

}  // namespace posthorn::server

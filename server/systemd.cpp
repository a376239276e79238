#include "server/systemd.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace posthorn::server::systemd {
namespace {

constexpr int first_descriptor = 3;
constexpr int descriptor_limit = 1000;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value != nullptr ? value : "";
  unsetenv(name);
  return taken;
}

int number_of(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::vector<Socket> take_sockets() {
  const int process = number_of(take_variable("LISTEN_PID"));
  const int count = number_of(take_variable("LISTEN_FDS"));
  std::string names = take_variable("LISTEN_FDNAMES");
  std::vector<Socket> sockets;
  if (process != getpid()) return sockets;
  for (int index = 0; index < std::min(count, descriptor_limit); ++index) {
    const std::size_t end = std::min(names.find(':'), names.size());
    Socket socket{names.substr(0, end), File(first_descriptor + index)};
    names.erase(0, end + 1);
    fcntl(socket.descriptor.descriptor(), F_SETFD, FD_CLOEXEC);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

void notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view name = path != nullptr ? path : "";
  if (name.empty() || name.size() >= sizeof(address.sun_path)) return;
  name.copy(address.sun_path, name.size());
  // An abstract name begins with a NUL, written as '@'.
  if (name.front() == '@') address.sun_path[0] = '\0';
  const File socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  sendto(socket.descriptor(), state.data(), state.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace posthorn::server::systemd

#include "base/file_system.h"
#include "server/control.h"
#include "server/network.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace posthorn::server::control {
namespace {

// Longest is the removal of an account with much mail.
constexpr int reply_milliseconds = 600'000;
constexpr std::size_t reply_limit = 64U << 20U;

Result<File> connect_to_server(const std::string& data) {
  const File directory(open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_failure("open " + data);
  File socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_failure("socket");
  ListenAddress where;
  where.path = socket_path(data, directory.descriptor());
  const auto address = SocketAddress::of(where);
  if (connect(socket.descriptor(), address.raw(), address.size) != 0) {
    if (errno == ECONNREFUSED) return not_found("no server runs on " + data);
    return system_failure("connect to " + where.path);
  }
  return socket;
}

}  // namespace

std::string socket_path(const std::string& data, int directory) {
  std::string path = data + "/control.sock";
  if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
  return "/proc/self/fd/" + std::to_string(directory) + "/control.sock";
}

bool answers(const std::string& data) { return connect_to_server(data).has_value(); }

Result<Reply> ask(const std::string& data, const Request& request) {
  const File socket = TRY(connect_to_server(data));
  const std::string line = print(request) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t count = send(socket.descriptor(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("send to the running server");
    sent += static_cast<std::size_t>(count);
  }
  std::string reply;
  std::array<char, 16384> block{};
  while (!reply.ends_with('\n') && reply.size() < reply_limit) {
    pollfd ready{socket.descriptor(), POLLIN, 0};
    const int polled = poll(&ready, 1, reply_milliseconds);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return failure(Errc::io, "the running server does not answer");
    const ssize_t count = recv(socket.descriptor(), block.data(), block.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("receive from the running server");
    if (count == 0) return failure(Errc::io, "the running server ended before it answered");
    reply.append(block.data(), static_cast<std::size_t>(count));
  }
  return parse_reply(reply);
}

}  // namespace posthorn::server::control

#include "server/systemd.h"

#include "temporary_folder.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::TemporaryFolder;

TEST_CASE("systemd: sockets are taken over by name, once, by the process that they are meant for") {
  const pid_t child = fork();
  if (child == 0) {
    // Descriptors 3 and 4, as systemd would have them.
    const int one = socket(AF_UNIX, SOCK_STREAM, 0);
    const int two = socket(AF_UNIX, SOCK_STREAM, 0);
    const int spare = fcntl(two, F_DUPFD, 100);
    dup2(fcntl(one, F_DUPFD, 100), 3);
    dup2(spare, 4);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "imap:smtp", 1);
    bool good = false;
    {
      auto sockets = systemd::take_sockets();
      good = sockets.size() == 2 && sockets[0].name == "imap" && sockets[0].descriptor.descriptor() == 3 &&
             sockets[1].name == "smtp" && sockets[1].descriptor.descriptor() == 4;
      good = good && (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0;
    }
    good = good && systemd::take_sockets().empty() && std::getenv("LISTEN_FDS") == nullptr;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("systemd: sockets meant for another process are left alone") {
  setenv("LISTEN_PID", "1", 1);
  setenv("LISTEN_FDS", "2", 1);
  CHECK(systemd::take_sockets().empty());
}

TEST_CASE("systemd: news of our state go to the socket that it names") {
  const TemporaryFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "notify").copy(address.sun_path, sizeof(address.sun_path) - 1);
  const File socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  REQUIRE(bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  setenv("NOTIFY_SOCKET", (folder / "notify").c_str(), 1);
  systemd::notify("READY=1");
  unsetenv("NOTIFY_SOCKET");
  char buffer[32] = {};
  CHECK(recv(socket.descriptor(), buffer, sizeof(buffer), MSG_DONTWAIT) == 7);
  CHECK(std::string(buffer) == "READY=1");
  systemd::notify("READY=1");
  CHECK(recv(socket.descriptor(), buffer, sizeof(buffer), MSG_DONTWAIT) < 0);
}

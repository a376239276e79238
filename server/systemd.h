#pragma once

#include "base/file_system.h"

#include <string>
#include <string_view>
#include <vector>

// The parts of systemd's protocols that need no library: sockets that are handed over (sd_listen_fds(3)) and
// news of our state (sd_notify(3)). Both do nothing where systemd has not started us.
namespace posthorn::server::systemd {

struct Socket {
  std::string name;  // FileDescriptorName= of the socket unit
  File descriptor;
};

// Takes the sockets that were handed over to this process; a second call gives none.
std::vector<Socket> take_sockets();

// "READY=1", "STOPPING=1", "STATUS=..."
void notify(std::string_view state);

}  // namespace posthorn::server::systemd

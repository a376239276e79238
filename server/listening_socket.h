#pragma once

#include "base/file_system.h"
#include "base/log.h"
#include "server/endpoint.h"
#include "server/systemd.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace posthorn::server {

// A socket on which connections come in.
struct ListeningSocket {
  const Endpoint* endpoint = nullptr;
  File descriptor;        // listening, non-blocking
  ListenAddress address;  // as bound: with the port that the system chose
  bool ours = true;       // not handed over by systemd
};

// Binds one address and listens. A Unix socket gets `mode`, whatever the umask: that it is open to all by
// default leaves it to its folder who may connect. Errors: in_use when another program has it; denied when
// this user may not have it; io. In words that name the address.
Result<File> listen_on(const ListenAddress& address, mode_t mode = 0666);
// Where a socket is bound.
ListenAddress bound_address(const File& socket);

// Opens all sockets of [listen]; an endpoint for which systemd handed sockets over has those instead.
// Errors: those of listen_on(), with the key; malformed for a socket from systemd whose name is no key.
Result<std::vector<ListeningSocket>> open_sockets(const Settings& settings,
                                                  std::vector<systemd::Socket> handed_over);

}  // namespace posthorn::server

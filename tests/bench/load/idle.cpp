// Many connections in IDLE.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

#include <atomic>
#include <unistd.h>

namespace load {

// A few openers connect, log in, select INBOX and enter IDLE, connection after connection; what they opened
// stays until standard input ends. The sockets wait unread, so that 10,000 cost no threads.
void open_idle(Arguments given) {
  constexpr std::size_t small_buffer = 2048;
  const Server server(given[0]);
  const std::uint64_t connections = number(given[2]);
  const Arguments users = given.subspan(4);
  std::vector<std::unique_ptr<ImapClient>> clients(connections);
  std::atomic<std::uint64_t> next{0};
  const Seconds took = together(static_cast<unsigned>(number(given[3])), [&](unsigned /*opener*/) {
    for (std::uint64_t place = next++; place < connections; place = next++) {
      clients[place] = std::make_unique<ImapClient>(server, small_buffer);
      clients[place]->log_in({users[place % users.size()], given[1]});
      clients[place]->command("SELECT INBOX");
      clients[place]->idle();
    }
  });
  tell({{"count", connections}, {"seconds", took.count()}});
  for (char byte = 0; ::read(STDIN_FILENO, &byte, 1) > 0;) {
  }
}

}  // namespace load

// APPEND from one or more connections, into one mailbox.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

#include <atomic>
#include <barrier>
#include <mutex>

namespace load {

// The time is that from the moment when all have logged in.
void append(Arguments given) {
  const Server server(given[0]);
  const Account account{given[1], given[2]};
  const auto connections = static_cast<unsigned>(number(given[4]));
  const std::uint64_t messages = number(given[5]);
  const std::size_t octets = number(given[6]);
  std::atomic<std::uint64_t> next{0};
  std::barrier ready(connections);
  std::mutex mutex;
  Clock::time_point began = Clock::time_point::max();
  Clock::time_point ended;
  together(connections, [&](unsigned /*client*/) {
    ImapClient connection(server);
    connection.log_in(account);
    ready.arrive_and_wait();
    const auto first = Clock::now();
    for (std::uint64_t number = next++; number < messages; number = next++) {
      connection.command(append_command(given[3], "\\Seen", letter(octets, number)));
    }
    const auto last = Clock::now();
    const std::lock_guard lock(mutex);
    began = std::min(began, first);
    ended = std::max(ended, last);
  });
  tell({{"count", messages}, {"seconds", Seconds(ended - began).count()}});
}

}  // namespace load

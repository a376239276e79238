// How quickly one client's commands are answered while another client has the server do something long.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

#include <atomic>
#include <thread>

namespace load {
namespace {

// "APPEND mailbox n" stands for an APPEND of n octets.
std::string busy_command(const std::string& text) {
  if (!text.starts_with("APPEND ")) return text;
  const std::size_t space = text.rfind(' ');
  return append_command(text.substr(7, space - 7), "", letter(number(text.substr(space + 1)), 0));
}

// The commands of a client that looks at one message after the other.
struct Reader {
  ImapClient& client;
  std::vector<double> noop;
  std::vector<double> fetch;
  std::vector<double> status;
  std::vector<double> store;

  void round(std::uint64_t number) {
    const std::string message = std::to_string(number % 50 + 1);
    time(noop, "NOOP");
    time(fetch, "FETCH " + message + " (FLAGS BODY.PEEK[])");
    time(status, "STATUS INBOX (MESSAGES UNSEEN)");
    time(store, "STORE " + message + (number / 50 % 2 == 0 ? " +FLAGS" : " -FLAGS") + " (\\Flagged)");
  }

  // Those of the commands that change nothing.
  std::vector<double> reading() const {
    std::vector<double> all = noop;
    all.insert(all.end(), fetch.begin(), fetch.end());
    all.insert(all.end(), status.begin(), status.end());
    return all;
  }

  void time(std::vector<double>& samples, const std::string& command) {
    // The client of a person pauses; one that doesn't would take the processor from the server itself.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    samples.push_back(client.command(command).took.count());
  }
};

}  // namespace

// Without a busy command ("") the same figures of a server at rest.
void work_beside(Arguments given) {
  const Server server(given[0]);
  ImapClient client(server);
  client.log_in({given[1], given[3]});
  client.command("SELECT INBOX");
  ImapClient busy(server);
  busy.log_in({given[2], given[3]});
  busy.command(given[5]);
  std::atomic<bool> over{false};
  std::uint64_t busy_commands = 0;
  std::thread other([&] {
    if (given[6].empty()) return;
    const std::string command = busy_command(given[6]);
    while (!over) {
      busy.command(command);
      ++busy_commands;
    }
  });
  Reader reader{client};
  const auto until = Clock::now() + std::chrono::seconds(number(given[4]));
  for (std::uint64_t round = 0; Clock::now() < until; ++round) reader.round(round);
  over = true;
  other.join();
  std::vector<double> reading = reader.reading();
  tell({{"reading_p50", quantile(reading, 0.5)},
        {"reading_p99", quantile(reading, 0.99)},
        {"store_p50", quantile(reader.store, 0.5)},
        {"store_p99", quantile(reader.store, 0.99)},
        {"noop_p99", quantile(reader.noop, 0.99)},
        {"fetch_p99", quantile(reader.fetch, 0.99)},
        {"status_p99", quantile(reader.status, 0.99)},
        {"rounds", reader.noop.size()},
        {"busy", busy_commands}});
}

}  // namespace load

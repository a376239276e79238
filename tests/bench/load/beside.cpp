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
  std::vector<double> reading;
  std::vector<double> storing;

  void round(std::uint64_t number) {
    const std::string message = std::to_string(number % 50 + 1);
    time(reading, "NOOP");
    time(reading, "FETCH " + message + " (FLAGS BODY.PEEK[])");
    time(reading, "STATUS INBOX (MESSAGES UNSEEN)");
    time(storing, "STORE " + message + (number / 50 % 2 == 0 ? " +FLAGS" : " -FLAGS") + " (\\Flagged)");
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
  tell({{"reading_p50", quantile(reader.reading, 0.5)},
        {"reading_p99", quantile(reader.reading, 0.99)},
        {"storing_p50", quantile(reader.storing, 0.5)},
        {"storing_p99", quantile(reader.storing, 0.99)},
        {"count", reader.reading.size()},
        {"busy", busy_commands}});
}

}  // namespace load

// IMAP commands one after the other in one session, each timed.
#include "commands.h"
#include "imap_client.h"

#include <cstdio>
#include <thread>

namespace load {
namespace {

std::string json(std::string_view text) {
  std::string quoted = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') quoted += '\\';
    if (static_cast<unsigned char>(each) >= ' ') quoted += each;
  }
  return quoted + '"';
}

// What the server said of the mailbox, as "[UIDVALIDITY 3]": a later command of the script's writer needs it.
bool is_code(std::string_view line) { return line.starts_with("* OK ["); }

}  // namespace

// A "PAUSE n" among the commands waits for n milliseconds, in which what the server does after its reply
// ends.
void run_script(Arguments given) {
  constexpr std::string_view pause = "PAUSE ";
  ImapClient client{Server(given[0])};
  client.log_in({given[1], given[2]});
  const char* before = "[";
  for (const std::string& command : given.subspan(3)) {
    if (command.starts_with(pause)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(number(command.substr(pause.size()))));
      continue;
    }
    std::string codes;
    const Answer answer = client.command(command, [&](std::string_view line) {
      if (is_code(line)) codes.append(line).append(" ");
    });
    std::printf("%s{\"count\": %llu, \"seconds\": %.6f, \"octets\": %llu, \"codes\": %s}", before,
                static_cast<unsigned long long>(answer.untagged), answer.took.count(),
                static_cast<unsigned long long>(answer.octets), json(codes).c_str());
    before = ", ";
  }
  std::puts("]");
}

}  // namespace load

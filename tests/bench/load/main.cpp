// The clients of the benchmark: as many as asked for, each a thread with a blocking socket, so that little of
// the machine's time goes to them. JSON on standard output tells what was done and how long it took.
#include "commands.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace load {

std::uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

namespace {

struct Command {
  std::string_view name;
  // "..." at the end: one or more of the last.
  std::string_view arguments;
  void (*run)(Arguments);
};

// SERVER is a port on loopback, with "tls:" before it for TLS.
constexpr std::array commands{
    Command{"smtp", "SERVER smtp|lmtp RECIPIENT CONNECTIONS MESSAGES PER_CONNECTION OCTETS", deliver},
    Command{"logins", "SERVER USER PASSWORD CONNECTIONS LOGINS", log_in_often},
    Command{"pop3", "SERVER USER PASSWORD", download},
    Command{"imap", "SERVER USER PASSWORD COMMAND...", run_script},
    Command{"append", "SERVER USER PASSWORD MAILBOX CONNECTIONS MESSAGES OCTETS", append},
    Command{"push", "SERVER USER PASSWORD MAIL_SERVER smtp|lmtp MESSAGES SECONDS OCTETS", push},
    Command{"idle", "SERVER PASSWORD CONNECTIONS OPENERS USER...", open_idle},
    Command{"beside", "SERVER USER BUSY_USER PASSWORD SECONDS SETUP BUSY_COMMAND", work_beside},
    Command{"mix", "SERVER PASSWORD CLIENTS SECONDS SEED USER...", mix},
};

bool suits(std::string_view arguments, std::size_t given) {
  std::size_t wanted = 1;
  for (const char each : arguments) wanted += each == ' ' ? 1 : 0;
  return arguments.ends_with("...") ? given >= wanted : given == wanted;
}

int run(const std::vector<std::string>& given) {
  for (const Command& command : commands) {
    if (given.empty() || command.name != given[0]) continue;
    const Arguments rest = Arguments(given).subspan(1);
    if (!suits(command.arguments, rest.size())) break;
    command.run(rest);
    return 0;
  }
  for (const Command& command : commands) {
    std::fprintf(stderr, "load %.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.arguments.size()), command.arguments.data());
  }
  return 2;
}

}  // namespace
}  // namespace load

int main(int count, char** arguments) {
  // OpenSSL writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  return load::run({arguments + 1, arguments + count});
}

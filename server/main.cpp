#include "server/command_line.h"
#include "server/commands/commands.h"
#include "server/commands/say.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace posthorn::server;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

int run(CommandLine line) {
  return std::visit(Overloaded{
                        [&](const InitCommand& init) { return run_init(init); },
                        [&](const ServeCommand&) { return run_serve(line.config); },
                        [&](const CheckCommand&) { return run_check(line.config); },
                        [&](AdminCommand& admin) { return run_admin(line.config, std::move(admin)); },
                    },
                    line.command);
}

// Whoever started this may have closed its standard descriptors: the next files that are opened would get
// their numbers, and what is said to the terminal would go into them.
void fill_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDWR) != descriptor) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  // Whatever is written is the owner's alone, and a peer that goes away is an error of a call, not a signal.
  umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  auto line =
      parse_command_line(std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (line) return run(*std::move(line));
  const bool help = line.error().status == 0;
  std::fputs(line.error().text.c_str(), help ? stdout : stderr);
  return help ? end_of_output() : line.error().status;
}

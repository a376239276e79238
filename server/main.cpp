#include "server/command_line.h"
#include "server/commands/commands.h"

#include <csignal>
#include <cstdio>
#include <sys/stat.h>
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

}  // namespace

int main(int argc, char** argv) {
  // Whatever is written is the owner's alone, and a peer that goes away is an error of a call, not a signal.
  umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  auto line =
      parse_command_line(std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (line) return run(*std::move(line));
  std::fputs(line.error().text.c_str(), line.error().status == 0 ? stdout : stderr);
  return line.error().status;
}

#include "server/commands/commands.h"
#include "server/commands/say.h"
#include "server/examine.h"

namespace posthorn::server {

int run_check(const std::string& config) {
  const Loaded loaded = examine(config, Occasion::check);
  if (!loaded.problems.empty()) return complain(loaded.problems);
  say(config + ": no problems");
  return end_of_output();
}

}  // namespace posthorn::server

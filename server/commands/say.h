#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace posthorn::server {

// One line for whoever typed the command.
inline void say(const std::string& line) { std::fprintf(stdout, "%s\n", line.c_str()); }

// One line on standard error; gives the exit status of a failure.
inline int complain(const std::string& line) {
  std::fprintf(stderr, "posthorn: %s\n", line.c_str());
  return 1;
}

// Lines that name their place themselves.
inline int complain(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  return 1;
}

}  // namespace posthorn::server

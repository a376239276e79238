#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace posthorn::server {

// One line for whoever typed the command.
inline void say(const std::string& line) { std::fprintf(stdout, "%s\n", line.c_str()); }

// The exit status of a command that has said all: a failure where nobody could have read it.
inline int end_of_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  std::fprintf(stderr, "posthorn: cannot write to standard output\n");
  return 1;
}

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

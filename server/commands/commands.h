#pragma once

#include "server/command_line.h"

#include <string>

// The commands of the program. Each gives its exit status: 0 done, 1 failed, having said why on standard
// error.
namespace posthorn::server {

int run_init(const InitCommand& command);
int run_check(const std::string& config);
int run_serve(const std::string& config);
int run_admin(const std::string& config, AdminCommand command);

}  // namespace posthorn::server

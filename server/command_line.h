#pragma once

#include "server/control.h"

#include <expected>
#include <span>
#include <string>
#include <variant>

namespace posthorn::server {

// posthorn init DIR
struct InitCommand {
  std::string folder;
  std::string config;  // empty: posthorn.toml in it
  std::string domain;
  std::string hostname;
  std::string data;       // empty: the folder "data" in it
  std::string user;       // for [server] user
  bool loopback = false;  // loopback addresses and ports that need no root
};
struct ServeCommand {};
struct CheckCommand {};
// What changes or shows accounts, domains and aliases: carried out by the running server, if there is one.
struct AdminCommand {
  control::Request request;
  bool needs_password = false;
  bool password_from_stdin = false;
};

struct CommandLine {
  std::string config = "/etc/posthorn/posthorn.toml";
  std::variant<InitCommand, ServeCommand, CheckCommand, AdminCommand> command;
};

// There is nothing to run: help was asked for (status 0), or the arguments are wrong (status 2).
struct EarlyEnd {
  int status;
  std::string text;  // for standard output when the status is 0, otherwise for standard error
};

// `arguments` without the program's name.
std::expected<CommandLine, EarlyEnd> parse_command_line(std::span<const char* const> arguments);

}  // namespace posthorn::server

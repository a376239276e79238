#pragma once

#include "base/result.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What goes over the control socket: one line of JSON each way, each with its version.
//
//   {"version":1,"command":"account.add","arguments":{"address":"ann@example.org","password":"..."}}
//   {"version":1,"ok":true,"lines":["ann@example.org"],"warnings":["..."]}
//   {"version":1,"ok":false,"error":"..."}
namespace posthorn::server::control {

inline constexpr int version = 1;
inline constexpr std::size_t request_limit = 65536;  // octets of a request's line

struct Request {
  std::string command;
  std::map<std::string, std::string> arguments;
  bool operator==(const Request&) const = default;

  // The argument, or an empty string.
  std::string argument(const std::string& name) const;
  // The argument; nothing where it was not given, which is not the same as an empty one.
  std::optional<std::string> given(const std::string& name) const;
};

struct Reply {
  bool ok = true;
  std::string error;                    // in words, where it is not ok
  std::vector<std::string> lines;       // what a command prints
  std::vector<std::string> warnings{};  // what it says besides, on standard error
  bool operator==(const Reply&) const = default;

  static Reply failed(std::string error) { return {false, std::move(error), {}}; }
};

// Without line ends. Octets that are no UTF-8 are replaced.
std::string print(const Request& request);
std::string print(const Reply& reply);
// Errors: malformed; unavailable for another version.
Result<Request> parse_request(std::string_view line);
Result<Reply> parse_reply(std::string_view line);

// Asks the server that runs on the data directory. Blocks. Errors: not_found when none answers there; io.
Result<Reply> ask(const std::string& data, const Request& request);

// Whether a server answers on the data directory. It notices nothing.
bool answers(const std::string& data);

// The address of DATA/control.sock: by way of an open descriptor of DATA where the path is too long for a
// socket. `directory` keeps that descriptor.
std::string socket_path(const std::string& data, int directory);

}  // namespace posthorn::server::control

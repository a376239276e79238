#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace posthorn::pop3 {

// A message-number as the client gave it, from 0; what passes 32 bits becomes their highest value, which is
// no message's either.
using Number = std::uint32_t;

struct User {
  std::string name;
};
struct Pass {
  std::string password;  // all that follows one space, spaces included (RFC 1939 §7)
};
struct Auth {
  std::string mechanism;                        // as sent; empty: the client asks which there are
  std::optional<std::string> initial_response;  // base64, or "=" for an empty one (RFC 5034 §4)
};
struct Stat {};
struct List {
  std::optional<Number> message;
};
struct Retr {
  Number message = 0;
};
struct Dele {
  Number message = 0;
};
struct Noop {};
struct Rset {};
struct Quit {};
struct Top {
  Number message = 0;
  Number lines = 0;
};
struct Uidl {
  std::optional<Number> message;
};
struct Capa {};
struct Stls {};

using Command =
    std::variant<User, Pass, Auth, Stat, List, Retr, Dele, Noop, Rset, Quit, Top, Uidl, Capa, Stls>;

// Parses one command line, given without its CRLF (RFC 1939 §3, RFC 2449 §3). Keywords match in any case;
// several spaces between arguments, and spaces at the end, are accepted. An AUTH without a mechanism lists
// them, as clients from before CAPA expect. Pure.
//
// Errors: not_found for an unknown keyword, APOP among them; malformed for bad arguments.
Result<Command> parse_command(std::string_view line);

// The command as a line without CRLF: parsed again, it gives the same.
std::string to_string(const Command& command);

}  // namespace posthorn::pop3

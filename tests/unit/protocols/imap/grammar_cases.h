#pragma once

#include "protocols/imap/grammar.h"
#include "protocols/imap/printer.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

// What tests of the IMAP grammar share: tables of commands that parse, and of those that do not.
namespace posthorn::imap {

inline constexpr Dialect utf8_accept{.utf8_accept = true};
inline constexpr Dialect rev2{.rev2 = true};

struct GoodCase {
  std::string_view sent;
  std::string_view printed;
};

// Each command parses, prints as the table says, and what is printed parses to an equal value.
inline void check_good(std::initializer_list<GoodCase> cases, Dialect dialect = {}) {
  for (const auto& [sent, printed] : cases) {
    CAPTURE(sent);
    const auto command = parse_command(sent, dialect);
    CHECK_MESSAGE(command.has_value(), (command ? "" : command.error().detail));
    if (!command) continue;
    CHECK(to_string(*command, dialect) == printed);
    CHECK(parse_command(printed, dialect) == *command);
  }
}

struct BadCase {
  std::string_view sent;
  std::string_view detail;
};

// None parses, and each error says where.
inline void check_bad(std::initializer_list<BadCase> cases, Errc code = Errc::malformed,
                      Dialect dialect = {}) {
  for (const auto& [sent, detail] : cases) {
    CAPTURE(sent);
    const auto command = parse_command(sent, dialect);
    CHECK_FALSE(command.has_value());
    if (command) continue;
    CHECK(command.error().code == code);
    CHECK(command.error().detail == detail);
  }
}

// The value of "t " and the arguments, which is of that kind.
template <class Kind>
Kind parsed_as(std::string_view arguments, Dialect dialect = {}) {
  const auto command = parse_command("t " + std::string(arguments), dialect);
  REQUIRE(command.has_value());
  REQUIRE(std::holds_alternative<Kind>(command->body));
  return std::get<Kind>(command->body);
}

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

inline Errc code_of(std::string_view command, Dialect dialect = {}) {
  const auto parsed = parse_command(command, dialect);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().code;
}

}  // namespace posthorn::imap

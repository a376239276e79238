#include "protocols/pop3/grammar.h"

#include <doctest/doctest.h>

#include <vector>

namespace posthorn::pop3 {
namespace {

struct Case {
  std::string line;
  std::string expected;  // printed again, or the error's name
};

void check(const std::vector<Case>& cases) {
  for (const auto& [line, expected] : cases) {
    CAPTURE(line);
    const auto command = parse_command(line);
    CHECK((command ? to_string(*command) : std::string(name_of(command.error().code))) == expected);
  }
}

TEST_CASE("pop3 grammar: the examples of RFC 1939, 2449, 2595 and 5034") {
  check({
      {"STAT", "STAT"},
      {"LIST", "LIST"},
      {"LIST 2", "LIST 2"},
      {"RETR 1", "RETR 1"},
      {"DELE 1", "DELE 1"},
      {"NOOP", "NOOP"},
      {"RSET", "RSET"},
      {"QUIT", "QUIT"},
      {"TOP 1 10", "TOP 1 10"},
      {"UIDL", "UIDL"},
      {"UIDL 2", "UIDL 2"},
      {"USER mrose", "USER mrose"},
      {"PASS secret", "PASS secret"},
      {"CAPA", "CAPA"},
      {"STLS", "STLS"},
      {"AUTH PLAIN", "AUTH PLAIN"},
      {"AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=", "AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q="},
      {"AUTH EXTERNAL =", "AUTH EXTERNAL ="},
      {"AUTH", "AUTH"},
  });
}

TEST_CASE("pop3 grammar: keywords in any case, spaces at the end (RFC 1939 §3)") {
  check({{"stat", "STAT"}, {"Retr  1 ", "RETR 1"}, {"quit ", "QUIT"}, {"uSeR a", "USER a"}});
}

TEST_CASE("pop3 grammar: all after PASS is the password (RFC 1939 §7)") {
  check({{"PASS  two  words ", "PASS  two  words "},
         {"pass x", "PASS x"},
         {"PASS", "malformed"},
         {"PASS ", "malformed"}});
}

TEST_CASE("pop3 grammar: numbers of any length") {
  check({
      {"RETR 0", "RETR 0"},
      {"RETR 007", "RETR 7"},
      {"RETR 4294967296", "RETR 4294967295"},
      {"RETR 99999999999999999999999", "RETR 4294967295"},
      {"RETR -1", "malformed"},
      {"RETR 1x", "malformed"},
      {"RETR", "malformed"},
      {"RETR 1 2", "malformed"},
      {"LIST 1 2", "malformed"},
      {"DELE all", "malformed"},
      {"TOP 1", "malformed"},
      {"TOP 1 2 3", "malformed"},
      {"UIDL x", "malformed"},
  });
}

TEST_CASE("pop3 grammar: what is no command") {
  check({
      {"", "not_found"},
      {"XTND", "not_found"},
      {"APOP mrose c4c9334bac560ecc979e58001b3e22fb", "not_found"},
      {"STAT 1", "malformed"},
      {"QUIT now", "malformed"},
      {"USER", "malformed"},
      {"USER a b", "malformed"},
      {"AUTH PLAIN a b", "malformed"},
      {std::string("USER a\0b", 8), "malformed"},
  });
}

}  // namespace
}  // namespace posthorn::pop3

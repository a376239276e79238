#include "server/password_prompt.h"

#include "base/file_system.h"

#include <doctest/doctest.h>

#include <array>
#include <unistd.h>

using namespace posthorn;
using namespace posthorn::server;

namespace {

Result<std::string> read_from(const std::string& octets) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const File out(ends[0]);
  File in(ends[1]);
  REQUIRE(write(in.descriptor(), octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
  in = File();
  return read_password_line(out.descriptor());
}

}  // namespace

TEST_CASE("password: the first line of standard input, without its line end") {
  CHECK(read_from("secret\n").value() == "secret");
  CHECK(read_from("secret\r\n").value() == "secret");
  CHECK(read_from("secret").value() == "secret");
  CHECK(read_from(" two words \nnext\n").value() == " two words ");
  CHECK(read_from("a\rb\n").value() == "a\rb");
  CHECK(read_from("\n").value().empty());
}

TEST_CASE("password: no input at all, and far too much, are errors") {
  CHECK(read_from("").error().code == Errc::not_found);
  CHECK(read_from(std::string(5000, 'x')).error().code == Errc::too_large);
}

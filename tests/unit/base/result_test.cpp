#include "base/result.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace posthorn;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return malformed("odd");
  return number / 2;
}

Result<int> quarter(int number) { return TRY(half(TRY(half(number)))); }

}  // namespace

TEST_CASE("TRY gives the value, or leaves with the error") {
  CHECK(quarter(8) == 2);
  REQUIRE_FALSE(quarter(6).has_value());
  CHECK(quarter(6).error().code == Errc::malformed);
  CHECK(quarter(6).error().detail == "odd");
}

TEST_CASE("a system failure carries what a reply is decided by") {
  errno = ENOSPC;
  CHECK(system_failure("write").error().code == Errc::disk_full);
  errno = ENOENT;
  CHECK(system_failure("open").error().code == Errc::not_found);
  errno = EACCES;
  const auto refused = system_failure("open x");
  CHECK(refused.error().code == Errc::io);
  CHECK(refused.error().detail == "open x: Permission denied");
}

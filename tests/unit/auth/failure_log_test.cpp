#include "auth/failure_log.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Refusals {
  FailureLog log;
  milliseconds now{1'000'000};

  // How many of `count` refusals get a line.
  int lines(int count, std::string_view address) {
    int worth = 0;
    for (int i = 0; i < count; ++i) worth += log.refused(address, now).worth_a_line ? 1 : 0;
    return worth;
  }
};

TEST_CASE("failure log: so many lines a minute, and their number is told") {
  Refusals refusals;
  CHECK(refusals.lines(1000, "192.0.2.1") == 20);
  refusals.now += seconds(59);
  CHECK(refusals.lines(1, "192.0.2.1") == 0);
  refusals.now += seconds(1);
  const auto next = refusals.log.refused("192.0.2.1", refusals.now);
  CHECK(next.worth_a_line);
  CHECK(next.left_out_before == 981);
  CHECK(refusals.log.refused("192.0.2.1", refusals.now).left_out_before == 0);
  refusals.now += seconds(3600);
  CHECK(refusals.log.refused("192.0.2.1", refusals.now).left_out_before == 0);
}

TEST_CASE("failure log: each address has a line, whoever fills the log") {
  Refusals refusals;
  CHECK(refusals.lines(1000, "192.0.2.1") == 20);
  CHECK(refusals.lines(10, "192.0.2.2") == 1);
  CHECK(refusals.lines(10, "192.0.2.3") == 1);
  refusals.now += seconds(60);
  CHECK(refusals.lines(10, "192.0.2.2") == 10);
}

TEST_CASE("failure log: no more addresses than it keeps in mind") {
  Refusals refusals;
  int lines = 0;
  for (int i = 0; i < 5000; ++i) lines += refusals.lines(1, "address " + std::to_string(i));
  CHECK(lines == static_cast<int>(FailureLog::max_addresses));
}

}  // namespace
}  // namespace posthorn::auth

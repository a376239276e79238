#include "server/connection_limits.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace posthorn;
using namespace posthorn::server;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// Admits `count` connections from one address; how many were let in.
std::size_t fill(ConnectionLimits& limits, std::vector<ConnectionLimits::Slot>& slots,
                 std::string_view address, std::size_t count) {
  std::size_t admitted = 0;
  for (std::size_t tries = 0; tries < count; ++tries) {
    if (auto slot = limits.admit(ip(address))) {
      slots.push_back(*std::move(slot));
      ++admitted;
    }
  }
  return admitted;
}

}  // namespace

TEST_CASE("limits: an address gets so many connections and no more, and gets them back") {
  ConnectionLimits limits({100, 3, {}});
  std::vector<ConnectionLimits::Slot> slots;
  CHECK(fill(limits, slots, "192.0.2.1", 5) == 3);
  CHECK(limits.admit(ip("192.0.2.1")).error().code == Errc::denied);
  CHECK(limits.admit(ip("192.0.2.2")));
  slots.pop_back();
  CHECK(fill(limits, slots, "192.0.2.1", 5) == 1);
}

TEST_CASE("limits: a /64 of IPv6 is one address, as one customer has it") {
  ConnectionLimits limits({100, 2, {}});
  std::vector<ConnectionLimits::Slot> slots;
  CHECK(fill(limits, slots, "2001:db8:0:1::1", 1) == 1);
  CHECK(fill(limits, slots, "2001:db8:0:1:ffff::2", 5) == 1);
  CHECK(fill(limits, slots, "2001:db8:0:2::1", 1) == 1);
}

TEST_CASE("limits: one /48 of IPv6 does not fill the server from its many /64s") {
  ConnectionLimits limits({4000, 100, {}});
  std::vector<ConnectionLimits::Slot> slots;
  std::size_t admitted = 0;
  for (int subnet = 0; subnet < 41; ++subnet) {
    admitted += fill(limits, slots, "2001:db8:7:" + std::to_string(subnet) + "::1", 100);
  }
  CHECK(admitted == 400);
  const auto refused = limits.admit(ip("2001:db8:7:99::1"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail == "too many connections from 2001:db8:7::/48");
  CHECK(limits.admit(ip("2001:db8:8::1")));
  CHECK(limits.admit(ip("192.0.2.1")));
  slots.clear();
  CHECK(fill(limits, slots, "2001:db8:7:99::1", 200) == 100);
}

TEST_CASE("limits: the total holds for all addresses together") {
  ConnectionLimits limits({4, 3, {}});
  std::vector<ConnectionLimits::Slot> slots;
  CHECK(fill(limits, slots, "192.0.2.1", 3) == 3);
  CHECK(fill(limits, slots, "192.0.2.2", 3) == 1);
  CHECK(limits.admit(ip("192.0.2.3")).error().code == Errc::busy);
  slots.clear();
  CHECK(fill(limits, slots, "192.0.2.2", 3) == 3);
}

TEST_CASE("limits: trusted networks are neither counted nor refused") {
  ConnectionLimits limits({2, 1, {Network::parse("10.0.0.0/8").value()}});
  std::vector<ConnectionLimits::Slot> slots;
  CHECK(fill(limits, slots, "10.1.2.3", 50) == 50);
  CHECK(limits.trusted(ip("10.255.0.1")));
  CHECK_FALSE(limits.trusted(ip("11.0.0.1")));
  CHECK(fill(limits, slots, "192.0.2.1", 2) == 1);
}

TEST_CASE("limits: new settings hold from now on, for slots given before too") {
  ConnectionLimits limits({100, 1, {}});
  std::vector<ConnectionLimits::Slot> slots;
  CHECK(fill(limits, slots, "192.0.2.1", 3) == 1);
  limits.configure({100, 2, {}});
  CHECK(fill(limits, slots, "192.0.2.1", 3) == 1);
  limits.configure({100, 2, {Network::parse("192.0.2.1").value()}});
  slots.clear();
  limits.configure({100, 2, {}});
  CHECK(fill(limits, slots, "192.0.2.1", 3) == 2);
}

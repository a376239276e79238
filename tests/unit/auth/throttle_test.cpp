#include "auth/throttle.h"

#include <doctest/doctest.h>

#include <vector>

namespace posthorn::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A guesser with a clock.
struct Guesses {
  Throttle throttle{Throttle::Settings{seconds(15), seconds(600)}};
  milliseconds now{1'000'000};
  std::uint64_t next = 1;

  Throttle::Verdict guess(std::string_view address = "192.0.2.1") {
    return throttle.failed(address, "alice@example.test", next++, now);
  }
  bool blocked(std::string_view address = "192.0.2.1", std::string_view user = "alice@example.test") {
    return throttle.blocked(address, user, now);
  }
  // Guesses at once until the block; how many it took.
  int until_block(std::string_view address = "192.0.2.1") {
    for (int count = 1; count < 1000; ++count) {
      if (guess(address).block_began) return count;
    }
    return 0;
  }
};

TEST_CASE("throttle: the delay grows from one second to the maximum") {
  Guesses g;
  std::vector<long> delays;
  for (int i = 0; i < 7; ++i) delays.push_back(g.guess().delay.count());
  CHECK(delays == std::vector<long>{1000, 2000, 4000, 8000, 15000, 15000, 15000});
  // Others are not concerned.
  CHECK(g.guess("192.0.2.2").delay == seconds(1));
}

TEST_CASE("throttle: a minute forgives a guess") {
  Guesses g;
  for (int i = 0; i < 4; ++i) g.guess();
  g.now += seconds(180);
  CHECK(g.guess().delay == seconds(2));
  g.now += seconds(3600);
  CHECK(g.guess().delay == seconds(1));
}

TEST_CASE("throttle: guesses once a minute never block, guesses one after the other do") {
  Guesses slow;
  for (int i = 0; i < 200; ++i) {
    CHECK_FALSE(slow.guess().block_began);
    slow.now += seconds(61);
  }
  Guesses patient;  // waits for each delay, over one connection
  int count = 0;
  bool blocked = false;
  while (!blocked && count < 100) {
    const auto verdict = patient.guess();
    blocked = verdict.block_began;
    patient.now += verdict.delay;
    ++count;
  }
  CHECK(count >= 20);
  CHECK(count <= 30);
}

TEST_CASE("throttle: a network that goes on is blocked for a time, and sooner again") {
  Guesses g;
  CHECK(g.until_block() == 20);
  CHECK(g.blocked());
  CHECK(g.blocked("192.0.2.1", "nobody@example.test"));
  CHECK_FALSE(g.blocked("192.0.2.2"));
  g.now += seconds(599);
  CHECK(g.blocked());
  g.now += seconds(1);
  CHECK_FALSE(g.blocked());
  CHECK(g.until_block() == 10);
}

TEST_CASE("throttle: whoever has logged in from a network before is not kept out by its guessers") {
  Guesses g;
  g.throttle.succeeded("192.0.2.1", "alice@example.test");
  g.until_block();
  CHECK_FALSE(g.blocked("192.0.2.1", "alice@example.test"));
  CHECK(g.blocked("192.0.2.1", "bob@example.test"));
  g.throttle.succeeded("192.0.2.7", "bob@example.test");
  CHECK(g.blocked("192.0.2.1", "bob@example.test"));
}

TEST_CASE("throttle: the same wrong password again is no new guess") {
  Guesses g;
  for (int i = 0; i < 500; ++i) {
    const auto verdict = g.throttle.failed("192.0.2.1", "alice@example.test", 42, g.now);
    CHECK_FALSE(verdict.block_began);
    CHECK(verdict.delay == seconds(1));
  }
  CHECK_FALSE(g.blocked());
}

TEST_CASE("throttle: what stands against a network, and how many guesses it has left") {
  Guesses g;
  CHECK(g.throttle.record("192.0.2.1", g.now).level == 0);
  CHECK(g.throttle.record("192.0.2.1", g.now).room == 20);
  for (int i = 0; i < 19; ++i) g.guess();
  CHECK(g.throttle.record("192.0.2.1", g.now).room == 1);
  g.now += seconds(30);
  CHECK(g.throttle.record("192.0.2.1", g.now).level == doctest::Approx(18.5));
  CHECK(g.throttle.record("192.0.2.1", g.now).room == 1);
  g.now += seconds(30);
  CHECK(g.throttle.record("192.0.2.1", g.now).room == 2);
  CHECK(g.throttle.record("192.0.2.2", g.now).level == 0);
  g.throttle.configure({seconds(15), seconds(0)});
  CHECK(g.throttle.record("192.0.2.1", g.now).room > 1'000'000);
}

TEST_CASE("throttle: a login vouches for its network until somebody there guesses at the account") {
  Guesses g;
  CHECK_FALSE(g.throttle.vouched("192.0.2.1", "alice@example.test"));
  g.throttle.succeeded("192.0.2.1", "alice@example.test");
  g.throttle.succeeded("192.0.2.1", "bob@example.test");
  CHECK(g.throttle.vouched("192.0.2.1", "alice@example.test"));
  CHECK_FALSE(g.throttle.vouched("192.0.2.2", "alice@example.test"));
  g.guess("192.0.2.2");
  CHECK(g.throttle.vouched("192.0.2.1", "alice@example.test"));
  g.guess("192.0.2.1");
  CHECK_FALSE(g.throttle.vouched("192.0.2.1", "alice@example.test"));
  CHECK(g.throttle.vouched("192.0.2.1", "bob@example.test"));
  g.throttle.succeeded("192.0.2.1", "alice@example.test");
  CHECK(g.throttle.vouched("192.0.2.1", "alice@example.test"));
}

TEST_CASE("throttle: an IPv6 guesser counts with its /64, an IPv4 one alone") {
  Guesses g;
  g.until_block("2001:db8:1:2::1");
  CHECK(g.blocked("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK_FALSE(g.blocked("2001:db8:1:3::1"));
  CHECK(network_of("2001:DB8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("192.0.2.1") == "192.0.2.1");
  CHECK(network_of("::ffff:192.0.2.1") == "192.0.2.1");
}

TEST_CASE("throttle: switched off by zeros, and changed while it runs") {
  Guesses g;
  g.throttle.configure({seconds(0), seconds(0)});
  for (int i = 0; i < 100; ++i) {
    const auto verdict = g.guess();
    CHECK(verdict.delay == seconds(0));
    CHECK_FALSE(verdict.block_began);
  }
  CHECK_FALSE(g.blocked());
  g.throttle.configure({seconds(3), seconds(600)});
  CHECK(g.guess().delay == seconds(3));
  CHECK(g.blocked());
  g.throttle.configure({seconds(3), seconds(0)});
  CHECK_FALSE(g.blocked());
}

TEST_CASE("throttle: guesses that are spread over the /64s of a /48 count together") {
  Guesses g;
  const auto inside = [](int subnet) { return "2001:db8:7:" + std::to_string(subnet) + "::1"; };
  int first = 0;
  for (int subnet = 1; subnet <= 400 && first == 0; ++subnet) {
    const Throttle::Verdict verdict = g.guess(inside(subnet));
    CHECK(verdict.delay == seconds(1));
    if (!verdict.block_began) continue;
    first = subnet;
    CHECK(verdict.blocked == "2001:db8:7::/48");
  }
  CHECK(first > 150);
  CHECK(first <= 160);
  CHECK(g.blocked(inside(999)));
  CHECK_FALSE(g.blocked("2001:db8:8::1"));
  // One of the family is not kept out.
  g.throttle.succeeded(inside(3), "alice@example.test");
  CHECK_FALSE(g.blocked(inside(3)));
  CHECK(g.throttle.record("2001:db8:8::1", g.now).room == 20);
  g.now += seconds(600);
  CHECK_FALSE(g.blocked(inside(999)));
  // As many may be verified at once as there is room until its block: an eighth of a level each.
  for (int subnet = 1; subnet <= 72; ++subnet) g.guess(inside(subnet));
  CHECK(g.throttle.record(inside(1000), g.now).room == 8);
  // And none of them is a stranger like any other.
  CHECK(g.throttle.record(inside(1000), g.now).level > 8);
  g.guess("2001:db8:9:1::1");
  CHECK(g.throttle.record("2001:db8:9:2::1", g.now).level == 0);
}

TEST_CASE("throttle: guesses at an account from its own network are blocked at last, for a time") {
  Guesses g;
  g.throttle.succeeded("192.0.2.1", "alice@example.test");
  g.throttle.succeeded("192.0.2.1", "bob@example.test");
  for (unsigned guess = 0; guess < Throttle::known_guesses; ++guess) g.guess();
  CHECK_FALSE(g.blocked());
  CHECK(g.guess().block_began);
  CHECK(g.blocked());
  CHECK_FALSE(g.blocked("192.0.2.1", "bob@example.test"));
  CHECK_FALSE(g.blocked("192.0.2.2"));
  g.now += seconds(600);
  CHECK_FALSE(g.blocked());
  // Few at a time never block it, nor does one that is repeated.
  for (int period = 0; period < 3; ++period) {
    for (unsigned guess = 0; guess < Throttle::known_guesses; ++guess) g.guess();
    CHECK_FALSE(g.blocked());
    g.now += seconds(600);
  }
  for (int again = 0; again < 500; ++again) g.throttle.failed("192.0.2.1", "bob@example.test", 42, g.now);
  CHECK_FALSE(g.blocked("192.0.2.1", "bob@example.test"));
}

TEST_CASE("throttle: memory is bounded, the lowest level goes first, and blocks go last") {
  Guesses g;
  g.until_block("192.0.2.1");
  for (std::size_t i = 0; i < Throttle::max_networks - 1; ++i) g.guess("network " + std::to_string(i));
  CHECK(g.blocked());
  CHECK(g.throttle.networks() == Throttle::max_networks);
  for (int i = 0; i < 5; ++i) g.guess("network 7");
  g.guess("one more");
  CHECK(g.throttle.networks() == Throttle::max_networks);
  CHECK(g.blocked());
  CHECK(g.throttle.record("network 0", g.now).level == 0);
  CHECK(g.throttle.record("network 1", g.now).level == 1);
  CHECK(g.throttle.record("network 7", g.now).level == 6);
  CHECK(g.throttle.record("one more", g.now).level == 1);
  for (std::size_t i = 0; i < Throttle::max_known + 5; ++i) {
    g.throttle.succeeded("192.0.2.1", "user" + std::to_string(i));
    g.throttle.succeeded("192.0.2.1", "first");
  }
  CHECK(g.throttle.known() == Throttle::max_known);
  g.until_block();
  CHECK_FALSE(g.blocked("192.0.2.1", "first"));
  CHECK(g.blocked("192.0.2.1", "user0"));
}

}  // namespace
}  // namespace posthorn::auth

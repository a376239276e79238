#include "server/network.h"

#include <doctest/doctest.h>

using namespace posthorn;
using namespace posthorn::server;

namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

}  // namespace

TEST_CASE("network: addresses are read, and an IPv4-mapped one is the IPv4 one (RFC 4291 §2.5.5.2)") {
  CHECK(ip("192.0.2.1").text() == "192.0.2.1");
  CHECK(ip("2001:DB8:0:0::1").text() == "2001:db8::1");
  CHECK(ip("::ffff:192.0.2.1") == ip("192.0.2.1"));
  CHECK(ip("127.3.2.1").loopback());
  CHECK(ip("::1").loopback());
  CHECK(ip("::ffff:127.0.0.1").loopback());
  CHECK_FALSE(ip("128.0.0.1").loopback());
  CHECK_FALSE(ip("::2").loopback());
  for (const std::string_view bad :
       {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "[::1]", "localhost", "1.2.3.4 ", "::1%lo"}) {
    CAPTURE(bad);
    CHECK_FALSE(IpAddress::parse(bad));
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST_CASE("network: CIDR networks contain what they should, at any prefix length") {
  struct Case {
    std::string_view network;
    std::string_view address;
    bool inside;
  };
  for (const Case& c : {
           Case{"192.0.2.0/24", "192.0.2.255", true},
           Case{"192.0.2.0/24", "192.0.3.0", false},
           Case{"192.0.2.128/25", "192.0.2.127", false},
           Case{"192.0.2.7", "192.0.2.7", true},
           Case{"192.0.2.7", "192.0.2.6", false},
           Case{"0.0.0.0/0", "203.0.113.9", true},
           Case{"0.0.0.0/0", "::1", false},
           Case{"2001:db8::/32", "2001:db8:ffff::1", true},
           Case{"2001:db8::/32", "2001:db9::", false},
           Case{"2001:db8:0:1::/63", "2001:db8::", false},
           Case{"::/0", "2001:db8::1", true},
           Case{"::/0", "192.0.2.1", false},
           Case{"127.0.0.0/8", "::ffff:127.0.0.1", true},
       }) {
    CAPTURE(c.network);
    CAPTURE(c.address);
    const auto network = Network::parse(c.network);
    if (c.network == "2001:db8:0:1::/63") {
      CHECK_FALSE(network);  // a bit is set behind the prefix
      continue;
    }
    REQUIRE(network);
    CHECK(network->contains(ip(c.address)) == c.inside);
    CHECK(Network::parse(network->text()).value() == *network);
  }
  for (const std::string_view bad :
       {"192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2.1/24", "::/129", "/8", "a/8"}) {
    CAPTURE(bad);
    CHECK_FALSE(Network::parse(bad));
  }
}

TEST_CASE("network: addresses to listen on") {
  const auto v4 = ListenAddress::parse("127.0.0.1:2525");
  REQUIRE(v4);
  CHECK(v4->port == 2525);
  CHECK(v4->text() == "127.0.0.1:2525");
  const auto v6 = ListenAddress::parse("[::]:25");
  REQUIRE(v6);
  CHECK(v6->address.v6);
  CHECK(v6->text() == "[::]:25");
  CHECK(ListenAddress::parse("0.0.0.0:0")->port == 0);
  const auto local = ListenAddress::parse("unix:/run/posthorn/imap");
  REQUIRE(local);
  CHECK(local->path == "/run/posthorn/imap");
  CHECK(local->text() == "unix:/run/posthorn/imap");
  for (const std::string bad :
       {"", "25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "::1:25", "[127.0.0.1]:25",
        "[::1]", "localhost:25", ":25", "unix:relative", "unix:"}) {
    CAPTURE(bad);
    CHECK_FALSE(ListenAddress::parse(bad));
  }
  CHECK_FALSE(ListenAddress::parse("unix:/" + std::string(200, 'x')));
}

TEST_CASE("network: what goes into a socket address comes out again") {
  for (const std::string_view text : {"192.0.2.1:25", "[2001:db8::1]:993", "[::]:0"}) {
    const auto address = ListenAddress::parse(text).value();
    CHECK(SocketAddress::of(address).listen_address() == address);
  }
  CHECK(SocketAddress::of(ListenAddress::parse("unix:/run/x").value()).listen_address().path == "/run/x");
}

#include "dns/records.h"

#include "tests/support/name_server.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn::dns;
using namespace std::string_literals;
using posthorn::testing::wire_name;

TEST_CASE("dns: MX (RFC 1035 §3.3.9), the null MX (RFC 7505 §3)") {
  CHECK(parse_mx("\0\x0a"s + wire_name("Mail.Example.test")).value() ==
        MailExchange{10, "mail.example.test"});
  CHECK(parse_mx("\x01\x02"s + wire_name("a.test")).value() == MailExchange{258, "a.test"});
  CHECK(parse_mx("\0\0\0"s).value() == MailExchange{0, ""});
  for (const std::string& broken : {""s, "\0"s, "\0\x0a"s, "\0\x0a\x04mai"s, "\0\x0a\x04mail"s,
                                    "\0\x0a\x04mail\0x"s, "\0\x0a\x40mail"s, "\0\x0a\xc0\x0c"s}) {
    CAPTURE(broken);
    CHECK_FALSE(parse_mx(broken));
  }
}

TEST_CASE("dns: names of hosts are lower case, and of no other characters") {
  CHECK(parse_host(wire_name("XN--BCHER-KVA.Example")).value() == "xn--bcher-kva.example");
  CHECK(parse_host(wire_name("_25._tcp.a.test")).value() == "_25._tcp.a.test");
  CHECK(parse_host("\0"s).value().empty());
  for (const char* name : {"a b.test", "a/b.test", "\xc3\xa4.test", "a\n.test"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_host(wire_name(name)));
  }
  CHECK_FALSE(parse_host("\x03"s + "a.b" + "\0"s));
  std::string long_name;
  for (int i = 0; i < 127; ++i) long_name += "\x01x";
  CHECK(parse_host(long_name + "\0"s));
  CHECK_FALSE(parse_host("\x01x" + long_name + "\0"s));
}

TEST_CASE("dns: TLSA (RFC 6698 §2.1)") {
  CHECK(parse_tlsa("\x03\x01\x01\xab\xcd").value() == TlsAssociation{3, 1, 1, "\xab\xcd"});
  CHECK_FALSE(parse_tlsa("\x03\x01\x01"));
}

TEST_CASE("dns: the strings of a TXT record are joined (RFC 8461 §3.1)") {
  CHECK(parse_txt("\x08v=STSv1;\x06 id=1;").value() == "v=STSv1; id=1;");
  CHECK(parse_txt("\0"s).value().empty());
  CHECK_FALSE(parse_txt(""));
  CHECK_FALSE(
      parse_txt("\x05"
                "four"));
}

TEST_CASE("dns: addresses") {
  CHECK(parse_address("\xc0\0\x02\x01"s).value() == "192.0.2.1");
  CHECK(parse_address("\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01").value() == "2001:db8::1");
  CHECK_FALSE(parse_address("\x7f\0\0"s));
  CHECK_FALSE(parse_address(""));
}

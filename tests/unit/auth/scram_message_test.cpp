#include "auth/scram_message.h"

#include <doctest/doctest.h>

namespace posthorn::auth {
namespace {

using namespace std::string_literals;
using enum ChannelBindingFlag;

const std::string proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

TEST_CASE("scram: the client's first message, with the examples of RFC 5802 §5 and RFC 7677 §3") {
  const std::pair<std::string, ScramClientFirst> cases[] = {
      {"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
       {not_supported, "", "", "user", "fyko+d2lbbFgONRv9qkxdawL", "n,,",
        "n=user,r=fyko+d2lbbFgONRv9qkxdawL"}},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
       {not_supported, "", "", "user", "rOprNGfwEbeRWgbNEkqO", "n,,", "n=user,r=rOprNGfwEbeRWgbNEkqO"}},
      {"y,a=other,n=a=2Cb=3Dc,r=x,t=1,u=a=b",
       {not_offered, "", "other", "a,b=c", "x", "y,a=other,", "n=a=2Cb=3Dc,r=x,t=1,u=a=b"}},
      {"p=tls-exporter,,n=j\xc3\xbcrgen,r=~!",
       {used, "tls-exporter", "", "j\xc3\xbcrgen", "~!", "p=tls-exporter,,", "n=j\xc3\xbcrgen,r=~!"}},
  };
  for (const auto& [message, expected] : cases) {
    CAPTURE(message);
    const auto parsed = parse_scram_client_first(message);
    REQUIRE(parsed);
    CHECK((*parsed == expected));
  }
}

TEST_CASE("scram: broken first messages (RFC 5802 §5.1, §7)") {
  for (const std::string& message : {""s,
                                     "n"s,
                                     "n,"s,
                                     "n,,"s,
                                     "n,,n=user"s,
                                     "n,,n=user,"s,
                                     "n,,n=user,r="s,
                                     "n,,r=x"s,
                                     "n,,r=x,n=user"s,
                                     "x,,n=user,r=x"s,
                                     "N,,n=user,r=x"s,
                                     "p,,n=user,r=x"s,
                                     "p=,,n=user,r=x"s,
                                     "p=a b,,n=user,r=x"s,
                                     "F,n,,n=user,r=x"s,
                                     "n,user,n=user,r=x"s,
                                     "n,a=,n=user,r=x"s,
                                     "n,,n=,r=x"s,
                                     "n,,n=a=b,r=x"s,
                                     "n,,n=a=2c,r=x"s,
                                     "n,,n=a=,r=x"s,
                                     "n,,n=a=3,r=x"s,
                                     "n,,m=x,n=user,r=x"s,
                                     "n,,n=user,r=x,m=y"s,
                                     "n,,n=user,r=x,"s,
                                     "n,,n=user,r=x,t"s,
                                     "n,,n=user,r=x,t="s,
                                     "n,,n=user,r=x,1=y"s,
                                     "n,,n=user,r=a b"s,
                                     "n,,n=user,r=\xc3\xbc"s,
                                     "n,,n=\xff,r=x"s,
                                     "n,,n=us\0er,r=x"s,
                                     "n,,n=user,r=" + std::string(513, 'x'),
                                     "n,,n=" + std::string(5000, 'x') + ",r=x",
                                     "n,,n=user,r=x,t=" + std::string(5000, 'x')}) {
    CAPTURE(message);
    const auto parsed = parse_scram_client_first(message);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
  }
  CHECK(parse_scram_client_first("n,,n=user,r=" + std::string(512, 'x')));
}

TEST_CASE("scram: the client's final message (RFC 7677 §3)") {
  const std::string without = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const auto parsed = parse_scram_client_final(without + "," + proof);
  REQUIRE(parsed);
  CHECK(parsed->channel_binding == "n,,");
  CHECK(parsed->nonce == "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  CHECK(parsed->proof.size() == 32);
  CHECK(parsed->without_proof == without);
  const auto extended = parse_scram_client_final("c=biws,r=x,t=a=b,p=YQ==," + proof);
  REQUIRE(extended);
  CHECK(extended->nonce == "x");
  CHECK(extended->without_proof == "c=biws,r=x,t=a=b,p=YQ==");
}

TEST_CASE("scram: broken final messages (RFC 5802 §7)") {
  const std::string end = "," + proof;
  for (const std::string& message : {""s,
                                     proof,
                                     end,
                                     "c=biws" + end,
                                     "c=biws,r=" + end,
                                     "r=x,c=biws" + end,
                                     "c=biws,r=x"s,
                                     "c=biws,r=x,p="s,
                                     "c=biws,r=x,p=AAAA"s,
                                     "c=biws,r=x" + end + ",t=1",
                                     "c=biws,r=x" + end + "=",
                                     "c=bi ws,r=x" + end,
                                     "c=biw,r=x" + end,
                                     "c=biws,r=x,m=1" + end,
                                     "c=biws,r=x,t" + end,
                                     "c=biws,r=x," + end,
                                     "d=biws,r=x" + end,
                                     "c=biws,r=a b" + end,
                                     "c=biws,r=" + std::string(1025, 'x') + end,
                                     "c=biws,r=x,t=" + std::string(5000, 'x') + end}) {
    CAPTURE(message);
    const auto parsed = parse_scram_client_final(message);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
  }
}

}  // namespace
}  // namespace posthorn::auth

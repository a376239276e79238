#include "protocols/smtp/grammar.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace posthorn::smtp {
namespace {

// What a line parses to, printed again; or the error's name.
std::string reprinted(std::string_view line) {
  const auto command = parse_command(line);
  return command ? to_string(*command) : std::string(name_of(command.error().code));
}

struct Case {
  std::string line;
  std::string expected;
};

void check(const std::vector<Case>& cases) {
  for (const auto& [line, expected] : cases) {
    CAPTURE(line);
    CHECK(reprinted(line) == expected);
  }
}

TEST_CASE("smtp grammar: the examples of RFC 5321 are commands") {
  check({
      {"EHLO bar.com", "EHLO bar.com"},
      {"HELO bar.com", "HELO bar.com"},
      {"MAIL FROM:<Smith@bar.com>", "MAIL FROM:<Smith@bar.com>"},
      {"MAIL FROM:<>", "MAIL FROM:<>"},
      {"MAIL FROM:<userx@y.foo.org>", "MAIL FROM:<userx@y.foo.org>"},
      {"RCPT TO:<Jones@XYZ.COM>", "RCPT TO:<Jones@XYZ.COM>"},
      {"RCPT TO:<@hosta.int,@jkl.org:userc@d.bar.org>", "RCPT TO:<userc@d.bar.org>"},
      {"DATA", "DATA"},
      {"RSET", "RSET"},
      {"QUIT", "QUIT"},
      {"NOOP", "NOOP"},
      {"VRFY Crispin", "VRFY Crispin"},
      {"EXPN Example-People", "EXPN Example-People"},
      {"HELP", "HELP"},
  });
}

TEST_CASE("smtp grammar: verbs and keywords in any case, white space at the end (RFC 5321 §2.4, §4.1.1)") {
  check({
      {"ehlo Bar.Com", "EHLO Bar.Com"},
      {"mail from:<a@b> size=1", "MAIL FROM:<a@b> SIZE=1"},
      {"rCpT tO:<a@b>  \t", "RCPT TO:<a@b>"},
      {"Data ", "DATA"},
      {"starttls", "STARTTLS"},
  });
}

TEST_CASE("smtp grammar: a space after the colon is borne (RFC 5321 §3.3 forbids it, clients send it)") {
  check({{"MAIL FROM: <a@b>", "MAIL FROM:<a@b>"}, {"RCPT TO:  <a@b>", "RCPT TO:<a@b>"}});
}

TEST_CASE("smtp grammar: greetings (RFC 5321 §4.1.1.1)") {
  check({
      {"EHLO", "malformed"},
      {"EHLO ", "malformed"},
      {"HELO", "malformed"},
      {"EHLO [192.0.2.1]", "EHLO [192.0.2.1]"},
      {"EHLO [192.0.2.1] old convention", "EHLO [192.0.2.1]"},
      {"EHLO DESKTOP_1", "EHLO DESKTOP_1"},
  });
}

TEST_CASE("smtp grammar: local parts (RFC 5321 §4.1.2)") {
  check({
      {R"(RCPT TO:<"Joe\,Smith"@b>)", R"(RCPT TO:<"Joe,Smith"@b>)"},
      {R"(RCPT TO:<"alice"@b>)", "RCPT TO:<alice@b>"},  // all forms of one local part are equal
      {R"(RCPT TO:<"al\ice"@b>)", "RCPT TO:<alice@b>"},
      {R"(RCPT TO:<"a b"@b>)", R"(RCPT TO:<"a b"@b>)"},
      {R"(RCPT TO:<"a\"b\\"@b>)", R"(RCPT TO:<"a\"b\\"@b>)"},
      {R"(RCPT TO:<"a@b>c"@d>)", R"(RCPT TO:<"a@b>c"@d>)"},
      {R"(RCPT TO:<""@b>)", R"(RCPT TO:<""@b>)"},
      {R"(RCPT TO:<!#$%&'*+-/=?^_`{|}~@b>)", R"(RCPT TO:<!#$%&'*+-/=?^_`{|}~@b>)"},
      {"RCPT TO:<a.b.c@b>", "RCPT TO:<a.b.c@b>"},
      {"RCPT TO:<.a@b>", "malformed"},
      {"RCPT TO:<a.@b>", "malformed"},
      {"RCPT TO:<a..b@b>", "malformed"},
      {"RCPT TO:<a b@c>", "malformed"},
      {"RCPT TO:<@b>", "malformed"},
      {R"(RCPT TO:<"a@b>)", "malformed"},
      {R"(RCPT TO:<"a"b@c>)", "malformed"},
      {"RCPT TO:<" + std::string(64, 'x') + "@b>", "RCPT TO:<" + std::string(64, 'x') + "@b>"},
      {"RCPT TO:<" + std::string(257, 'x') + "@b>", "too_large"},
  });
}

TEST_CASE("smtp grammar: domains and address literals (RFC 5321 §4.1.2, §4.1.3)") {
  const std::string label(63, 'x');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'x') + ".x";
  check({
      {"MAIL FROM:<a@b-c.d>", "MAIL FROM:<a@b-c.d>"},
      {"MAIL FROM:<a@1.2>", "MAIL FROM:<a@1.2>"},
      {"MAIL FROM:<a@-b>", "malformed"},
      {"MAIL FROM:<a@b->", "malformed"},
      {"MAIL FROM:<a@b..c>", "malformed"},
      {"MAIL FROM:<a@b.>", "malformed"},
      {"MAIL FROM:<a@b_c>", "malformed"},
      {"MAIL FROM:<a@>", "malformed"},
      {"MAIL FROM:<a>", "malformed"},
      {"MAIL FROM:<a@" + longest + ">", "MAIL FROM:<a@" + longest + ">"},
      {"MAIL FROM:<a@" + longest + "x>", "too_large"},
      {"MAIL FROM:<a@" + label + "x>", "malformed"},
      {"MAIL FROM:<a@[123.255.37.2]>", "MAIL FROM:<a@[123.255.37.2]>"},
      {"MAIL FROM:<a@[123.256.37.2]>", "malformed"},
      {"MAIL FROM:<a@[1.2.3]>", "malformed"},
      {"MAIL FROM:<a@[1.2.3.4.5]>", "malformed"},
      {"MAIL FROM:<a@[IPv6:2001:db8::1]>", "MAIL FROM:<a@[IPv6:2001:db8::1]>"},
      {"MAIL FROM:<a@[IPv6:::ffff:192.0.2.1]>", "MAIL FROM:<a@[IPv6:::ffff:192.0.2.1]>"},
      {"MAIL FROM:<a@[IPv6:1:2]>", "malformed"},
      {"MAIL FROM:<a@[2001:db8::1]>",
       "MAIL FROM:<a@[2001:db8::1]>"},  // a General-address-literal by its grammar
      {"MAIL FROM:<a@[tag:x[y]>", "malformed"},
      {"MAIL FROM:<a@[tag:]>", "malformed"},
      {"MAIL FROM:<a@[1.2.3.4>", "malformed"},
  });
}

TEST_CASE("smtp grammar: paths (RFC 5321 §4.1.2)") {
  check({
      {"MAIL FROM:a@b", "malformed"},
      {"MAIL FROM:<a@b", "malformed"},
      {"MAIL FROM:<a@b>x", "malformed"},
      {"MAIL <a@b>", "malformed"},
      {"MAIL", "malformed"},
      {"RCPT TO:<>", "malformed"},
      {"RCPT FROM:<a@b>", "malformed"},
      {"MAIL FROM:<@a:b@c>", "MAIL FROM:<b@c>"},
      {"MAIL FROM:<@a,b@c>", "malformed"},
      {"MAIL FROM:<@a,@b@c>", "malformed"},
      {"MAIL FROM:<@:b@c>", "malformed"},
  });
}

TEST_CASE("smtp grammar: Postmaster needs no domain, in any case (RFC 5321 §4.1.1.3)") {
  check({
      {"RCPT TO:<Postmaster>", "RCPT TO:<Postmaster>"},
      {"RCPT TO:<postMASTER>", "RCPT TO:<Postmaster>"},
      {"RCPT TO:<postmaster@b>", "RCPT TO:<postmaster@b>"},
      {"RCPT TO:<abuse>", "malformed"},
      {"MAIL FROM:<postmaster>", "malformed"},
  });
}

TEST_CASE("smtp grammar: the parameters of MAIL (RFC 1870, 6152, 6531, 4954)") {
  check({
      {"MAIL FROM:<a@b> SIZE=0", "MAIL FROM:<a@b> SIZE=0"},
      {"MAIL FROM:<> BODY=8BITMIME  SIZE=12", "MAIL FROM:<> SIZE=12 BODY=8BITMIME"},
      {"MAIL FROM:<a@b> body=7bit", "MAIL FROM:<a@b> BODY=7BIT"},
      {"MAIL FROM:<a@b> SMTPUTF8", "MAIL FROM:<a@b> SMTPUTF8"},
      {"MAIL FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com",  // RFC 4954 §5.1
       "MAIL FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com"},
      {"MAIL FROM:<john+@example.org> AUTH=<>", "MAIL FROM:<john+@example.org> AUTH=<>"},
      {"MAIL FROM:<a@b> AUTH=x+3", "malformed"},
      {"MAIL FROM:<a@b> AUTH=x+3d", "malformed"},  // RFC 3461 §4: upper case
      {"MAIL FROM:<a@b> AUTH", "malformed"},
      {"MAIL FROM:<a@b> SMTPUTF8=x", "malformed"},
      {"MAIL FROM:<a@b> SIZE", "malformed"},
      {"MAIL FROM:<a@b> SIZE=", "malformed"},
      {"MAIL FROM:<a@b> SIZE=-1", "malformed"},
      {"MAIL FROM:<a@b> SIZE=1 SIZE=1", "malformed"},
      {"MAIL FROM:<a@b> =1", "malformed"},
      {"MAIL FROM:<a@b> SIZE=100000000000000000000", "too_large"},
      {"MAIL FROM:<a@b> BODY=BINARYMIME", "unavailable"},
      {"MAIL FROM:<a@b> RET=FULL", "unavailable"},
      {"MAIL FROM:<a@b> X", "unavailable"},
      {"RCPT TO:<a@b> NOTIFY=NEVER", "unavailable"},
      {"RCPT TO:<Postmaster> X=1", "unavailable"},
  });
  const auto largest = parse_command("MAIL FROM:<> SIZE=99999999999999999999");
  REQUIRE(largest);
  CHECK(std::get<Mail>(*largest).size == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("smtp grammar: addresses in UTF-8 (RFC 6531 §3.3)") {
  check({
      {"MAIL FROM:<jürgen@bücher.example> SMTPUTF8", "MAIL FROM:<jürgen@bücher.example> SMTPUTF8"},
      {"RCPT TO:<\"jürgen x\"@b>", "RCPT TO:<\"jürgen x\"@b>"},
      {"RCPT TO:<j\xfcrgen@b>", "malformed"},
      {"RCPT TO:<a@b\xfc>", "malformed"},
      {"RCPT TO:<\"\\\xc3\xbc\"@b>", "malformed"},  // a quoted-pair is ASCII
  });
  const auto command = parse_command("RCPT TO:<jürgen@b>");
  REQUIRE(command);
  CHECK_FALSE(std::get<Rcpt>(*command).forward_path.is_ascii());
}

TEST_CASE("smtp grammar: no argument where none is allowed (RFC 5321 §4.1.1)") {
  check({{"DATA x", "malformed"},
         {"RSET x", "malformed"},
         {"QUIT x", "malformed"},
         {"STARTTLS x", "malformed"}});
}

TEST_CASE("smtp grammar: VRFY and EXPN with SMTPUTF8 (RFC 6531 §3.7.4.2)") {
  check({
      {"VRFY jürgen smtputf8", "VRFY jürgen SMTPUTF8"},
      {"VRFY SMTPUTF8", "VRFY SMTPUTF8"},
      {"VRFY", "malformed"},
      {"EXPN", "malformed"},
  });
  const auto plain = parse_command("VRFY SMTPUTF8");
  REQUIRE(plain);
  CHECK_FALSE(std::get<Vrfy>(*plain).smtp_utf8);
}

TEST_CASE("smtp grammar: AUTH (RFC 4954 §4)") {
  check({
      {"AUTH PLAIN", "AUTH PLAIN"},
      {"auth plain dGVzdAB0ZXN0ADEyMzQ=", "AUTH plain dGVzdAB0ZXN0ADEyMzQ="},
      {"AUTH EXTERNAL =", "AUTH EXTERNAL ="},
      {"AUTH", "malformed"},
      {"AUTH PLAIN a b", "malformed"},
  });
}

TEST_CASE("smtp grammar: SEND, SOML, SAML and TURN are known (RFC 5321 Appendix F), others not") {
  check({
      {"SEND FROM:<a@b>", "SEND"},
      {"soml FROM:<a@b>", "SOML"},
      {"SAML FROM:<a@b>", "SAML"},
      {"TURN", "TURN"},
      {"BDAT 1", "not_found"},
      {"", "not_found"},
      {"GET / HTTP/1.1", "not_found"},
      {"MAILFROM:<a@b>", "not_found"},
      {"NO\rOP", "malformed"},
      {std::string("NOOP \0", 6), "malformed"},
  });
}

}  // namespace
}  // namespace posthorn::smtp

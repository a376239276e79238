#include "base/log.h"

#include <doctest/doctest.h>

using namespace posthorn;

TEST_CASE("a text line has plain values bare and others quoted") {
  CHECK(format_event(LogFormat::text, "smtp.accepted", "a1",
                     {{"from", "x@example.org"}, {"size", 12}, {"helo", "a b"}, {"empty", ""}}) ==
        R"(smtp.accepted session=a1 from=x@example.org size=12 helo="a b" empty="")");
}

TEST_CASE("what a peer sent cannot break out of its line, its quotes or the terminal") {
  const std::string line =
      format_event(LogFormat::text, "smtp.helo", "",
                   {{"helo", std::string_view("x\r\nsmtp.accepted \"\\\x1b[2J\0\xff", 25)}});
  CHECK(line == R"(smtp.helo helo="x\x0d\x0asmtp.accepted \"\\\x1b[2J\x00\xff")");
  const std::string json = format_event(LogFormat::json, "e", "s", {{"k", "a\"b\n"}});
  CHECK(json == R"("event":"e","session":"s","k":"a\"b\u000a")");
}

TEST_CASE("numbers are numbers in JSON") {
  CHECK(format_event(LogFormat::json, "e", "",
                     {{"size", 12}, {"change", -1L}, {"text", "12"}, {"done", true}}) ==
        R"("event":"e","size":12,"change":-1,"text":"12","done":"yes")");
}

TEST_CASE("a long value is cut") {
  const std::string line = format_event(LogFormat::text, "e", "", {{"k", std::string(100'000, 'x')}});
  CHECK(line.size() < Log::value_limit + 20);
  CHECK(line.ends_with("...\""));
}

TEST_CASE("levels below the configured one are silent") {
  const Log log(LogLevel::warning, LogFormat::text);
  CHECK_FALSE(log.enabled(LogLevel::info));
  CHECK(log.enabled(LogLevel::warning));
  CHECK(log.enabled(LogLevel::error));
}

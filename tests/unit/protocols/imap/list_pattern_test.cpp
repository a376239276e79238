#include "protocols/imap/list_pattern.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace posthorn::imap;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("imap: which names a LIST pattern matches (RFC 3501 §6.3.8)") {
  struct {
    std::string_view reference, pattern, name;
    bool matches;
  } const cases[] = {
      {"", "*", "INBOX", true},
      {"", "*", "foo/bar", true},
      {"", "%", "foo", true},
      {"", "%", "foo/bar", false},
      {"", "%/%", "foo/bar", true},
      {"", "%/%", "foo", false},
      {"", "%/%", "foo/bar/baz", false},
      {"", "foo", "foo", true},
      {"", "foo", "Foo", false},
      {"", "foo", "foobar", false},
      {"", "foo*", "foo", true},
      {"", "foo*", "foo/bar", true},
      {"", "foo%", "foo/bar", false},
      {"", "*bar", "foo/bar", true},
      {"", "%bar", "foo/bar", false},
      {"", "f*/%/x", "f/a/b/x", true},
      {"", "%%%", "foo", true},
      {"", "%*%", "foo/bar", true},
      {"", "%a%b%/*c", "xaybz/q/c", true},
      {"", "*a%", "a/ab", true},
      {"", "%o*r", "foo/bar", true},
      {"", "", "foo", false},
      {"", "", "", true},
      {"foo/", "%", "foo/bar", true},
      {"foo", "%", "foobar", true},
      {"foo*", "%x", "foo/x", true},
      {"foo/", "%", "foo/bar/baz", false},
      {"", "inbox", "INBOX", true},
      {"", "InB%", "INBOX", true},
      {"", "inbox/%", "INBOX/x", true},
      {"", "inbox/X", "INBOX/x", false},
      {"", "inboxes", "INBOXES", false},
      {"", "*inbox", "work/INBOX", false},
      {"", "\u53f0%", "\u53f0\u5317", true},
  };
  for (const auto& [reference, pattern, name, matches] : cases) {
    CAPTURE(reference);
    CAPTURE(pattern);
    CAPTURE(name);
    CHECK(ListPattern(reference, pattern).matches(name) == matches);
  }
}

TEST_CASE("imap: no pattern makes a match slow, however many wildcards it has") {
  const std::string name = repeated("a", 1000);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(ListPattern("", repeated("*a", 900) + "b").matches(name));
  CHECK_FALSE(ListPattern("", repeated("%a", 900) + "b").matches(name));
  CHECK_FALSE(ListPattern("", repeated("*a%a", 450) + "b").matches(name));
  CHECK_FALSE(ListPattern("", repeated("*a", 30'000)).matches(name));
  CHECK(ListPattern("", repeated("*%", 30'000)).matches(name));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

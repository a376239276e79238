#include "protocols/imap/catenate_url.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

namespace {

std::string reprinted(std::string_view url) {
  const auto parsed = parse_message_url(url);
  if (!parsed) return "refused: " + parsed.error().detail;
  const std::string printed = to_string(*parsed);
  CHECK(parse_message_url(printed) == *parsed);
  return printed;
}

}  // namespace

TEST_CASE("imap: URLs of messages and their parts (RFC 5092 §6, §11; RFC 4469 §3)") {
  struct {
    std::string_view url;
    std::string_view printed;
  } const cases[] = {
      {"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER",
       "/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=HEADER"},
      {"/INBOX/;UID=785799047/;SECTION=11.5.3", "/INBOX/;UID=785799047/;SECTION=11.5.3"},
      {"/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024",
       "/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024"},
      {"/inbox/;uid=1", "/INBOX/;UID=1"},
      {"/a/b/;UID=1/;PARTIAL=7", "/a/b/;UID=1/;PARTIAL=7"},
      {"/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/;UID=1", "/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/;UID=1"},
      {"/Sent%20Items%3B%2f/;UID=1", "/Sent%20Items%3B//;UID=1"},
      {"/a%2Fb/;UID=1", "/a/b/;UID=1"},
      {"/%2Fa/;UID=1", "/%2Fa/;UID=1"},
      {"/a/%2E%2E/b/;UID=1", "/a%2F..%2Fb/;UID=1"},
      {"/%2e/;UID=1", "/%2E/;UID=1"},
      {"/R&D/;UID=1", "/R&D/;UID=1"},
      {"/x/;UID=1/;SECTION=2.HEADER.FIELDS%20(From%20%22a%20b%22)",
       "/x/;UID=1/;SECTION=2.HEADER.FIELDS%20(From%20%22a%20b%22)"},
      {"/x/;UID=1/;SECTION=1.MIME/;PARTIAL=9.1", "/x/;UID=1/;SECTION=1.MIME/;PARTIAL=9.1"},
  };
  for (const auto& [url, printed] : cases) {
    CAPTURE(url);
    CHECK(reprinted(url) == printed);
  }
  const auto url = parse_message_url("/Entw%C3%BCrfe;UIDVALIDITY=5/;UID=7/;SECTION=1.2/;PARTIAL=3.4");
  REQUIRE(url.has_value());
  CHECK(*url == MessageUrl{"Entw\xc3\xbcrfe", 5, 7, Section{.part = {1, 2}}, MessageUrl::Range{3, 4}});
}

TEST_CASE("imap: URLs that name no message of this server are refused (RFC 4469 §3, RFC 5092 §7)") {
  for (const std::string_view url : {"",
                                     "/",
                                     "//host/INBOX/;UID=1",
                                     "imap://host/INBOX/;UID=1",
                                     "INBOX/;UID=1",
                                     ";UID=1",
                                     "/;UID=1",
                                     "/INBOX",
                                     "/INBOX;UIDVALIDITY=1",
                                     "/INBOX;UIDVALIDITY=1/",
                                     "/INBOX;UID=1",
                                     "/INBOX/;UID=",
                                     "/INBOX/;UID=0",
                                     "/INBOX/;UID=4294967296",
                                     "/INBOX/;UID=1:2",
                                     "/INBOX/;UID=*",
                                     "/INBOX/;UID=1/",
                                     "/INBOX/;UID=1x",
                                     "/INBOX;UIDVALIDITY=0/;UID=1",
                                     "/INBOX;UIDVALIDITY=x/;UID=1",
                                     "/INBOX/;UIDVALIDITY=1/;UID=1",
                                     "/INBOX/;UID=1/;SECTION=",
                                     "/INBOX/;UID=1/;SECTION=0",
                                     "/INBOX/;UID=1/;SECTION=NONSENSE",
                                     "/INBOX/;UID=1/;SECTION=1]",
                                     "/INBOX/;UID=1/;SECTION=1%5DTEXT",
                                     "/INBOX/;UID=1/;PARTIAL=",
                                     "/INBOX/;UID=1/;PARTIAL=1.0",
                                     "/INBOX/;UID=1/;PARTIAL=1.2.3",
                                     "/INBOX/;UID=1/;PARTIAL=0/;SECTION=1",
                                     "/INBOX?SUBJECT%20x",
                                     "/INBOX/;UID=1?x",
                                     "/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:00",
                                     "/INBOX/;UID=1;EXPIRE=2030-01-01T00:00:00Z;URLAUTH=anonymous",
                                     "/a b/;UID=1",
                                     "/a%/;UID=1",
                                     "/a%2/;UID=1",
                                     "/a%zz/;UID=1",
                                     "/a%00/;UID=1",
                                     "/\xc3\xbc/;UID=1",
                                     "/a/../b/;UID=1",
                                     "/./a/;UID=1",
                                     "/a#b/;UID=1",
                                     "/a\"b/;UID=1"}) {
    CAPTURE(url);
    const auto parsed = parse_message_url(url);
    CHECK_FALSE(parsed.has_value());
    if (!parsed) CHECK(parsed.error().code == Errc::malformed);
  }
  // What is decoded has to be a name.
  CHECK(parse_message_url("/a%FF/;UID=1").error().code == Errc::not_allowed);
  CHECK(parse_message_url("/a%0D/;UID=1").error().code == Errc::not_allowed);
}

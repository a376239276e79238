#include "message/thread_links.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::message;

namespace {

ThreadLinks links(std::string_view header) {
  const ThreadLinks of_message = thread_links(parse_summary(header));
  const auto again = decode_thread_links(encode_thread_links(of_message));
  REQUIRE(again);
  CHECK(*again == of_message);
  return of_message;
}

}  // namespace

TEST_CASE("thread links: ids whatever their quoting, case kept (RFC 5256 §3)") {
  const auto id = [](std::string_view text) {
    return links("Message-ID: " + std::string(text) + "\r\n\r\n").message_id;
  };
  CHECK(id("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>") == id("<01KF8JCEOCBS0045PS@xxx.yyy.com>"));
  CHECK(id("<a@b>") != id("<A@b>"));
  CHECK_FALSE(links("X: y\r\n\r\n").message_id);
}

TEST_CASE("thread links: References, else the first of In-Reply-To (RFC 5256 §3)") {
  const auto ids = links("References: <a@b> <c@d>\r\n\r\n").ancestors;
  REQUIRE(ids.size() == 2);
  CHECK(links("Message-ID: <a@b>\r\n\r\n").message_id == ids.front());
  CHECK(links("In-Reply-To: <c@d> <e@f>\r\n\r\n").ancestors == std::vector{ids.back()});
  CHECK(links("References: <c@d>\r\nIn-Reply-To: <e@f>\r\n\r\n").ancestors == std::vector{ids.back()});
  CHECK(links("References: none\r\nIn-Reply-To: <c@d>\r\n\r\n").ancestors == std::vector{ids.back()});
}

TEST_CASE("thread links: the base subject in any case, and whether it is a reply's (RFC 5256 §2.1, §3)") {
  const ThreadLinks plain = links("Subject: =?utf-8?q?=C3=84pfel?=\r\n\r\n");
  const ThreadLinks reply = links("Subject: Re: =?utf-8?q?=C3=A4PFEL?=\r\n\r\n");
  CHECK(plain.subject == reply.subject);
  CHECK(plain.subject != 0);
  CHECK_FALSE(plain.is_reply_or_forward);
  CHECK(reply.is_reply_or_forward);
  CHECK(links("Subject: Re:\r\n\r\n").subject == 0);
  CHECK(links("X: y\r\n\r\n").subject == 0);
}

TEST_CASE("thread links: what was not encoded so is refused") {
  const std::string good = encode_thread_links(links(
      "Message-ID: <a@b>\r\nReferences: <c@d>\r\nSubject: x\r\nDate: 31 Dec 2000 16:01:33 -0800\r\n\r\n"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(decode_thread_links(good.substr(0, size)).error().code == Errc::corrupt);
  }
  CHECK_FALSE(decode_thread_links(good + "x"));
  CHECK_FALSE(decode_thread_links("\x02" + good.substr(1)));
}

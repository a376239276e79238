#include "message/thread_references.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

using Ids = std::vector<std::string>;

ThreadReferences of(std::string_view header) { return thread_references(parse_summary(header)); }

std::string repeated(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

}  // namespace

TEST_CASE("msg-ids: one form for all ways to write one (RFC 5256 §3, RFC 5322 §3.6.4)") {
  struct Case {
    std::string_view value;
    Ids ids;
  };
  for (const auto& [value, ids] : std::initializer_list<Case>{
           {"", {}},
           {"<a@b>", {"a@b"}},
           {" <a@b>\r\n\t<c@d><e@f>, <g@h>", {"a@b", "c@d", "e@f", "g@h"}},
           // RFC 5256 §3's own example.
           {"<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", {"01KF8JCEOCBS0045PS@xxx.yyy.com"}},
           {"<01KF8JCEOCBS0045PS@xxx.yyy.com>", {"01KF8JCEOCBS0045PS@xxx.yyy.com"}},
           {R"(<"a\b\"c>"@d> <e@f>)", {"ab\"c>@d", "e@f"}},
           {"<a@[192.0.2.1]>", {"a@[192.0.2.1]"}},
           {"<A@b> <a@B>", {"A@b", "a@B"}},
           // RFC 5322 §A.6.3: obsolete white space and comments.
           {"<1234   @   local(blah)  .machine .example>", {"1234@local.machine.example"}},
           {"<a(1)@b>", {"a(1)@b"}},
           // RFC 822's phrases; comments.
           {"Your message of \"Mon <x@y>\" (or <z@y> (or)) <a@b>", {"a@b"}},
           {"<a@b> (unended <c@d>", {"a@b", "c@d"}},
           {"\"unended <c@d>", {"c@d"}},
           {R"(\ "a\" <c@d>)", {"c@d"}},
           // Broken.
           {"<>", {}},
           {"< >", {}},
           {"<a@b\r\n c>", {"a@bc"}},
           {"<a@b <c@d>", {"a@b", "c@d"}},
           {"<a@b", {"a@b"}},
           {"<<a@b>>", {"a@b"}},
           {"<a>", {"a"}},
           {"<\"a>", {"\"a"}},
           {"<\"a\">", {"\"a\""}},
           {"<\"\"@b>", {"@b"}},
           {"a@b", {"a@b"}},
           {"a@b, c d@e", {"a@b", "d@e"}},
           {"none", {}},
           {"<\xc3\xa4@b>", {"\xc3\xa4@b"}},
           {"=?utf-8?Q?=3Ca=40b=3E?= =?utf-8?Q?_=3Cc=40d=3E?=", {"a@b", "c@d"}},
       }) {
    CAPTURE(value);
    CHECK(parse_message_ids(value) == ids);
  }
  CHECK(parse_message_ids("<" + std::string(996, 'a') + "@b>").size() == 1);
  CHECK(parse_message_ids("<" + std::string(997, 'a') + "@b> <c@d>") == Ids{"c@d"});
}

TEST_CASE("references: References before the first of In-Reply-To (RFC 5256 §3)") {
  const auto reply =
      of("Message-ID: <c@x>\r\nIn-Reply-To: <b@x> <mail@x>\r\nReferences: <a@x>\r\n <b@x>\r\n\r\n");
  CHECK(reply.message_id == "c@x");
  CHECK(reply.in_reply_to == Ids{"b@x", "mail@x"});
  CHECK(reply.references == Ids{"a@x", "b@x"});
  CHECK(reply.ancestors() == Ids{"a@x", "b@x"});
  CHECK(of("In-Reply-To: <b@x> <mail@x>\r\nReferences: none\r\n\r\n").ancestors() == Ids{"b@x"});
  CHECK(of("In-Reply-To: <b@x>\r\n\r\n").ancestors() == Ids{"b@x"});
  CHECK(of("Subject: x\r\n\r\n") == ThreadReferences{});
}

TEST_CASE("references: each once, the parent last, never the message itself (RFC 5256 §3, step 1)") {
  CHECK(of("References: <a@x> <b@x> <a@x> <c@x>\r\n\r\n").references == Ids{"a@x", "b@x", "c@x"});
  CHECK(of("References: <a@x> <b@x> <a@x>\r\n\r\n").references == Ids{"b@x", "a@x"});
  CHECK(of("Message-ID: <b@x>\r\nReferences: <a@x> <b@x> <c@x> <b@x> <b@x>\r\n\r\n").references ==
        Ids{"a@x", "c@x"});
  CHECK(of("Message-ID: <b@x>\r\nReferences: <b@x>\r\nIn-Reply-To: <a@x>\r\n\r\n").ancestors() == Ids{"a@x"});
}

TEST_CASE("references: of many, the first and the last are kept") {
  std::string header = "References:";
  for (int i = 0; i < 1000; ++i) header += " <" + std::to_string(i) + "@x>\r\n";
  const auto references = of(header + "\r\n").references;
  REQUIRE(references.size() == first_references_kept + last_references_kept);
  CHECK(references[first_references_kept - 1] == std::to_string(first_references_kept - 1) + "@x");
  CHECK(references[first_references_kept] == std::to_string(1000 - last_references_kept) + "@x");
  CHECK(references.back() == "999@x");
}

TEST_CASE("references: linear time, however long and broken") {
  constexpr std::size_t much = 128 * 1024;
  for (const std::string_view piece : {"<", ">", "\"", "(", ")", "<\"", "<\">", "<\"\\\"", "<(", "<@(", "\\",
                                       "<a@b>", "a@b ", "=?", "<\"a\"@", "(\\", "\\\"", "@", ","}) {
    CAPTURE(piece);
    const auto value = repeated(piece, much);
    std::size_t size = 0;
    for (const auto& id : parse_message_ids(value)) size += id.size();
    for (const auto& id : parse_message_ids("<" + value)) size += id.size();
    for (const auto& id : parse_message_ids("<a@" + value)) size += id.size();
    CHECK(size <= 4 * much);
  }
}

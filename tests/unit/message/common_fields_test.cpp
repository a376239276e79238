#include "message/common_fields.h"

#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace posthorn;
using namespace posthorn::message;

namespace {

// What Thunderbird asks for when it opens a folder.
const std::vector<std::string> thunderbird{"From",         "To",         "Cc",         "Bcc",
                                           "Subject",      "Date",       "Message-ID", "Priority",
                                           "X-Priority",   "References", "Newsgroups", "In-Reply-To",
                                           "Content-Type", "Reply-To",   "Received"};

std::string kept_of(std::string_view message, const std::vector<std::string>& names) {
  const auto summary = parse_summary(message);
  REQUIRE(summary.common_fields);
  std::string out;
  REQUIRE(append_common_fields(*summary.common_fields, *common_field_set(names), out));
  CHECK(common_fields_size(*summary.common_fields, *common_field_set(names)) == out.size());
  return out;
}

}  // namespace

TEST_CASE("the fields that were kept answer HEADER.FIELDS as the header does (RFC 3501 §6.4.5)") {
  const std::string message = wire_form(
      "Received: from a\nSubject: one\n two\nfrom : A <a@x>\nX-Other: y\nSUBJECT: again\nTo:\n\nbody\n");
  CHECK(kept_of(message, {"subject"}) == "Subject: one\r\n two\r\nSUBJECT: again\r\n\r\n");
  CHECK(kept_of(message, {"From", "To"}) == "from : A <a@x>\r\nTo:\r\n\r\n");
  CHECK(kept_of(message, {"Date"}) == "\r\n");
  CHECK(kept_of("Subject: without a blank line\r\n", {"Subject"}) == "Subject: without a blank line\r\n");
  CHECK(kept_of("", {"Subject"}) == "");
}

TEST_CASE("fields that are not kept are told apart") {
  CHECK(common_field_set(thunderbird));
  CHECK_FALSE(common_field_set(std::vector<std::string>{"Subject", "DKIM-Signature"}));
  CHECK(common_field_set({})->none());
}

TEST_CASE("headers that are too long, or have a CR of their own, are not kept") {
  const std::string fields = "Subject: " + std::string(4000, 'x') + "\r\n";
  CHECK(parse_summary(fields + "\r\n").common_fields);
  CHECK_FALSE(parse_summary(fields + fields + "\r\n").common_fields);
  CHECK_FALSE(parse_summary("Subject: a\rb\r\n\r\n").common_fields);
  Limits cut;
  cut.header_bytes = 20;
  CHECK_FALSE(
      parse_summary("X: 123456789012345678\r\nSubject: a\r\n\r\n", LineEnds::crlf, cut).common_fields);
}

TEST_CASE("long Received fields are left out, and whoever asks for them is told so") {
  const std::string received = "Received: " + std::string(1000, 'x') + "\n";
  const auto answers = [](const std::string& block, const std::vector<std::string>& names) {
    std::string out;
    const bool is_there =
        append_common_fields(*keep_common_fields(block, true), *common_field_set(names), out);
    return is_there ? out : "not kept" + out;
  };
  const std::string few = received + "Subject: s\n";
  const std::string many = received + received + received + received + few;
  CHECK(answers(few, {"Received", "Subject"}) == wire_form(few) + "\r\n");
  CHECK(answers(many, {"Subject"}) == "Subject: s\r\n\r\n");
  CHECK(answers(many, {"Subject", "Received"}) == "not kept");
  CHECK(answers("Received: " + std::string(100'000, 'x') + "\n", {"Subject"}) == "\r\n");
}

TEST_CASE("octets that were never kept are refused, and nothing is appended") {
  const auto all = *common_field_set(thunderbird);
  const std::string kept = *keep_common_fields("From: a@x\nSubject: s\n", true);
  std::string out = "before";
  for (std::size_t size = 0; size < kept.size(); ++size) {
    const bool whole = append_common_fields(std::string_view(kept).substr(0, size), all, out);
    if (!whole) CHECK(out == "before");
    out = "before";
  }
  CHECK_FALSE(append_common_fields("\xff", all, out));
  CHECK_FALSE(append_common_fields(kept + "x", all, out));
  CHECK(out == "before");
}

TEST_CASE("real and broken messages: what was kept agrees with their headers") {
  const std::filesystem::path corpus = "tests/corpus/message_structure";
  REQUIRE(std::filesystem::exists(corpus));
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::string wire = wire_form(bytes);
    const auto summary = parse_summary(wire);
    CHECK_MESSAGE(kept_fields_agree(summary, wire, thunderbird), entry.path());
    if (summary.common_fields) ++kept;
  }
  CHECK(kept > 0);
}

#include "message/header.h"
#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

using namespace posthorn::message;

namespace {

constexpr std::size_t much = 1024 * 1024;

std::string repeated(std::string_view piece, std::size_t size = much) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

// Parses; a quadratic parser would need minutes for any of these.
void check(const std::string& message) {
  const auto summary = parse_summary(message);
  CHECK(broken_promise(summary, message.size()) == "");
  CHECK(parse_in_chunks(message, 4096, LineEnds::crlf) == summary);
}

}  // namespace

TEST_CASE("hostile: many delimiters, many parts") {
  const std::string header = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  check(header + repeated("--b\r\n"));
  check(header + repeated("--b\r\n\r\n"));
  check(header + repeated("--b--\r\n"));
  check(header + repeated("--b\r\nContent-Type: message/rfc822\r\n\r\n"));
  check(header + repeated("--\r\n"));
  check(header + repeated("--b\r\nContent-Type: multipart/mixed\r\n\r\n"));
  check("Content-Type: multipart/digest; boundary=b\r\n\r\n" + repeated("--b\r\n"));
}

TEST_CASE("hostile: nesting bombs of messages and multiparts") {
  check(repeated("Content-Type: message/rfc822\r\n\r\n"));
  check(repeated("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"));
  std::string message;
  for (int i = 0; message.size() < much; ++i) {
    const auto boundary = std::to_string(i);
    message += "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  check(message);
  for (int i = 0; i < 20'000; ++i) message += "--" + std::to_string(20'000 - i) + "--\r\n";
  check(message);
}

TEST_CASE("hostile: long boundaries that are nearly alike, at all depths, and lines that nearly match") {
  std::string message;
  const std::string common(500, 'b');
  for (int i = 0; i < 99; ++i) {
    const auto boundary = common + std::to_string(100 + i);
    message += "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  check(message + "\r\n" + repeated("--" + common + "xyz\r\n"));
}

TEST_CASE("hostile: headers of many fields, one field, no field, one line") {
  for (const std::string_view piece :
       {"a:\r\n", "To: a@b\r\n", "Subject: x\r\n", "\tx\r\n", "x\r\n", "Content-Type: text/plain\r\n", "x",
        ":", "To:<\r\n", "\r", "Content-Disposition: a; b=c\r\n", "Content-Language: de\r\n"}) {
    const auto header = repeated(piece);
    CAPTURE(piece);
    check(header);
    check("To:" + header);
    check("Content-Type: text/plain;" + header);
    const std::vector<std::string> names(1000, "to");
    CHECK(filter_fields(header, names, FieldFilter::except).size() <= 2 * header.size());
  }
  check("Subject: x\r\n\r\n" + repeated("x"));
  check("Subject: x\r\n\r\n" + repeated("\n"));
  check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" + repeated(" ") + "\r\n\r\nx\r\n");
}

TEST_CASE("hostile: what a summary keeps is bounded, however much text the headers have") {
  std::string part = "--b\r\nContent-Type: text/plain";
  while (part.size() < 10'000) part += "; a=" + std::string(100, 'x');
  part += "\r\n\r\n";
  const auto message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + repeated(part, 20 * much);
  const auto summary = parse_summary(message);
  CHECK(summary.root.children.size() > 1000);
  CHECK(encode(summary).size() < 5 * much);
}

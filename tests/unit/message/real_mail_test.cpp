#include "message/text.h"
#include "tests/unit/message/summary_check.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace posthorn::message;

namespace {

constexpr const char* folder = "../shared/mail";

std::vector<std::filesystem::path> real_mail() {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) {
    std::printf("skipped: no real mail at %s\n", folder);
    return files;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("real and broken mail: the summary is sound and does not depend on chunks") {
  for (const auto& path : real_mail()) {
    CAPTURE(path.string());
    const auto bytes = content_of(path);
    const auto wire = wire_form(bytes);
    const auto summary = parse_summary(wire);
    CHECK(broken_promise(summary, wire.size()) == "");
    CHECK(parse_summary(bytes, LineEnds::lf) == summary);
    for (const std::size_t size : {1, 7, 64, 1000, 4096})
      CHECK(parse_in_chunks(wire, size, LineEnds::crlf) == summary);
    for (unsigned seed = 1; seed <= 5; ++seed) {
      CHECK(parse_in_random_chunks(wire, seed, 200, LineEnds::crlf) == summary);
      CHECK(parse_in_random_chunks(bytes, seed, 200, LineEnds::lf) == summary);
    }
    // The bytes as they are too: CRLF rules on files with bare LF.
    CHECK(broken_promise(parse_summary(bytes), bytes.size()) == "");
  }
}

TEST_CASE("real and broken mail: all text can be read for a search") {
  for (const auto& path : real_mail()) {
    CAPTURE(path.string());
    const auto wire = wire_form(content_of(path));
    const auto summary = parse_summary(wire);
    const std::vector<std::string> keys = {"", "surely not in there \xe2\x82\xac"};
    CHECK(search_text(summary, wire, TextScope::message, keys) == std::vector<bool>{true, false});
  }
}

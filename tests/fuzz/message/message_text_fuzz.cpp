// Text for searches is UTF-8, does not depend on chunks, and is found again; charsets convert alike in
// chunks.
#include "message/charset.h"
#include "message/text.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn::message;

namespace {

std::string extracted(const TextRange& range, std::string_view bytes, std::size_t chunk) {
  TextExtractor extractor(range);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) extractor.feed(bytes.substr(at, chunk), out);
  extractor.finish(out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = as_text(data, size);
  const auto summary = parse_summary(bytes);
  for (const auto& range : text_ranges(summary, TextScope::message)) {
    const auto part = bytes.substr(range.offset, range.size);
    const auto whole = extracted(range, part, part.size());
    require(is_valid_utf8(whole), "UTF-8");
    require(extracted(range, part, 1) == whole, "octet by octet");
    require(extracted(range, part, 5) == whole, "in chunks of 5");
  }

  // The first line names a charset, the rest is in it.
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto text = bytes.substr(end + 1);
  auto converter = Utf8Converter::open(bytes.substr(0, end));
  if (!converter) return 0;
  std::string out;
  for (const char c : text) converter->feed(std::string_view(&c, 1), out);
  converter->finish(out);
  require(is_valid_utf8(out), "UTF-8 from a charset");
  require(to_utf8(text, bytes.substr(0, end)) == out, "charset in chunks");
  return 0;
}

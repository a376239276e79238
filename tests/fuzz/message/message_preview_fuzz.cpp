// The preview of any bytes keeps its promises; that of a text is the same when the text comes in pieces.
#include "message/charset.h"
#include "tests/fuzz/message/require.h"
#include "tests/unit/message/preview_check.h"

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = as_text(data, size);
  const auto summary = parse_summary(bytes);
  const auto broken = broken_preview(preview_of(summary, bytes));
  require(broken.empty(), broken);

  const auto utf8 = guess_utf8(bytes);
  PreviewText whole;
  whole.feed(utf8);
  PreviewText pieces;
  for (std::size_t at = 0; at < utf8.size() && !pieces.full();) {
    std::size_t end = at + 1;
    while (end < utf8.size() && (utf8[end] & 0xc0) == 0x80) ++end;
    pieces.feed(std::string_view(utf8).substr(at, end - at));
    at = end;
  }
  const auto preview = whole.finish();
  const auto also_broken = broken_preview(preview);
  require(also_broken.empty(), also_broken);
  require(pieces.finish() == preview, "character by character, until it is full");
  return 0;
}

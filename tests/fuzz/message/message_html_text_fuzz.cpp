// The text of HTML is UTF-8 where the HTML is, grows by little, and does not depend on chunks.
#include "message/charset.h"
#include "message/html_text.h"
#include "tests/fuzz/message/require.h"

#include <algorithm>

using namespace posthorn::message;

namespace {

std::string text_of(std::string_view html, std::size_t chunk) {
  HtmlText reader;
  std::string out;
  for (; !html.empty(); html.remove_prefix(std::min(chunk, html.size())))
    reader.feed(html.substr(0, chunk), out);
  reader.finish(out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto html = guess_utf8(as_text(data, size));
  const auto whole = text_of(html, html.size() + 1);
  require(is_valid_utf8(whole), "UTF-8");
  require(whole.size() <= 4 * html.size() + 3, "size");
  require(text_of(html, 1) == whole, "octet by octet");
  require(text_of(html, 5) == whole, "in chunks of 5");
  return 0;
}

// What is kept of any message for SORT and THREAD is bounded and can be read again; of other octets, what can
// be read is what was written.
#include "message/sort_keys.h"
#include "message/thread_links.h"
#include "tests/fuzz/message/require.h"

#include <string>

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto octets = as_text(data, size);
  const Summary summary = parse_summary(octets);

  const std::string encoded = encode_sort_keys(summary);
  const auto keys = view_sort_keys(encoded);
  require(keys.has_value(), "keys that can be read");
  require(keys->sent.has_value() == summary.date_sent.has_value(), "the date");
  for (const auto text : keys->texts) require(text.size() <= max_sort_text, "bounded");
  static_cast<void>(view_sort_keys(octets));

  const ThreadLinks links = thread_links(summary);
  require(decode_thread_links(encode_thread_links(links)) == links, "links that can be read");
  if (const auto read = decode_thread_links(octets)) {
    require(encode_thread_links(*read) == octets, "one form");
  }
  return 0;
}

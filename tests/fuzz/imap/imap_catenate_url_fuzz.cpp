#include "protocols/imap/catenate_url.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

// What parses, prints; what is printed, parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto url = imap::parse_message_url({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  const std::string printed = imap::to_string(*url);
  const auto again = imap::parse_message_url(printed);
  if (!again || *again != *url || imap::to_string(*again) != printed) std::abort();
  return 0;
}

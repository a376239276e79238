#include "protocols/imap/grammar.h"
#include "protocols/imap/printer.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

// What parses, prints; what is printed, parses to the same. What is refused is refused in words fit for a
// reply.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto command = imap::parse_command(bytes);
  if (!command) {
    for (const char c : command.error().detail) {
      if (c < 0x20 || c > 0x7e) std::abort();
    }
    return 0;
  }
  if (imap::tag_of(bytes) != command->tag) std::abort();
  const std::string printed = imap::to_string(*command);
  const auto again = imap::parse_command(printed);
  if (!again || *again != *command || imap::to_string(*again) != printed) std::abort();
  return 0;
}

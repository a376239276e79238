// What parses, prints; what is printed, parses to the same.
#include "protocols/smtp/grammar.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  const auto command = smtp::parse_command({reinterpret_cast<const char*>(data), size});
  if (!command) return 0;
  const std::string line = smtp::to_string(*command);
  const auto again = smtp::parse_command(line);
  if (!again || again->index() != command->index() || smtp::to_string(*again) != line) std::abort();
  return 0;
}

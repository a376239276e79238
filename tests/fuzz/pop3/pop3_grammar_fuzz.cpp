// What parses, prints; what is printed, parses to the same.
#include "protocols/pop3/grammar.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  const auto command = pop3::parse_command({reinterpret_cast<const char*>(data), size});
  if (!command) return 0;
  const std::string line = pop3::to_string(*command);
  const auto again = pop3::parse_command(line);
  if (!again || again->index() != command->index() || pop3::to_string(*again) != line) std::abort();
  return 0;
}

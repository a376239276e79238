#include "server/config.h"

#include <cstdint>
#include <cstdlib>

using namespace posthorn::server;

// What is taken as a configuration, printed and read again, is the same; what is not, has its reasons.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = parse_settings({reinterpret_cast<const char*>(data), size}, "f.toml");
  for (const std::string& problem : loaded.problems) {
    if (!problem.starts_with("f.toml:")) std::abort();
  }
  if (!loaded.problems.empty()) return 0;
  const std::string printed = print_settings(*loaded.settings);
  const auto again = parse_settings(printed, "f.toml");
  if (!again.problems.empty() || print_settings(*again.settings) != printed) std::abort();
  return 0;
}

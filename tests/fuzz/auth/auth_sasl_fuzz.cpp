// The first octet picks the mechanism, the rest is the client's messages, one a line. An exchange ends after
// a few of them, and credentials name somebody and have a password without NUL.
#include "auth/sasl.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace posthorn::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view messages(reinterpret_cast<const char*>(data), size);
  const auto exchange = start_exchange(messages.front() % 2 == 0 ? "PLAIN" : "LOGIN");
  messages.remove_prefix(1);
  for (int steps = 0;; ++steps) {
    const std::size_t end = messages.find('\n');
    const auto step = (*exchange)->step(messages.substr(0, end));
    if (!step) return 0;
    if (const auto* found = std::get_if<Credentials>(&*step)) {
      if (found->user.empty() || found->password.empty() || found->mechanism.empty()) std::abort();
      if (found->password.find('\0') != std::string::npos) std::abort();
      return 0;
    }
    if (steps >= 2) std::abort();
    if (end == std::string_view::npos) return 0;
    messages.remove_prefix(end + 1);
  }
}

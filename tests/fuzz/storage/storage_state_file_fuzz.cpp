// What parses, prints; what is printed, parses to the same. The first octet chooses the kind of file.
#include "storage/state_file.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::storage;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      if (const auto state = parse_folder_state(text)) {
        if (parse_folder_state(to_string(*state)) != *state) std::abort();
      }
      break;
    case 1:
      if (const auto state = parse_account_state(text)) {
        if (parse_account_state(to_string(*state)) != *state) std::abort();
      }
      break;
    case 2:
      if (const auto keywords = parse_further_keywords(text)) {
        if (parse_further_keywords(to_string(*keywords)) != *keywords) std::abort();
      }
      break;
    default:
      if (const auto names = parse_subscriptions(text)) {
        if (parse_subscriptions(subscriptions_to_string(*names)) != *names) std::abort();
      }
  }
  return 0;
}

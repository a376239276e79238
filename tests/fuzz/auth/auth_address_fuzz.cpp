// An address that parses is canonical: printed, it parses to the same, and it keeps its bounds.
#include "auth/address_name.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace posthorn::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto domain = parse_domain(text)) {
    const auto again = parse_domain(*domain);
    if (!again || *again != *domain || domain->size() > 255) std::abort();
  }
  const auto name = parse_address(text);
  if (!name) return 0;
  if (name->local.empty() || name->local.size() > 256 || name->domain.empty()) std::abort();
  const auto again = parse_address(to_string(*name));
  if (!again || *again != *name) std::abort();
  const std::string_view user = without_tag(name->local);
  if (user.empty() || user.size() > 64 || !name->local.starts_with(user)) std::abort();
  return 0;
}

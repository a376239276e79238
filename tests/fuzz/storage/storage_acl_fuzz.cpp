// A list that parses prints to the same; an identifier's canonical form is its own, and fits on a line of it.
#include "storage/acl.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::storage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto acl = parse_acl(text)) {
    if (parse_acl(to_string(*acl)) != *acl) std::abort();
    for (const Acl::Entry& entry : acl->entries()) {
      if (entry.rights.empty() || parse_rights(to_string(entry.rights)) != entry.rights) std::abort();
    }
  }
  if (const auto change = parse_rights_change(text)) {
    if (!changed({}, *change).without(change->rights).empty()) std::abort();
  }
  if (const auto identifier = canonical_identifier(text, "example.test")) {
    if (canonical_identifier(*identifier, "example.org") != *identifier) std::abort();
    if (identifier->find('\n') != std::string::npos) std::abort();
    Acl acl;
    if (!acl.change(*identifier, {.rights = Rights::all()}, 1)) std::abort();
    if (parse_acl(to_string(acl)) != acl) std::abort();
  }
  return 0;
}

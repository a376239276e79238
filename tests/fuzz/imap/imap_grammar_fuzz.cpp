#include "protocols/imap/grammar.h"
#include "protocols/imap/printer.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

namespace {

// What parses, prints; what is printed, parses to the same. What is refused is refused in words fit for a
// reply.
void check(std::string_view bytes, imap::Dialect dialect) {
  const auto command = imap::parse_command(bytes, dialect);
  const auto cut_off = imap::parse_cut_off(bytes, dialect);
  if (command && (!cut_off || *cut_off != *command)) std::abort();
  if (!cut_off) {
    for (const char c : cut_off.error().detail) {
      if (c < 0x20 || c > 0x7e) std::abort();
    }
    return;
  }
  if (imap::tag_of(bytes) != cut_off->tag) std::abort();
  const std::string printed = imap::to_string(*cut_off, dialect);
  const auto again = imap::parse_command(printed, dialect);
  if (!again || *again != *cut_off || imap::to_string(*again, dialect) != printed) std::abort();
}

}  // namespace

// The same in each dialect, of commands as a whole and of those cut off behind an announcement.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, {});
  check(bytes, {.utf8_accept = true});
  check(bytes, {.rev2 = true});
  return 0;
}

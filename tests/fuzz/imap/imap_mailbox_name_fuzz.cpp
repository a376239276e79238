#include "protocols/imap/mailbox_name.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

// What decodes, encodes to the same bytes where they were US-ASCII, and decodes from those to the same name
// in any case. Plain UTF-8 agrees with that. What encodes, decodes; and is US-ASCII without controls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto name = imap::decode_mailbox_name(bytes);
  if (name) {
    const std::string wire = imap::encode_mailbox_name(*name);
    const bool is_ascii = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0; });
    if (is_ascii && wire != bytes) std::abort();
    if (imap::decode_mailbox_name(wire) != *name) std::abort();
  }

  const std::string wire = imap::encode_mailbox_name(bytes);
  if (std::any_of(wire.begin(), wire.end(), [](char c) { return c < 0x20 || c > 0x7e; })) std::abort();
  const auto back = imap::decode_mailbox_name(wire);
  if (!back || imap::encode_mailbox_name(*back) != wire) std::abort();
  const std::string canonical = imap::canonical_mailbox_name(*back);
  const std::string valid = imap::to_valid_utf8(bytes);
  if (!imap::is_utf8(valid) || (imap::is_utf8(bytes) && valid != bytes) || valid != *back) std::abort();
  if (imap::check_utf8_mailbox_name(bytes) && !imap::is_utf8(bytes)) std::abort();
  if (canonical.size() != back->size() || imap::canonical_mailbox_name(canonical) != canonical) std::abort();
  return 0;
}

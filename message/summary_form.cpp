#include "message/summary_form.h"

namespace posthorn::message {

std::uint64_t SummaryReader::long_number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const unsigned char next = octet();
    value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
    if (next >= 0x80) continue;
    const bool longer_than_needed = next == 0 && shift > 0;
    if (longer_than_needed || (shift == 63 && next > 1)) fail();
    return ok_ ? value : 0;
  }
  fail();
  return 0;
}

}  // namespace posthorn::message

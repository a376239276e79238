#include "protocols/imap/flags.h"

namespace posthorn::imap {

std::uint8_t system_bit(SystemFlag flag) {
  switch (flag) {
    case SystemFlag::answered: return static_cast<std::uint8_t>(storage::SystemFlag::answered);
    case SystemFlag::flagged: return static_cast<std::uint8_t>(storage::SystemFlag::flagged);
    case SystemFlag::deleted: return static_cast<std::uint8_t>(storage::SystemFlag::deleted);
    case SystemFlag::seen: return static_cast<std::uint8_t>(storage::SystemFlag::seen);
    case SystemFlag::draft: return static_cast<std::uint8_t>(storage::SystemFlag::draft);
    case SystemFlag::recent: break;
  }
  return 0;
}

std::uint8_t system_bits(const FlagList& flags) {
  unsigned bits = 0;
  for (const SystemFlag flag : flags.system) bits |= system_bit(flag);
  return static_cast<std::uint8_t>(bits);
}

}  // namespace posthorn::imap

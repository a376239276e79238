#pragma once

#include "protocols/imap/command.h"
#include "storage/message.h"

#include <cstdint>

namespace posthorn::imap {

// The system flags of a list as storage::Flags has them; \Recent is none there.
std::uint8_t system_bits(const FlagList& flags);
std::uint8_t system_bit(SystemFlag flag);

}  // namespace posthorn::imap

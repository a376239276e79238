#pragma once

#include <cstdint>

namespace posthorn::imap {

// Which of the two kinds of literals that are not waited for is offered, LITERAL+ or LITERAL- (RFC 7888).
enum class Literals : std::uint8_t { plus, minus };

}  // namespace posthorn::imap

#pragma once

#include "message/structure.h"

#include <cstddef>
#include <string_view>

namespace posthorn::message {

// The envelope that a message's header block gives (RFC 3501 §7.4.2, ENVELOPE): see Envelope. At most
// `max_addresses` address elements are read from the block (copies in sender and reply_to aside).
Envelope parse_envelope(std::string_view block, std::size_t max_addresses);

}  // namespace posthorn::message

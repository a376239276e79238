#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "tls/context.h"

namespace posthorn::tls {

// Turns a connection to TLS as its server: sends what is queued, throws away what the client sent before the
// handshake (RFC 3207 §4.2, RFC 2595 §2.1), shakes hands within `limit`, sets connection.tls() and logs the
// outcome. The session forgets by itself what it knew of the client. Throws ConnectionClosed when the
// handshake fails or takes too long.
Task<void> start(Connection& connection, const Context& context, Protocol protocol,
                 Milliseconds limit = Milliseconds(30'000));

}  // namespace posthorn::tls

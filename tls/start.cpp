#include "tls/start.h"

#include "tls/tls_stream.h"

namespace posthorn::tls {

Task<void> start(Connection& connection, const Context& context, Protocol protocol, Milliseconds limit) {
  co_await connection.flush();
  SessionHandle session = context.new_session(protocol);
  if (session == nullptr) {
    connection.log(LogLevel::error, "tls.failed", {{"reason", "out of memory"}});
    connection.close(CloseReason::limit);
    throw ConnectionClosed(CloseReason::limit);
  }
  TlsStream* stream = nullptr;
  connection.replace_stream([&](std::unique_ptr<Stream> plain) {
    auto wrapped = std::make_unique<TlsStream>(std::move(plain), std::move(session));
    stream = wrapped.get();
    return wrapped;
  });
  connection.start_deadline(limit);
  try {
    co_await stream->handshake();
  } catch (const ConnectionClosed& closed) {
    connection.stop_deadline();
    const std::string& failure = stream->failure();
    connection.log(LogLevel::info, "tls.failed",
                   {{"address", connection.peer().address},
                    {"reason", failure.empty() ? std::string(name_of(closed.reason())) : failure}});
    throw;
  }
  connection.stop_deadline();
  connection.set_tls(stream->state());
  connection.log(LogLevel::debug, "tls.established",
                 {{"version", connection.tls().version},
                  {"cipher", connection.tls().cipher},
                  {"server_name", connection.tls().server_name},
                  {"resumed", stream->resumed()}});
}

}  // namespace posthorn::tls

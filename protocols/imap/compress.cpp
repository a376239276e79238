#include "base/deflate_stream.h"
#include "protocols/imap/session.h"

#include <utility>

// COMPRESS (RFC 4978) and UNAUTHENTICATE (RFC 8437), which ends it. The order of layers that RFC 4978 §3 asks
// for needs no care: compression begins after the login, STARTTLS comes before it.
namespace posthorn::imap {

Task<Reply> Session::on(const Compress&) {
  if (deflate_ != nullptr) co_return bad("[COMPRESSIONACTIVE] DEFLATE is active already");
  start_compression_ = true;  // behind the reply
  co_return ok("DEFLATE active");
}

Task<void> Session::start_compression() {
  co_await connection_.flush();
  std::string received(connection_.buffered());
  connection_.replace_stream([&](std::unique_ptr<Stream> plain) {
    auto deflate = std::make_unique<DeflateStream>(connection_.loop(), std::move(plain), std::move(received));
    deflate_ = deflate.get();
    return deflate;
  });
}

// What belongs to the login goes; TLS and what ID said stay (§3, §4.1).
Task<Reply> Session::on(const Unauthenticate&) {
  connection_.log(LogLevel::info, "imap.unauthenticated", {{"user", login_.address}});
  view_.reset();
  arriving_ = {};
  account_.reset();
  login_ = {};
  enabled_ = {};
  end_compression_ = deflate_ != nullptr;
  // The stream ends with the next write, which is to hold the reply and no more.
  if (end_compression_) co_await connection_.flush();
  apply_timeouts();
  login_deadline_.start(settings_.login);
  co_return ok("Not authenticated any more");
}

// RFC 8437 §4.1: our side is compressed up to the reply's line end, the client's up to its command's. It may
// have sent more behind that, in clear.
Task<void> Session::end_compression() {
  deflate_->end_with_next_write();
  co_await connection_.flush();
  if (!connection_.buffered().empty()) {
    connection_.log(LogLevel::info, "imap.compressed_on", {{"after", "UNAUTHENTICATE"}});
    connection_.close(CloseReason::peer);
    throw ConnectionClosed(CloseReason::peer);
  }
  connection_.start_deadline(settings_.line);
  co_await deflate_->take_end();
  connection_.stop_deadline();
  DeflateStream::Inner inner = std::exchange(deflate_, nullptr)->take_inner();
  connection_.replace_stream([&](std::unique_ptr<Stream>) { return std::move(inner.stream); },
                             std::move(inner.received));
}

}  // namespace posthorn::imap

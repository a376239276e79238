#include "tls/tls_stream.h"

#include "base/handle.h"
#include "tls/openssl_error.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace posthorn::tls {
namespace {

constexpr std::size_t record = 16384;  // RFC 8446 §5.1: the most plaintext that one record holds
// How much is encrypted ahead of what the inner stream has taken.
constexpr std::size_t ahead = 4 * record;
constexpr std::size_t read_block = 65536;

}  // namespace

// What came and was not decrypted yet, and what is encrypted and was not sent yet, as a BIO that never
// blocks. OpenSSL's own memory BIO would keep its buffers for the life of the connection.
struct TlsStream::Transport {
  std::string in;
  std::size_t in_begin = 0;
  std::string out;

  static Transport& of(BIO* bio) { return *static_cast<Transport*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, std::size_t size, std::size_t* got) {
    Transport& self = of(bio);
    BIO_clear_retry_flags(bio);
    *got = self.in.copy(to, size, self.in_begin);
    if (*got == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    self.in_begin += *got;
    if (self.in_begin == self.in.size()) {
      std::string().swap(self.in);  // assigning an empty one would keep the memory
      self.in_begin = 0;
    }
    return 1;
  }

  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* taken) {
    BIO_clear_retry_flags(bio);
    of(bio).out.append(bytes, size);
    *taken = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    using Method = Owned<BIO_METHOD, BIO_meth_free>;
    static const Method made = [] {
      Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream"));
      BIO_meth_set_read_ex(method.get(), read);
      BIO_meth_set_write_ex(method.get(), write);
      BIO_meth_set_ctrl(method.get(), control);
      return method;
    }();
    return made.get();
  }
};

TlsStream::TlsStream(std::unique_ptr<Stream> inner, SessionHandle session)
    : inner_(std::move(inner)), transport_(std::make_unique<Transport>()), session_(std::move(session)) {
  BIO* bio = BIO_new(Transport::method());
  BIO_set_data(bio, transport_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(session_.get(), bio, bio);
}

TlsStream::~TlsStream() { assert(!receiving_ && !sending_); }

TlsState TlsStream::state() const {
  const char* name = SSL_get_servername(session_.get(), TLSEXT_NAMETYPE_host_name);
  return {SSL_get_version(session_.get()), SSL_get_cipher_name(session_.get()), name != nullptr ? name : ""};
}

bool TlsStream::resumed() const { return SSL_session_reused(session_.get()) == 1; }

// What a call that OpenSSL did not finish is waiting for.
TlsStream::Progress TlsStream::outcome(int returned) {
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Progress::needs_input;
    case SSL_ERROR_ZERO_RETURN: peer_ended_ = true; return Progress::ended;
    default: break;
  }
  failure_ = openssl_error();
  established_ = false;
  return Progress::ended;
}

TlsStream::Progress TlsStream::step_handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(session_.get());
  return returned == 1 ? Progress::done : outcome(returned);
}

TlsStream::Progress TlsStream::decrypt(std::string& into, std::size_t max) {
  // On the stack of a plain function, so that nothing is held while the stream waits.
  char plain[record];
  std::size_t got = 0;
  ERR_clear_error();
  const int returned = SSL_read_ex(session_.get(), plain, std::min(max, record), &got);
  if (returned != 1) return outcome(returned);
  into.append(plain, got);
  return Progress::done;
}

bool TlsStream::encrypt(std::string_view bytes) {
  ERR_clear_error();
  while (!bytes.empty()) {
    std::size_t taken = 0;
    const int returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &taken);
    if (returned != 1) {
      outcome(returned);
      return false;
    }
    bytes.remove_prefix(taken);
  }
  return true;
}

void TlsStream::throw_if_closed() const {
  if (closed_) throw ConnectionClosed(*closed_);
}

Task<ReadEvent> TlsStream::receive() {
  receiving_ = true;
  try {
    const ReadEvent event = co_await inner_->read_some(transport_->in, read_block);
    receiving_ = false;
    co_return event;
  } catch (const ConnectionClosed& closed) {
    receiving_ = false;
    if (!closed_) closed_ = closed.reason();
    throw;
  }
}

// The reader has to send too (answers to key updates, alerts), while a Stream takes one writer: whoever comes
// second waits, and finds that the first has taken its bytes along.
Task<void> TlsStream::send_pending() {
  while (sending_) {
    Signal sent;
    waits_to_send_ = &sent;
    co_await sent;
  }
  throw_if_closed();
  if (transport_->out.empty()) co_return;
  sending_ = true;
  std::optional<CloseReason> failed;
  try {
    while (!transport_->out.empty()) {
      const std::string sending = std::exchange(transport_->out, std::string());
      co_await inner_->write(sending);
    }
  } catch (const ConnectionClosed& closed) {
    if (!closed_) closed_ = closed.reason();
    failed = closed_;
  }
  sending_ = false;
  if (Signal* other = std::exchange(waits_to_send_, nullptr)) other->notify();
  if (failed) throw ConnectionClosed(*failed);
}

Task<void> TlsStream::handshake() {
  while (true) {
    throw_if_closed();
    const Progress progress = step_handshake();
    co_await send_pending();
    if (progress == Progress::done) break;
    if (progress == Progress::ended) throw ConnectionClosed(CloseReason::peer);
    co_await receive();
  }
  established_ = true;
}

Task<ReadEvent> TlsStream::read_some(std::string& into, std::size_t max) {
  assert(max > 0);
  while (true) {
    throw_if_closed();
    if (!established_ || peer_ended_) throw ConnectionClosed(CloseReason::peer);
    const Progress progress = decrypt(into, max);
    // A writer that is at it already takes these bytes along, unless a peer makes us answer without end.
    if (!sending_ || transport_->out.size() > ahead) co_await send_pending();
    if (progress == Progress::done) co_return ReadEvent::data;
    if (progress == Progress::ended) throw ConnectionClosed(CloseReason::peer);
    if (std::exchange(woken_, false)) co_return ReadEvent::woken;
    co_await receive();
  }
}

void TlsStream::wake_reader() {
  if (closed_) return;
  // Kept here until it is told: octets that make no whole record may overtake the inner stream's event.
  woken_ = true;
  if (receiving_) inner_->wake_reader();
}

Task<void> TlsStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    throw_if_closed();
    if (!established_) throw ConnectionClosed(CloseReason::peer);
    if (end_said_) throw ConnectionClosed(CloseReason::local);
    const std::string_view part = bytes.substr(0, ahead);
    const bool encrypted = encrypt(part);
    co_await send_pending();
    if (!encrypted) throw ConnectionClosed(CloseReason::peer);
    bytes.remove_prefix(part.size());
  }
}

Task<void> TlsStream::end_writing() {
  if (closed_) co_return;
  if (established_ && !std::exchange(end_said_, true)) {
    ERR_clear_error();
    SSL_shutdown(session_.get());
  }
  try {
    co_await send_pending();
    co_await inner_->end_writing();
  } catch (const ConnectionClosed&) {
    // The peer has gone: there is nobody to be told.
  }
}

void TlsStream::close(CloseReason reason, std::string_view last_words) {
  std::string farewell;
  // Behind a write that waits nothing can be sent without waiting, and half a record would be worth nothing.
  if (!closed_ && established_ && !end_said_ && !sending_ && transport_->out.empty()) {
    if (encrypt(last_words)) {
      ERR_clear_error();
      SSL_shutdown(session_.get());
    }
    farewell = std::exchange(transport_->out, std::string());
  }
  if (!closed_) closed_ = reason;
  inner_->close(reason, farewell);
}

}  // namespace posthorn::tls

#pragma once

#include "base/bound_channel.h"
#include "base/connection.h"
#include "base/stream.h"
#include "tls/context.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::tls {

// TLS over any Stream, in the role that its session was made for. While nothing comes and nothing goes it
// holds no buffer, nor does OpenSSL: only the keys.
//
// The cryptography runs on the loop thread. A handshake costs it about a millisecond with ECDSA P-256 and
// up to two with RSA 2048, a record of 16 KiB some microseconds; both are slices that the loop can spare.
class TlsStream final : public Stream, public BoundChannel {
 public:
  TlsStream(std::unique_ptr<Stream> inner, SessionHandle session);
  ~TlsStream() override;

  // Comes first, and once. Throws ConnectionClosed when it fails: failure() then says why, and the peer was
  // told by an alert.
  Task<void> handshake();
  // Why TLS ended, in OpenSSL's words; empty unless it failed.
  const std::string& failure() const { return failure_; }
  // Version, cipher and SNI, after the handshake.
  TlsState state() const;
  bool resumed() const;
  // After the handshake: "tls-exporter" (RFC 9266) and, in TLS 1.2, "tls-unique" (RFC 5929 §3), neither in a
  // TLS 1.2 without the extended master secret, whose handshake somebody in between can make look the same;
  // "tls-server-end-point" (RFC 5929 §4), unless the signature of the certificate has no hash of its own.
  std::string channel_binding(std::string_view type) const override;

  // An end of the stream without close_notify is the peer's close like any other (RFC 8446 §6.1 warns of
  // truncation: it matters to protocols that end a message by closing, which ours never do).
  Task<ReadEvent> read_some(std::string& into, std::size_t max) override;
  void wake_reader() override;
  Task<void> write(std::string_view bytes) override;
  Task<void> end_writing() override;
  void close(CloseReason reason, std::string_view last_words = {}) override;

 private:
  struct Transport;  // what OpenSSL reads from and writes to
  enum class Progress { done, needs_input, ended };

  Progress step_handshake();
  Progress decrypt(std::string& into, std::size_t max);
  bool encrypt(std::string_view bytes);
  Progress outcome(int returned);
  Task<ReadEvent> receive();
  Task<void> send_pending();
  void throw_if_closed() const;

  std::unique_ptr<Stream> inner_;
  std::unique_ptr<Transport> transport_;
  SessionHandle session_;
  std::string failure_;
  std::optional<CloseReason> closed_;
  bool established_ = false;  // between handshake and failure
  bool peer_ended_ = false;   // its close_notify has come
  bool end_said_ = false;     // so has ours
  bool woken_ = false;
  bool receiving_ = false;
  bool sending_ = false;
  Signal* waits_to_send_ = nullptr;
};

}  // namespace posthorn::tls

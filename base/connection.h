#pragma once

#include "base/log.h"
#include "base/loop.h"
#include "base/stream.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn {

// Who is at the other end.
struct Peer {
  std::string address;  // "192.0.2.1", "2001:db8::1"; an IPv4-mapped one as IPv4
  std::uint16_t port = 0;
  std::string local_address;  // the address that it came in at
  std::uint16_t local_port = 0;
  bool loopback = false;
  bool trusted = false;  // in [limits] trusted: no limits on connections or guesses
};

// How the line is protected now. Empty version: plaintext.
struct TlsState {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI as sent, or empty
  bool active() const { return !version.empty(); }
};

struct Timeouts {
  Milliseconds idle{300'000};   // nothing at all comes
  Milliseconds line{60'000};    // a line once begun must end within this
  Milliseconds body{180'000};   // between two arrivals within a body or a literal
  Milliseconds write{300'000};  // a write makes no progress: the peer does not read
};

// One accepted connection as sessions use it: lines and bytes in with deadlines, buffered output, the
// exchange of plaintext for TLS. It owns its stream.
//
// Output is queued and goes out before the session would wait for input, so that the replies to pipelined
// commands share their writes.
class Connection {
 public:
  struct Line {
    std::string text;       // without its line end
    bool too_long = false;  // it passed `max`: text is its beginning, the rest was thrown away
    bool bare_lf = false;   // it ended in LF alone
  };

  Connection(Loop& loop, Log& log, std::unique_ptr<Stream> stream, Peer peer, std::string id);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // The next line, of at most `max` octets before its line end. Throws ConnectionClosed.
  Task<Line> read_line(std::size_t max);

  // Waits for input and shows what is there, at least one octet; take it with consume(). Valid until the
  // next call here. Throws ConnectionClosed.
  Task<std::string_view> peek();
  void consume(std::size_t octets);
  // What has arrived already and was not consumed.
  std::string_view buffered() const { return std::string_view(in_).substr(in_begin_); }

  // Waits until there is input (true) or wake() was called (false). The idle deadline holds.
  Task<bool> wait_for_input();
  // Ends wait_for_input() with false, now or the next time. From the loop thread, at any time.
  void wake();

  // Adds to the output. It goes out at the next flush() or wait for input.
  void queue(std::string_view bytes) { out_.append(bytes); }
  std::string& output() { return out_; }
  // Writes what is queued if it is more than a block (32 KiB): for long replies, between their parts.
  Task<void> flush_if_large();
  Task<void> flush();

  // Suspends for `duration`; throws ConnectionClosed as soon as the connection is closed meanwhile.
  Task<void> pause(Milliseconds duration);

  // Puts another stream over the present one (TLS over TCP). What was received and not consumed is thrown
  // away: it was sent before the handshake (RFC 3207 §4.2). Call flush() before. `received` was read from the
  // other stream already.
  void replace_stream(const std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>& wrap,
                      std::string received = {});

  // Ends in good order: what is queued goes out, the end is said, and what the peer still sends is read
  // for a short while, so that a reset does not overtake the last reply. Never throws.
  Task<void> finish();

  // Ends now; see Stream::close. Whoever waits on this connection gets ConnectionClosed.
  void close(CloseReason reason);
  // Why close() was called; nothing while the connection is open.
  std::optional<CloseReason> close_reason() const { return closed_; }
  // For long work that neither reads nor writes: throws ConnectionClosed once close() was called.
  void throw_if_closed() const {
    if (closed_) throw ConnectionClosed(*closed_);
  }

  // What close() says last for each reason, if it can be said without waiting ("* BYE …", "421 …").
  void set_last_words(std::function<std::string(CloseReason)> words) { last_words_ = std::move(words); }

  void set_timeouts(Timeouts timeouts) { timeouts_ = timeouts; }
  const Timeouts& timeouts() const { return timeouts_; }

  const Peer& peer() const { return peer_; }
  const TlsState& tls() const { return tls_; }
  void set_tls(TlsState state) { tls_ = std::move(state); }
  const std::string& id() const { return id_; }
  Loop& loop() { return loop_; }
  Stream& stream() { return *stream_; }
  // A stretch of work with a deadline of its own (a handshake): closes the connection when it passes.
  void start_deadline(Milliseconds after);
  void stop_deadline();

  std::uint64_t octets_in() const { return octets_in_; }
  std::uint64_t octets_out() const { return octets_out_; }

  void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields = {}) {
    if (log_.enabled(level)) log_.write(level, event, id_, fields);
  }
  Log& log() { return log_; }

 private:
  Task<ReadEvent> fill(Milliseconds deadline);
  void drop_empty_buffer();

  Loop& loop_;
  Log& log_;
  std::unique_ptr<Stream> stream_;
  Peer peer_;
  std::string id_;
  TlsState tls_;
  Timeouts timeouts_;
  Timer deadline_;
  std::string in_;
  std::size_t in_begin_ = 0;
  std::string out_;
  std::function<std::string(CloseReason)> last_words_;
  std::optional<CloseReason> closed_;
  Timer* pausing_ = nullptr;  // set while pause() waits
  bool waiting_for_input_ = false;
  std::uint64_t octets_in_ = 0;
  std::uint64_t octets_out_ = 0;
};

}  // namespace posthorn

#pragma once

#include "base/deflate.h"
#include "base/loop.h"
#include "base/stream.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn {

// DEFLATE over any Stream, both ways (RFC 4978, RFC 1951). Each write is flushed: the peer can read it all.
//
// Memory, at most: 70 KiB to compress, 40 KiB to decompress, 16 KiB of what came and was not decompressed yet
// (or what the constructor was given), 32 KiB of what waits to be sent: 158 KiB. A decompression bomb yields
// what its reader asks for and waits compressed otherwise. When nothing was written or came for `idle_after`,
// all is given back but the last 32 KiB that the peer sent, since it may refer to them: for a client that
// only gives commands, these few. An idle stream whose peer stopped amid a block's data keeps its 40 KiB.
//
// Runs on the loop thread: 24 KiB cost less than a millisecond to compress; a reader of input that expands
// without end lets others go first, time and again.
class DeflateStream final : public Stream {
 public:
  // `received` is what was read from `inner` already and belongs to the compressed stream.
  DeflateStream(Loop& loop, std::unique_ptr<Stream> inner, std::string received = {},
                Milliseconds idle_after = Milliseconds(10'000));
  ~DeflateStream() override;

  // Input that is not DEFLATE ends like the peer's close, and failure() then says why; so does the peer's
  // last block. Writing may go on.
  Task<ReadEvent> read_some(std::string& into, std::size_t max) override;
  void wake_reader() override;
  Task<void> write(std::string_view bytes) override;
  Task<void> end_writing() override;
  void close(CloseReason reason, std::string_view last_words = {}) override;

  // The next write() is the last: the stream's last block goes with it.
  void end_with_next_write() { last_write_ = true; }

  // Waits for the end of what the peer compressed: of its flush, or its stream. Then the stream beneath can
  // be taken, and what the peer sent on it without compression. Throws ConnectionClosed; also where the peer
  // goes on compressing, or its flush has no end within 64 KiB.
  Task<void> take_end();
  struct Inner {
    std::unique_ptr<Stream> stream;
    std::string received;
  };
  Inner take_inner();

  // In zlib's words; empty unless the peer sent what is not DEFLATE.
  const std::string& failure() const { return inflater_.failure(); }

  // Gives the memory back now: for who knows that nothing will happen for long. Harmless at any time.
  void release_idle();

  // Octets held now, besides the object itself.
  std::size_t held() const;

 private:
  Inflated decompress(std::string& into, std::size_t max);
  void keep_input(std::size_t octets);
  Task<void> receive();
  Task<void> send(std::string_view compressed);
  void throw_if_closed() const;

  Loop& loop_;
  std::unique_ptr<Stream> inner_;
  Milliseconds idle_after_;
  Timer idle_;
  Deflater deflater_;
  Inflater inflater_;
  std::string in_;
  std::size_t in_begin_ = 0;
  std::size_t since_yield_ = 0;  // octets through the inflater
  std::optional<CloseReason> closed_;
  bool last_write_ = false;
  bool end_said_ = false;
  bool woken_ = false;
  bool receiving_ = false;
  bool sending_ = false;
};

}  // namespace posthorn

#include "base/deflate_stream.h"

#include <cassert>
#include <utility>

namespace posthorn {
namespace {

// What is compressed before it is sent; incompressible, it still fits into 32 KiB.
constexpr std::size_t write_block = 24576;
constexpr std::size_t read_block = 16384;
// After so many octets the reader lets others go first, as it may go on for long without waiting for its
// peer.
constexpr std::size_t turn = 1U << 18U;
// Of a flush that ends, a few octets are left when all data in front of it was read.
constexpr std::size_t flush_limit = 1U << 16U;

}  // namespace

DeflateStream::DeflateStream(Loop& loop, std::unique_ptr<Stream> inner, std::string received,
                             Milliseconds idle_after)
    : loop_(loop),
      inner_(std::move(inner)),
      idle_after_(idle_after),
      idle_(loop, [this] { release_idle(); }),
      in_(std::move(received)) {
  idle_.unreference();
}

DeflateStream::~DeflateStream() { assert(!receiving_ && !sending_); }

void DeflateStream::throw_if_closed() const {
  if (closed_) throw ConnectionClosed(*closed_);
}

void DeflateStream::release_idle() {
  deflater_.release();
  inflater_.release();
}

std::size_t DeflateStream::held() const { return deflater_.held() + inflater_.held() + in_.capacity(); }

Inflated DeflateStream::decompress(std::string& into, std::size_t max) {
  const std::string_view all = std::string_view(in_).substr(in_begin_);
  const std::size_t before = into.size();
  std::string_view left = all;
  const Inflated outcome = inflater_.inflate(left, into, max);
  since_yield_ += all.size() - left.size() + into.size() - before;
  idle_.start(idle_after_);
  keep_input(left.size());
  return outcome;
}

// The last `octets` of what came are still to be decompressed.
void DeflateStream::keep_input(std::size_t octets) {
  in_begin_ = in_.size() - octets;
  if (octets > 0) return;
  std::string().swap(in_);  // an empty string that is assigned would keep the buffer
  in_begin_ = 0;
}

Task<void> DeflateStream::receive() {
  receiving_ = true;
  try {
    co_await inner_->read_some(in_, read_block);
  } catch (const ConnectionClosed&) {
    receiving_ = false;
    throw;
  }
  receiving_ = false;
}

Task<ReadEvent> DeflateStream::read_some(std::string& into, std::size_t max) {
  assert(max > 0);
  while (true) {
    if (since_yield_ >= turn) {
      since_yield_ = 0;
      co_await Yield(loop_);
    }
    throw_if_closed();
    switch (decompress(into, max)) {
      case Inflated::data: co_return ReadEvent::data;
      case Inflated::needs_input: break;
      case Inflated::ended:
      case Inflated::broken: throw ConnectionClosed(CloseReason::peer);
      case Inflated::out_of_memory: close(CloseReason::limit); throw ConnectionClosed(CloseReason::limit);
    }
    if (std::exchange(woken_, false)) co_return ReadEvent::woken;
    co_await receive();
  }
}

void DeflateStream::wake_reader() {
  if (closed_) return;
  // Kept here until it is told: octets that decompress to nothing yet may overtake the inner stream's event.
  woken_ = true;
  if (receiving_) inner_->wake_reader();
}

Task<void> DeflateStream::send(std::string_view compressed) {
  sending_ = true;
  try {
    co_await inner_->write(compressed);
  } catch (const ConnectionClosed&) {
    sending_ = false;
    throw;
  }
  sending_ = false;
}

Task<void> DeflateStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    throw_if_closed();
    if (end_said_) throw ConnectionClosed(CloseReason::local);
    const std::string_view part = bytes.substr(0, write_block);
    std::string compressed;
    idle_.start(idle_after_);
    if (!deflater_.compress(part, compressed)) {
      close(CloseReason::limit);
      throw ConnectionClosed(CloseReason::limit);
    }
    bytes.remove_prefix(part.size());
    if (last_write_ && bytes.empty()) {
      compressed += Deflater::last_block;
      end_said_ = true;
    }
    co_await send(compressed);
  }
}

Task<void> DeflateStream::take_end() {
  std::size_t passed = 0;
  while (true) {
    throw_if_closed();
    const std::string_view all = std::string_view(in_).substr(in_begin_);
    std::string_view left = all;
    const Inflated outcome = inflater_.take_flush(left);
    passed += all.size() - left.size();
    keep_input(left.size());
    if (outcome == Inflated::data) co_return;
    if (outcome != Inflated::needs_input || passed > flush_limit) throw ConnectionClosed(CloseReason::peer);
    co_await receive();
  }
}

DeflateStream::Inner DeflateStream::take_inner() {
  idle_.stop();
  return {.stream = std::move(inner_), .received = in_.substr(in_begin_)};
}

Task<void> DeflateStream::end_writing() {
  if (closed_) co_return;
  try {
    if (!std::exchange(end_said_, true)) co_await send(Deflater::last_block);
    co_await inner_->end_writing();
  } catch (const ConnectionClosed&) {
    // The peer has gone: there is nobody to be told.
  }
}

void DeflateStream::close(CloseReason reason, std::string_view last_words) {
  std::string farewell;
  // Behind a write that waits nothing can be sent without waiting.
  if (!closed_ && !end_said_ && !sending_ && deflater_.compress(last_words, farewell)) {
    farewell.append(Deflater::last_block);
  }
  if (!closed_) closed_ = reason;
  idle_.stop();
  inner_->close(reason, farewell);
}

}  // namespace posthorn

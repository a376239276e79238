#pragma once

#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace posthorn::test {

// How a pair of streams carries bytes.
struct PairOptions {
  std::size_t chunk = 65536;     // a read gives at most so many octets
  std::size_t capacity = 65536;  // what is on its way in one direction; a write beyond that waits
};

// One end of two connected streams in memory, with the behaviour of UvStream: bounded, never resumed on the
// caller's stack, the other end's close seen after its last octet.
class PairedStream final : public Stream {
 public:
  struct Direction {
    std::string bytes;
    bool ended = false;   // the writer says no more
    bool broken = false;  // the reader has gone
    std::size_t carried = 0;
    Signal readable;
    Signal writable;
  };
  struct Shared {
    Loop& loop;
    PairOptions options;
    std::array<Direction, 2> directions;
  };

  PairedStream(std::shared_ptr<Shared> shared, int end) : shared_(std::move(shared)), end_(end) {}
  ~PairedStream() override { close(CloseReason::local, {}); }

  Task<ReadEvent> read_some(std::string& into, std::size_t max) override {
    Direction& in = incoming();
    while (true) {
      if (closed_) throw ConnectionClosed(*closed_);
      if (!in.bytes.empty()) break;
      if (in.ended) throw ConnectionClosed(CloseReason::peer);
      if (std::exchange(woken_, false)) co_return ReadEvent::woken;
      co_await in.readable;
    }
    const std::size_t size = std::min({max, shared_->options.chunk, in.bytes.size()});
    into.append(in.bytes, 0, size);
    in.bytes.erase(0, size);
    notify(in.writable);
    co_return ReadEvent::data;
  }

  void wake_reader() override {
    woken_ = true;
    notify(incoming().readable);
  }

  Task<void> write(std::string_view bytes) override {
    Direction& out = outgoing();
    while (!bytes.empty()) {
      if (closed_) throw ConnectionClosed(*closed_);
      if (out.broken) throw ConnectionClosed(CloseReason::peer);
      const std::size_t room =
          shared_->options.capacity - std::min(shared_->options.capacity, out.bytes.size());
      if (room == 0) {
        co_await out.writable;
        continue;
      }
      put(bytes.substr(0, room));
      bytes.remove_prefix(std::min(room, bytes.size()));
    }
  }

  Task<void> end_writing() override {
    outgoing().ended = true;
    notify(outgoing().readable);
    co_return;
  }

  void close(CloseReason reason, std::string_view last_words) override {
    if (closed_) return;
    closed_ = reason;
    if (!outgoing().ended) put(last_words);
    outgoing().ended = true;
    incoming().broken = true;
    for (Direction& direction : shared_->directions) {
      notify(direction.readable);
      notify(direction.writable);
    }
  }

  // Octets that this end has sent so far.
  std::size_t sent() const { return shared_->directions[static_cast<std::size_t>(end_)].carried; }

 private:
  Direction& outgoing() { return shared_->directions[static_cast<std::size_t>(end_)]; }
  Direction& incoming() { return shared_->directions[static_cast<std::size_t>(1 - end_)]; }
  void put(std::string_view bytes) {
    outgoing().bytes.append(bytes);
    outgoing().carried += bytes.size();
    notify(outgoing().readable);
  }
  void notify(Signal& signal) {
    shared_->loop.soon([shared = shared_, &signal] { signal.notify(); });
  }

  std::shared_ptr<Shared> shared_;
  int end_;
  bool woken_ = false;
  std::optional<CloseReason> closed_;
};

struct StreamPair {
  std::unique_ptr<PairedStream> first;
  std::unique_ptr<PairedStream> second;
};

inline StreamPair make_stream_pair(Loop& loop, PairOptions options = {}) {
  auto shared = std::make_shared<PairedStream::Shared>(loop, options);
  return {std::make_unique<PairedStream>(shared, 0), std::make_unique<PairedStream>(shared, 1)};
}

}  // namespace posthorn::test

#include "base/connection.h"

#include <algorithm>

namespace posthorn {
namespace {

constexpr std::size_t read_block = 65536;
constexpr std::size_t write_block = 32768;
// An output buffer that has grown beyond this is given back once it is empty.
constexpr std::size_t kept_capacity = 1024;
// How much, and for how long, is read from a peer that was told that this is the end.
constexpr std::size_t farewell_octets = 1U << 20U;
constexpr Milliseconds farewell_time{2000};

// Sets a flag for a stretch of code, however it is left.
class Flagged {
 public:
  explicit Flagged(bool& flag) : flag_(flag) { flag_ = true; }
  Flagged(const Flagged&) = delete;
  Flagged& operator=(const Flagged&) = delete;
  ~Flagged() { flag_ = false; }

 private:
  bool& flag_;
};

// Runs a timer for a stretch of code, however it is left.
class Within {
 public:
  Within(Timer& timer, Milliseconds limit) : timer_(timer) { timer_.start(limit); }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;
  ~Within() { timer_.stop(); }

 private:
  Timer& timer_;
};

}  // namespace

Connection::Connection(Loop& loop, Log& log, std::unique_ptr<Stream> stream, Peer peer, std::string id)
    : loop_(loop),
      log_(log),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      id_(std::move(id)),
      deadline_(loop, [this] { close(CloseReason::timeout); }) {}

Connection::~Connection() = default;

// One read, of whatever comes, within `deadline`.
Task<ReadEvent> Connection::fill(Milliseconds deadline) {
  co_await flush();
  drop_empty_buffer();
  const Within limit(deadline_, deadline);
  const Flagged waiting(waiting_for_input_);
  const std::size_t before = in_.size();
  const ReadEvent event = co_await stream_->read_some(in_, read_block);
  octets_in_ += in_.size() - before;
  co_return event;
}

void Connection::drop_empty_buffer() {
  if (in_begin_ < in_.size()) {
    // What is left over is moved to the front once, before more is added behind it.
    in_.erase(0, in_begin_);
  } else {
    std::string().swap(in_);  // assigning an empty one would keep the memory
  }
  in_begin_ = 0;
}

Task<Connection::Line> Connection::read_line(std::size_t max) {
  Line line;
  std::size_t searched = 0;  // of buffered(), known to hold no LF
  const Milliseconds none{0};
  Milliseconds begun = none;  // when the line's first octet was seen
  while (true) {
    const std::string_view there = buffered();
    const std::size_t end = there.find('\n', searched);
    const std::string_view part = there.substr(0, end);
    if (!line.too_long && part.size() > max + 1) {
      line.text = part.substr(0, max);
      line.too_long = true;
    }
    if (end != std::string_view::npos) {
      const bool crlf = end > 0 && there[end - 1] == '\r';
      if (!line.too_long) {
        line.text = there.substr(0, crlf ? end - 1 : end);
        // The one octet above `max` that was let through can only have been the CR.
        line.too_long = line.text.size() > max;
        if (line.too_long) line.text.resize(max);
      }
      line.bare_lf = !crlf;
      consume(end + 1);
      co_return line;
    }
    if (line.too_long) {
      // Of an over-long line only its last octet is kept, which may be the CR of its end.
      consume(there.size() > 1 ? there.size() - 1 : 0);
      searched = buffered().size();
    } else {
      searched = there.size();
    }
    Milliseconds wait = timeouts_.idle;
    if (!there.empty()) {
      if (begun == none) begun = loop_.now();
      wait = std::max(Milliseconds(1), begun + timeouts_.line - loop_.now());
    }
    co_await fill(wait);
  }
}

Task<std::string_view> Connection::peek() {
  while (buffered().empty()) co_await fill(timeouts_.body);
  co_return buffered();
}

void Connection::consume(std::size_t octets) { in_begin_ = std::min(in_.size(), in_begin_ + octets); }

Task<bool> Connection::wait_for_input() {
  if (!buffered().empty()) co_return true;
  co_return co_await fill(timeouts_.idle) == ReadEvent::data;
}

void Connection::wake() { stream_->wake_reader(); }

Task<void> Connection::flush_if_large() {
  if (out_.size() >= write_block) co_await flush();
}

Task<void> Connection::flush() {
  if (out_.empty()) co_return;
  // Whoever queues more while this waits would void the view: the buffer is taken out meanwhile.
  std::string sending = std::exchange(out_, std::string());
  std::string_view rest = sending;
  while (!rest.empty()) {
    // Block by block, so that the deadline speaks of progress and not of the whole.
    const std::string_view block = rest.substr(0, 4 * write_block);
    const Within limit(deadline_, timeouts_.write);
    co_await stream_->write(block);
    octets_out_ += block.size();
    rest.remove_prefix(block.size());
  }
  if (sending.capacity() <= kept_capacity && out_.empty()) {
    sending.clear();
    out_ = std::move(sending);
  }
}

Task<void> Connection::pause(Milliseconds duration) {
  co_await flush();
  if (!closed_) {
    Signal over;
    Timer timer(loop_, [&over] { over.notify(); });
    timer.start(duration);
    pausing_ = &timer;
    co_await over;
    pausing_ = nullptr;
  }
  if (closed_) throw ConnectionClosed(*closed_);
}

void Connection::replace_stream(const std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>& wrap,
                                std::string received) {
  in_.swap(received);
  in_begin_ = 0;
  stream_ = wrap(std::move(stream_));
}

Task<void> Connection::finish() {
  try {
    co_await flush();
    co_await stream_->end_writing();
    start_deadline(farewell_time);
    std::size_t left = farewell_octets;
    while (left > 0) {
      std::string thrown_away;
      co_await stream_->read_some(thrown_away, read_block);
      left -= std::min(left, thrown_away.size());
    }
  } catch (const ConnectionClosed&) {
    // The peer has gone first, or was too slow.
  }
  last_words_ = {};
  close(CloseReason::local);
}

void Connection::close(CloseReason reason) {
  if (closed_) return;
  closed_ = reason;
  deadline_.stop();
  // In the middle of a reply, last words would be taken for a part of it.
  const bool between_replies = waiting_for_input_ && last_words_;
  stream_->close(reason, between_replies ? last_words_(reason) : std::string());
  // Not resumed from here: close() may be called by anyone.
  if (pausing_ != nullptr) pausing_->start(Milliseconds(0));
}

void Connection::start_deadline(Milliseconds after) { deadline_.start(after); }

void Connection::stop_deadline() { deadline_.stop(); }

}  // namespace posthorn

#include "base/uv_stream.h"

#include <algorithm>
#include <cassert>

namespace posthorn {

std::string_view name_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::peer: return "peer";
    case CloseReason::timeout: return "timeout";
    case CloseReason::shutdown: return "shutdown";
    case CloseReason::limit: return "limit";
    case CloseReason::local: return "local";
  }
  return "unknown";
}

UvStream::UvStream(Loop& loop, Handle handle) : loop_(loop), handle_(handle.release()) { raw()->data = this; }

UvStream::~UvStream() {
  assert(read_ == nullptr && !writing_);
  if (self_) *self_ = nullptr;
  if (handle_ == nullptr) return;
  raw()->data = nullptr;
  if (!closing_) CloseHandle<uv_any_handle>()(handle_);
}

struct UvStream::AwaitRead {
  UvStream& stream;
  Read& read;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    read.waiting = waiting;
    stream.read_ = &read;
    stream.start_reading();
  }
  void await_resume() const noexcept {}
};

void UvStream::start_reading() {
  if (std::exchange(reading_, true)) return;
  uv_read_start(
      raw(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& shared = static_cast<UvStream*>(handle->data)->loop_.receive_buffer();
        *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
        // 0 is "nothing now" (EAGAIN), not the end.
        if (count != 0) static_cast<UvStream*>(handle->data)->on_read(count, buffer->base);
      });
}

void UvStream::on_read(ssize_t count, const char* bytes) {
  if (count < 0) {
    uv_read_stop(raw());
    reading_ = false;
    // A peer that has said its last (FIN) may still read: only what it sends has ended.
    ended_ = true;
    if (count != UV_EOF && !closed_) closed_ = CloseReason::peer;
    resume_reader();
    return;
  }
  std::string_view arrived(bytes, static_cast<std::size_t>(count));
  if (read_ != nullptr) {
    const std::string_view wanted = arrived.substr(0, read_->max);
    read_->into->append(wanted);
    arrived.remove_prefix(wanted.size());
  }
  if (read_ == nullptr || !arrived.empty()) {
    pending_.append(arrived);
    uv_read_stop(raw());
    reading_ = false;
  }
  resume_reader();
}

void UvStream::resume_reader() {
  if (Read* read = std::exchange(read_, nullptr)) read->waiting.resume();
}

Task<ReadEvent> UvStream::read_some(std::string& into, std::size_t max) {
  assert(read_ == nullptr && max > 0);
  if (!pending_.empty()) {
    into.append(pending_, 0, max);
    pending_.erase(0, max);
    if (pending_.empty()) pending_.shrink_to_fit();
    co_return ReadEvent::data;
  }
  if (closed_) throw ConnectionClosed(*closed_);
  if (std::exchange(woken_, false)) co_return ReadEvent::woken;
  if (ended_) throw ConnectionClosed(CloseReason::peer);
  Read read{&into, max, {}, ReadEvent::data};
  const std::size_t before = into.size();
  co_await AwaitRead{*this, read};
  if (into.size() > before) co_return ReadEvent::data;
  if (closed_) throw ConnectionClosed(*closed_);
  if (ended_) throw ConnectionClosed(CloseReason::peer);
  co_return read.event;
}

void UvStream::wake_reader() {
  if (closed_) return;
  if (read_ == nullptr) {
    woken_ = true;
    return;
  }
  if (!self_) self_ = std::make_shared<UvStream*>(this);
  // Not on the caller's stack: it may be in the middle of something that the session would change.
  loop_.soon([self = self_] {
    UvStream* stream = *self;
    if (stream == nullptr || stream->closed_) return;
    if (stream->read_ == nullptr) {
      // Octets came first; the next read is told.
      stream->woken_ = true;
      return;
    }
    stream->read_->event = ReadEvent::woken;
    stream->resume_reader();
  });
}

struct UvStream::AwaitWrite {
  UvStream& stream;
  std::string_view bytes;
  uv_write_t request{};
  int status = 0;
  std::coroutine_handle<> waiting;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> frame) {
    waiting = frame;
    request.data = this;
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    stream.writing_ = true;
    status = uv_write(&request, stream.raw(), &buffer, 1, [](uv_write_t* done, int result) {
      auto* self = static_cast<AwaitWrite*>(done->data);
      self->status = result;
      self->stream.writing_ = false;
      self->waiting.resume();
    });
    if (status == 0) return true;
    stream.writing_ = false;
    return false;
  }
  void await_resume() const noexcept {}
};

Task<void> UvStream::write(std::string_view bytes) {
  // Parts of a bounded size keep a request within libuv's unsigned length.
  constexpr std::size_t part = 1U << 30U;
  while (!bytes.empty()) {
    if (closed_) throw ConnectionClosed(*closed_);
    const std::string_view now = bytes.substr(0, part);
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(now.data()), static_cast<unsigned>(now.size()));
    const int taken = uv_try_write(raw(), &buffer, 1);
    if (taken > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(taken));
      continue;
    }
    AwaitWrite rest{*this, now};
    co_await rest;
    if (rest.status != 0) {
      if (!closed_) closed_ = CloseReason::peer;
      throw ConnectionClosed(*closed_);
    }
    bytes.remove_prefix(now.size());
  }
}

struct UvStream::AwaitShutdown {
  UvStream& stream;
  uv_shutdown_t request{};
  std::coroutine_handle<> waiting;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> frame) {
    waiting = frame;
    request.data = this;
    stream.writing_ = true;
    const int refused = uv_shutdown(&request, stream.raw(), [](uv_shutdown_t* done, int) {
      auto* self = static_cast<AwaitShutdown*>(done->data);
      self->stream.writing_ = false;
      self->waiting.resume();
    });
    if (refused == 0) return true;
    stream.writing_ = false;
    return false;
  }
  void await_resume() const noexcept {}
};

Task<void> UvStream::end_writing() {
  if (closed_) co_return;
  co_await AwaitShutdown{*this};
}

void UvStream::close(CloseReason reason, std::string_view last_words) {
  if (handle_ == nullptr || closing_) return;
  const bool peer_is_there = !closed_;
  if (!closed_) closed_ = reason;
  pending_.clear();
  if (!last_words.empty() && !writing_ && peer_is_there) {
    const uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(last_words.data()), static_cast<unsigned>(last_words.size()));
    uv_try_write(raw(), &buffer, 1);
  }
  closing_ = true;
  // A write that waits hears of it by UV_ECANCELED; the reader is resumed by the close callback.
  uv_close(reinterpret_cast<uv_handle_t*>(handle_), [](uv_handle_t* closed) {
    auto* self = static_cast<UvStream*>(closed->data);
    delete reinterpret_cast<uv_any_handle*>(closed);
    if (self == nullptr) return;
    self->handle_ = nullptr;
    self->resume_reader();
  });
}

}  // namespace posthorn

#pragma once

#include "base/loop.h"
#include "base/stream.h"

#include <uv.h>

#include <optional>

namespace posthorn {

// A Stream over a connected libuv stream: TCP or a Unix socket.
class UvStream final : public Stream {
 public:
  using Handle = std::unique_ptr<uv_any_handle, CloseHandle<uv_any_handle>>;

  // Takes a connected handle (uv_tcp_t or uv_pipe_t inside the union) of `loop`.
  UvStream(Loop& loop, Handle handle);
  // Nobody may be waiting on it any more.
  ~UvStream() override;

  Task<ReadEvent> read_some(std::string& into, std::size_t max) override;
  void wake_reader() override;
  Task<void> write(std::string_view bytes) override;
  Task<void> end_writing() override;
  void close(CloseReason reason, std::string_view last_words = {}) override;

 private:
  // What a waiting read is to get; it lives in the frame of read_some.
  struct Read {
    std::string* into;
    std::size_t max;
    std::coroutine_handle<> waiting;
    ReadEvent event = ReadEvent::data;
  };
  struct AwaitRead;
  struct AwaitWrite;
  struct AwaitShutdown;

  uv_stream_t* raw() { return reinterpret_cast<uv_stream_t*>(handle_); }
  void start_reading();
  void on_read(ssize_t count, const char* bytes);
  void resume_reader();

  Loop& loop_;
  uv_any_handle* handle_;  // ours until uv_close was called, libuv's until its callback, then null
  bool closing_ = false;
  bool reading_ = false;
  bool ended_ = false;  // the peer will send nothing more
  bool woken_ = false;
  bool writing_ = false;
  Read* read_ = nullptr;
  // What arrived while nobody was reading; libuv then stops to read, which is the back-pressure. Reading
  // goes on until then: a session that answers at once costs no call to start and stop.
  std::string pending_;
  std::optional<CloseReason> closed_;
  std::shared_ptr<UvStream*> self_;  // for calls that may come after the stream has gone
};

}  // namespace posthorn

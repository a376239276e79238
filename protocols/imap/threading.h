#pragma once

#include "base/task.h"
#include "message/thread_links.h"
#include "protocols/imap/command.h"
#include "protocols/imap/slice.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Which messages THREAD takes for replies to which (RFC 5256 §3). No I/O; n log n at most, in slices, and
// however deep threads are.
namespace posthorn::imap {

// The messages that are threaded, in the order of the mailbox.
struct Threadables {
  struct Message {
    std::uint32_t number = 0;  // by which the answer tells it; not 0
    bool is_reply_or_forward = false;
    std::int64_t sent = 0;     // seconds since 1970 UTC; INTERNALDATE where there is no date sent (§2.2)
    std::int64_t arrived = 0;  // INTERNALDATE
    std::uint64_t subject = 0;
    std::optional<std::uint64_t> id;
    std::uint32_t ancestors_begin = 0;  // in `ancestors`
    std::uint32_t ancestors_end = 0;
  };
  std::vector<Message> messages;
  std::vector<std::uint64_t> ancestors;

  void add(std::uint32_t number, std::int64_t arrived, const message::ThreadLinks& links);
};

// Threads: siblings in their order, each linked to the next.
struct Threads {
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Node {
    std::uint32_t number = 0;  // 0 for a message that is not there, which only the first of a thread can be
    std::uint32_t first_child = none;
    std::uint32_t next = none;
  };
  std::vector<Node> nodes;
  std::uint32_t first = none;
};

// `messages` outlive the await.
Task<Threads> thread_messages(const Threadables& messages, Thread::Algorithm algorithm, Slice& slice);

// Walks through threads and says what a THREAD response has for them, bit by bit (§4): "(2)(3 6 (4 23)(44 7
// 96))".
class ThreadPrinter {
 public:
  // `threads` outlive this.
  explicit ThreadPrinter(const Threads& threads) : threads_(threads), thread_(threads.first) {}

  // Appends a little more; false once all is told.
  bool append_more(std::string& out);

 private:
  void append_node(std::string& out);

  const Threads& threads_;
  std::uint32_t thread_;                 // the next one
  std::uint32_t node_ = Threads::none;   // whose number comes next
  std::vector<std::uint32_t> siblings_;  // of each list that is open, what comes next in the one around it
};

}  // namespace posthorn::imap

#include "message/thread_links.h"
#include "protocols/imap/form_reading.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/threading.h"

#include <utility>

// THREAD and UID THREAD (RFC 5256 §3).
namespace posthorn::imap {
namespace {

class ThreadAnswer {
 public:
  ThreadAnswer(Connection& connection, View& view, Numbering numbering)
      : connection_(connection),
        numbering_(numbering),
        slice_(connection),
        reading_(connection, view, storage::Form::thread, slice_) {}

  Task<void> run(const Places& places, Thread::Algorithm algorithm);
  bool failed() const { return reading_.failed(); }

 private:
  void add(std::uint32_t place, const storage::Message& message, std::string_view encoded);

  Connection& connection_;
  Numbering numbering_;
  Slice slice_;
  FormReading reading_;
  Threadables messages_;
};

void ThreadAnswer::add(std::uint32_t place, const storage::Message& message, std::string_view encoded) {
  message::ThreadLinks links;
  if (!encoded.empty()) {
    auto read = message::decode_thread_links(encoded);
    if (read) {
      links = *std::move(read);
    } else {
      reading_.fail(read.error());
    }
  }
  messages_.add(numbering_ == Numbering::uid ? message.uid : place + 1, message.internal_date, links);
}

Task<void> ThreadAnswer::run(const Places& places, Thread::Algorithm algorithm) {
  messages_.messages.reserve(places.count());
  co_await reading_.run(places, [this](std::uint32_t place, const storage::Message& message,
                                       std::string_view encoded) { add(place, message, encoded); });
  const Threads threads = co_await thread_messages(messages_, algorithm, slice_);
  connection_.queue("* THREAD");
  if (threads.first != Threads::none) connection_.queue(" ");
  ThreadPrinter printer(threads);
  while (printer.append_more(connection_.output())) {
    co_await slice_;
    co_await connection_.flush_if_large();
  }
  connection_.queue("\r\n");
}

}  // namespace

Task<Reply> Session::on(const Thread& thread) {
  const std::string_view name = thread.search.numbering == Numbering::uid ? "UID THREAD" : "THREAD";
  auto findings = co_await find_messages(thread.search, name);
  if (!findings) co_return findings.error();
  ThreadAnswer answer(connection_, *view_, thread.search.numbering);
  co_await answer.run(findings->found, thread.algorithm);
  findings->failed = findings->failed || answer.failed();
  co_return reply_to_found(*findings, name);
}

}  // namespace posthorn::imap

#pragma once

#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/places.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/summary_ahead.h"
#include "protocols/imap/view.h"

#include <cstdint>
#include <functional>
#include <string_view>

namespace posthorn::imap {

// A small form of what the index keeps of many messages, batch after batch: the next is read while one is
// used.
class FormReading {
 public:
  // All of it outlives this.
  FormReading(Connection& connection, View& view, storage::Form form, Slice& slice)
      : connection_(connection),
        view_(view),
        slice_(slice),
        ahead_(view.mailbox(), storage::Effort::full, form) {}

  // Calls `use` for each of `places` in their order; `encoded` is empty where the message is gone or can't be
  // read.
  using Use =
      std::function<void(std::uint32_t place, const storage::Message& message, std::string_view encoded)>;
  Task<void> run(const Places& places, Use use);

  // Whether a message could not be read.
  bool failed() const { return failed_; }
  void fail(const Error& error);

 private:
  static constexpr std::uint32_t batch_size = 1'024;

  Task<void> read_all(const Places& places, const Use& use);
  Task<void> use_all(const Places& places, const SummaryAhead::Summaries& summaries, const Use& use);

  Connection& connection_;
  View& view_;
  Slice& slice_;
  SummaryAhead ahead_;
  bool failed_ = false;
};

}  // namespace posthorn::imap

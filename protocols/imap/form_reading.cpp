#include "protocols/imap/form_reading.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace posthorn::imap {

void FormReading::fail(const Error& error) {
  connection_.log(LogLevel::error, "imap.summary_unreadable", {{"cause", error.detail}});
  failed_ = true;
}

Task<void> FormReading::run(const Places& places, Use use) {
  std::exception_ptr thrown;
  try {
    co_await read_all(places, use);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await ahead_.end();
  if (thrown) std::rethrow_exception(thrown);
}

Task<void> FormReading::read_all(const Places& places, const Use& use) {
  const SummaryAhead::Summaries none;
  const std::vector<Places> batches = places.in_pieces(batch_size);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Places open = batches[i];
    while (!open.empty()) {
      const auto summaries = co_await ahead_.take(uids_of(open, view_.messages()));
      if (!summaries) fail(summaries.error());
      const SummaryAhead::Summaries& there = summaries ? *summaries : none;
      if (there.why) fail(*there.why);
      const std::uint32_t end =
          there.rest ? view_.messages().lower_bound(*there.rest) : open.ranges().back().end;
      const Places rest = open.from(end);
      const Places following = rest.empty() && i + 1 < batches.size() ? batches[i + 1] : rest;
      if (!following.empty()) ahead_.begin(uids_of(following, view_.messages()));
      co_await use_all(open.before(end), there, use);
      open = rest;
    }
  }
}

Task<void> FormReading::use_all(const Places& places, const SummaryAhead::Summaries& summaries,
                                const Use& use) {
  constexpr std::uint32_t step = 32;
  auto summary = summaries.list.begin();
  const auto use_one = [&](std::uint32_t place, const storage::Message& message) {
    while (summary != summaries.list.end() && summary->uid < message.uid) ++summary;
    const bool is_there = summary != summaries.list.end() && summary->uid == message.uid;
    use(place, message, is_there ? std::string_view(summary->encoded) : std::string_view());
  };
  for (const Places::Range range : places.ranges()) {
    for (std::uint32_t begin = range.begin; begin < range.end; begin += step) {
      view_.messages().visit(begin, std::min(range.end, begin + step), use_one);
      co_await slice_;
    }
  }
}

}  // namespace posthorn::imap

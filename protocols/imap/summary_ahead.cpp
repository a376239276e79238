#include "protocols/imap/summary_ahead.h"

#include <utility>

namespace posthorn::imap {

using storage::UidSet;

Task<Result<SummaryAhead::Summaries>> SummaryAhead::take(UidSet uids) {
  co_await end();
  if (std::exchange(begun_, std::nullopt) != uids) {
    co_return co_await mailbox_.summaries(std::move(uids), effort_, form_);
  }
  if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
  co_return std::exchange(read_, {});
}

void SummaryAhead::begin(UidSet uids) {
  begun_ = uids;
  thrown_ = nullptr;
  reading_.start(read(std::move(uids)));
}

Task<void> SummaryAhead::read(UidSet uids) {
  try {
    read_ = co_await mailbox_.summaries(std::move(uids), effort_, form_);
  } catch (...) {
    thrown_ = std::current_exception();
  }
}

Task<void> SummaryAhead::end() {
  Signal ended;
  reading_.when_empty([&ended] { ended.notify(); });
  co_await ended;
}

}  // namespace posthorn::imap

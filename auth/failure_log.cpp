#include "auth/failure_log.h"

#include <utility>

namespace posthorn::auth {
namespace {

constexpr std::chrono::milliseconds minute{60'000};

}  // namespace

FailureLog::Decision FailureLog::refused(std::string_view address, std::chrono::milliseconds now) {
  Decision decision;
  if (now - since_ >= minute) {
    decision.left_out_before = std::exchange(left_out_, 0);
    since_ = now;
    lines_ = 0;
    addresses_.clear();
  }
  const bool first = addresses_.size() < max_addresses && addresses_.emplace(address).second;
  decision.worth_a_line = first || lines_ < at_least;
  if (decision.worth_a_line) {
    ++lines_;
  } else {
    ++left_out_;
  }
  return decision;
}

}  // namespace posthorn::auth

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

namespace posthorn::auth {

// Which refused logins are worth a line of the log. Of each minute the first 20 are; after them the first of
// each address, for programs that read the log to shut addresses out, but of 1000 addresses at most. Pure:
// the time is given.
class FailureLog {
 public:
  static constexpr std::size_t at_least = 20;
  static constexpr std::size_t max_addresses = 1000;

  struct Decision {
    bool worth_a_line = false;
    // So many of an earlier minute had none: told once, at the first refusal after that minute.
    std::uint64_t left_out_before = 0;
  };
  // Of a refusal of `address`; `now` is monotonic.
  Decision refused(std::string_view address, std::chrono::milliseconds now);

 private:
  std::chrono::milliseconds since_{0};
  std::size_t lines_ = 0;
  std::uint64_t left_out_ = 0;
  std::unordered_set<std::string> addresses_;
};

}  // namespace posthorn::auth

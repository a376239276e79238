#pragma once

#include "base/result.h"
#include "base/task.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace posthorn::dns {

// RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 6698 §7.1.
enum class Type : std::uint16_t { a = 1, cname = 5, ptr = 12, mx = 15, txt = 16, aaaa = 28, tlsa = 52 };

// What the DNS says, for certain: an answer that could not be had is an error instead.
struct Answer {
  std::vector<std::string> records;  // RDATA (records.h)
  bool exists = true;                // false: there is no such name, whatever the type (NXDOMAIN)
  bool secure = false;               // validated by DNSSEC; without records, that there are none
  std::string name;                  // where CNAMEs led to, without the last dot
  std::chrono::seconds lifetime{0};  // how long it holds
};

// Asks the DNS.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // `name` is an A-label ("mail.example.org"), with or without a dot at the end.
  // Errors, all of which may pass: unavailable (nobody answered in time, or said that he can't, or the answer
  // was forged: DNSSEC says bogus), busy (too many questions are open); malformed for what is no name.
  virtual Task<Result<Answer>> look_up(std::string name, Type type) = 0;
};

}  // namespace posthorn::dns

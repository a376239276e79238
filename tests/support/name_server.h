#pragma once

#include "base/handle.h"
#include "base/loop.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::testing {

// A DNS server on a loopback port of its own, over UDP, that knows what it was told (RFC 1035).
class NameServer {
 public:
  explicit NameServer(Loop& loop);

  // "127.0.0.1@PORT", as UnboundResolver takes it.
  std::string address() const;

  // Records of a name in lower case, as RDATA. A name without any does not exist (NXDOMAIN).
  void add(const std::string& name, std::uint16_t type, std::string rdata);
  // Names that there is no answer for: that code, or no word at all.
  void fail(const std::string& name, int code) { failing_[name] = code; }
  void keep_silent_about(const std::string& name) { failing_[name] = silence; }

  std::size_t questions() const { return questions_; }

 private:
  static constexpr int silence = -1;

  void answer(std::string_view question, const sockaddr* from);

  UvHandle<uv_udp_t> socket_;
  std::map<std::string, std::vector<std::pair<std::uint16_t, std::string>>> records_;
  std::map<std::string, int> failing_;
  std::size_t questions_ = 0;
  std::string received_;
};

// "\x04mail\x07example\x04test\0" of "mail.example.test".
std::string wire_name(std::string_view name);

}  // namespace posthorn::testing

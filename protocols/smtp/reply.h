#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::smtp {

// A reply (RFC 5321 §4.2): a code, and text whose lines begin with the enhanced status code where RFC 2034
// §4 asks for one (all but 3xx, the greeting, and what answers EHLO and HELO). ASCII only (RFC 6531
// §3.7.4.2).
class Reply {
 public:
  Reply(int code, std::string text) : code_(code), lines_{std::move(text)} {}
  Reply(int code, std::vector<std::string> lines) : code_(code), lines_(std::move(lines)) {}

  int code() const { return code_; }
  bool negative() const { return code_ >= 400; }
  // The same for EHLO and HELO. Every line must begin with an enhanced code.
  Reply without_enhanced_code() const;
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  int code_;
  std::vector<std::string> lines_;
};

// Appends the reply as it goes over the wire. Lines beyond 512 octets are cut (RFC 5321 §4.5.3.1.5).
void print(const Reply& reply, std::string& out);

// What the client is told when a line is no command; see parse_command.
Reply reply_to_line(const Error& error);

// What the client is told when a command fails. Nothing of `detail` is in it.
Reply reply_to(const Error& error);

}  // namespace posthorn::smtp

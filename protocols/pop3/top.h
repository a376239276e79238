#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posthorn::pop3 {

// Finds where the answer to TOP ends: after the header, the blank line and so many lines of the body
// (RFC 1939 §7). A message without a blank line is all header.
class TopCutter {
 public:
  explicit TopCutter(std::uint32_t lines) : left_(lines) {}

  // How much of `in`, the next part of the message, belongs to the answer.
  std::size_t feed(std::string_view in);
  // Nothing more of the message belongs to it.
  bool complete() const { return !in_header_ && left_ == 0; }

 private:
  std::uint32_t left_;  // lines of the body
  bool in_header_ = true;
  enum class Line : std::uint8_t { empty, cr, text };
  Line line_ = Line::empty;  // what the present line of the header has had so far
};

}  // namespace posthorn::pop3

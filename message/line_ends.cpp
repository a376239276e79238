#include "message/line_ends.h"

namespace posthorn::message {

void WireForm::feed(std::string_view chunk, std::string& out) {
  if (ends_ == LineEnds::crlf) {
    out += chunk;
    return;
  }
  while (!chunk.empty()) {
    const auto end = chunk.find('\n');
    const auto text = chunk.substr(0, end);
    if (!text.empty()) after_cr_ = text.back() == '\r';
    out += text;
    if (end == std::string_view::npos) return;
    out += after_cr_ ? "\n" : "\r\n";
    after_cr_ = false;
    chunk.remove_prefix(end + 1);
  }
}

void LineEndGain::feed(std::string_view chunk) {
  while (!chunk.empty()) {
    const auto end = chunk.find('\n');
    const auto text = chunk.substr(0, end);
    if (!text.empty()) after_cr_ = text.back() == '\r';
    at_line_begin_ = end != std::string_view::npos;
    if (!at_line_begin_) return;
    if (!after_cr_) ++bare_;
    after_cr_ = false;
    chunk.remove_prefix(end + 1);
  }
}

std::uint64_t wire_size(std::string_view bytes, LineEnds ends) {
  std::uint64_t size = bytes.size();
  if (ends == LineEnds::crlf) return size;
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n', end + 1)) {
    if (end == 0 || bytes[end - 1] != '\r') ++size;
  }
  return size;
}

}  // namespace posthorn::message

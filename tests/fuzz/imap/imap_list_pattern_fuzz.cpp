#include "protocols/imap/list_pattern.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 3501 §6.3.8 word for word, and slow. `folded` is how many octets at the name's begin compare without
// case.
bool matches(std::string_view pattern, std::string_view name, std::size_t folded) {
  if (pattern.empty()) return name.empty();
  const std::size_t rest = folded == 0 ? 0 : folded - 1;
  const std::string_view tail = name.empty() ? name : name.substr(1);
  if (pattern.front() == '*' || pattern.front() == '%') {
    if (matches(pattern.substr(1), name, folded)) return true;
    return !name.empty() && (pattern.front() == '*' || name.front() != '/') && matches(pattern, tail, rest);
  }
  if (name.empty()) return false;
  const bool same =
      folded > 0 ? lower(pattern.front()) == lower(name.front()) : pattern.front() == name.front();
  return same && matches(pattern.substr(1), tail, rest);
}

}  // namespace

// Agrees with the plain meaning of a pattern. Input: the pattern, a line end, the name; up to 12 octets of
// each.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) return 0;
  const std::string_view pattern = bytes.substr(0, line_end).substr(0, 12);
  const std::string_view name = bytes.substr(line_end + 1).substr(0, 12);
  const std::size_t folded = name == "INBOX" || name.starts_with("INBOX/") ? 5 : 0;

  const std::size_t cut = pattern.size() / 2;
  const imap::ListPattern made(pattern.substr(0, cut), pattern.substr(cut));
  const bool expected = matches(pattern, name, folded);
  if (made.matches(name) != expected) std::abort();
  return 0;
}

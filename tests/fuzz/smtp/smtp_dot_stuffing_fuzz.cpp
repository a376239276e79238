// The chunks in which a message comes change nothing, and the decoder says what a slow, plain reading of
// RFC 5321 §4.5.2 says. The first octet of the input is the chunk size.
#include "protocols/smtp/dot_stuffing.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct Decoded {
  std::string content;
  std::size_t used = 0;
  bool ended = false;
  bool bare = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view in, std::size_t chunk) {
  posthorn::smtp::DotDecoder decoder;
  Decoded decoded;
  while (decoded.used < in.size() && !decoder.ended()) {
    decoded.used += decoder.feed(in.substr(decoded.used, chunk), decoded.content);
  }
  decoded.ended = decoder.ended();
  decoded.bare = decoder.bare_line_end();
  return decoded;
}

// Where the message ends: after the CR LF of the first line that is a lone dot.
std::size_t end_of(std::string_view in) {
  if (in.starts_with(".\r\n")) return 3;
  const std::size_t at = in.find("\r\n.\r\n");
  return at == std::string_view::npos ? at : at + 5;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(in, in.size() + 1);
  if (decode(in, data[0] % 32U + 1U) != whole || decode(in, 1) != whole) std::abort();
  const std::size_t end = end_of(in);
  if (whole.ended != (end != std::string_view::npos)) std::abort();
  if (whole.ended && whole.used != end) std::abort();
  if (!whole.ended && whole.used != in.size()) std::abort();
  return 0;
}

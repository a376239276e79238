// Strict base64 has one text for each octet string: what decodes, encodes to the same; all octets come back.
#include "auth/sasl.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace posthorn::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = decode_base64(text); bytes && encode_base64(*bytes) != text) std::abort();
  const auto back = decode_base64(encode_base64(text));
  if (!back || *back != text) std::abort();
  return 0;
}

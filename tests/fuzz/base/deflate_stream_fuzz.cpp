// Neither the chunks in which a raw DEFLATE stream comes, nor the room that its reader has, nor rests on the
// way change what is read: it is what zlib reads of the whole. And what is written with rests on the way, one
// zlib state reads. The first three octets of the input are the chunk size, the room and the pattern of
// rests.
#include "base/deflate.h"
#include "tests/support/raw_deflate.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace posthorn;

namespace {

// A bomb is cut here.
constexpr std::size_t limit = 1U << 20U;

void check_reading(std::string_view compressed, std::size_t chunk, std::size_t room, unsigned rests) {
  posthorn::test::RawInflate reference;
  const std::string expected = reference(compressed, limit);
  Inflater inflater;
  std::string text;
  Inflated end = Inflated::needs_input;
  unsigned calls = 0;
  while (!compressed.empty() && end == Inflated::needs_input && text.size() < limit) {
    std::string_view in = compressed.substr(0, chunk);
    compressed.remove_prefix(in.size());
    do {
      const std::size_t before = text.size();
      end = inflater.inflate(in, text, room);
      if (text.size() - before > room || (text.size() > before) != (end == Inflated::data)) std::abort();
      if ((rests >> (calls++ % 8U) & 1U) != 0) inflater.release();
      if (inflater.held() > 42 * 1024) std::abort();
    } while (end == Inflated::data && text.size() < limit);
  }
  if (expected.size() >= limit) {
    if (std::string_view(text).substr(0, limit) != expected) std::abort();
    return;
  }
  if (text != expected) std::abort();
  if ((end == Inflated::ended) != (reference.result() == Z_STREAM_END)) std::abort();
  if ((end == Inflated::broken) != (reference.result() == Z_DATA_ERROR)) std::abort();
}

void check_writing(std::string_view text, std::size_t chunk, unsigned rests) {
  posthorn::test::RawInflate reference;
  Deflater deflater;
  unsigned calls = 0;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, chunk);
    text.remove_prefix(part.size());
    std::string compressed;
    if (!deflater.compress(part, compressed) || reference(compressed) != part) std::abort();
    if ((rests >> (calls++ % 8U) & 1U) != 0) deflater.release();
  }
  reference(Deflater::last_block);
  if (reference.result() != Z_STREAM_END) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t chunk = data[0] + 1U;
  check_reading(bytes, chunk, data[1] * std::size_t{data[1]} + 1U, data[2]);
  check_writing(bytes, chunk * 4, data[2]);
  return 0;
}

#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <zlib.h>

namespace posthorn::test {

// The far end of a compressed stream, by zlib alone: one state from the first octet to the last.
class RawDeflate {
 public:
  explicit RawDeflate(int window_bits = -15) {
    if (deflateInit2(&stream_, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  }
  RawDeflate(const RawDeflate&) = delete;
  RawDeflate& operator=(const RawDeflate&) = delete;
  ~RawDeflate() { deflateEnd(&stream_); }

  std::string operator()(std::string_view bytes, int flush) {
    std::string out;
    char block[4096];
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(block);
      stream_.avail_out = sizeof block;
      deflate(&stream_, flush);
      out.append(block, sizeof block - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_{};
};

class RawInflate {
 public:
  RawInflate() {
    if (inflateInit2(&stream_, -15) != Z_OK) std::abort();
  }
  RawInflate(const RawInflate&) = delete;
  RawInflate& operator=(const RawInflate&) = delete;
  ~RawInflate() { inflateEnd(&stream_); }

  // Of `bytes`, at most `limit` octets of output; result() says how it went.
  std::string operator()(std::string_view bytes, std::size_t limit = std::size_t{1} << 30U) {
    std::string out;
    char block[4096];
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    do {
      const auto room = static_cast<unsigned>(std::min(sizeof block, limit - out.size()));
      stream_.next_out = reinterpret_cast<Bytef*>(block);
      stream_.avail_out = room;
      result_ = inflate(&stream_, Z_SYNC_FLUSH);
      out.append(block, room - stream_.avail_out);
    } while (result_ == Z_OK && out.size() < limit);
    return out;
  }
  // Z_BUF_ERROR: it wants more; Z_STREAM_END; Z_DATA_ERROR.
  int result() const { return result_; }
  std::size_t left() const { return stream_.avail_in; }

 private:
  z_stream stream_{};
  int result_ = Z_OK;
};

// What mail on the line is like: repetitions near and far, and noise between.
inline std::string sample(std::size_t size, unsigned seed = 1) {
  std::string text;
  while (text.size() < size) {
    seed = seed * 1664525U + 1013904223U;
    text += "* " + std::to_string(seed % 1000U) + " FETCH (UID " + std::to_string(seed >> 12U) +
            " FLAGS (\\Seen))\r\n";
    for (unsigned i = seed % 40U; i > 0; --i) text += static_cast<char>((seed = seed * 69069U + 1U) >> 24U);
  }
  text.resize(size);
  return text;
}

}  // namespace posthorn::test

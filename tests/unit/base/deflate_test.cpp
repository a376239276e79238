#include "base/deflate.h"

#include "tests/support/raw_deflate.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace posthorn;
using posthorn::test::RawDeflate;
using posthorn::test::RawInflate;
using posthorn::test::sample;

namespace {

constexpr std::size_t kib = 1024;

enum class Rest { never, after_each_call };

struct Read {
  std::string text;
  Inflated end = Inflated::data;
  std::size_t left = 0;  // of the input
  std::size_t most_held = 0;
};

Read read_all(std::string_view compressed, std::size_t chunk, std::size_t max, Rest rest) {
  Inflater inflater;
  Read read;
  do {
    std::string_view in = compressed.substr(0, chunk);
    compressed.remove_prefix(in.size());
    do {
      const std::size_t before = read.text.size();
      read.end = inflater.inflate(in, read.text, max);
      const std::size_t got = read.text.size() - before;
      if (got > max || (got > 0) != (read.end == Inflated::data)) FAIL("read ", got, " of ", max);
      if (rest == Rest::after_each_call) inflater.release();
      read.most_held = std::max(read.most_held, inflater.held());
    } while (read.end == Inflated::data);
    if (read.end != Inflated::needs_input) {
      read.left = in.size() + compressed.size();
      break;
    }
    CHECK(in.empty());
  } while (!compressed.empty());
  return read;
}

TEST_CASE("deflate: all that went in can be read at once (RFC 4978 §3)") {
  Deflater deflater;
  RawInflate peer;
  unsigned seed = 0;
  for (const std::size_t size : {1U, 2U, 9U, 100U, 16'000U, 40'000U, 3U, 300'000U, 1U}) {
    const std::string text = sample(size, ++seed);
    std::string compressed;
    REQUIRE(deflater.compress(text, compressed));
    CHECK((peer(compressed) == text));
    CHECK(compressed.size() < size + size / 1000 + 20);
  }
  peer(Deflater::last_block);
  CHECK(peer.result() == Z_STREAM_END);
}

TEST_CASE("deflate: what cannot be compressed hardly grows, nothing stays nothing") {
  Deflater deflater;
  std::string noise;
  for (unsigned i = 0, seed = 7; i < 24'576; ++i)
    noise += static_cast<char>((seed = seed * 1664525U + 1U) >> 24U);
  std::string compressed;
  REQUIRE(deflater.compress(noise, compressed));
  CHECK(compressed.size() < noise.size() + 50);
  compressed.clear();
  REQUIRE(deflater.compress("", compressed));
  CHECK(compressed.empty());
}

TEST_CASE("deflate: after a release the stream goes on, for a reader that knows nothing of it") {
  for (const std::size_t often : {1U, 2U, 5U}) {
    Deflater deflater;
    RawInflate peer;
    for (std::size_t i = 1; i < 200; ++i) {
      const std::string text = sample(i * i % 1777, static_cast<unsigned>(i));
      std::string compressed;
      REQUIRE(deflater.compress(text, compressed));
      CHECK((peer(compressed) == text));
      if (i % often == 0) deflater.release();
    }
    deflater.release();
    peer(Deflater::last_block);
    CHECK(peer.result() == Z_STREAM_END);
  }
}

TEST_CASE(
    "inflate: however the writer flushes, in chunks of any size, for readers of any size, rested or not") {
  // Some clients flush with Z_PARTIAL_FLUSH, after which the reader stands within an octet and a block.
  for (const int flush : {Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH, Z_BLOCK}) {
    RawDeflate peer;
    std::string text;
    std::string compressed;
    for (unsigned i = 0; i < 60; ++i) {
      text += sample(i % 7 * 31 + 1, i % 11);
      compressed += peer(std::string_view(text).substr(text.size() - (i % 7 * 31 + 1)), flush);
    }
    compressed += peer("", Z_FINISH);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{13}, compressed.size()}) {
      for (const std::size_t max : {1U, 3U, 1000U, 100'000U}) {
        for (const Rest rest : {Rest::never, Rest::after_each_call}) {
          CAPTURE(flush);
          CAPTURE(chunk);
          CAPTURE(max);
          const Read read = read_all(compressed + "rest", chunk, max, rest);
          CHECK((read.text == text));
          CHECK(read.end == Inflated::ended);
          CHECK(read.left == 4);
        }
      }
    }
  }
}

TEST_CASE("inflate: after a rest the writer may refer 32 KiB back (RFC 1951 §2), and no farther") {
  const std::string far = sample(32'000, 3);
  for (const int flush : {Z_SYNC_FLUSH, Z_PARTIAL_FLUSH}) {
    RawDeflate peer;
    Inflater inflater;
    for (int i = 0; i < 5; ++i) {
      const std::string compressed = peer(far, flush);
      if (i > 0) CHECK(compressed.size() < 1000);  // it did refer back
      std::string_view in = compressed;
      std::string text;
      while (inflater.inflate(in, text, 100'000) == Inflated::data) {
      }
      CHECK((text == far));
      inflater.release();
      CHECK(inflater.held() <= 33 * kib);
    }
  }
  // One octet seen; a match two octets back, in a block of fixed codes (§3.2.6).
  Inflater inflater;
  std::string text;
  std::string_view in(
      "\x00\x01\x00\xfe\xff"
      "a",
      6);
  CHECK(inflater.inflate(in, text, 10) == Inflated::data);
  inflater.release();
  in = std::string_view("\x02\x42\x00\x00", 4);
  CHECK(inflater.inflate(in, text, 10) == Inflated::broken);
  CHECK(inflater.failure() == "invalid distance too far back");
}

TEST_CASE("deflate: memory, at work and at rest") {
  Deflater deflater;
  CHECK(deflater.held() == 0);
  std::string compressed;
  REQUIRE(deflater.compress(sample(500'000), compressed));
  CHECK(deflater.held() > 64 * kib);
  CHECK(deflater.held() <= 72 * kib);
  MESSAGE("octets held to compress: ", deflater.held());
  deflater.release();
  CHECK(deflater.held() == 0);

  Inflater inflater;
  inflater.release();
  CHECK(inflater.held() < 100);
  // A client that gives commands: what it sent is all that is kept.
  RawDeflate peer;
  std::string text;
  for (int i = 0; i < 20; ++i) {
    const std::string command = peer("a" + std::to_string(i) + " UID FETCH 1:* (FLAGS)\r\n", Z_SYNC_FLUSH);
    std::string_view in = command;
    while (inflater.inflate(in, text, 1000) == Inflated::data) {
    }
    CHECK(inflater.held() > 32 * kib);
    CHECK(inflater.held() <= 40 * kib);
    inflater.release();
    CHECK(inflater.held() < text.size() + 100);
  }
  // One that sent a message.
  const std::string append = peer(sample(200'000), Z_SYNC_FLUSH);
  std::string_view in = append;
  while (inflater.inflate(in, text, 1000) == Inflated::data) CHECK(inflater.held() <= 40 * kib);
  MESSAGE("octets held to decompress: ", inflater.held());
  inflater.release();
  CHECK(inflater.held() <= 33 * kib);
}

TEST_CASE("inflate: within a block's data a rest changes nothing") {
  RawDeflate peer;
  const std::string text = sample(5000);
  const std::string compressed = peer(text, Z_FINISH);
  const Read read = read_all(compressed, 100, 10, Rest::after_each_call);
  CHECK((read.text == text));
  CHECK(read.most_held > 32 * kib);
}

TEST_CASE("inflate: a bomb yields what is asked for, and holds no more than other input") {
  constexpr std::size_t size = 20'000'000;
  RawDeflate peer;
  std::string bomb;
  for (std::size_t i = 0; i < 20; ++i) bomb += peer(std::string(size / 20, '\0'), Z_SYNC_FLUSH);
  CHECK(bomb.size() < 30'000);
  Inflater inflater;
  std::string_view in = bomb;
  std::size_t total = 0;
  std::string out;
  while (inflater.inflate(in, out, 5000) == Inflated::data) {
    CHECK(out.size() <= 5000);
    total += out.size();
    out.clear();
    CHECK(inflater.held() <= 40 * kib);
  }
  CHECK(total == size);
  CHECK(in.empty());
}

TEST_CASE("inflate: what is not DEFLATE is refused for its reason, what came before it is given") {
  const std::pair<std::string, std::string> cases[] = {
      {"\x07", "invalid block type"},                                            // §3.2.3: 11 is reserved
      {std::string("\x00\x05\x00\x00\x00", 5), "invalid stored block lengths"},  // §3.2.4
      {"\xfd\xff\xff", "too many length or distance symbols"},                   // §3.2.7
      {std::string("\x05\x00\x00\x00\x00\x00\x00\x00", 8), "missing end-of-block"},
      {"a NOOP\r\n", "invalid stored block lengths"},
      {"\x16\x03\x01\x02", "invalid block type"},
  };
  for (const auto& [garbage, reason] : cases) {
    for (const bool after_text : {false, true}) {
      for (const Rest rest : {Rest::never, Rest::after_each_call}) {
        CAPTURE(reason);
        RawDeflate peer;
        const std::string before = after_text ? sample(300) : "";
        const std::string all =
            (after_text ? peer(before, Z_SYNC_FLUSH) : "") + garbage + std::string(50, 'x');
        for (const std::size_t chunk : {std::size_t{1}, all.size()}) {
          Inflater inflater;
          std::string text;
          Inflated end = Inflated::needs_input;
          for (std::size_t at = 0; at < all.size() && end == Inflated::needs_input; at += chunk) {
            std::string_view in = std::string_view(all).substr(at, chunk);
            while ((end = inflater.inflate(in, text, 10)) == Inflated::data) {
              if (rest == Rest::after_each_call) inflater.release();
            }
            if (rest == Rest::after_each_call) inflater.release();
          }
          CHECK(end == Inflated::broken);
          CHECK(text.substr(0, before.size()) == before);
          CHECK(inflater.failure().ends_with(reason));
          // Once broken, always broken, and nothing held.
          std::string_view more = "\x03";
          inflater.release();
          CHECK(inflater.inflate(more, text, 10) == Inflated::broken);
          CHECK(inflater.held() < 1000);
        }
      }
    }
  }
}

TEST_CASE("inflate: an end right behind the last octets is told, also after a rest") {
  RawDeflate peer;
  const std::string text = sample(100);
  const std::string before = peer(text, Z_SYNC_FLUSH);
  const std::pair<std::string, Inflated> cases[] = {{"\x07", Inflated::broken},
                                                    {std::string(Deflater::last_block), Inflated::ended},
                                                    {"", Inflated::needs_input}};
  for (const auto& [last, end] : cases) {
    for (const std::size_t max : {100U, 101U, 7U}) {
      for (const Rest rest : {Rest::never, Rest::after_each_call}) {
        const Read read = read_all(before + last, 1000, max, rest);
        CHECK((read.text == text));
        CHECK(read.end == end);
      }
    }
  }
}

TEST_CASE("inflate: behind a flush or the last block the writer may go on in clear (RFC 8437 §4.1)") {
  const std::string clear = "l LOGIN a b\r\n";
  for (const int flush : {Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH}) {
    RawDeflate writer;
    const std::string compressed = writer("n NOOP\r\n", Z_SYNC_FLUSH) + writer("u UNAUTHENTICATE\r\n", flush);
    const std::string all = compressed + clear;
    for (std::size_t split = 0; split <= all.size(); ++split) {
      CAPTURE(flush);
      CAPTURE(split);
      Inflater inflater;
      std::string text;
      std::string in = all.substr(0, split);
      std::string rest = all.substr(split);
      while (text.size() < 26) {
        std::string_view left = in;
        const Inflated outcome = inflater.inflate(left, text, 1000);
        in = std::string(left);
        if (outcome == Inflated::needs_input) in += std::exchange(rest, {});
        if (outcome != Inflated::data && in.empty()) FAIL("cut off");
      }
      CHECK(text == "n NOOP\r\nu UNAUTHENTICATE\r\n");
      std::string_view left = in;
      if (inflater.take_flush(left) == Inflated::needs_input) {
        CHECK(left.empty());
        in = std::exchange(rest, {});
        left = in;
        CHECK(inflater.take_flush(left) == Inflated::data);
      }
      CHECK(std::string(left) + rest == clear);
    }
  }
}

TEST_CASE("inflate: who compresses on where the stream was to end is found out") {
  RawDeflate writer;
  const std::string compressed = writer("u UNAUTHENTICATE\r\nn NOOP\r\n", Z_SYNC_FLUSH);
  Inflater inflater;
  std::string text;
  std::string_view in = compressed;
  REQUIRE(inflater.inflate(in, text, 18) == Inflated::data);
  CHECK(text == "u UNAUTHENTICATE\r\n");
  CHECK(inflater.take_flush(in) == Inflated::broken);
  CHECK(inflater.failure() == "octets where the stream was to end");
}

TEST_CASE("inflate: a stream cut anywhere gives what came, and wants more") {
  RawDeflate peer;
  const std::string text = sample(600);
  const std::string whole = peer(std::string_view(text).substr(0, 300), Z_PARTIAL_FLUSH) +
                            peer(std::string_view(text).substr(300), Z_FINISH);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Read read =
        read_all(std::string_view(whole).substr(0, size), whole.size(), 100, Rest::after_each_call);
    CHECK(read.end == Inflated::needs_input);
    CHECK(text.starts_with(read.text));
    RawInflate other;
    CHECK(read.text == other(std::string_view(whole).substr(0, size)));
  }
}

}  // namespace

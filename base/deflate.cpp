#include "base/deflate.h"

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <utility>
#include <zlib.h>

namespace posthorn {
namespace {

// RFC 4978 §4 asks for negative window bits: raw DEFLATE, neither zlib's header nor its checksum.
constexpr int largest_window = -15;  // 32 KiB, the most that RFC 1951 §2 allows a writer to refer back

// 8 KiB of window and 64 KiB in all rather than the largest, 256: IMAP's replies and headers come out larger
// by a tenth, lists of flags even smaller. Level 5 is the last that RFC 4978 §4 recommends, as the
// next gains nothing on mail.
constexpr int window_bits = -13;
constexpr int memory_level = 6;
constexpr int level = 5;

constexpr std::size_t block_size = 16384;

Bytef* octets(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

// zlib's memory, counted in the number that `held` points to.
void* allocate(void* held, unsigned items, unsigned size) {
  void* memory = std::malloc(std::size_t{items} * size);
  if (memory != nullptr) *static_cast<std::size_t*>(held) += malloc_usable_size(memory);
  return memory;
}

void give_back(void* held, void* memory) {
  *static_cast<std::size_t*>(held) -= malloc_usable_size(memory);
  std::free(memory);
}

z_stream counted(std::size_t& held) {
  z_stream stream{};
  stream.zalloc = allocate;
  stream.zfree = give_back;
  stream.opaque = &held;
  return stream;
}

}  // namespace

struct Deflater::State {
  std::size_t held = 0;
  z_stream stream = counted(held);
  bool ready =
      deflateInit2(&stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { deflateEnd(&stream); }
};

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

bool Deflater::compress(std::string_view bytes, std::string& out) {
  if (bytes.empty()) return true;
  if (!state_) {
    state_ = std::make_unique<State>();
    if (!state_->ready) {
      release();
      return false;
    }
  }
  z_stream& stream = state_->stream;
  char block[block_size];
  while (!bytes.empty()) {
    // zlib counts its input in an unsigned; a flush more in many MiB costs five octets.
    const std::string_view part = bytes.substr(0, 1U << 30U);
    stream.next_in = octets(part);
    stream.avail_in = static_cast<unsigned>(part.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(block);
      stream.avail_out = block_size;
      // Ends in an empty stored block: on an octet's border. That is what lets release() forget everything.
      deflate(&stream, Z_SYNC_FLUSH);
      out.append(block, block_size - stream.avail_out);
    } while (stream.avail_out == 0);
    bytes.remove_prefix(part.size());
  }
  return true;
}

void Deflater::release() { state_.reset(); }

std::size_t Deflater::held() const { return state_ ? state_->held + sizeof(State) : 0; }

struct Inflater::State {
  std::size_t held = 0;
  z_stream stream = counted(held);
  bool ready = inflateInit2(&stream, largest_window) == Z_OK;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { inflateEnd(&stream); }
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

// Goes on to the next border between blocks, or as far as there is input and room for output.
int Inflater::step(std::string_view& in) {
  z_stream& stream = state_->stream;
  const std::string_view part = in.substr(0, 1U << 30U);
  stream.next_in = octets(part);
  stream.avail_in = static_cast<unsigned>(part.size());
  const unsigned room = stream.avail_out;
  const int result = ::inflate(&stream, Z_BLOCK);
  const std::string_view taken = part.substr(0, part.size() - stream.avail_in);
  in.remove_prefix(taken.size());
  // A border may also lie within an octet that an earlier step took.
  if (!taken.empty()) last_octet_ = static_cast<unsigned char>(taken.back());

  // What data_type says is told in zlib.h at inflate(); at a border fewer than eight bits are left.
  constexpr int at_border = 128;
  constexpr int after_last = 64;
  if (!taken.empty()) flushed_ = false;
  if (result == Z_OK && (stream.data_type & at_border) != 0) {
    const int bits = stream.data_type & 7;
    if (!taken.empty()) flushed_ = bits == 0 && border_.usable && stream.avail_out == room;
    border_ = {(stream.data_type & after_last) == 0, bits, last_octet_ >> (8 - bits), {}};
  } else if (stream.avail_out != room) {
    border_ = {.usable = false};
  } else if (border_.usable) {
    border_.since.append(taken);
  }
  return result;
}

bool Inflater::resume() {
  state_ = std::make_unique<State>();
  z_stream& stream = state_->stream;
  bool ready = state_->ready;
  if (ready && !window_.empty()) {
    ready = inflateSetDictionary(&stream, octets(window_), static_cast<unsigned>(window_.size())) == Z_OK;
  }
  std::string().swap(window_);
  if (ready && border_.bits > 0) ready = inflatePrime(&stream, border_.bits, border_.value) == Z_OK;
  if (ready && !border_.since.empty()) {
    char nothing_comes = 0;
    stream.next_in = octets(border_.since);
    stream.avail_in = static_cast<unsigned>(border_.since.size());
    stream.next_out = reinterpret_cast<Bytef*>(&nothing_comes);
    stream.avail_out = 0;
    // Broken input is broken again at the next step.
    ready = ::inflate(&stream, Z_BLOCK) != Z_MEM_ERROR;
  }
  return ready;
}

Inflated Inflater::inflate(std::string_view& in, std::string& out, std::size_t max) {
  if (end_ != Inflated::data) return end_;
  if (!state_) {
    if (in.empty() && !full_) return Inflated::needs_input;
    if (!resume()) {
      state_.reset();
      return end_ = Inflated::out_of_memory;
    }
  }
  z_stream& stream = state_->stream;
  char block[block_size];
  const auto room = static_cast<unsigned>(std::min(max, block_size));
  stream.next_out = reinterpret_cast<Bytef*>(block);
  stream.avail_out = room;
  int result = Z_OK;
  while (result == Z_OK && stream.avail_out > 0 && !(flushed_ && stream.avail_out < room)) result = step(in);
  full_ = stream.avail_out == 0;
  const std::size_t got = room - stream.avail_out;
  out.append(block, got);
  const bool over = result != Z_OK && result != Z_BUF_ERROR;
  if (over) end(result);
  // An end behind octets is told at the next call.
  if (got > 0) return Inflated::data;
  return over ? end_ : Inflated::needs_input;
}

Inflated Inflater::take_flush(std::string_view& in) {
  if (flushed_ || end_ == Inflated::ended) return Inflated::data;
  if (end_ != Inflated::data) return end_;
  if (!state_ && !resume()) {
    state_.reset();
    return end_ = Inflated::out_of_memory;
  }
  z_stream& stream = state_->stream;
  char beyond = 0;
  stream.next_out = reinterpret_cast<Bytef*>(&beyond);
  stream.avail_out = 1;
  int result = Z_OK;
  while (result == Z_OK && stream.avail_out > 0 && !flushed_) result = step(in);
  if (stream.avail_out == 0) {
    state_.reset();
    failure_ = "octets where the stream was to end";
    return end_ = Inflated::broken;
  }
  if (flushed_) return Inflated::data;
  if (result == Z_OK || result == Z_BUF_ERROR) return Inflated::needs_input;
  end(result);
  return end_ == Inflated::ended ? Inflated::data : end_;
}

void Inflater::end(int result) {
  if (result == Z_STREAM_END) {
    end_ = Inflated::ended;
  } else if (result == Z_MEM_ERROR) {
    end_ = Inflated::out_of_memory;
  } else {
    end_ = Inflated::broken;
    const char* message = state_->stream.msg;
    failure_ = message != nullptr ? message : "not DEFLATE";
  }
  state_.reset();
}

void Inflater::release() {
  if (!state_ || !border_.usable) return;
  z_stream& stream = state_->stream;
  unsigned seen = 0;
  inflateGetDictionary(&stream, nullptr, &seen);
  window_ = std::string(seen, '\0');
  inflateGetDictionary(&stream, octets(window_), &seen);
  state_.reset();
}

std::size_t Inflater::held() const {
  return (state_ ? state_->held + sizeof(State) : 0) + window_.capacity() + border_.since.capacity();
}

}  // namespace posthorn

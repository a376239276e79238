#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace posthorn {

// What writes a raw DEFLATE stream (RFC 1951) that is flushed again and again: everything that went in can be
// read at the far end at once. Holds 70 KiB between its first compress() and release(), else nothing.
class Deflater {
 public:
  Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  // The stream's last block, empty (RFC 1951 §3.2.3); it may follow any compress().
  static constexpr std::string_view last_block{"\x03\x00", 2};

  // Appends `bytes` to `out`, compressed and ended on an octet's border: about as long as `bytes` at most.
  // False when there is no memory; `out` is as it was.
  bool compress(std::string_view bytes, std::string& out);

  // Gives the memory back. The stream goes on as it was for the reader; what comes next refers to nothing
  // before.
  void release();

  // Octets held now.
  std::size_t held() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class Inflated {
  data,           // at least one octet was appended
  needs_input,    // all of the input was taken, and more has to come
  ended,          // the stream's last block is over; what follows it is nobody's
  broken,         // this is no DEFLATE stream: failure() says why
  out_of_memory,  // likewise the end
};

// Reads a raw DEFLATE stream as it comes. Holds 40 KiB (zlib's state and the 32 KiB that the writer may refer
// back to) between its first inflate() and release(); then the octets seen, of which at most 32 KiB.
class Inflater {
 public:
  Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // Takes octets from the front of `in` and appends 1 to `max` (or 16 KiB, if that is less) to `out`, however
  // much more there would be. What comes behind a flush is left for the next call.
  Inflated inflate(std::string_view& in, std::string& out, std::size_t max);

  // Takes the rest of the flush, or of the stream, behind which the writer goes on without compression: of
  // octets that stand behind it none is taken. `data` once that is done.
  Inflated take_flush(std::string_view& in);

  // In zlib's words; empty unless the stream is broken.
  const std::string& failure() const { return failure_; }

  // Gives the memory back, but for what is needed to go on. In the middle of a block's data, where no writer
  // stops that waits for an answer, it does nothing.
  void release();

  // Octets held now.
  std::size_t held() const;

 private:
  struct State;

  // A place between two blocks from which reading can start again, with the window as it was there.
  struct Border {
    bool usable = true;  // nothing was put out since
    int bits = 0;        // how many of the last octet before it belong to the next block
    int value = 0;       // these
    std::string since;   // the octets taken since: a part of a block's header, some 300 at most
  };

  bool resume();
  int step(std::string_view& in);
  void end(int result);

  std::unique_ptr<State> state_;
  Border border_;
  bool flushed_ = false;           // what was taken ends in an empty block on an octet's border
  bool full_ = false;              // the last call had no room left: it may not have told all
  int last_octet_ = 0;             // of the input
  std::string window_;             // while there is no state
  Inflated end_ = Inflated::data;  // `ended`, `broken` or `out_of_memory` once it is
  std::string failure_;
};

}  // namespace posthorn

#include "protocols/imap/framing.h"
#include "protocols/imap/grammar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace posthorn::imap;

namespace {

struct Framed {
  std::vector<Frame> frames;  // but for those that only ask for more
  bool is_complete = false;
  bool operator==(const Framed&) const = default;
};

// What a Framer says of `bytes`, which come in chunks; messages are taken to stand elsewhere.
Framed framed(std::string_view bytes, std::size_t chunk) {
  Framer framer;
  Framed result;
  for (std::size_t have = std::min(chunk, bytes.size());; have = std::min(have + chunk, bytes.size())) {
    for (;;) {
      const Frame frame = framer.look(bytes.substr(0, have));
      if (frame.kind == Frame::Kind::line || frame.kind == Frame::Kind::more_octets) break;
      if (frame.next > have || frame.end > frame.next) std::abort();
      result.frames.push_back(frame);
      result.is_complete = frame.kind == Frame::Kind::complete;
      if (result.is_complete) return result;
    }
    if (have == bytes.size()) return result;
  }
}

}  // namespace

// The frames do not depend on how the bytes are cut into chunks, and the parser agrees with them: where it
// takes bytes for a command, the command ends there and not before, and each of an APPEND's messages was
// found.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Framed whole = framed(bytes, size == 0 ? 1 : size);
  for (const std::size_t chunk : {1UZ, 2UZ, 5UZ}) {
    if (framed(bytes, chunk) != whole) std::abort();
  }

  const auto command = parse_command(bytes);
  if (!command) return 0;
  if (whole.is_complete) std::abort();
  const std::string line = bytes + "\r\n";
  const Framed ended = framed(line, line.size());
  if (!ended.is_complete || ended.frames.back().end != size || ended.frames.back().next != line.size())
    std::abort();

  std::vector<std::uint64_t> found, parsed;
  for (const Frame& frame : ended.frames) {
    if (frame.kind == Frame::Kind::message) found.push_back(frame.octets);
  }
  if (const auto* append = std::get_if<Append>(&command->body)) {
    for (const AppendMessage& message : append->messages) parsed.push_back(message.octets());
  }
  if (found != parsed) std::abort();
  return 0;
}

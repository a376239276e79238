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

bool is_elsewhere(const Frame& frame) {
  return frame.kind == Frame::Kind::message || frame.kind == Frame::Kind::text;
}

std::vector<AppendLiteral> literals_in(const std::vector<Frame>& frames) {
  std::vector<AppendLiteral> literals;
  for (const Frame& frame : frames) {
    if (is_elsewhere(frame)) literals.push_back({frame.octets, frame.form});
  }
  return literals;
}

std::vector<AppendLiteral> literals_of(const Command& command) {
  std::vector<AppendLiteral> literals;
  const auto add = [&](const AppendMessage& message) {
    for (const AppendPart& part : message.parts) {
      if (const auto* literal = std::get_if<AppendLiteral>(&part)) literals.push_back(*literal);
    }
  };
  if (const auto* append = std::get_if<Append>(&command.body)) {
    for (const AppendMessage& message : append->messages) add(message);
  } else if (const auto* replace = std::get_if<Replace>(&command.body)) {
    add(replace->message);
  }
  return literals;
}

}  // namespace

// The frames do not depend on how the bytes are cut into chunks, and the parser agrees with them: where it
// takes bytes for a command, the command ends there and not before, and each literal of its messages was
// found. What ends behind such a literal, parses as cut off.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Framed whole = framed(bytes, size == 0 ? 1 : size);
  for (const std::size_t chunk : {1UZ, 2UZ, 5UZ}) {
    if (framed(bytes, chunk) != whole) std::abort();
  }

  if (!whole.frames.empty() && is_elsewhere(whole.frames.back()) && whole.frames.back().next == size) {
    const auto cut_off = parse_cut_off(bytes);
    if (cut_off && literals_of(*cut_off) != literals_in(whole.frames)) std::abort();
  }
  const auto command = parse_command(bytes);
  if (!command) return 0;
  if (whole.is_complete) std::abort();
  const std::string line = bytes + "\r\n";
  const Framed ended = framed(line, line.size());
  if (!ended.is_complete || ended.frames.back().end != size || ended.frames.back().next != line.size())
    std::abort();

  if (literals_of(*command) != literals_in(ended.frames)) std::abort();
  return 0;
}

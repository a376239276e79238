// The summary of any bytes is sound, survives the codec, and depends neither on chunks nor, but for line
// ends, on the form in which the message is stored.
#include "tests/fuzz/message/require.h"
#include "tests/unit/message/summary_check.h"

using namespace posthorn::message;

namespace {

// Limits so low that small inputs pass them.
Limits low_limits() {
  Limits limits;
  limits.depth = 4;
  limits.parts = 6;
  limits.header_bytes = 100;
  limits.addresses = 3;
  limits.kept_bytes = 200;
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = as_text(data, size);
  const auto wire = wire_form(bytes);
  for (const auto& limits : {Limits{}, low_limits()}) {
    const auto summary = parse_summary(wire, LineEnds::crlf, limits);
    const auto broken = broken_promise(summary, wire.size());
    require(broken.empty(), broken);
    require(kept_fields_agree(summary, wire, {"Subject", "from", "TO", "date"}),
            "kept fields of the wire form");
    require(parse_in_chunks(wire, 1, LineEnds::crlf, limits) == summary, "octet by octet");
    require(parse_in_chunks(wire, 7, LineEnds::crlf, limits) == summary, "in chunks of 7");
    require(parse_in_chunks(bytes, 3, LineEnds::lf, limits) == summary, "with bare LF");
    require(parse_summary(bytes, LineEnds::lf, limits) == summary, "with bare LF as a whole");

    const auto as_is = parse_summary(bytes, LineEnds::crlf, limits);
    const auto also_broken = broken_promise(as_is, bytes.size());
    require(also_broken.empty(), also_broken);
    require(kept_fields_agree(as_is, bytes, {"Subject", "from", "TO", "date"}), "kept fields as they are");
    require(parse_in_chunks(bytes, 2, LineEnds::crlf, limits) == as_is, "as they are, in chunks of 2");
  }
  return 0;
}

// Whatever bytes decode, encode to the same bytes; the parts of it decode alike.
#include "message/summary_codec.h"
#include "tests/fuzz/message/require.h"

using namespace posthorn;
using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = as_text(data, size);
  const auto summary = decode(bytes);
  const auto envelope = decode_envelope(bytes);
  const auto structure = decode_structure(bytes);
  const auto preview = decode_preview(bytes);
  const auto edits = decode_edits(bytes);
  if (!summary) {
    require(summary.error().code == Errc::corrupt, "corrupt");
    return 0;
  }
  require(encode(*summary) == bytes, "encodes to the same");
  require(envelope && *envelope == summary->envelope, "envelope alone");
  require(preview && *preview == summary->preview, "preview alone");
  require(edits && *edits == summary->edits, "edits alone");
  require(structure && *structure == summary->root, "structure alone");
  return 0;
}

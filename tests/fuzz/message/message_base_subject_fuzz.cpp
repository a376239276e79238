// The base subject is what RFC 5256's procedure gives when it is followed literally, and has a base of its
// own.
#include "tests/fuzz/message/require.h"
#include "tests/unit/message/base_subject_check.h"

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = as_text(data, std::min<std::size_t>(size, 4096));
  const auto base = base_subject(value);
  require(base == SlowBaseSubject::of(value), "as the procedure has it");
  require(!base.text.starts_with(' ') && !base.text.ends_with(' '), "no space at either end");
  if (base.text.contains("=?")) return 0;
  require(base_subject(base.text) == BaseSubject{base.text, false}, "nothing left to remove");
  return 0;
}

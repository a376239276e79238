// A message with NULs is shown without any, part by part the same; or refused.
#include "tests/fuzz/message/require.h"
#include "tests/unit/message/binary_view_check.h"

using namespace posthorn::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto broken = broken_view(as_text(data, size));
  require(broken.empty(), broken);
  return 0;
}

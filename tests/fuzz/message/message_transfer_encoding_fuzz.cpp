// Decoding does not depend on chunks; what is encoded decodes to the same.
#include "message/transfer_encoding.h"
#include "tests/fuzz/message/require.h"

#include <algorithm>

using namespace posthorn::message;

namespace {

template <class Coder>
std::string run(Coder coder, std::string_view in, std::size_t chunk) {
  std::string out;
  for (; !in.empty(); in.remove_prefix(std::min(chunk, in.size()))) coder.feed(in.substr(0, chunk), out);
  coder.finish(out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = as_text(data, size);
  for (const auto encoding :
       {TransferEncoding::identity, TransferEncoding::base64, TransferEncoding::quoted_printable}) {
    const auto whole = decode_transfer(bytes, encoding);
    require(whole.size() <= bytes.size() + 1, "decoding does not grow");
    for (const std::size_t chunk : {1uz, 3uz, 5uz})
      require(run(TransferDecoder(encoding), bytes, chunk) == whole, "chunks");
  }
  const auto base64 = run(Base64Encoder(), bytes, 7);
  const auto quoted = run(QuotedPrintableEncoder(), bytes, 7);
  require(base64 == run(Base64Encoder(), bytes, bytes.size() + 1), "base64 in chunks");
  require(quoted == run(QuotedPrintableEncoder(), bytes, bytes.size() + 1), "quoted-printable in chunks");
  require(decode_transfer(base64, TransferEncoding::base64) == bytes, "base64 there and back");
  require(decode_transfer(quoted, TransferEncoding::quoted_printable) == bytes,
          "quoted-printable there and back");
  return 0;
}

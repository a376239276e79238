// The first octet picks which of a client's SCRAM messages the rest is. Its parts, put together, are the
// message again, and keep their bounds.
#include "auth/sasl.h"
#include "auth/scram_message.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace posthorn::auth;

namespace {

void look_at_first(std::string_view message) {
  const auto first = parse_scram_client_first(message);
  if (!first) return;
  if (first->gs2_header + first->bare != message) std::abort();
  if (first->user.empty() || first->user.find('\0') != std::string::npos) std::abort();
  if (first->nonce.empty() || first->nonce.size() > 512) std::abort();
  if (first->nonce.find(',') != std::string::npos) std::abort();
  if ((first->flag == ChannelBindingFlag::used) == first->binding.empty()) std::abort();
}

void look_at_final(std::string_view message) {
  const auto final = parse_scram_client_final(message);
  if (!final) return;
  if (final->without_proof + ",p=" + encode_base64(final->proof) != message) std::abort();
  if (final->proof.size() != 32 || final->nonce.empty() || final->nonce.size() > 1024) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view message(reinterpret_cast<const char*>(data + 1), size - 1);
  if (*data % 2 == 0) {
    look_at_first(message);
  } else {
    look_at_final(message);
  }
  return 0;
}

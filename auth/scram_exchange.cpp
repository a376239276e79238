#include "auth/scram_exchange.h"

#include "auth/sasl.h"
#include "base/bound_channel.h"

#include <utility>

namespace posthorn::auth {

Result<ScramExchange> ScramExchange::begin(Variant variant, std::string_view client_first) {
  return ScramExchange(variant, TRY(parse_scram_client_first(client_first)));
}

std::string_view ScramExchange::mechanism() const {
  return variant_ == Variant::plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

Result<> ScramExchange::bind(const BoundChannel* channel) {
  if ((first_.flag == ChannelBindingFlag::used) != (variant_ == Variant::plus)) {
    return failure(Errc::denied, "channel binding is not as the mechanism says");
  }
  switch (first_.flag) {
    case ChannelBindingFlag::not_supported: return {};
    case ChannelBindingFlag::not_offered:
      if (channel == nullptr) return {};
      return failure(Errc::denied, "the client was kept from seeing that channel binding is offered");
    case ChannelBindingFlag::used: break;
  }
  if (channel != nullptr) binding_ = channel->channel_binding(first_.binding);
  if (binding_.empty()) return failure(Errc::denied, "no channel binding of that type here");
  return {};
}

std::string ScramExchange::server_first(ScramVerifier verifier, std::string_view nonce) {
  verifier_ = std::move(verifier);
  nonce_ = first_.nonce + std::string(nonce);
  server_first_ =
      "r=" + nonce_ + ",s=" + encode_base64(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  return server_first_;
}

Result<ScramExchange::Outcome> ScramExchange::server_final(std::string_view client_final) const {
  ScramClientFinal final = TRY(parse_scram_client_final(client_final));
  if (final.nonce != nonce_) return malformed("SCRAM: another nonce");
  if (final.channel_binding != first_.gs2_header + binding_) {
    return failure(Errc::denied, "the channel binding does not match");
  }
  const std::string message = first_.bare + "," + server_first_ + "," + final.without_proof;
  Outcome outcome{is_proof(verifier_, message, final.proof), std::move(final.proof), {}};
  if (outcome.right) outcome.last_words = "v=" + encode_base64(server_signature(verifier_, message));
  return outcome;
}

}  // namespace posthorn::auth

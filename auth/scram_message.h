#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::auth {

// The messages of SCRAM that clients send (RFC 5802 §7). Of both parsers: pure, linear; errors are malformed,
// also for a message of more than 4096 octets, one that is no UTF-8, and a mandatory extension ("m=", §5.1).
// Other extensions are passed over.

// gs2-cbind-flag (RFC 5802 §7).
enum class ChannelBindingFlag : std::uint8_t {
  not_supported,  // "n": by the client
  not_offered,    // "y": the client knows them and has seen no -PLUS mechanism
  used,           // "p"
};

struct ScramClientFirst {
  ChannelBindingFlag flag = ChannelBindingFlag::not_supported;
  std::string binding;  // "tls-exporter"; where it is used
  std::string authorisation_identity;
  std::string user;        // without the quoting of ',' and '='
  std::string nonce;       // 1 to 512 octets of printable ASCII
  std::string gs2_header;  // as it came: "n,,"
  std::string bare;        // as it came: "n=user,r=nonce"

  bool operator==(const ScramClientFirst&) const = default;
};
Result<ScramClientFirst> parse_scram_client_first(std::string_view message);

struct ScramClientFinal {
  std::string channel_binding;  // decoded: gs2-header and the binding's data
  std::string nonce;            // the client's and the server's; at most 1024 octets
  std::string proof;            // decoded, 32 octets
  std::string without_proof;    // as it came: "c=biws,r=nonce"

  bool operator==(const ScramClientFinal&) const = default;
};
Result<ScramClientFinal> parse_scram_client_final(std::string_view message);

}  // namespace posthorn::auth

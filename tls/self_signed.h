#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace posthorn::tls {

struct PemPair {
  std::string certificate;
  std::string key;  // unencrypted: write it 0600
};

// A new key (ECDSA P-256) and a certificate that it signed itself, for `names` (DNS names in A-labels, IP
// addresses; at least one, the first becomes the common name), valid from an hour ago for ten years.
// Errors: malformed for no name or a name that is neither; io when OpenSSL fails.
Result<PemPair> make_self_signed(const std::vector<std::string>& names);

}  // namespace posthorn::tls

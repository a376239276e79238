#include "tls/openssl_error.h"

#include <openssl/err.h>

namespace posthorn::tls {

std::string openssl_error() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (reason == nullptr || text.find(reason) != std::string::npos) continue;
    // Behind a cause, that a library was at fault ("PEM lib") says nothing.
    if (!text.empty() && (ERR_GET_REASON(code) & ERR_RFLAG_COMMON) != 0) continue;
    if (!text.empty()) text += "; ";
    text += reason;
  }
  return text.empty() ? "unknown reason" : text;
}

}  // namespace posthorn::tls

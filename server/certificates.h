#pragma once

#include "base/log.h"
#include "tls/context.h"

#include <cstdint>
#include <string>
#include <vector>

namespace posthorn::server {

// Whether a certificate's time is over at `now`, in seconds since 1970.
bool has_expired(const tls::CertificateInfo& certificate, std::int64_t now);

// "2026-03-07T10:20:30Z".
std::string expiry_of(const tls::CertificateInfo& certificate);

// Those that have expired at `now` or will within 14 days.
std::vector<tls::CertificateInfo> expiring(std::vector<tls::CertificateInfo> certificates, std::int64_t now);

// A line for each: its file, names and expiry; a warning for one that has expired or will within 14 days, as
// clients refuse it then and nobody else would say why.
void log_certificates(Log& log, const std::vector<tls::CertificateInfo>& certificates, std::int64_t now);

}  // namespace posthorn::server

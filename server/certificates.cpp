#include "server/certificates.h"

#include <array>
#include <ctime>

namespace posthorn::server {
namespace {

constexpr std::int64_t day = 86'400;
constexpr std::int64_t soon = 14 * day;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

bool has_expired(const tls::CertificateInfo& certificate, std::int64_t now) {
  return now >= certificate.not_after;
}

std::string expiry_of(const tls::CertificateInfo& certificate) {
  const std::time_t time = certificate.not_after;
  std::tm broken_down{};
  std::array<char, 32> text{};
  if (gmtime_r(&time, &broken_down) == nullptr) return "unknown";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &broken_down)};
}

std::vector<tls::CertificateInfo> expiring(std::vector<tls::CertificateInfo> certificates, std::int64_t now) {
  std::erase_if(certificates,
                [now](const tls::CertificateInfo& each) { return !has_expired(each, now + soon); });
  return certificates;
}

void log_certificates(Log& log, const std::vector<tls::CertificateInfo>& certificates, std::int64_t now) {
  for (const tls::CertificateInfo& certificate : certificates) {
    const bool expired = has_expired(certificate, now);
    const bool expires_soon = has_expired(certificate, now + soon);
    log.write(expires_soon ? LogLevel::warning : LogLevel::info,
              expired ? "tls.certificate_expired"
                      : (expires_soon ? "tls.certificate_expires_soon" : "tls.certificate"),
              {{"file", certificate.file},
               {"names", joined(certificate.names)},
               {"expires", expiry_of(certificate)}});
  }
}

}  // namespace posthorn::server

#include "server/certificates.h"

#include "tests/support/memory_stream.h"

#include <doctest/doctest.h>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::MemoryLog;

TEST_CASE("certificates: one that has expired or soon will is a warning") {
  constexpr std::int64_t end = 1'772'878'830;
  constexpr std::int64_t day = 86'400;
  const tls::CertificateInfo certificate{"/etc/mail.pem", {"mail.example.org", "*.example.org"}, end};
  const auto logged = [&](std::int64_t now) {
    MemoryLog log;
    log_certificates(log, {certificate}, now);
    const std::string fields =
        " file=/etc/mail.pem names=mail.example.org,*.example.org expires=2026-03-07T10:20:30Z";
    for (const char* event : {"tls.certificate_expired", "tls.certificate_expires_soon", "tls.certificate"}) {
      if (log.contains(event + fields)) return std::string(event);
    }
    return std::string("nothing");
  };
  CHECK(logged(end - 15 * day) == "tls.certificate");
  CHECK(logged(end - 13 * day) == "tls.certificate_expires_soon");
  CHECK(logged(end - 1) == "tls.certificate_expires_soon");
  CHECK(logged(end) == "tls.certificate_expired");
  CHECK(has_expired(certificate, end));
  CHECK_FALSE(has_expired(certificate, end - 1));
  // What a server that runs on says of them once a day.
  const tls::CertificateInfo later{"/etc/other.pem", {"other.example.org"}, end + 90 * day};
  CHECK(expiring({later, certificate}, end - 15 * day).empty());
  const auto due = expiring({later, certificate}, end - 13 * day);
  REQUIRE(due.size() == 1);
  CHECK(due.front().file == certificate.file);
}

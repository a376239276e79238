#pragma once

#include "server/config.h"
#include "tls/context.h"

#include <string>
#include <vector>

namespace posthorn::server {

// Reads a configuration and looks at what it names: certificates, users, the data directory. Everything that
// is wrong is in the problems. A data directory that does not exist is nothing wrong.
enum class Certificates { examined, elsewhere };
Loaded examine(const std::string& file, Certificates certificates);

// The certificates that [tls] names; empty without TLS.
std::vector<tls::CertificateFiles> certificate_files(const Settings& settings);

}  // namespace posthorn::server

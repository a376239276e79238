#pragma once

#include "server/config.h"
#include "tls/context.h"

#include <string>
#include <vector>

namespace posthorn::server {

// Reads a configuration and looks at what it names: addresses, certificates, users, the data directory.
// Everything that is wrong is in the problems. A data directory that does not exist is nothing wrong.
//
// At a start: all that would keep the server from serving. At a check, certificates that have expired too: a
// server serves with them nevertheless. At a reload, what was done at the start is not looked at, nor are the
// certificates, which are read elsewhere.
enum class Occasion { check, start, reload };
Loaded examine(const std::string& file, Occasion occasion);

// The certificates that [tls] names; empty without TLS.
std::vector<tls::CertificateFiles> certificate_files(const Settings& settings);

}  // namespace posthorn::server

#include "server/examine.h"

#include "server/certificates.h"
#include "server/endpoint.h"
#include "server/privileges.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <unistd.h>

namespace posthorn::server {
namespace {

// Whether the system refuses the second of two addresses: "0.0.0.0:25" is every IPv4 address with that port.
bool overlap(const ListenAddress& one, const ListenAddress& other) {
  if (!one.path.empty() || !other.path.empty()) return one.path == other.path;
  // Port 0 is whichever is free.
  if (one.port == 0 || one.port != other.port || one.address.v6 != other.address.v6) return false;
  const IpAddress any{one.address.v6, {}};
  return one.address == other.address || one.address == any || other.address == any;
}

class Examiner {
 public:
  explicit Examiner(Loaded& loaded) : loaded_(loaded), settings_(*loaded.settings) {}

  void examine(Occasion occasion) {
    examine_listen();
    const bool has_certificates = examine_tls();
    examine_user();
    if (settings_.server.data.value.empty()) complain(settings_.server.data, "expected a path, got \"\"");
    if (occasion != Occasion::reload) {
      if (has_certificates) load_certificates(occasion);
      examine_start();
    }
    if (const auto cost = auth::check(settings_.password_cost()); !cost) {
      complain(settings_.auth.hash_ops, cost.error().detail);
    }
  }

 private:
  void complain(const Key& key, std::string_view text) {
    loaded_.problems.push_back(problem_with(settings_, key, text));
  }

  void examine_listen() {
    std::vector<std::pair<ListenAddress, const Key*>> seen;
    for (const Endpoint& endpoint : endpoints) {
      const Settings::Addresses& key = settings_.listen.*endpoint.key;
      for (const ListenAddress& address : key.value) {
        const auto found =
            std::ranges::find_if(seen, [&](const auto& other) { return overlap(address, other.first); });
        if (found != seen.end()) {
          const std::string other = found->first == address ? "" : found->first.text() + " ";
          complain(key, "expected an address of its own, got " + address.text() + ", which is also that of " +
                            other + (other.empty() ? "" : "of ") + std::string(found->second->name()));
        }
        seen.emplace_back(address, &key);
      }
      if (endpoint.implicit_tls && !key.value.empty() && settings_.tls.certificate.value.empty()) {
        complain(key, "expected an empty list, as [tls] certificate is not set, got " + key.toml());
      }
    }
  }

  // Whether there are certificates to be read.
  bool examine_tls() {
    const auto& certificate = settings_.tls.certificate;
    const auto& key = settings_.tls.key;
    if (certificate.value.empty() != key.value.empty()) {
      complain(certificate.value.empty() ? certificate : key,
               "expected a path, as [tls] " + std::string(certificate.value.empty() ? "key" : "certificate") +
                   " has one, got \"\"");
      return false;
    }
    if (certificate.value.empty()) {
      if (!settings_.tls.more.value.empty()) {
        complain(certificate, "expected a path, as [tls] more has some, got \"\"");
      }
      return false;
    }
    return true;
  }

  void load_certificates(Occasion occasion) {
    const auto& certificate = settings_.tls.certificate;
    // One by one, so that each complaint stands at its key.
    for (const tls::CertificateFiles& pair : certificate_files(settings_)) {
      const bool first = pair.certificate == settings_.resolved(certificate.value);
      const auto context = tls::Context::load({pair});
      if (context) {
        const tls::CertificateInfo& info = (*context)->certificates().front();
        if (occasion == Occasion::check && has_expired(info, std::time(nullptr))) {
          complain(first ? static_cast<const Key&>(certificate) : settings_.tls.more,
                   "expected a certificate that is still valid, got " + info.file + ", which expired on " +
                       expiry_of(info));
        }
        continue;
      }
      const std::string& detail = context.error().detail;
      const Key& of_first = detail.find(pair.key) < detail.find(pair.certificate)
                                ? static_cast<const Key&>(settings_.tls.key)
                                : certificate;
      complain(first ? of_first : settings_.tls.more, "expected a certificate and its key, got: " + detail);
    }
  }

  void examine_user() {
    const auto& user = settings_.server.user;
    const auto& group = settings_.server.group;
    if (user.value.empty()) {
      if (!group.value.empty()) complain(group, "expected it together with user, got " + group.toml());
      return;
    }
    // An ordinary user stays who he is, whoever is named.
    if (!is_root()) return;
    if (const auto identity = find_identity(user.value, group.value); !identity) {
      complain(user, "expected a user and group of this machine, got: " + identity.error().detail);
    }
  }

  void examine_start() {
    const auto& user = settings_.server.user;
    if (is_root() && user.value.empty()) {
      complain(user, "expected a user to become, as root starts the server, got \"\"");
    }
    const bool listens = std::ranges::any_of(
        endpoints, [&](const Endpoint& endpoint) { return !(settings_.listen.*endpoint.key).value.empty(); });
    // systemd may hand over what is not listed here.
    if (!listens && std::getenv("LISTEN_FDS") == nullptr) {
      complain(settings_.listen.smtp, "expected an address here or at another key of [listen], got none");
    }
    examine_data();
  }

  void examine_data() {
    const std::string path = settings_.resolved(settings_.server.data.value);
    if (path.empty()) return;
    // Root's and the user's too: whoever checks need not be who serves.
    std::vector<uid_t> owners{geteuid(), 0};
    if (const auto identity = find_identity(settings_.server.user.value, settings_.server.group.value)) {
      owners.push_back(identity->uid);
    }
    if (const auto good = examine_data_directory(path, owners); !good) {
      complain(settings_.server.data,
               "expected a directory that is Posthorn's or empty, got: " + good.error().detail);
    }
  }

  Loaded& loaded_;
  const Settings& settings_;
};

}  // namespace

std::vector<tls::CertificateFiles> certificate_files(const Settings& settings) {
  std::vector<tls::CertificateFiles> files;
  if (settings.tls.certificate.value.empty()) return files;
  files.push_back(
      {settings.resolved(settings.tls.certificate.value), settings.resolved(settings.tls.key.value)});
  for (const CertificatePair& pair : settings.tls.more.value) {
    files.push_back({settings.resolved(pair.certificate), settings.resolved(pair.key)});
  }
  return files;
}

Loaded examine(const std::string& file, Occasion occasion) {
  Loaded loaded = load_settings(file);
  // What is named by values that were not understood says nothing more.
  if (loaded.problems.empty()) Examiner(loaded).examine(occasion);
  return loaded;
}

}  // namespace posthorn::server

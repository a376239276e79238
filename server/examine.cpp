#include "server/examine.h"

#include "server/endpoint.h"
#include "server/privileges.h"

#include <algorithm>
#include <sys/stat.h>

namespace posthorn::server {
namespace {

class Examiner {
 public:
  explicit Examiner(Loaded& loaded) : loaded_(loaded), settings_(*loaded.settings) {}

  void examine(Certificates certificates) {
    examine_listen();
    if (examine_tls() && certificates == Certificates::examined) load_certificates();
    examine_user();
    examine_data();
    if (const auto cost = auth::check(settings_.password_cost()); !cost) {
      complain(settings_.auth.hash_ops, cost.error().detail);
    }
  }

 private:
  void complain(const Key& key, std::string_view text) {
    loaded_.problems.push_back(problem_with(settings_, key, text));
  }

  void examine_listen() {
    std::vector<std::pair<std::string, const Key*>> seen;
    for (const Endpoint& endpoint : endpoints) {
      const Settings::Addresses& key = settings_.listen.*endpoint.key;
      for (const ListenAddress& address : key.value) {
        const std::string text = address.text();
        const auto found = std::ranges::find(seen, text, &std::pair<std::string, const Key*>::first);
        const bool chosen_by_system = address.path.empty() && address.port == 0;
        if (found != seen.end() && !chosen_by_system) {
          complain(key, "expected an address of its own, got " + text + ", which is also that of " +
                            std::string(found->second->name()));
        }
        seen.emplace_back(text, &key);
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

  void load_certificates() {
    const auto& certificate = settings_.tls.certificate;
    // One by one, so that each complaint stands at its key.
    for (const tls::CertificateFiles& pair : certificate_files(settings_)) {
      const bool first = pair.certificate == settings_.resolved(certificate.value);
      if (const auto context = tls::Context::load({pair}); !context) {
        complain(first ? static_cast<const Key&>(certificate) : settings_.tls.more,
                 "expected a certificate and its key, got: " + context.error().detail);
      }
    }
  }

  void examine_user() {
    const auto& user = settings_.server.user;
    const auto& group = settings_.server.group;
    if (user.value.empty()) {
      if (!group.value.empty()) complain(group, "expected it together with user, got " + group.toml());
      return;
    }
    if (const auto identity = find_identity(user.value, group.value); !identity) {
      complain(user, "expected a user and group of this machine, got: " + identity.error().detail);
    }
  }

  void examine_data() {
    struct stat found{};
    const std::string path = settings_.resolved(settings_.server.data.value);
    if (path.empty()) {
      complain(settings_.server.data, "expected a path, got \"\"");
    } else if (stat(path.c_str(), &found) == 0 && !S_ISDIR(found.st_mode)) {
      complain(settings_.server.data, "expected a directory, got a file: " + path);
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

Loaded examine(const std::string& file, Certificates certificates) {
  Loaded loaded = load_settings(file);
  // What is named by values that were not understood says nothing more.
  if (loaded.problems.empty()) Examiner(loaded).examine(certificates);
  return loaded;
}

}  // namespace posthorn::server

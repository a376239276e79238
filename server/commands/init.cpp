#include "auth/accounts.h"
#include "base/file_system.h"
#include "server/commands/commands.h"
#include "server/commands/say.h"
#include "server/config.h"
#include "server/endpoint.h"
#include "server/privileges.h"
#include "tls/self_signed.h"

#include <climits>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace posthorn::server {
namespace {

// The registered ports, and those for a trial.
struct Ports {
  Service service;
  std::uint16_t registered;
  std::uint16_t trial;
};
constexpr std::array<Ports, 7> ports{{{Service::smtp, 25, 2525},
                                      {Service::submission, 587, 2587},
                                      {Service::submissions, 465, 2465},
                                      {Service::pop3, 110, 2110},
                                      {Service::pop3s, 995, 2995},
                                      {Service::imap, 143, 2143},
                                      {Service::imaps, 993, 2993}}};

void set_addresses(Settings& settings, bool loopback) {
  for (const auto& [service, registered, trial] : ports) {
    auto& addresses = (settings.listen.*endpoint_of(service).key).value;
    const auto add = [&](const std::string& host, std::uint16_t port) {
      addresses.push_back(*ListenAddress::parse(host + ":" + std::to_string(port)));
    };
    if (loopback) {
      add("127.0.0.1", trial);
    } else {
      add("0.0.0.0", registered);
      add("[::]", registered);
    }
  }
}

// With `owner`, the file is that user's. Mode and owner are given to what was opened: a name could have
// become a link meanwhile, which root would follow.
Result<> write_new(FileSystem& files, const std::string& path, std::string_view content, mode_t mode,
                   const std::optional<Identity>& owner = {}) {
  const File file = TRY(files.open(path, FileSystem::Open::create_new));
  TRY(files.write(file, content));
  TRY(files.sync(file));
  if (fchmod(file.descriptor(), mode) != 0) return system_failure("chmod " + path);
  if (owner && fchown(file.descriptor(), owner->uid, owner->gid) != 0) return system_failure("chown " + path);
  return {};
}

Result<> open_to_all(const std::string& path) {
  const File directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || fchmod(directory.descriptor(), 0755) != 0) return system_failure("chmod " + path);
  return {};
}

class Initialiser {
 public:
  explicit Initialiser(const InitCommand& command)
      : command_(command),
        settings_(command.config.empty() ? command.folder + "/posthorn.toml" : command.config) {}

  Result<> run() {
    TRY(choose_names());
    TRY(refuse_to_overwrite());
    auto written = write_all();
    // So that it can be said again, and rightly.
    if (!written) take_back();
    return written;
  }

  const Settings& settings() const { return settings_; }

 private:
  Result<> write_all() {
    TRY(write_certificate());
    TRY(write_data());
    set_addresses(settings_, command_.loopback);
    // Last: with it, all is complete.
    return write_new(files_, settings_.file(), print_settings(settings_), 0644);
  }

  // A path in the folder, as it stands in the configuration: from its own folder, or absolute where that is
  // another one.
  std::string in_folder(const std::string& name) const {
    if (command_.config.empty()) return name;
    return (std::filesystem::absolute(command_.folder) / name).lexically_normal().string();
  }

  // What was not there before goes again, the last first.
  void will_make(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) made_.push_back(path);
  }
  void take_back() {
    std::error_code ignored;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
      std::filesystem::remove_all(*path, ignored);
    }
    if (folder_is_new_) std::filesystem::remove(command_.folder, ignored);
  }

  Result<> choose_names() {
    if (!command_.domain.empty()) domain_ = TRY(auth::parse_domain(command_.domain));
    if (const auto expected = check_hostname(command_.hostname)) {
      return malformed("--hostname: expected " + *expected + ", got " + command_.hostname);
    }
    std::string& hostname = settings_.server.hostname.value;
    hostname = command_.hostname;
    if (hostname.empty() && !domain_.empty()) hostname = "mail." + domain_;
    if (hostname.empty()) hostname = settings_.hostname();
    settings_.server.data.value =
        command_.data.empty() ? in_folder("data") : std::filesystem::absolute(command_.data).string();
    settings_.server.user.value = command_.user;
    if (!command_.user.empty()) {
      const Identity identity = TRY(find_identity(command_.user, {}));
      if (is_root()) owner_ = identity;
    }
    settings_.tls.certificate.value = in_folder("tls/certificate.pem");
    settings_.tls.key.value = in_folder("tls/key.pem");
    folder_is_new_ = !std::filesystem::exists(command_.folder);
    return {};
  }

  Result<> refuse_to_overwrite() {
    // An empty data directory may have been made by a package, or be a mount.
    const std::string accounts = settings_.resolved(settings_.server.data.value) + "/accounts.sqlite";
    for (const std::string& path : {settings_.file(), accounts, command_.folder + "/tls"}) {
      if (files_.status(path)) {
        return failure(Errc::already_exists, path + " is there already; nothing was changed");
      }
    }
    return {};
  }

  Result<> write_certificate() {
    std::vector<std::string> names{settings_.server.hostname.value};
    if (!domain_.empty() && domain_ != names.front()) names.push_back(domain_);
    if (command_.loopback && names.front() != "localhost") names.emplace_back("localhost");
    if (command_.loopback) names.emplace_back("127.0.0.1");
    const tls::PemPair pair = TRY(tls::make_self_signed(names));
    will_make(command_.folder + "/tls");
    TRY(make_private_directory(command_.folder + "/tls"));
    TRY(open_to_all(command_.folder + "/tls"));
    const std::string key = settings_.resolved(settings_.tls.key.value);
    // The server's own, so that it can read it again when it is no longer root.
    TRY(write_new(files_, key, pair.key, 0600, owner_));
    return write_new(files_, settings_.resolved(settings_.tls.certificate.value), pair.certificate, 0644);
  }

  Result<> write_data() {
    const std::string data = settings_.resolved(settings_.server.data.value);
    will_make(data);
    TRY(prepare_data_directory(data, {}));
    for (const char* name : {"/accounts.sqlite", "/accounts.sqlite-wal", "/accounts.sqlite-shm"}) {
      will_make(data + name);
    }
    const auto accounts = TRY(auth::Accounts::open(data + "/accounts.sqlite"));
    if (!domain_.empty()) TRY(accounts->add_domain(domain_));
    // Handed over when its files are made.
    return prepare_data_directory(data, owner_);
  }

  InitCommand command_;
  Settings settings_;
  SystemFileSystem files_;
  std::string domain_;
  std::optional<Identity> owner_;  // of the data, where root makes it for another user
  std::vector<std::string> made_;
  bool folder_is_new_ = false;
};

}  // namespace

int run_init(const InitCommand& command) {
  Initialiser initialiser(command);
  if (const auto done = initialiser.run(); !done) return complain("init: " + done.error().detail);
  const std::string& file = initialiser.settings().file();
  const std::string with = " --config " + file;
  say("Written: " + file + ", with a data directory and a self-signed certificate" +
      (command.config.empty() ? " beside it." : " in " + command.folder + "."));
  if (command.domain.empty()) say("A domain:    posthorn domain add DOMAIN" + with);
  say("An account:  posthorn account add NAME@" + (command.domain.empty() ? "DOMAIN" : command.domain) +
      with);
  if (is_root() && command.user.empty())
    say("As root, set [server] user in the file first: the server becomes that user.");
  say("The server:  posthorn serve" + with);
  return end_of_output();
}

}  // namespace posthorn::server

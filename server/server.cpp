#include "server/server.h"

#include "server/certificates.h"
#include "server/examine.h"
#include "server/systemd.h"

#include <algorithm>
#include <unistd.h>

namespace posthorn::server {
namespace {

auth::AuthSettings auth_settings(const Settings& settings) {
  auth::AuthSettings result;
  result.cost = settings.password_cost();
  result.guess_delay_max = std::chrono::seconds(settings.auth.guess_delay_max.value);
  result.guess_block_seconds = std::chrono::seconds(settings.auth.guess_block_seconds.value);
  result.allow_plaintext = settings.auth.allow_plaintext.value;
  result.connections_per_account = static_cast<unsigned>(settings.limits.connections_per_account.value);
  result.turns.at_once = static_cast<unsigned>(settings.auth.hash_threads.value);
  result.turns.all = static_cast<std::size_t>(settings.auth.logins_waiting.value);
  result.turns.per_network = static_cast<std::size_t>(settings.auth.logins_waiting_per_address.value);
  return result;
}

// How many descriptors are kept for other things than connections: indexes (each three files, and as many of
// the search index), messages that are read or written, and what the process itself needs.
std::size_t reserved_descriptors(const Settings& settings) {
  const auto an_account = settings.search.index.value ? 8 : 4;
  const auto files =
      settings.storage.open_indexes.value * an_account + settings.storage.disk_threads.value * 4;
  return static_cast<std::size_t>(files) + 100;
}

}  // namespace

Server::Server(Loop& loop, Log& log, Data& data, std::shared_ptr<const Settings> settings,
               std::unique_ptr<tls::Context> tls, std::size_t descriptors)
    : loop_(loop),
      log_(log),
      data_(data),
      settings_(std::move(settings)),
      started_with_(settings_),
      tls_(std::move(tls)),
      descriptors_(descriptors),
      authenticator_(data.accounts(), data.accounts_lane(), data.hashing(), auth_settings(*settings_)),
      directory_(data.accounts(), data.accounts_lane(), settings_->hostname()),
      free_space_(data.disk(), data.files(), settings_->resolved(settings_->server.data.value),
                  static_cast<std::uint64_t>(settings_->limits.free_space_reserve.value)),
      delivery_(directory_, data.store(), data.clock(), log, &free_space_),
      sessions_({delivery_, authenticator_, data.store(), data.clock(), [this] { return tls_.get(); }},
                *settings_),
      reception_(
          loop, log, data.random(), reception_settings(),
          [this](Connection& connection, const Endpoint& endpoint) {
            return sessions_.make(connection, endpoint);
          },
          [this] { return tls_.get(); }),
      administration_(data.accounts(), data.store(), data.accounts_lane(), data.hashing(),
                      settings_->password_cost()) {
  administration_.when_locked_out(
      [this](const std::string& account) { authenticator_.end_sessions(account); });
}

Reception::Settings Server::reception_settings() const {
  const auto& limits = settings_->limits;
  Reception::Settings result;
  result.limits = {static_cast<std::size_t>(limits.connections.value),
                   static_cast<std::size_t>(limits.connections_per_address.value), limits.trusted.value};
  const std::size_t reserved = reserved_descriptors(*settings_);
  result.ceiling = descriptors_ > 2 * reserved ? descriptors_ - reserved : descriptors_ / 2;
  result.hostname = settings_->hostname();
  result.handshake_time = std::chrono::seconds(settings_->timeout.tls_handshake.value);
  result.handshake.write = std::chrono::seconds(settings_->timeout.write.value);
  return result;
}

Result<> Server::open(std::vector<ListeningSocket> sockets) {
  const std::string directory = settings_->resolved(settings_->server.data.value);
  control_ = TRY(ControlServer::open(loop_, log_, directory, [this](control::Request request) {
    return administration_.run(std::move(request));
  }));
  const Reception::Settings reception = reception_settings();
  if (reception.ceiling < reception.limits.connections) {
    log_.warning("server.few_descriptors", {{"limit", descriptors_},
                                            {"connections", reception.ceiling},
                                            {"wanted", reception.limits.connections}});
  }
  for (const ListeningSocket& socket : sockets) {
    if (socket.ours && !socket.address.path.empty()) unix_sockets_.push_back(socket.address.path);
    log_.info("server.listening", {{"service", socket.endpoint->name}, {"address", socket.address.text()}});
  }
  if (tls_) log_certificates();
  daily_.unreference();
  daily_.start(std::chrono::hours(24));
  reception_.listen(std::move(sockets));
  log_.info("server.ready");
  systemd::notify("READY=1");
  background_.start(administration_.finish_removals(log_));
  return {};
}

void Server::reload() {
  systemd::notify("RELOADING=1");
  const Loaded loaded = examine(settings_->file(), Occasion::reload);
  for (const std::string& problem : loaded.problems) log_.warning("reload.refused", {{"problem", problem}});
  if (loaded.problems.empty()) {
    for (const Key* key : loaded.settings->keys().all()) {
      const Key* former = started_with_->keys().find(key->section(), key->name());
      if (read_at_start_only(*key) && key->toml() != former->toml()) {
        log_.warning("reload.needs_restart", {{"section", key->section()}, {"key", key->name()}});
      }
    }
    // Sessions announce what the store takes.
    loaded.settings->limits.message_size.value = settings_->limits.message_size.value;
    settings_ = loaded.settings;
    log_.configure(settings_->log.level.value, settings_->log.format.value);
    authenticator_.configure(auth_settings(*settings_));
    administration_.configure(settings_->password_cost());
    directory_.configure(settings_->hostname());
    free_space_.configure(static_cast<std::uint64_t>(settings_->limits.free_space_reserve.value));
    sessions_.configure(*settings_);
    reception_.configure(reception_settings());
    reload_certificates(*settings_);
    log_.info("server.reloaded");
  }
  systemd::notify("READY=1");
}

void Server::reload_certificates(const Settings& settings) {
  const auto files = certificate_files(settings);
  if (files.empty()) {
    if (tls_) log_.warning("reload.needs_restart", {{"section", "tls"}, {"key", "certificate"}});
    return;
  }
  Result<> loaded;
  if (tls_) {
    loaded = tls_->reload(files);
  } else if (auto context = tls::Context::load(files)) {
    tls_ = *std::move(context);
  } else {
    loaded = std::unexpected(context.error());
  }
  // Often as the key may be read by root alone, which this process no longer is.
  if (!loaded) log_.warning("reload.certificate_kept", {{"reason", loaded.error().detail}});
  if (tls_) log_certificates();
}

void Server::log_certificates() {
  server::log_certificates(log_, tls_->certificates(), data_.clock().seconds());
}

// A server runs for longer than a certificate is good.
void Server::watch_certificates() {
  daily_.start(std::chrono::hours(24));
  const std::int64_t now = data_.clock().seconds();
  if (tls_) server::log_certificates(log_, expiring(tls_->certificates(), now), now);
}

void Server::stop(std::function<void()> done) { shutting_down_.start(shut_down(std::move(done))); }

// The end comes, whatever goes wrong on the way.
Task<void> Server::shut_down(std::function<void()> done) {
  try {
    co_await take_leave();
  } catch (...) {
    log_bug(log_, "stop", std::current_exception());
  }
  log_.info("server.stopped");
  done();
}

Task<void> Server::take_leave() {
  systemd::notify("STOPPING=1");
  log_.info("server.stopping", {{"connections", reception_.connections()}});
  // First, so that they are nobody else's yet.
  for (const std::string& path : unix_sockets_) unlink(path.c_str());
  reception_.stop();
  control_->stop();
  Timer grace(loop_, [this] {
    log_.info("server.grace_over", {{"connections", reception_.connections()}});
    reception_.close_all();
    control_->close_all();
  });
  grace.start(std::chrono::seconds(settings_->server.grace_seconds.value));
  Signal reception_empty;
  reception_.when_empty([&] { reception_empty.notify(); });
  co_await reception_empty;
  Signal control_empty;
  control_->when_empty([&] { control_empty.notify(); });
  co_await control_empty;
  Signal background_done;
  background_.when_empty([&] { background_done.notify(); });
  co_await background_done;
  grace.stop();
  co_await data_.close();
}

}  // namespace posthorn::server

#include "server/commands/commands.h"
#include "server/commands/say.h"
#include "server/control.h"
#include "server/data.h"
#include "server/examine.h"
#include "server/listening_socket.h"
#include "server/privileges.h"
#include "server/server.h"
#include "server/systemd.h"

#include <csignal>
#include <thread>

namespace posthorn::server {
namespace {

constexpr int interrupted = 1;
// How long another process may hold the data, where it is no server.
constexpr int attempts = 50;
constexpr Milliseconds between_attempts{100};

// The signals that the server lives by, from `start` on.
class Signals {
 public:
  Signals(Loop& loop, Log& log, Server& server) : loop_(loop), log_(log), server_(server) {
    watch(hangup_, SIGHUP);
    watch(terminate_, SIGTERM);
    watch(interrupt_, SIGINT);
  }

 private:
  void watch(UvHandle<uv_signal_t>& handle, int number) {
    handle.reset(new uv_signal_t);
    uv_signal_init(loop_.raw(), handle.get());
    handle->data = this;
    uv_signal_start(
        handle.get(), [](uv_signal_t* signal, int which) { static_cast<Signals*>(signal->data)->on(which); },
        number);
  }

  void on(int number) {
    if (number == SIGHUP) {
      if (!stopping_) server_.reload();
    } else if (std::exchange(stopping_, true)) {
      log_.warning("server.interrupted");
      std::_Exit(interrupted);
    } else {
      server_.stop([this] { release(); });
    }
  }

  // The loop then has nothing left to wait for.
  void release() {
    hangup_.reset();
    terminate_.reset();
    interrupt_.reset();
    // libuv has given them their default back; one that comes now is to change nothing.
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
  }

  Loop& loop_;
  Log& log_;
  Server& server_;
  bool stopping_ = false;
  UvHandle<uv_signal_t> hangup_;
  UvHandle<uv_signal_t> terminate_;
  UvHandle<uv_signal_t> interrupt_;
};

// What needs root, or is best done before anything else: in this order, so that a mistake changes nothing.
struct Prepared {
  std::vector<ListeningSocket> sockets;
  std::unique_ptr<tls::Context> tls;
  std::size_t descriptors = 0;
};

Result<Prepared> prepare(const Settings& settings, Log& log) {
  Prepared prepared;
  const std::string data = settings.resolved(settings.server.data.value);
  std::optional<Identity> identity;
  if (is_root()) {
    identity = TRY(find_identity(settings.server.user.value, settings.server.group.value));
  }
  if (control::answers(data)) return failure(Errc::in_use, "another posthorn server runs on " + data);
  prepared.sockets = TRY(open_sockets(settings, systemd::take_sockets()));
  if (prepared.sockets.empty()) {
    return failure(Errc::unavailable,
                   settings.file() + ": [listen]: expected at least one address, got none");
  }
  const auto files = certificate_files(settings);
  if (!files.empty()) prepared.tls = TRY(tls::Context::load(files));
  TRY(prepare_data_directory(data, identity));
  prepared.descriptors = raise_descriptor_limit();
  if (identity) {
    TRY(become(*identity));
    if (access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
      return failure(Errc::denied, "user " + identity->user + " cannot reach " + data +
                                       ": a folder above it is closed to that user");
    }
    log.info("server.root_given_up", {{"user", identity->user}});
  }
  forbid_new_privileges();
  return prepared;
}

// A command holds the data for a moment only, and so does a server that is ending.
Result<std::unique_ptr<Data>> open_data(Loop& loop, Log& log, const Settings& settings) {
  for (int attempt = 1;; ++attempt) {
    auto data = Data::open(loop, log, settings);
    if (data || data.error().code != Errc::in_use || attempt == attempts) return data;
    const std::string path = settings.resolved(settings.server.data.value);
    if (control::answers(path)) return failure(Errc::in_use, "another posthorn server runs on " + path);
    std::this_thread::sleep_for(between_attempts);
  }
}

}  // namespace

int run_serve(const std::string& config) {
  // "Read the configuration again" has nothing to do yet; by default it would be the end.
  std::signal(SIGHUP, SIG_IGN);
  const Loaded loaded = examine(config, Occasion::start);
  if (!loaded.problems.empty()) return complain(loaded.problems);
  const Settings& settings = *loaded.settings;
  Log log(settings.log.level.value, settings.log.format.value);
  log.info("server.starting", {{"version", POSTHORN_VERSION},
                               {"config", config},
                               {"data", settings.resolved(settings.server.data.value)},
                               {"hostname", settings.hostname()}});

  auto prepared = prepare(settings, log);
  if (!prepared) return complain(prepared.error().detail);
  Loop loop;
  auto data = open_data(loop, log, settings);
  if (!data) return complain(data.error().detail);
  {
    Server server(loop, log, **data, loaded.settings, std::move(prepared->tls), prepared->descriptors);
    const Signals signals(loop, log, server);
    if (const auto opened = server.open(std::move(prepared->sockets)); !opened) {
      return complain(opened.error().detail);
    }
    loop.run();
  }
  return 0;
}

}  // namespace posthorn::server

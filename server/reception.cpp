#include "server/reception.h"

#include "base/uv_stream.h"
#include "tls/start.h"

#include <exception>
#include <sys/socket.h>

namespace posthorn::server {
namespace {

constexpr unsigned logged_refusals = 20;
constexpr Milliseconds minute{60'000};

// What a client that cannot be served is told before anything else is said.
std::string refusal_line(const Endpoint& endpoint, const std::string& hostname) {
  // Nobody could read it before a handshake.
  if (endpoint.implicit_tls) return {};
  switch (endpoint.protocol) {
    case tls::Protocol::smtp:  // RFC 2034 §4: no enhanced code in a greeting
      return "421 " + hostname + " Too many connections, try again later\r\n";
    case tls::Protocol::pop3:
      return "-ERR [SYS/TEMP] Too many connections, try again later\r\n";  // RFC 3206 §4
    case tls::Protocol::imap: return "* BYE [UNAVAILABLE] Too many connections, try again later\r\n";
    case tls::Protocol::none: break;
  }
  return {};
}

// Null where the system refuses; the descriptor is closed then.
UvStream::Handle take_over(Loop& loop, File descriptor, bool unix_socket) {
  UvStream::Handle handle(new uv_any_handle);
  int refused = 0;
  if (unix_socket) {
    uv_pipe_init(loop.raw(), &handle->pipe, 0);
    refused = uv_pipe_open(&handle->pipe, descriptor.descriptor());
  } else {
    uv_tcp_init(loop.raw(), &handle->tcp);
    refused = uv_tcp_open(&handle->tcp, descriptor.descriptor());
  }
  if (refused != 0) return nullptr;
  descriptor.release();
  return handle;
}

std::string base36(std::uint64_t number) {
  std::string text;
  for (; number > 0 || text.empty(); number /= 36) {
    text.insert(text.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
  }
  return text;
}

}  // namespace

// A connection's place in the list of those that live.
class Reception::Registration {
 public:
  Registration(Reception& reception, Connection& connection) : reception_(reception) {
    place_ = reception_.live_.insert(reception_.live_.end(), Live{&connection, nullptr});
    reception_.pause_or_resume();
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    reception_.live_.erase(place_);
    reception_.pause_or_resume();
  }
  Live& live() { return *place_; }

 private:
  Reception& reception_;
  std::list<Live>::iterator place_;
};

Reception::Reception(Loop& loop, Log& log, Random& random, Settings settings, MakeDialogue make_dialogue,
                     std::function<const tls::Context*()> tls)
    : loop_(loop),
      log_(log),
      settings_(std::move(settings)),
      make_dialogue_(std::move(make_dialogue)),
      tls_(std::move(tls)),
      limits_(settings_.limits),
      group_([&log](const std::exception_ptr& failure) {
        try {
          std::rethrow_exception(failure);
        } catch (const std::exception& error) {
          log.error("session.failed", {{"reason", error.what()}});
        } catch (...) {
          log.error("session.failed", {{"reason", "an unknown exception"}});
        }
      }),
      run_id_(random.hex(2)) {}

void Reception::configure(Settings settings) {
  settings_ = std::move(settings);
  limits_.configure(settings_.limits);
  pause_or_resume();
}

void Reception::listen(std::vector<ListeningSocket> sockets) {
  for (ListeningSocket& socket : sockets) {
    listeners_.push_back(
        std::make_unique<Listener>(loop_, log_, std::move(socket.descriptor),
                                   [this, endpoint = socket.endpoint](Listener::Accepted accepted) {
                                     accept(*endpoint, std::move(accepted));
                                   }));
  }
}

void Reception::pause_or_resume() {
  const bool full = live_.size() >= settings_.ceiling;
  if (full == paused_ || stopping_) return;
  paused_ = full;
  if (full)
    log_.warning("listener.paused", {{"reason", "no descriptors left"}, {"connections", live_.size()}});
  for (const auto& listener : listeners_) full ? listener->pause() : listener->resume();
}

std::string Reception::next_id() { return run_id_ + "-" + base36(++last_number_); }

void Reception::accept(const Endpoint& endpoint, Listener::Accepted accepted) {
  Peer peer;
  peer.address = accepted.peer.address.text();
  peer.port = accepted.peer.port;
  peer.local_address = accepted.local.address.text();
  peer.local_port = accepted.local.port;
  peer.loopback = accepted.peer.address.loopback();
  peer.trusted = limits_.trusted(accepted.peer.address);
  auto slot = limits_.admit(accepted.peer.address);
  if (!slot) {
    refuse(endpoint, std::move(accepted.descriptor), peer, slot.error().detail);
    return;
  }
  auto handle = take_over(loop_, std::move(accepted.descriptor), !accepted.local.path.empty());
  if (!handle) return;
  auto stream = std::make_unique<UvStream>(loop_, std::move(handle));
  auto connection = std::make_unique<Connection>(loop_, log_, std::move(stream), std::move(peer), next_id());
  group_.start(serve(std::move(connection), endpoint, *std::move(slot)));
}

void Reception::refuse(const Endpoint& endpoint, File descriptor, const Peer& peer, std::string_view reason) {
  const std::string line = refusal_line(endpoint, settings_.hostname);
  // A fresh socket's buffer has room for a line.
  if (!line.empty()) send(descriptor.descriptor(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (loop_.now() - refusals_since_ > minute) {
    refusals_since_ = loop_.now();
    refusals_ = 0;
  }
  const LogLevel level = ++refusals_ <= logged_refusals ? LogLevel::warning : LogLevel::debug;
  log_.write(level, "connection.refused",
             {{"service", endpoint.name}, {"address", peer.address}, {"reason", reason}});
}

Task<void> Reception::serve(std::unique_ptr<Connection> connection, const Endpoint& endpoint,
                            ConnectionLimits::Slot slot) {
  const ConnectionLimits::Slot held = std::move(slot);
  Registration registration(*this, *connection);
  connection->set_timeouts(settings_.handshake);
  const Peer& peer = connection->peer();
  connection->log(LogLevel::info, "connection.opened",
                  {{"service", endpoint.name}, {"address", peer.address}, {"port", peer.port}});
  const Milliseconds opened = loop_.now();
  co_await converse(*connection, endpoint, registration.live());
  const auto reason = connection->close_reason();
  connection->log(LogLevel::info, "connection.closed",
                  {{"reason", reason ? name_of(*reason) : "peer"},
                   {"octets_in", connection->octets_in()},
                   {"octets_out", connection->octets_out()},
                   {"milliseconds", (loop_.now() - opened).count()}});
}

Task<void> Reception::converse(Connection& connection, const Endpoint& endpoint, Live& live) {
  try {
    if (endpoint.implicit_tls) {
      const tls::Context* context = tls_();
      if (context == nullptr) co_return;
      co_await tls::start(connection, *context, endpoint.protocol, settings_.handshake_time);
    }
    const auto dialogue = make_dialogue_(connection, endpoint);
    live.dialogue = dialogue.get();
    if (stopping_) dialogue->stop();
    co_await dialogue->run();
    live.dialogue = nullptr;
  } catch (const ConnectionClosed&) {
    // Said by the caller, with the reason.
  }
}

void Reception::stop() {
  stopping_ = true;
  listeners_.clear();
  for (const Live& live : live_) {
    if (live.dialogue != nullptr) {
      live.dialogue->stop();
    } else {
      live.connection->close(CloseReason::shutdown);
    }
  }
}

void Reception::close_all() {
  for (const Live& live : live_) live.connection->close(CloseReason::shutdown);
}

}  // namespace posthorn::server

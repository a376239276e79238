#pragma once

#include "base/connection.h"
#include "base/random.h"
#include "base/task.h"
#include "server/connection_limits.h"
#include "server/listener.h"
#include "server/listening_socket.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace posthorn::server {

// What is spoken on a connection, for as long as it lasts.
class Dialogue {
 public:
  virtual ~Dialogue() = default;
  // From the greeting to the end; the connection is closed after it.
  virtual Task<void> run() = 0;
  // The server is about to end: it takes leave as soon as nothing is in flight.
  virtual void stop() = 0;
};

// Receives clients on all sockets: counts them, turns away those beyond the limits, begins TLS where the port
// demands it, and runs a dialogue with each.
class Reception {
 public:
  struct Settings {
    ConnectionLimits::Settings limits;
    // At most so many connections at once, trusted ones too: further ones wait in the kernel's queue. It
    // keeps descriptors free for files.
    std::size_t ceiling = 0;
    std::string hostname;  // for words of refusal
    Timeouts handshake;    // before a dialogue sets its own
    Milliseconds handshake_time{30'000};
  };
  using MakeDialogue = std::function<std::unique_ptr<Dialogue>(Connection&, const Endpoint&)>;

  // `tls` gives the context of a moment, null without TLS; connections on ports that demand it are then
  // closed.
  Reception(Loop& loop, Log& log, Random& random, Settings settings, MakeDialogue make_dialogue,
            std::function<const tls::Context*()> tls);
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  void listen(std::vector<ListeningSocket> sockets);
  // For connections from now on.
  void configure(Settings settings);

  // Takes no more connections, and asks those that are there to take their leave.
  void stop();
  // Ends those that are left.
  void close_all();
  // Calls back, once, when no connection is left.
  void when_empty(std::function<void()> callback) { group_.when_empty(std::move(callback)); }
  std::size_t connections() const { return live_.size(); }

 private:
  struct Live {
    Connection* connection = nullptr;
    Dialogue* dialogue = nullptr;  // null during an implicit TLS handshake
  };
  class Registration;

  void accept(const Endpoint& endpoint, Listener::Accepted accepted);
  void refuse(const Endpoint& endpoint, File descriptor, const Peer& peer, std::string_view reason);
  Task<void> serve(std::unique_ptr<Connection> connection, const Endpoint& endpoint,
                   ConnectionLimits::Slot slot);
  Task<void> converse(Connection& connection, const Endpoint& endpoint, Live& live);
  void pause_or_resume();
  std::string next_id();

  Loop& loop_;
  Log& log_;
  Settings settings_;
  MakeDialogue make_dialogue_;
  std::function<const tls::Context*()> tls_;
  ConnectionLimits limits_;
  std::list<Live> live_;
  TaskGroup group_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool paused_ = false;
  bool stopping_ = false;
  std::string run_id_;  // this process's part of all ids
  std::uint64_t last_number_ = 0;
  // Of refusals in the last minute only the first few are logged.
  Milliseconds refusals_since_{0};
  unsigned refusals_ = 0;
};

}  // namespace posthorn::server

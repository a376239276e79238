#pragma once

#include "base/connection.h"
#include "protocols/pop3/session.h"
#include "tests/support/fake_authenticator.h"
#include "tests/support/fake_store.h"
#include "tests/support/memory_stream.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace posthorn::pop3 {

// One session between fakes; alice has two messages of 120 and 200 octets.
class Harness {
 public:
  Loop loop;
  testing::MemoryLog log;
  std::shared_ptr<Settings> settings = std::make_shared<Settings>();
  testing::FakeStore store;
  testing::FakeAuthenticator authenticator;
  std::optional<std::string> script_after_tls;  // with it, STLS is offered
  std::string output_after_tls;
  std::size_t chunk = 100'000;
  std::size_t kill_at = 0;
  bool hold_open = false;
  bool take_turns = false;  // the fakes await, so that kill_at can end the connection there

  Harness() {
    inbox().messages[7] = "Subject: one\r\n\r\n.\r\n..\r\n" + std::string(120 - 25, 'x') + "\r\n";
    inbox().messages[9] = "Subject: two\r\n\r\n" + std::string(200 - 18, 'y') + "\r\n";
  }

  testing::FakeAccount& account() { return store.account("alice@example.test"); }
  testing::FakeMailbox& inbox() { return account().inbox(); }

  void begin(std::string script) {
    peer.emplace(loop,
                 testing::MemoryScript{
                     .input = std::move(script), .chunk = chunk, .hold_open = hold_open, .kill_at = kill_at});
    if (take_turns) store.peer = authenticator.peer = inbox().peer = &*peer;
    connection = std::make_unique<Connection>(loop, log, peer->stream(), Peer{.address = "192.0.2.1"}, "s1");
    Services services{settings, store, authenticator, {}};
    if (script_after_tls) services.start_tls = [this](Connection& plain) { return start_fake_tls(plain); };
    session = std::make_unique<Session>(*connection, services);
    sessions.start(session->run());
  }
  bool wait(const std::function<bool()>& until) { return testing::run_until(loop, until); }
  bool ended() const { return sessions.size() == 0; }

  // The whole dialogue: what the server said. In plaintext, if STLS is a part of it.
  std::string run(std::string script) {
    begin(std::move(script));
    if (!wait([this] { return ended(); })) return "the session does not end";
    session.reset();
    connection.reset();
    if (tls_peer) output_after_tls = tls_peer->output();
    return peer->output();
  }

  std::optional<testing::MemoryPeer> peer;
  std::optional<testing::MemoryPeer> tls_peer;
  std::unique_ptr<Connection> connection;
  std::unique_ptr<Session> session;
  TaskGroup sessions;

 private:
  Task<void> start_fake_tls(Connection& plain) {
    co_await plain.flush();
    tls_peer.emplace(loop, testing::MemoryScript{.input = *script_after_tls, .chunk = chunk});
    plain.replace_stream([this](std::unique_ptr<Stream>) { return tls_peer->stream(); });
    plain.set_tls({"TLSv1.3", "TLS_AES_256_GCM_SHA384", ""});
  }
};

// The status of each line that has one, in their order: "+ + -".
inline std::string statuses(std::string_view output) {
  std::string found;
  while (!output.empty()) {
    if (output.starts_with("+OK") || output.starts_with("-ERR"))
      found.append(found.empty() ? "" : " ") += output[0];
    const std::size_t end = output.find("\r\n");
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 2);
  }
  return found;
}

}  // namespace posthorn::pop3

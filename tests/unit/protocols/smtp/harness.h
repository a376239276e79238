#pragma once

#include "base/connection.h"
#include "protocols/smtp/session.h"
#include "tests/support/fake_authenticator.h"
#include "tests/support/memory_stream.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::smtp {

class FakeClock final : public Clock {
 public:
  std::int64_t microseconds() const override { return 1'700'000'000'000'000; }  // 2023-11-14 22:13:20
};

struct FakeSpool final : storage::Spool {
  std::string content;
  std::uint64_t limit = 1U << 30U;
  testing::MemoryPeer* peer = nullptr;
  bool closed = false;

  Task<Result<>> write(std::string_view bytes) override {
    if (peer != nullptr) co_await peer->turn();
    if (content.size() + bytes.size() > limit) co_return failure(Errc::disk_full, "no space left on device");
    content.append(bytes);
    co_return Result<>();
  }
  Task<Result<>> close() override {
    closed = true;
    co_return Result<>();
  }
  std::uint64_t size() const override { return content.size(); }
};

// Keeps what it accepts. Knows Jones, Brown, alice and postmaster at foo.com and example.test.
class FakeAcceptor final : public Acceptor {
 public:
  struct Message {
    Envelope envelope;
    std::string content;
  };
  std::vector<Message> messages;
  std::optional<Error> failure_at_accept;
  std::uint64_t disk = 1U << 30U;
  std::map<std::string, Errc> refused;                       // by address
  std::map<std::string, std::vector<std::string>> leads_to;  // accounts, where not the address itself
  testing::MemoryPeer* peer = nullptr;

  bool room = true;
  Task<Result<>> has_room() override {
    if (peer != nullptr) co_await peer->turn();
    if (!room) co_return failure(Errc::disk_full, "little is left");
    co_return Result<>();
  }

  Task<Result<Recipient>> admit(const Envelope&, std::string address) override {
    if (peer != nullptr) co_await peer->turn();
    if (const auto found = refused.find(address); found != refused.end()) {
      co_return failure(found->second, "as told");
    }
    const std::size_t at = address.rfind('@');
    const std::string domain = at == std::string::npos ? "" : address.substr(at + 1);
    const std::string user = address.substr(0, at);
    if (!domain.empty() && domain != "foo.com" && domain != "example.test")
      co_return failure(Errc::denied, "relay");
    if (user != "Jones" && user != "Brown" && user != "alice" && user != "Postmaster" && user != "jürgen" &&
        !user.starts_with("list")) {
      co_return not_found("no such user");
    }
    if (const auto found = leads_to.find(address); found != leads_to.end()) {
      co_return Recipient{address, found->second};
    }
    co_return Recipient{address, {address}};
  }

  std::unique_ptr<storage::Spool> spool() override {
    auto made = std::make_unique<FakeSpool>();
    made->limit = disk;
    made->peer = peer;
    return made;
  }

  Task<Result<>> accept(const Envelope& envelope, storage::Spool& spool) override {
    if (peer != nullptr) co_await peer->turn();
    if (failure_at_accept) co_return std::unexpected(*failure_at_accept);
    const auto& made = static_cast<FakeSpool&>(spool);
    if (!made.closed) co_return failure(Errc::io, "spool not closed");
    messages.push_back({envelope, made.content});
    co_return Result<>();
  }
};

// One session between fakes.
class Harness {
 public:
  Loop loop;
  testing::MemoryLog log;
  std::shared_ptr<Settings> settings = std::make_shared<Settings>();
  Role role = Role::mx;
  FakeAcceptor acceptor;
  testing::FakeAuthenticator authenticator;
  FakeClock clock;
  Peer client{.address = "192.0.2.1", .port = 4711};
  std::optional<std::string> script_after_tls;  // with it, STARTTLS is offered
  std::string output_after_tls;
  std::size_t chunk = 100'000;
  std::size_t kill_at = 0;
  bool hold_open = false;
  bool take_turns = false;  // the fakes await, so that kill_at can end the connection there

  Harness() { settings->hostname = "mx.example.test"; }

  // Begins the dialogue; finish() is to be called once it should have ended.
  void begin(std::string script) {
    peer.emplace(loop,
                 testing::MemoryScript{
                     .input = std::move(script), .chunk = chunk, .hold_open = hold_open, .kill_at = kill_at});
    if (take_turns) acceptor.peer = authenticator.peer = &*peer;
    connection = std::make_unique<Connection>(loop, log, peer->stream(), client, "s1");
    Services services{settings, acceptor, authenticator, clock, {}};
    if (script_after_tls) services.start_tls = [this](Connection& plain) { return start_fake_tls(plain); };
    session = std::make_unique<Session>(*connection, services, role);
    sessions.start(session->run());
  }
  bool wait(const std::function<bool()>& until) { return testing::run_until(loop, until); }
  bool ended() const { return sessions.size() == 0; }

  // The whole dialogue: what the server said. In plaintext, if STARTTLS is a part of it.
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

// The replies' codes in their order, continuation lines left out: "220 250 250".
inline std::string codes(std::string_view output) {
  std::string found;
  while (!output.empty()) {
    const std::size_t end = output.find("\r\n");
    const std::string_view line = output.substr(0, end);
    if (line.size() >= 4 && line[3] == ' ') found.append(found.empty() ? "" : " ").append(line.substr(0, 3));
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 2);
  }
  return found;
}

}  // namespace posthorn::smtp

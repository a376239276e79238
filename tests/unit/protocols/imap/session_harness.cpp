#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

#include <limits>
#include <utility>

namespace posthorn::imap {
namespace {

constexpr std::string_view login_line = "L LOGIN alice@example.test secret\r\n";
constexpr std::string_view select_line = "S SELECT INBOX\r\n";

std::string behind_line(const std::string& text, std::string_view beginning) {
  const std::size_t begin = text.find("\r\n" + std::string(beginning));
  REQUIRE_MESSAGE(begin != std::string::npos, text);
  return text.substr(text.find("\r\n", begin + 2) + 2);
}

std::string with_line_end(std::string_view lines) { return std::string(lines) + "\r\n"; }

}  // namespace

Client::Client(Server& server, testing::MemoryScript script)
    : server_(server),
      peer_(server.loop, std::move(script)),
      connection_(server.loop, server.log, peer_.stream(), {.address = "192.0.2.1"}, "s1"),
      session_(connection_, {server.store, server.authenticator, server.clock}, server.settings) {
  if (server.count_hops) server.store.peer = server.authenticator.peer = &peer_;
  server_.group.start(serve());
}

Task<void> Client::serve() {
  co_await session_.run();
  ended_ = true;
}

Client::~Client() {
  peer_.hold_writes(false);
  connection_.close(CloseReason::local);
  const bool has_ended = testing::run_until(server_.loop, [this] { return ended_; });
  CHECK(has_ended);
  if (server_.count_hops) server_.store.peer = server_.authenticator.peer = nullptr;
}

std::unique_ptr<Client> Client::logged_in(Server& server) {
  auto client = std::make_unique<Client>(server, testing::MemoryScript{.hold_open = true});
  REQUIRE(client->send_raw(login_line).find("L OK") != std::string::npos);
  return client;
}

std::unique_ptr<Client> Client::with_inbox(Server& server, std::string_view command) {
  auto client = logged_in(server);
  REQUIRE(client->say("S " + std::string(command)).find("S OK") != std::string::npos);
  return client;
}

std::string Client::say(std::string_view lines) { return send_raw(with_line_end(lines)); }

std::string Client::send_raw(std::string_view bytes) {
  peer_.send(bytes);
  return listen();
}

std::string Client::listen() {
  // What is due in the next turns of the loop (a listener's call) is waited for too.
  for (int turns = 0; turns < 3; ++turns) {
    server_.loop.run_once();
    CHECK(testing::run_until(server_.loop, [this] { return peer_.idle() || ended_; }));
  }
  return peer_.take_output();
}

std::string dialogue(std::string_view input, const std::function<void(Server&)>& prepare) {
  std::string first;
  for (const std::size_t chunk : {std::numeric_limits<std::size_t>::max(), std::size_t{1}, std::size_t{7}}) {
    Server server;
    if (prepare) prepare(server);
    Client client(server, {.input = std::string(input), .chunk = chunk});
    REQUIRE(testing::run_until(server.loop, [&] { return client.ended(); }));
    if (first.empty()) first = client.peer().output();
    CHECK(client.peer().output() == first);
  }
  return first;
}

std::string dialogue_after_login(std::string_view input, const std::function<void(Server&)>& prepare) {
  return behind_line(dialogue(std::string(login_line) + std::string(input), prepare), "L OK");
}

std::string dialogue_in_inbox(std::string_view input, const std::function<void(Server&)>& prepare) {
  return behind_line(dialogue_after_login(std::string(select_line) + std::string(input), prepare), "S OK");
}

std::string simple_message(std::string_view subject, std::string_view text) {
  return "From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: " + std::string(subject) +
         "\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\nMessage-ID: <" + std::string(subject) +
         "@example.test>\r\n\r\n" + std::string(text) + "\r\n";
}

}  // namespace posthorn::imap

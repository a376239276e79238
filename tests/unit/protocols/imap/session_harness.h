#pragma once

#include "base/connection.h"
#include "base/loop.h"
#include "protocols/imap/printed_forms.h"
#include "protocols/imap/session.h"
#include "tests/support/fake_authenticator.h"
#include "tests/support/memory_store.h"
#include "tests/support/memory_stream.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace posthorn::imap {

class FixedClock final : public Clock {
 public:
  std::int64_t microseconds() const override { return 1'000'000'000'000'000; }  // 9-Sep-2001 01:46:40
};

// A server over stores in memory.
struct Server {
  Server() { store.forms = printed_forms(); }

  Loop loop;
  testing::MemoryLog log;
  testing::MemoryStore store{loop};
  testing::FakeAuthenticator authenticator;
  FixedClock clock;
  Settings settings{.hostname = "mail.example.test"};
  TaskGroup group;
  // Whether what the session awaits of the store and of logins counts as awaits of its client (kill_at).
  bool count_hops = false;

  testing::MemoryMailbox& inbox() { return store.inbox(); }
};

// One client of it.
class Client {
 public:
  // The session starts at once.
  Client(Server& server, testing::MemoryScript script);
  // Begins with the greeting read away, logged in.
  static std::unique_ptr<Client> logged_in(Server& server);
  // And with INBOX selected, its responses read away.
  static std::unique_ptr<Client> with_inbox(Server& server, std::string_view command = "SELECT INBOX");
  ~Client();

  // Sends lines (CRLF is added) and gives what the server says until it waits for more.
  std::string say(std::string_view lines);
  // The same as it is, nothing added.
  std::string send_raw(std::string_view bytes);
  // Whatever the server says until it waits.
  std::string listen();
  bool closed() const { return peer_.closed(); }
  testing::MemoryPeer& peer() { return peer_; }
  Connection& connection() { return connection_; }
  Session& session() { return session_; }
  // Whether run() has returned.
  bool ended() const { return ended_; }

 private:
  Task<void> serve();

  Server& server_;
  testing::MemoryPeer peer_;
  Connection connection_;
  Session session_;
  bool ended_ = false;
};

// What the server says to `input` (lines end in CRLF already) from the greeting on, to its end; the same at
// several sizes of what arrives at once. `prepare` sets up each server.
std::string dialogue(std::string_view input, const std::function<void(Server&)>& prepare = {});
// The same behind LOGIN, the greeting and its OK left out.
std::string dialogue_after_login(std::string_view input, const std::function<void(Server&)>& prepare = {});
// And behind SELECT INBOX.
std::string dialogue_in_inbox(std::string_view input, const std::function<void(Server&)>& prepare = {});

// "From: …CRLF" and so on of a small message whose text is `text`.
std::string simple_message(std::string_view subject, std::string_view text);

}  // namespace posthorn::imap

#include "tests/support/raw_deflate.h"
#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

namespace posthorn::imap {
namespace {

using test::RawDeflate;
using test::RawInflate;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A client that compresses.
struct Compressed {
  explicit Compressed(Server& server) : client(Client::logged_in(server)) {
    REQUIRE(client->send_raw("c COMPRESS DEFLATE\r\n") == "c OK DEFLATE active\r\n");
  }
  std::string say(std::string_view lines) {
    return inflate(client->send_raw(deflate(std::string(lines) + "\r\n", Z_SYNC_FLUSH)));
  }

  std::unique_ptr<Client> client;
  RawDeflate deflate;
  RawInflate inflate;
};

}  // namespace

TEST_CASE("imap: COMPRESS after login, for all that follows its OK (RFC 4978 §3)") {
  Server server;
  server.inbox().put(simple_message("one", std::string(50'000, 'x')));
  Compressed compressed(server);
  CHECK(compressed.say("d NOOP") == "d OK NOOP completed\r\n");
  CHECK(has(compressed.say("e SELECT INBOX"), "* 1 EXISTS\r\n"));
  const std::string fetched = compressed.say("f FETCH 1 BODY.PEEK[]");
  CHECK(has(fetched, simple_message("one", std::string(50'000, 'x')) + ")\r\nf OK FETCH completed\r\n"));
  const std::string message = simple_message("two", "by a literal");
  CHECK(compressed.say("g APPEND INBOX {" + std::to_string(message.size()) + "}") == "+ OK\r\n");
  CHECK(has(compressed.say(message), "\r\ng OK [APPENDUID "));
  CHECK(has(compressed.say("h LOGOUT"), "* BYE Logging out\r\nh OK LOGOUT completed\r\n"));
  CHECK(compressed.inflate.result() == Z_STREAM_END);
}

TEST_CASE("imap: COMPRESS not twice, not before login (RFC 4978 §3, §5), and offered only where it works") {
  CHECK(has(dialogue("a COMPRESS DEFLATE\r\nb NOOP\r\n"), "ready\r\na BAD Log in first\r\nb OK NOOP"));
  CHECK_FALSE(has(dialogue("a CAPABILITY\r\n"), "COMPRESS"));
  CHECK(has(dialogue_after_login("a CAPABILITY\r\n"), " COMPRESS=DEFLATE\r\n"));
  CHECK(has(dialogue_after_login("a COMPRESS LZW\r\nb NOOP\r\n"), "a BAD "));
  Server server;
  Compressed compressed(server);
  CHECK_FALSE(has(compressed.say("d CAPABILITY"), "COMPRESS"));
  CHECK(compressed.say("d COMPRESS DEFLATE") == "d BAD [COMPRESSIONACTIVE] DEFLATE is active already\r\n");
  CHECK(compressed.say("e NOOP") == "e OK NOOP completed\r\n");
}

TEST_CASE("imap: IDLE and its news, compressed") {
  Server server;
  Compressed compressed(server);
  compressed.say("d SELECT INBOX");
  CHECK(compressed.say("e IDLE") == "+ idling\r\n");
  server.inbox().put(simple_message("new", "x"));
  CHECK(has(compressed.inflate(compressed.client->listen()), "* 1 EXISTS\r\n"));
  CHECK(has(compressed.say("DONE"), "e OK IDLE "));
}

TEST_CASE("imap: what is not DEFLATE ends the connection") {
  Server server;
  Compressed compressed(server);
  compressed.client->send_raw("d NOOP\r\n");
  CHECK(testing::run_until(server.loop, [&] { return compressed.client->ended(); }));
}

TEST_CASE("imap: UNAUTHENTICATE leaves nothing of the login (RFC 8437 §3, §4.1)") {
  Server server;
  server.inbox().put(simple_message("one", "x"), 4);
  auto client = Client::with_inbox(server);
  client->say("e ENABLE IMAP4REV2");
  CHECK(client->say("u UNAUTHENTICATE") == "u OK Not authenticated any more\r\n");
  CHECK(server.inbox().listeners() == 0);
  CHECK(server.inbox().snapshot()->size() == 1);
  CHECK(client->say("a FETCH 1 FLAGS") == "a BAD Log in first\r\n");
  CHECK(client->say("b UNAUTHENTICATE") == "b BAD Log in first\r\n");
  CHECK(has(client->say("c CAPABILITY"), " AUTH=PLAIN"));
  // Logged in anew, nothing is selected and nothing enabled.
  CHECK(has(client->say("d LOGIN alice@example.test secret"), "d OK "));
  CHECK(client->say("f FETCH 1 FLAGS") == "f BAD No mailbox is selected\r\n");
  CHECK(has(client->say("g ENABLE IMAP4REV2"), "* ENABLED IMAP4rev2\r\n"));
}

TEST_CASE("imap: UNAUTHENTICATE with the next login in one piece (RFC 8437 §3)") {
  CHECK(has(dialogue_after_login("u UNAUTHENTICATE\r\nl LOGIN alice@example.test secret\r\nn NOOP\r\n"),
            "u OK Not authenticated any more\r\nl OK [CAPABILITY "));
  CHECK(has(dialogue("u UNAUTHENTICATE\r\n"), "u BAD Log in first\r\n"));
  CHECK_FALSE(has(dialogue("u CAPABILITY\r\n"), "UNAUTHENTICATE"));
}

TEST_CASE("imap: UNAUTHENTICATE ends compression, ours and the client's (RFC 8437 §4.1)") {
  constexpr std::string_view next = "l LOGIN alice@example.test secret\r\nc COMPRESS DEFLATE\r\n";
  for (const int flush : {Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH}) {
    RawDeflate measure;
    measure("n NOOP\r\n", Z_SYNC_FLUSH);
    const std::size_t length = measure("u UNAUTHENTICATE\r\n", flush).size() + next.size();
    for (std::size_t split = 0; split <= length; ++split) {
      CAPTURE(flush);
      CAPTURE(split);
      Server server;
      Compressed compressed(server);
      compressed.say("n NOOP");
      const std::string bytes = compressed.deflate("u UNAUTHENTICATE\r\n", flush) + std::string(next);
      REQUIRE(bytes.size() == length);
      std::string said = compressed.client->send_raw(bytes.substr(0, split));
      said += compressed.client->send_raw(bytes.substr(split));
      CHECK(compressed.inflate(said) == "u OK Not authenticated any more\r\n");
      REQUIRE(compressed.inflate.result() == Z_STREAM_END);
      const std::string plain = said.substr(said.size() - compressed.inflate.left());
      CHECK(plain.starts_with("l OK [CAPABILITY "));
      CHECK(plain.ends_with("\r\nc OK DEFLATE active\r\n"));
      RawDeflate anew;
      RawInflate read;
      CHECK(read(compressed.client->send_raw(anew("x NOOP\r\n", Z_SYNC_FLUSH))) == "x OK NOOP completed\r\n");
    }
  }
}

TEST_CASE("imap: a client that compresses on behind UNAUTHENTICATE is cut off") {
  Server server;
  Compressed compressed(server);
  compressed.client->send_raw(compressed.deflate("u UNAUTHENTICATE\r\nn NOOP\r\n", Z_SYNC_FLUSH));
  CHECK(testing::run_until(server.loop, [&] { return compressed.client->ended(); }));
  CHECK_FALSE(has(compressed.client->peer().output(), "n OK"));
}

TEST_CASE("imap: UNAUTHENTICATE behind more output than one write takes (RFC 8437 §4.1)") {
  Server server;
  Compressed compressed(server);
  std::string commands;
  for (int i = 0; i < 1'000; ++i) commands += "n CAPABILITY\r\n";
  const std::string bytes = compressed.deflate(commands + "u UNAUTHENTICATE\r\n", Z_SYNC_FLUSH);
  const std::string said = compressed.client->send_raw(bytes + "l CAPABILITY\r\n");
  CHECK(
      compressed.inflate(said).ends_with("n OK CAPABILITY completed\r\nu OK Not authenticated any more\r\n"));
  REQUIRE(compressed.inflate.result() == Z_STREAM_END);
  CHECK(said.ends_with("l OK CAPABILITY completed\r\n"));
}

TEST_CASE("imap: UNAUTHENTICATE is never refused, though the mailbox is gone (RFC 8437 §3)") {
  Server server;
  server.store.account().mailbox("gone");
  auto client = Client::with_inbox(server, "SELECT gone");
  auto other = Client::logged_in(server);
  other->say("d DELETE gone");
  CHECK(client->say("u UNAUTHENTICATE") == "u OK Not authenticated any more\r\n");
  CHECK_FALSE(client->ended());
}

}  // namespace posthorn::imap

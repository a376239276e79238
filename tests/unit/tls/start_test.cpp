#include "tls/start.h"

#include "tests/unit/tls/tls_fixture.h"

#include <doctest/doctest.h>

namespace posthorn::test {
namespace {

using tls::Context;
using tls::Protocol;

class CollectingLog final : public Log {
 public:
  CollectingLog() : Log(LogLevel::debug, LogFormat::text) {}
  std::string text;

 protected:
  void emit(LogLevel, const std::string& line) override { text += line + "\n"; }
};

struct Fixture {
  CertificateFolder folder;
  std::unique_ptr<Context> context = *Context::load({folder.make({"mail.example.test"})});
  Run run;
  CollectingLog log;
};

Peer peer() {
  Peer peer;
  peer.address = "192.0.2.1";
  return peer;
}

Task<void> starttls_session(Connection& connection, const Context& context, std::string& seen) {
  const auto command = co_await connection.read_line(100);
  CHECK(command.text == "STARTTLS");
  connection.queue("220 go\r\n");
  co_await tls::start(connection, context, Protocol::smtp);
  const auto line = co_await connection.read_line(100);
  seen = line.text;
  connection.queue("250 " + seen + "\r\n");
  co_await connection.finish();
}

Task<void> injecting_client(TlsClient& client, std::string& reply) {
  // The second command was put there by somebody on the way.
  co_await client.stream().write("STARTTLS\r\nRCPT TO:<evil@example.test>\r\n");
  std::string go;
  while (!go.ends_with("\r\n")) co_await client.stream().read_some(go, 100);
  CHECK(go == "220 go\r\n");
  co_await client.handshake();
  co_await client.write("EHLO client\r\n");
  reply = co_await client.read(100);
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: what was sent in plaintext before the handshake is thrown away (RFC 3207 §4.2)") {
  Fixture f;
  StreamPair streams = make_stream_pair(f.run.loop);
  Connection connection(f.run.loop, f.log, std::move(streams.first), peer(), "s1");
  ClientOptions options;
  options.server_name = "mail.example.test";
  TlsClient client(std::move(streams.second), options);
  std::string seen;
  std::string reply;
  f.run.tasks.start(starttls_session(connection, *f.context, seen));
  f.run.tasks.start(injecting_client(client, reply));
  f.run.finish();
  CHECK(seen == "EHLO client");
  CHECK(reply == "250 EHLO client\r\n");
  CHECK(connection.tls().version == "TLSv1.3");
  CHECK(connection.tls().server_name == "mail.example.test");
  CHECK(f.log.text.find("tls.established") != std::string::npos);
}

Task<void> implicit_session(Connection& connection, const Context& context, Milliseconds limit,
                            std::string& reason) {
  try {
    co_await tls::start(connection, context, Protocol::imap, limit);
  } catch (const ConnectionClosed& closed) {
    reason = name_of(closed.reason());
  }
  connection.close(CloseReason::local);
}

Task<void> say(PairedStream& stream, std::string bytes) {
  co_await stream.write(bytes);
  std::string answer;
  try {
    while (true) co_await stream.read_some(answer, 100);
  } catch (const ConnectionClosed&) {
  }
}

TEST_CASE("tls: a handshake that does not end is ended by its deadline, one that fails says why") {
  struct {
    const char* sent;
    const char* reason;
    const char* logged;
  } const cases[] = {
      {"", "timeout", "reason=timeout"},
      {"\x16\x03\x01", "timeout", "reason=timeout"},
      {"a1 LOGIN alice secret\r\n", "peer", "reason=\"wrong version number\""},
  };
  for (const auto& c : cases) {
    Fixture f;
    StreamPair streams = make_stream_pair(f.run.loop);
    Connection connection(f.run.loop, f.log, std::move(streams.first), peer(), "s1");
    std::string reason;
    f.run.tasks.start(implicit_session(connection, *f.context, Milliseconds(50), reason));
    f.run.tasks.start(say(*streams.second, c.sent));
    f.run.finish();
    CHECK(reason == c.reason);
    CAPTURE(f.log.text);
    CHECK(f.log.text.find("tls.failed") != std::string::npos);
    CHECK(f.log.text.find("address=192.0.2.1") != std::string::npos);
    CHECK(f.log.text.find(c.logged) != std::string::npos);
    CHECK(f.log.text.find("secret") == std::string::npos);
    CHECK_FALSE(connection.tls().active());
  }
}

}  // namespace
}  // namespace posthorn::test

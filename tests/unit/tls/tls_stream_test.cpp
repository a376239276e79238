#include "tls/tls_stream.h"

#include "tests/unit/tls/tls_fixture.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace posthorn::test {
namespace {

using tls::Context;
using tls::Protocol;
using tls::TlsStream;

// One connection: the stream under test as `server`, OpenSSL as `client`.
struct Pair {
  CertificateFolder folder;
  std::unique_ptr<Context> context = *Context::load({folder.make({"mail.example.test"})});
  Run run;
  StreamPair streams;
  PairedStream& below;  // the server's end of the inner stream
  TlsStream server;
  TlsClient client;

  explicit Pair(PairOptions pair_options = {}, const ClientOptions& client_options = {})
      : streams(make_stream_pair(run.loop, pair_options)),
        below(*streams.first),
        server(std::move(streams.first), context->new_session(Protocol::none)),
        client(std::move(streams.second), client_options) {}
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

Task<void> read_exactly(TlsStream& stream, std::string& into, std::size_t size) {
  while (into.size() < size) co_await stream.read_some(into, size - into.size());
}

Task<void> echo(TlsStream& server, std::size_t size) {
  co_await server.handshake();
  std::string got;
  co_await read_exactly(server, got, size);
  co_await server.write(got);
  co_await server.end_writing();
  server.close(CloseReason::local);
}

Task<void> send_and_compare(TlsClient& client, std::string data) {
  co_await client.handshake();
  CHECK(client.error() == "");
  co_await client.write(data);
  const std::string back = co_await client.read(data.size());
  CHECK((back == data));
  const std::string rest = co_await client.read(1);
  CHECK(rest == "");
  CHECK(client.got_close_notify());
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: bytes come back as they went, in chunks of any size, both versions") {
  const std::pair<std::size_t, std::size_t> cases[] = {
      {1, 3000}, {7, 40'000}, {1000, 200'000}, {65536, 1'000'000}};
  for (const auto& [chunk, size] : cases) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      CAPTURE(chunk);
      ClientOptions options;
      options.max_version = version;
      Pair pair({.chunk = chunk}, options);
      pair.run.tasks.start(echo(pair.server, size));
      pair.run.tasks.start(send_and_compare(pair.client, pattern(size)));
      pair.run.finish();
    }
  }
}

struct Bindings {
  std::string exporter, unique, end_point, other;
};

Task<void> tell_bindings(TlsStream& server, Bindings& bindings) {
  CHECK(server.channel_binding("tls-exporter").empty());
  co_await server.handshake();
  bindings = {server.channel_binding("tls-exporter"), server.channel_binding("tls-unique"),
              server.channel_binding("tls-server-end-point"), server.channel_binding("tls-other")};
  server.close(CloseReason::local);
}

Task<void> shake_hands(TlsClient& client) {
  co_await client.handshake();
  co_await client.read(1);  // the server has finished too
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: both ends have the same channel bindings (RFC 9266 §2, RFC 5929 §3 and §4)") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientOptions options;
    options.max_version = version;
    Pair pair({}, options);
    Bindings bindings;
    pair.run.tasks.start(tell_bindings(pair.server, bindings));
    pair.run.tasks.start(shake_hands(pair.client));
    pair.run.finish();
    std::string exported(32, '\0');
    CHECK(SSL_export_keying_material(pair.client.ssl(), reinterpret_cast<unsigned char*>(exported.data()), 32,
                                     "EXPORTER-Channel-Binding", 24,
                                     reinterpret_cast<const unsigned char*>(""), 0, 1) == 1);
    CHECK((bindings.exporter == exported));
    std::string finished(12, '\0');
    if (version == TLS1_2_VERSION) {
      CHECK(SSL_get_finished(pair.client.ssl(), finished.data(), finished.size()) == finished.size());
    }
    CHECK((bindings.unique == (version == TLS1_2_VERSION ? finished : "")));
    // The certificate of the tests is signed with SHA-256.
    std::string digest(32, '\0');
    const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(pair.client.ssl()));
    unsigned size = 0;
    CHECK(X509_digest(certificate.get(), EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()),
                      &size) == 1);
    CHECK((bindings.end_point == digest));
    CHECK(bindings.other.empty());
  }
}

TEST_CASE("tls: without the extended master secret nothing of the session binds (RFC 9266 §4.2, RFC 7627)") {
  ClientOptions options;
  options.max_version = TLS1_2_VERSION;
  Pair pair({}, options);
  SSL_set_options(pair.client.ssl(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  Bindings bindings;
  pair.run.tasks.start(tell_bindings(pair.server, bindings));
  pair.run.tasks.start(shake_hands(pair.client));
  pair.run.finish();
  CHECK(bindings.exporter.empty());
  CHECK(bindings.unique.empty());
  CHECK(bindings.end_point.size() == 32);
}

Task<void> count_reads(TlsStream& server, std::string& end) {
  co_await server.handshake();
  co_await server.write("hello");
  std::string got;
  try {
    while (true) co_await server.read_some(got, 1000);
  } catch (const ConnectionClosed& closed) {
    end = name_of(closed.reason());
  }
  CHECK(got == "last");
  // The peer has ended its half only: what it asked for before still goes out.
  try {
    co_await server.write("answer");
    co_await server.end_writing();
  } catch (const ConnectionClosed&) {
    end += ", no answer";
  }
  server.close(CloseReason::local);
}

enum class Ending { close_notify, truncation };

Task<void> say_last(TlsClient& client, Ending ending, std::string& answer) {
  co_await client.handshake();
  const std::string greeting = co_await client.read(5);
  CHECK(greeting == "hello");
  co_await client.write("last");
  if (ending == Ending::close_notify) {
    co_await client.end();
    answer = co_await client.read(6);
  }
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: close_notify ends one direction, a cut is the peer's close as well (RFC 8446 §6.1)") {
  for (const Ending ending : {Ending::close_notify, Ending::truncation}) {
    Pair pair;
    std::string end;
    std::string answer;
    pair.run.tasks.start(count_reads(pair.server, end));
    pair.run.tasks.start(say_last(pair.client, ending, answer));
    pair.run.finish();
    CHECK(end == (ending == Ending::close_notify ? "peer" : "peer, no answer"));
    CHECK(answer == (ending == Ending::close_notify ? "answer" : ""));
  }
}

Task<void> handshake_and_fail(TlsStream& server, bool& closed) {
  try {
    co_await server.handshake();
  } catch (const ConnectionClosed& reason) {
    closed = reason.reason() == CloseReason::peer;
  }
  server.close(CloseReason::local);
}

Task<void> say_garbage(PairedStream& stream, std::string garbage, std::string& answer) {
  try {
    co_await stream.write(garbage);
    co_await stream.end_writing();
    while (true) co_await stream.read_some(answer, 1000);
  } catch (const ConnectionClosed&) {
    stream.close(CloseReason::local, {});
  }
}

TEST_CASE("tls: what is no ClientHello ends the handshake with an alert and a reason") {
  CertificateFolder folder;
  const auto context = *Context::load({folder.make({"mail.example.test"})});
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\nHost: mail\r\n\r\n", "http request"},
      {"EHLO client.example\r\nMAIL FROM:<>\r\n", "wrong version number"},
      {std::string("\x16\x03\x01\xff\xff", 5) + std::string(100, 'x'), "packet length too long"},
      {std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10), "length"},
      {std::string(500, '\0'), "wrong version number"},
  };
  for (const auto& [garbage, reason] : cases) {
    CAPTURE(reason);
    Run run;
    StreamPair streams = make_stream_pair(run.loop, {.chunk = 3});
    TlsStream server(std::move(streams.first), context->new_session(Protocol::none));
    bool closed = false;
    std::string answer;
    run.tasks.start(handshake_and_fail(server, closed));
    run.tasks.start(say_garbage(*streams.second, garbage, answer));
    run.finish();
    CHECK(closed);
    CAPTURE(server.failure());
    CHECK(server.failure().find(reason) != std::string::npos);
    // A fatal alert (RFC 8446 §6), but for what OpenSSL knows to be another protocol.
    if (!answer.empty()) CHECK(answer[0] == '\x15');
  }
}

Task<void> pour(TlsStream& server, std::string data, bool& done) {
  co_await server.handshake();
  try {
    co_await server.write(data);
    done = true;
  } catch (const ConnectionClosed&) {
  }
  server.close(CloseReason::local);
}

Task<void> only_handshake(TlsClient& client) { co_await client.handshake(); }

TEST_CASE("tls: a reader that does not read holds the writer, and a bounded number of octets") {
  constexpr std::size_t capacity = 65536;
  Pair pair({.capacity = capacity});
  bool done = false;
  pair.run.tasks.start(pour(pair.server, std::string(10'000'000, 'x'), done));
  pair.run.tasks.start(only_handshake(pair.client));
  for (int i = 0; i < 1000; ++i) pair.run.loop.run_once();
  CHECK_FALSE(done);
  CHECK(pair.run.tasks.size() == 1);
  // What the inner stream took is all that was ever encrypted, but for the block that waits.
  CHECK(pair.below.sent() < capacity + 8192);
  pair.server.close(CloseReason::timeout);
  pair.run.finish();
  CHECK_FALSE(done);
}

Task<void> wait_for_wakes(TlsStream& server, std::vector<ReadEvent>& events, std::string& got) {
  co_await server.handshake();
  try {
    while (true) events.push_back(co_await server.read_some(got, 100));
  } catch (const ConnectionClosed&) {
  }
}

TEST_CASE("tls: a wake reaches the reader once, also behind half a record") {
  Pair pair;
  std::vector<ReadEvent> events;
  std::string got;
  pair.run.tasks.start(wait_for_wakes(pair.server, events, got));
  pair.run.tasks.start(only_handshake(pair.client));
  const auto settle = [&] {
    for (int i = 0; i < 20; ++i) pair.run.loop.run_once();
  };
  settle();
  CHECK(events.empty());
  pair.server.wake_reader();
  settle();
  CHECK(events == std::vector{ReadEvent::woken});

  // Half a record and a wake at once.
  std::size_t taken = 0;
  REQUIRE(SSL_write_ex(pair.client.ssl(), "data", 4, &taken) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(pair.client.ssl()), &bytes);
  const std::string sealed(bytes, static_cast<std::size_t>(size));
  static_cast<void>(BIO_reset(SSL_get_wbio(pair.client.ssl())));
  pair.run.tasks.start(pair.client.stream().write(std::string_view(sealed).substr(0, 10)));
  pair.server.wake_reader();
  settle();
  CHECK(events == std::vector{ReadEvent::woken, ReadEvent::woken});
  pair.run.tasks.start(pair.client.stream().write(std::string_view(sealed).substr(10)));
  settle();
  CHECK(events == std::vector{ReadEvent::woken, ReadEvent::woken, ReadEvent::data});
  CHECK(got == "data");
  pair.server.close(CloseReason::shutdown);
  pair.run.finish();
}

Task<void> read_until_closed(TlsStream& server, std::string& reason) {
  co_await server.handshake();
  try {
    std::string got;
    while (true) co_await server.read_some(got, 100);
  } catch (const ConnectionClosed& closed) {
    reason = name_of(closed.reason());
  }
}

Task<void> collect(TlsClient& client, std::string& got) {
  co_await client.handshake();
  got = co_await client.read(1000);
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: last words are encrypted and followed by close_notify") {
  Pair pair;
  std::string reason;
  std::string got;
  pair.run.tasks.start(read_until_closed(pair.server, reason));
  pair.run.tasks.start(collect(pair.client, got));
  for (int i = 0; i < 20; ++i) pair.run.loop.run_once();
  pair.server.close(CloseReason::shutdown, "* BYE\r\n");
  pair.server.close(CloseReason::timeout, "again");
  pair.run.finish();
  CHECK(reason == "shutdown");
  CHECK(got == "* BYE\r\n");
  CHECK(pair.client.got_close_notify());
}

Task<void> update_keys(TlsClient& client, std::string data) {
  co_await client.handshake();
  for (int i = 0; i < 5; ++i) {
    CHECK(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    co_await client.write(data.substr(static_cast<std::size_t>(i) * 20, 20));
  }
  const std::string back = co_await client.read(100);
  CHECK(back == data);
  CHECK(client.error() == "");
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: keys change in a 1.3 session (RFC 8446 §4.6.3)") {
  Pair pair({.chunk = 5});
  pair.run.tasks.start(echo(pair.server, 100));
  pair.run.tasks.start(update_keys(pair.client, pattern(100)));
  pair.run.finish();
}

Task<void> renegotiate(TlsClient& client, std::string& got) {
  co_await client.handshake();
  CHECK(SSL_renegotiate(client.ssl()) == 1);
  SSL_do_handshake(client.ssl());
  co_await client.send_pending();
  got = co_await client.read(10);
  client.stream().close(CloseReason::local, {});
}

Task<void> read_to_end(TlsStream& server) {
  co_await server.handshake();
  try {
    std::string got;
    while (true) co_await server.read_some(got, 100);
  } catch (const ConnectionClosed&) {
  }
  server.close(CloseReason::local);
}

TEST_CASE("tls: renegotiation is refused (RFC 9325 §3.5)") {
  ClientOptions options;
  options.max_version = TLS1_2_VERSION;
  Pair pair({}, options);
  std::string got;
  pair.run.tasks.start(read_to_end(pair.server));
  pair.run.tasks.start(renegotiate(pair.client, got));
  pair.run.finish();
  CHECK(got == "");
  CHECK(pair.client.error().find("no renegotiation") != std::string::npos);
}

Task<void> busy_server(TlsStream& server, int& ended) {
  try {
    co_await server.handshake();
    std::string got;
    co_await read_exactly(server, got, 20'000);
    co_await server.write(got);
    co_await server.end_writing();
    while (true) co_await server.read_some(got, 10);
  } catch (const ConnectionClosed&) {
    ++ended;
  }
}

Task<void> busy_client(TlsClient& client) {
  try {
    co_await client.handshake();
    co_await client.write(pattern(20'000));
    co_await client.read(30'000);
  } catch (const ConnectionClosed&) {
  }
  client.stream().close(CloseReason::local, {});
}

TEST_CASE("tls: closed at any point, by either side, everything that waits ends") {
  for (const bool by_server : {true, false}) {
    int points = 0;
    bool finished = false;
    while (!finished) {
      Pair pair({.chunk = 1500, .capacity = 4000});
      int ended = 0;
      pair.run.tasks.start(busy_server(pair.server, ended));
      pair.run.tasks.start(busy_client(pair.client));
      for (int i = 0; i < points && pair.run.tasks.size() > 0; ++i) pair.run.loop.run_once();
      finished = pair.run.tasks.size() == 0;
      if (by_server) {
        pair.server.close(CloseReason::timeout, "bye");
      } else {
        pair.client.stream().close(CloseReason::local, {});
      }
      pair.run.finish();
      CHECK(ended == 1);
      ++points;
      REQUIRE(points < 1000);
    }
    CHECK(points > 20);
  }
}

Task<void> talk(TlsStream& server, std::size_t size, TaskGroup& tasks);

Task<void> write_all(TlsStream& server, std::string data) { co_await server.write(data); }

Task<void> talk(TlsStream& server, std::size_t size, TaskGroup& tasks) {
  co_await server.handshake();
  tasks.start(write_all(server, pattern(size)));
  std::string got;
  co_await read_exactly(server, got, size);
  CHECK((got == pattern(size)));
}

Task<void> talk_client(TlsClient& client, std::size_t size) {
  co_await client.handshake();
  // Key updates make the server's reader want to send while its writer does.
  for (std::size_t at = 0; at < size; at += 1000) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    co_await client.write(std::string_view(pattern(size)).substr(at, 1000));
  }
  const std::string back = co_await client.read(size);
  CHECK((back == pattern(size)));
}

TEST_CASE("tls: reading and writing at the same time") {
  constexpr std::size_t size = 50'000;
  Pair pair({.chunk = 700, .capacity = 100'000});
  pair.run.tasks.start(talk(pair.server, size, pair.run.tasks));
  pair.run.tasks.start(talk_client(pair.client, size));
  pair.run.finish();
  pair.server.close(CloseReason::local);
  pair.client.stream().close(CloseReason::local, {});
}

}  // namespace
}  // namespace posthorn::test

#include "tls/context.h"

#include "tests/unit/tls/tls_fixture.h"
#include "tls/self_signed.h"
#include "tls/ticket_keys.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace posthorn::test {
namespace {

using tls::Context;
using tls::Protocol;
using tls::TlsStream;

std::unique_ptr<Context> load(const std::vector<tls::CertificateFiles>& files) {
  auto context = Context::load(files);
  REQUIRE_MESSAGE(context, (context ? "" : context.error().detail));
  return *std::move(context);
}

// What a handshake came to, seen from both ends.
struct Outcome {
  bool established = false;
  TlsState state;
  bool resumed = false;
  std::string failure;
  std::string client_error;
  std::string certificate;
  std::string alpn;
  ClientTicket ticket;
};

Task<void> serve_one(TlsStream& server, Outcome& outcome) {
  try {
    co_await server.handshake();
    outcome.established = true;
    outcome.state = server.state();
    outcome.resumed = server.resumed();
    co_await server.write("hello");
    co_await server.end_writing();
    std::string rest;
    while (true) co_await server.read_some(rest, 100);
  } catch (const ConnectionClosed&) {
    outcome.failure = server.failure();
  }
  server.close(CloseReason::local);
}

Task<void> connect_one(TlsClient& client, Outcome& outcome) {
  co_await client.handshake();
  if (client.error().empty()) {
    const std::string greeting = co_await client.read(5);
    CHECK(greeting == "hello");
    outcome.certificate = client.certificate_name();
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.ssl(), &name, &size);
    outcome.alpn.assign(reinterpret_cast<const char*>(name), size);
    co_await client.end();
    outcome.ticket = client.take_ticket();
  }
  outcome.client_error = client.error();
  client.stream().close(CloseReason::local, {});
}

Outcome connect(const Context& context, const ClientOptions& options, Protocol protocol = Protocol::none) {
  Outcome outcome;
  Run run;
  StreamPair pair = make_stream_pair(run.loop);
  TlsStream server(std::move(pair.first), context.new_session(protocol));
  TlsClient client(std::move(pair.second), options);
  run.tasks.start(serve_one(server, outcome));
  run.tasks.start(connect_one(client, outcome));
  run.finish();
  return outcome;
}

TEST_CASE("tls: versions 1.2 and 1.3 are spoken, older ones are refused (RFC 8996)") {
  CertificateFolder folder;
  const auto context = load({folder.make({"mail.example.test"})});
  CHECK(connect(*context, {}).state.version == "TLSv1.3");
  ClientOptions old;
  old.max_version = TLS1_2_VERSION;
  CHECK(connect(*context, old).state.version == "TLSv1.2");
  old.min_version = TLS1_VERSION;
  old.max_version = TLS1_1_VERSION;
  const Outcome refused = connect(*context, old);
  CHECK_FALSE(refused.established);
  CHECK(refused.failure.find("unsupported protocol") != std::string::npos);
}

TEST_CASE("tls: in 1.2 only forward secrecy with AEAD, and the client's order counts (RFC 9325 §4.2)") {
  CertificateFolder folder;
  const auto context = load({folder.make({"mail.example.test"})});
  const auto with = [&](const char* ciphers) {
    ClientOptions options;
    options.max_version = TLS1_2_VERSION;
    options.ciphers = ciphers;
    return connect(*context, options).state.cipher;
  };
  CHECK(with("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256") ==
        "ECDHE-ECDSA-CHACHA20-POLY1305");
  CHECK(with("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305") ==
        "ECDHE-ECDSA-AES128-GCM-SHA256");
  CHECK(with("ECDHE-ECDSA-AES128-SHA256") == "");
  CHECK(with("ECDHE-ECDSA-AES256-SHA") == "");
}

TEST_CASE(
    "tls: SNI chooses the certificate, without regard to case; other names get the default (RFC 6066 §3)") {
  CertificateFolder folder;
  const auto context = load({folder.make({"mail.example.test"}),
                             folder.make({"other.test", "imap.other.test"}), folder.make({"*.wild.test"})});
  const std::pair<std::string, std::string> cases[] = {
      {"", "mail.example.test"},
      {"mail.example.test", "mail.example.test"},
      {"imap.other.test", "other.test"},
      {"IMAP.Other.Test", "other.test"},
      {"smtp.other.test", "mail.example.test"},
      {"a.wild.test", "*.wild.test"},
      {"wild.test", "mail.example.test"},
      {"a.b.wild.test", "mail.example.test"},
      {"unknown", "mail.example.test"},
  };
  for (const auto& [name, certificate] : cases) {
    CAPTURE(name);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      ClientOptions options;
      options.max_version = version;
      options.server_name = name;
      const Outcome outcome = connect(*context, options);
      CHECK(outcome.certificate == certificate);
      CHECK(outcome.state.server_name == name);
    }
  }
  CHECK(context->certificates().at(1).names == std::vector<std::string>{"other.test", "imap.other.test"});
}

TEST_CASE("tls: sessions resume, also over a reload and under SNI (RFC 8446 §2.2, RFC 5077)") {
  CertificateFolder folder;
  const std::vector files{folder.make({"mail.example.test"}), folder.make({"other.test"})};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const auto context = load(files);
    ClientOptions options;
    options.max_version = version;
    options.server_name = "other.test";
    const Outcome first = connect(*context, options);
    CHECK_FALSE(first.resumed);
    REQUIRE(first.ticket != nullptr);
    options.resume = first.ticket.get();
    const Outcome second = connect(*context, options);
    CHECK(second.resumed);
    // A client of 1.3 uses a ticket once and gets new ones, one of 1.2 keeps what it has.
    CHECK((second.ticket != nullptr) == (version == TLS1_3_VERSION));
    if (second.ticket != nullptr) options.resume = second.ticket.get();
    REQUIRE(context->reload(files));
    const Outcome third = connect(*context, options);
    CHECK(third.established);
    CHECK(third.resumed);
    if (third.ticket != nullptr) options.resume = third.ticket.get();
    // Another server's tickets are worth nothing, and no reason to fail.
    const auto stranger = load(files);
    const Outcome elsewhere = connect(*stranger, options);
    CHECK(elsewhere.established);
    CHECK_FALSE(elsewhere.resumed);
  }
}

TEST_CASE("tls: ALPN (RFC 7301 §3.2, IANA: imap, pop3)") {
  CertificateFolder folder;
  const auto context = load({folder.make({"mail.example.test"})});
  struct {
    Protocol protocol;
    const char* offered;
    const char* chosen;
    bool established;
  } const cases[] = {
      {Protocol::imap, "", "", true},
      {Protocol::imap, "\4imap", "imap", true},
      {Protocol::imap, "\2h2\4imap", "imap", true},
      {Protocol::pop3, "\4imap\4pop3", "pop3", true},
      {Protocol::imap, "\2h2\10http/1.1", "", false},
      {Protocol::pop3, "\4imap", "", false},
      {Protocol::smtp, "\4smtp", "", true},
      {Protocol::none, "\2h2", "", true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.offered);
    ClientOptions options;
    options.alpn = c.offered;
    const Outcome outcome = connect(*context, options, c.protocol);
    CHECK(outcome.established == c.established);
    CHECK(outcome.alpn == c.chosen);
    if (!c.established) CHECK(outcome.client_error.find("no application protocol") != std::string::npos);
  }
}

TEST_CASE("tls: a reload takes all files or none, and says why") {
  CertificateFolder folder;
  const auto good = folder.make({"mail.example.test"});
  const auto better = folder.make({"better.example.test"});
  const auto context = load({good});
  const std::string rubbish = folder.write("rubbish.pem", "-----BEGIN NOTHING-----\n");
  const std::string empty = folder.write("empty.pem", "");
  const std::string locked = folder.write("locked.key",
                                          "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                          "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhTk0N3vKDkPwICCAAw\n"
                                          "-----END ENCRYPTED PRIVATE KEY-----\n");
  struct {
    tls::CertificateFiles files;
    std::string file;
    std::string cause;
  } const cases[] = {
      {{"/nowhere/cert.pem", good.key}, "/nowhere/cert.pem", "No such file"},
      {{good.certificate, "/nowhere/key.pem"}, "/nowhere/key.pem", "No such file"},
      {{"/tmp", good.key}, "/tmp", "directory"},
      {{rubbish, good.key}, rubbish, "bad end line"},
      {{empty, good.key}, empty, "no start line"},
      {{good.certificate, rubbish}, rubbish, "PEM"},
      {{good.certificate, locked}, locked, "without a passphrase"},
      {{good.certificate, better.key}, better.key, "is not the key of " + good.certificate},
  };
  for (const auto& c : cases) {
    const Result<> reloaded = context->reload({better, c.files});
    REQUIRE_FALSE(reloaded);
    CAPTURE(reloaded.error().detail);
    CHECK(reloaded.error().detail.find(c.file) != std::string::npos);
    CHECK(reloaded.error().detail.find(c.cause) != std::string::npos);
    CHECK(connect(*context, {}).certificate == "mail.example.test");
  }
  CHECK_FALSE(context->reload({}));
  REQUIRE(context->reload({better}));
  CHECK(connect(*context, {}).certificate == "better.example.test");
}

TEST_CASE("tls: a reload in the middle of a handshake, and the end of the context, hurt nobody") {
  CertificateFolder folder;
  const auto files = folder.make({"mail.example.test"});
  auto context = load({files});
  Outcome outcome;
  Run run;
  StreamPair pair = make_stream_pair(run.loop, {.chunk = 50});
  TlsStream server(std::move(pair.first), context->new_session(Protocol::imap));
  ClientOptions options;
  options.server_name = "mail.example.test";
  options.alpn = "\4imap";
  TlsClient client(std::move(pair.second), options);
  run.tasks.start(serve_one(server, outcome));
  run.tasks.start(connect_one(client, outcome));
  run.loop.run_once();
  REQUIRE(context->reload({folder.make({"new.example.test"})}));
  context.reset();
  run.finish();
  CHECK(outcome.established);
  CHECK(outcome.certificate == "mail.example.test");
  CHECK(outcome.alpn == "imap");
}

TEST_CASE("tls: keys of tickets serve for 12 hours and are gone after 24 (RFC 5077 §5.5)") {
  using std::chrono::hours;
  using std::chrono::seconds;
  const auto keys = std::make_shared<tls::TicketKeys>();
  const auto name = [](const tls::TicketKeys::Key& key) {
    return std::string(reinterpret_cast<const char*>(key.name.data()), key.name.size());
  };
  const seconds start{1000};
  const std::string first = name(keys->current(start));
  CHECK(name(keys->current(start + hours(12) - seconds(1))) == first);
  CHECK(keys->find(first, start + hours(12) - seconds(1))->is_current);
  const std::string second = name(keys->current(start + hours(12)));
  CHECK(second != first);
  REQUIRE(keys->find(first, start + hours(23)));
  CHECK_FALSE(keys->find(first, start + hours(23))->is_current);
  CHECK_FALSE(keys->find(first, start + hours(24)));
  CHECK(keys->find(second, start + hours(24)));
  // Nobody came for days: nothing of before is accepted.
  CHECK_FALSE(keys->find(second, start + hours(100)));
  CHECK_FALSE(keys->find("0123456789abcdef", start));
}

TEST_CASE("tls: a self-signed certificate for names and addresses (RFC 5280)") {
  const auto pair = tls::make_self_signed({"mail.example.test", "example.test", "127.0.0.1", "::1"});
  REQUIRE(pair);
  const Owned<BIO, BIO_free_all> text(
      BIO_new_mem_buf(pair->certificate.data(), static_cast<int>(pair->certificate.size())));
  const Owned<X509, X509_free> certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  REQUIRE(certificate != nullptr);
  X509* raw = certificate.get();
  CHECK(X509_check_host(raw, "mail.example.test", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(raw, "example.test", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(raw, "other.test", 0, 0, nullptr) == 0);
  CHECK(X509_check_ip_asc(raw, "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(raw, "::1", 0) == 1);
  CHECK(X509_verify(raw, X509_get0_pubkey(raw)) == 1);
  CHECK(EVP_PKEY_get_base_id(X509_get0_pubkey(raw)) == EVP_PKEY_EC);
  int days = 0;
  int seconds = 0;
  REQUIRE(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(raw), X509_get0_notAfter(raw)) == 1);
  CHECK(days == 3652);
  const auto other = tls::make_self_signed({"mail.example.test"});
  CHECK(other->certificate != pair->certificate);
  CHECK(tls::make_self_signed({std::string(70, 'a') + ".example.test"}));

  for (const auto& names :
       {std::vector<std::string>{}, {""}, {"two words"}, {"a,DNS:b"}, {"b\xc3\xbc.test"}}) {
    CHECK(tls::make_self_signed(names).error().code == Errc::malformed);
  }
}

}  // namespace
}  // namespace posthorn::test

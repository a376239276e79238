#include "tests/unit/tls/tls_fixture.h"

#include <doctest/doctest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <list>

namespace posthorn::test {
namespace {

// Octets that OpenSSL holds. It must be counted from its first allocation on: before main() begins.
std::size_t held = 0;
constexpr std::size_t header = 16;

void* counted_malloc(std::size_t size, const char*, int) {
  auto* block = static_cast<char*>(std::malloc(size + header));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = size;
  held += size;
  return block + header;
}

void counted_free(void* pointer, const char*, int) {
  if (pointer == nullptr) return;
  char* block = static_cast<char*>(pointer) - header;
  held -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

void* counted_realloc(void* pointer, std::size_t size, const char* file, int line) {
  if (pointer == nullptr) return counted_malloc(size, file, line);
  char* block = static_cast<char*>(pointer) - header;
  const std::size_t before = *reinterpret_cast<std::size_t*>(block);
  block = static_cast<char*>(std::realloc(block, size + header));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = size;
  held += size - before;
  return block + header;
}

const int counting = CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);

Task<void> serve_then_idle(tls::TlsStream& server) {
  co_await server.handshake();
  std::string got;
  co_await server.read_some(got, 100);
  co_await server.write(std::string(50'000, 'x'));
  try {
    while (true) co_await server.read_some(got, 100);
  } catch (const ConnectionClosed&) {
  }
}

Task<void> fetch(TlsClient& client) {
  co_await client.handshake();
  co_await client.write("FETCH");
  const std::string got = co_await client.read(50'000);
  CHECK(got.size() == 50'000);
}

TEST_CASE("tls: an idle connection holds less than 16 KiB") {
  REQUIRE(counting == 1);
  CertificateFolder folder;
  const auto context = *tls::Context::load({folder.make({"mail.example.test"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Run run;
    constexpr std::size_t connections = 20;
    std::list<tls::TlsStream> servers;
    std::list<TlsClient> clients;
    for (std::size_t i = 0; i < connections; ++i) {
      StreamPair streams = make_stream_pair(run.loop);
      ClientOptions options;
      options.max_version = version;
      clients.emplace_back(std::move(streams.second), options);
      servers.emplace_back(std::move(streams.first), context->new_session(tls::Protocol::imap));
      run.tasks.start(serve_then_idle(servers.back()));
      run.tasks.start(fetch(clients.back()));
    }
    while (run.tasks.size() > connections) run.loop.run_once();
    const std::size_t idle = held;
    for (auto& server : servers) server.close(CloseReason::local);
    run.finish();
    // What their closing and their end give back is what they held; the clients stay.
    servers.clear();
    const std::size_t each = (idle - held) / connections + sizeof(tls::TlsStream);
    MESSAGE("octets of an idle connection: ", each);
    CHECK(each > 1000);
    CHECK(each < 16 * 1024);
  }
}

}  // namespace
}  // namespace posthorn::test

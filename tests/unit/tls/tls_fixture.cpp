#include "tests/unit/tls/tls_fixture.h"

#include "tls/openssl_error.h"
#include "tls/self_signed.h"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <unistd.h>

namespace posthorn::test {

CertificateFolder::CertificateFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "posthorn-tls-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

CertificateFolder::~CertificateFolder() { std::filesystem::remove_all(path_); }

std::string CertificateFolder::write(const std::string& name, std::string_view content) {
  const std::string path = (path_ / name).string();
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

tls::CertificateFiles CertificateFolder::make(const std::vector<std::string>& names) {
  const auto pair = tls::make_self_signed(names);
  REQUIRE(pair);
  return {write(names.front() + ".pem", pair->certificate), write(names.front() + ".key", pair->key)};
}

TlsClient::TlsClient(std::unique_ptr<PairedStream> stream, const ClientOptions& options)
    : context_(SSL_CTX_new(TLS_client_method())), stream_(std::move(stream)) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.min_version);
  SSL_CTX_set_max_proto_version(context, options.max_version);
  if (!options.ciphers.empty()) REQUIRE(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    static_cast<TlsClient*>(SSL_get_app_data(ssl))->ticket_.reset(session);
    return 1;
  });
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  if (options.resume != nullptr) SSL_set_session(ssl_.get(), options.resume);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
}

Task<void> TlsClient::send_pending() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
  const std::string out(bytes, static_cast<std::size_t>(size));
  static_cast<void>(BIO_reset(SSL_get_wbio(ssl_.get())));
  co_await stream_->write(out);
}

Task<bool> TlsClient::receive() {
  std::string in;
  bool there = true;
  try {
    co_await stream_->read_some(in, 65536);
  } catch (const ConnectionClosed&) {
    there = false;
  }
  if (there) BIO_write(SSL_get_rbio(ssl_.get()), in.data(), static_cast<int>(in.size()));
  co_return there;
}

Task<void> TlsClient::handshake() {
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    const int why = SSL_get_error(ssl_.get(), result);
    if (result != 1 && why != SSL_ERROR_WANT_READ) error_ = tls::openssl_error();
    co_await send_pending();
    if (result == 1 || why != SSL_ERROR_WANT_READ) co_return;
    if (!co_await receive()) {
      error_ = "end of stream";
      co_return;
    }
  }
}

Task<std::string> TlsClient::read(std::size_t size) {
  std::string got;
  while (got.size() < size) {
    char buffer[4096];
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), buffer, std::min(size - got.size(), sizeof buffer), &count);
    const int why = SSL_get_error(ssl_.get(), result);
    if (result != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN)
      error_ = tls::openssl_error();
    got.append(buffer, result == 1 ? count : 0);
    co_await send_pending();
    if (result == 1) continue;
    if (why != SSL_ERROR_WANT_READ) break;
    if (!co_await receive()) break;
  }
  co_return got;
}

Task<void> TlsClient::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, 16384);
    std::size_t taken = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), part.data(), part.size(), &taken) != 1) {
      error_ = tls::openssl_error();
      co_return;
    }
    co_await send_pending();
    bytes.remove_prefix(taken);
  }
}

Task<void> TlsClient::end() {
  SSL_shutdown(ssl_.get());
  co_await send_pending();
}

std::string TlsClient::certificate_name() {
  const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(ssl_.get()));
  if (certificate == nullptr) return "";
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
  return name;
}

int& Run::failures() {
  static int count = 0;
  return count;
}

void Run::finish() {
  const int before = failures();
  loop.run();
  CHECK(tasks.size() == 0);
  CHECK(failures() == before);
}

}  // namespace posthorn::test

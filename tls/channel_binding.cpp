#include "tls/tls_stream.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace posthorn::tls {
namespace {

unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

bool is_tls_1_3(const SSL* session) { return SSL_version(session) == TLS1_3_VERSION; }

// Whether no other session has these keys (RFC 9266 §4.2, RFC 7627).
bool has_keys_of_its_own(SSL* session) { return is_tls_1_3(session) || SSL_get_extms_support(session) == 1; }

// RFC 9266 §2. The context is there, and empty.
std::string exporter(SSL* session) {
  constexpr std::string_view label = "EXPORTER-Channel-Binding";
  const unsigned char no_octets[] = {0};
  std::string value(32, '\0');
  const int done = SSL_export_keying_material(session, octets(value), value.size(), label.data(),
                                              label.size(), no_octets, 0, 1);
  return done == 1 ? value : std::string();
}

// RFC 5929 §3.1: the first Finished of the handshake, which is the client's, or where a session was resumed
// the server's.
std::string unique(const SSL* session, bool is_resumed) {
  if (is_tls_1_3(session)) return {};
  const bool own = (SSL_is_server(session) == 1) == is_resumed;
  std::string value(EVP_MAX_MD_SIZE, '\0');
  value.resize(own ? SSL_get_finished(session, value.data(), value.size())
                   : SSL_get_peer_finished(session, value.data(), value.size()));
  return value;
}

// RFC 5929 §4.1.
std::string server_end_point(const SSL* session) {
  const X509* certificate = SSL_get_certificate(session);
  int hash = NID_undef;
  if (certificate == nullptr ||
      X509_get_signature_info(const_cast<X509*>(certificate), &hash, nullptr, nullptr, nullptr) != 1) {
    return {};
  }
  if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
  const EVP_MD* algorithm = EVP_get_digestbynid(hash);
  if (hash == NID_undef || algorithm == nullptr) return {};
  std::string value(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (X509_digest(certificate, algorithm, octets(value), &size) != 1) return {};
  value.resize(size);
  return value;
}

}  // namespace

std::string TlsStream::channel_binding(std::string_view type) const {
  if (!established_) return {};
  SSL* session = session_.get();
  if (type == "tls-server-end-point") return server_end_point(session);
  if (!has_keys_of_its_own(session)) return {};
  if (type == "tls-exporter") return exporter(session);
  if (type == "tls-unique") return unique(session, resumed());
  return {};
}

}  // namespace posthorn::tls

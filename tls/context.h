#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// OpenSSL's own names, so that its headers stay out of ours.
struct ssl_st;

namespace posthorn::tls {

class TicketKeys;

struct FreeSession {
  void operator()(ssl_st* session) const;
};
using SessionHandle = std::unique_ptr<ssl_st, FreeSession>;

// What is spoken inside, for ALPN (RFC 7301): imap and pop3 are registered (RFC 2595, IANA), SMTP is not.
// A client that offers only other protocols gets the alert no_application_protocol from imap and pop3, as
// RFC 7301 §3.2 asks: it is a browser lured here (the ALPACA attack), or misconfigured. With none, what a
// client offers is ignored.
enum class Protocol : std::uint8_t { none, smtp, pop3, imap };

// Paths of PEM files: the certificate with its chain, leaf first, and its private key.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// What was loaded, for the log and for `check`.
struct CertificateInfo {
  std::string file;
  std::vector<std::string> names;  // DNS names of its subjectAltName, lower case
  std::int64_t not_after = 0;      // seconds since 1970
};

// The server's certificates and the rules for its handshakes: TLS 1.2 with ECDHE and AEAD only, and TLS 1.3;
// X25519, P-256 and P-384; no renegotiation, compression or early data; the client's order of ciphers counts
// (Mozilla's "intermediate"). Sessions resume by tickets, whose keys change every 12 hours and survive a
// reload. Used from the loop thread.
class Context {
 public:
  // The first pair is the default; the others are chosen by SNI (RFC 6066 §3) after the DNS names in their
  // subjectAltName, wildcards in the leftmost label included. Names that no certificate has get the default.
  // Errors: the file and the cause, in words.
  static Result<std::unique_ptr<Context>> load(const std::vector<CertificateFiles>& files);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  // Reads the files anew: all are taken, or none. On an error the former certificates stay in use. Live
  // connections keep what they have.
  Result<> reload(const std::vector<CertificateFiles>& files);

  // In the order of the files.
  const std::vector<CertificateInfo>& certificates() const;

  // A server's end of one connection, ready for its handshake: for TlsStream. Null without memory.
  SessionHandle new_session(Protocol protocol) const;

 private:
  struct Certificates;
  Context();

  std::shared_ptr<TicketKeys> ticket_keys_;
  std::shared_ptr<const Certificates> certificates_;
};

}  // namespace posthorn::tls

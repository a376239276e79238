#pragma once

#include "base/handle.h"
#include "base/loop.h"
#include "base/task.h"
#include "tests/support/stream_pair.h"
#include "tls/context.h"
#include "tls/tls_stream.h"

#include <openssl/ssl.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::test {

using ClientContext = Owned<SSL_CTX, SSL_CTX_free>;
using ClientTicket = Owned<SSL_SESSION, SSL_SESSION_free>;

// A folder with certificates, removed at the end.
class CertificateFolder {
 public:
  CertificateFolder();
  ~CertificateFolder();
  // A self-signed pair for `names`, as NAME.pem and NAME.key of the first of them.
  tls::CertificateFiles make(const std::vector<std::string>& names);
  std::string write(const std::string& name, std::string_view content);

 private:
  std::filesystem::path path_;
};

struct ClientOptions {
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  std::string server_name;
  std::string alpn;  // in wire form: "\4imap"
  std::string ciphers;
  SSL_SESSION* resume = nullptr;
};

// A client made of OpenSSL and its own memory BIOs, so that it shares no code with what is tested.
class TlsClient {
 public:
  TlsClient(std::unique_ptr<PairedStream> stream, const ClientOptions& options);

  Task<void> handshake();
  // Reads until `size` octets are there, or until the server's end.
  Task<std::string> read(std::size_t size);
  Task<void> write(std::string_view bytes);
  // close_notify, the stream stays open.
  Task<void> end();
  Task<void> send_pending();

  SSL* ssl() { return ssl_.get(); }
  PairedStream& stream() { return *stream_; }
  bool got_close_notify() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  // The ticket that came last.
  ClientTicket take_ticket() { return std::move(ticket_); }
  std::string certificate_name();
  const std::string& error() const { return error_; }

 private:
  Task<bool> receive();

  ClientContext context_;
  Owned<SSL, SSL_free> ssl_;
  std::unique_ptr<PairedStream> stream_;
  ClientTicket ticket_;
  std::string error_;
};

// Runs tasks to their end on a loop of its own; a failed one fails the test.
struct Run {
  Loop loop;
  TaskGroup tasks{[](std::exception_ptr) { ++failures(); }};
  static int& failures();
  void finish();  // also fails the test if a task still waits
};

}  // namespace posthorn::test

#include "tls/context.h"

#include "base/handle.h"
#include "tls/openssl_error.h"
#include "tls/ticket_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

namespace posthorn::tls {

void FreeSession::operator()(ssl_st* session) const { SSL_free(session); }

namespace {

using ContextHandle = Owned<SSL_CTX, SSL_CTX_free>;
using CertificateHandle = Owned<X509, X509_free>;
using AlternativeNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

// TLS 1.2: forward secrecy and AEAD only (RFC 9325 §4.2). The suites of TLS 1.3 are all of that kind.
constexpr const char* ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";
// Sessions are resumed by this server's own only; the value has no meaning beyond that.
constexpr unsigned char session_id_context[] = "posthorn";

std::unexpected<Error> unusable(const std::string& what, const std::string& cause) {
  return failure(Errc::malformed, what + ": " + cause);
}

// OpenSSL says "no start line" of a missing file, of a directory and of rubbish alike.
Result<> check_readable(const std::string& what, const std::string& path) {
  errno = 0;
  const Owned<std::FILE, std::fclose> file(std::fopen(path.c_str(), "re"));
  char first = 0;
  if (file == nullptr || (std::fread(&first, 1, 1, file.get()) == 0 && std::ferror(file.get()) != 0)) {
    return system_failure(what);
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> names;
  const AlternativeNames alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives != nullptr && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(lower({text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  return names;
}

std::int64_t seconds_since_1970(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return 0;
  return timegm(&broken_down);
}

// What a session needs of its server while it shakes hands; it keeps the certificates alive.
struct Choice {
  std::shared_ptr<const void> certificates;
  const std::map<std::string, SSL_CTX*, std::less<>>* by_name;
  Protocol protocol;
};

void free_choice(void*, void* choice, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Choice*>(choice);
}

int choice_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_choice);
  return index;
}

// RFC 6066 §3. A name that no certificate has is no reason to refuse: clients of mail use all sorts of names.
int choose_certificate(SSL* session, int*, void*) {
  const char* sent = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  const auto* choice = static_cast<const Choice*>(SSL_get_ex_data(session, choice_index()));
  if (sent == nullptr || choice == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const std::string name = lower(sent);
  auto found = choice->by_name->find(name);
  const auto dot = name.find('.');
  // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
  if (found == choice->by_name->end() && dot != std::string::npos) {
    found = choice->by_name->find("*" + name.substr(dot));
  }
  if (found != choice->by_name->end()) SSL_set_SSL_CTX(session, found->second);
  return SSL_TLSEXT_ERR_OK;
}

std::string_view alpn_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::imap: return "imap";
    case Protocol::pop3: return "pop3";
    case Protocol::smtp:
    case Protocol::none: break;
  }
  return {};
}

int choose_protocol(SSL* session, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  const auto* choice = static_cast<const Choice*>(SSL_get_ex_data(session, choice_index()));
  const std::string_view wanted = choice != nullptr ? alpn_name(choice->protocol) : std::string_view();
  if (wanted.empty()) return SSL_TLSEXT_ERR_NOACK;
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != wanted) continue;
    *out = offered + at + 1;
    *out_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int no_passphrase(char*, int, int, void*) { return -1; }

Result<ContextHandle> make_context() {
  ContextHandle context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return failure(Errc::io, "OpenSSL: " + openssl_error());
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_clear_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(
      raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Tickets alone: what a cache on this side would hold, clients keep for us.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  SSL_CTX_set_tlsext_servername_callback(raw, choose_certificate);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  const bool ok = SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_cipher_list(raw, ciphers) == 1 && SSL_CTX_set1_groups_list(raw, groups) == 1 &&
                  SSL_CTX_set_session_id_context(raw, session_id_context, sizeof session_id_context - 1) == 1;
  if (!ok) return failure(Errc::io, "OpenSSL: " + openssl_error());
  return context;
}

Result<ContextHandle> load_pair(const CertificateFiles& files) {
  const std::string certificate = "certificate " + files.certificate;
  const std::string key = "key " + files.key;
  TRY(check_readable(certificate, files.certificate));
  TRY(check_readable(key, files.key));
  ContextHandle context = TRY(make_context());
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return unusable(certificate, openssl_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return unusable(key, "is not the key of " + files.certificate);
    }
    return unusable(key, openssl_error() + " (it must be PEM, and without a passphrase)");
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    ERR_clear_error();
    return unusable(key, "is not the key of " + files.certificate);
  }
  return context;
}

}  // namespace

struct Context::Certificates {
  std::vector<ContextHandle> contexts;  // the first is the default
  std::vector<CertificateInfo> info;
  std::map<std::string, SSL_CTX*, std::less<>> by_name;

  static Result<std::shared_ptr<const Certificates>> load(const std::vector<CertificateFiles>& files,
                                                          TicketKeys& ticket_keys);
};

Result<std::shared_ptr<const Context::Certificates>> Context::Certificates::load(
    const std::vector<CertificateFiles>& files, TicketKeys& ticket_keys) {
  if (files.empty()) return malformed("no certificate is configured");
  auto loaded = std::make_shared<Certificates>();
  for (const CertificateFiles& pair : files) {
    ContextHandle context = TRY(load_pair(pair));
    ticket_keys.use_in(context.get());
    const X509* certificate = SSL_CTX_get0_certificate(context.get());
    CertificateInfo info{pair.certificate, dns_names(certificate),
                         seconds_since_1970(X509_get0_notAfter(certificate))};
    // The first certificate of a name wins, so that the default is preferred.
    for (const std::string& name : info.names) loaded->by_name.emplace(name, context.get());
    loaded->info.push_back(std::move(info));
    loaded->contexts.push_back(std::move(context));
  }
  return loaded;
}

Context::Context() : ticket_keys_(std::make_shared<TicketKeys>()) {}
Context::~Context() = default;

Result<std::unique_ptr<Context>> Context::load(const std::vector<CertificateFiles>& files) {
  std::unique_ptr<Context> context(new Context);
  TRY(context->reload(files));
  return context;
}

Result<> Context::reload(const std::vector<CertificateFiles>& files) {
  certificates_ = TRY(Certificates::load(files, *ticket_keys_));
  return {};
}

const std::vector<CertificateInfo>& Context::certificates() const { return certificates_->info; }

SessionHandle Context::new_session(Protocol protocol) const {
  SessionHandle session(SSL_new(certificates_->contexts.front().get()));
  if (session == nullptr) return nullptr;
  auto choice = std::make_unique<Choice>(Choice{certificates_, &certificates_->by_name, protocol});
  if (SSL_set_ex_data(session.get(), choice_index(), choice.get()) != 1) return nullptr;
  static_cast<void>(choice.release());  // the session's from here on: OpenSSL frees it with the session
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace posthorn::tls

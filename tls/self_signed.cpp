#include "tls/self_signed.h"

#include "base/handle.h"
#include "tls/openssl_error.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace posthorn::tls {
namespace {

using Bio = Owned<BIO, BIO_free_all>;
using Certificate = Owned<X509, X509_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using Octets = Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using Number = Owned<BIGNUM, BN_free>;

constexpr long ten_years = 3652L * 86'400;
// RFC 5280, appendix A.1: ub-common-name.
constexpr std::size_t max_common_name = 64;

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.front() == '.' || name.back() == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '*' || c == '_';
  });
}

std::unexpected<Error> openssl_failure(std::string_view what) {
  return failure(Errc::io, std::string(what) + ": " + openssl_error());
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty()) return malformed("a certificate needs a name");
  std::string list;
  for (const std::string& name : names) {
    const Octets address(a2i_IPADDRESS(name.c_str()));
    if (address == nullptr && !is_dns_name(name)) return malformed("\"" + name + "\" is no host name");
    list += (list.empty() ? "" : ",") + std::string(address != nullptr ? "IP:" : "DNS:") + name;
  }
  return list;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// RFC 5280 §4.1.2.2: positive and at most 20 octets; random, as nobody counts our certificates.
bool set_serial(X509* certificate) {
  const Number serial(BN_new());
  return serial != nullptr && BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_names(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  // A longer name stands in the subjectAltName alone, where clients look (RFC 6125 §6.4.4).
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  if (name.size() <= max_common_name &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, static_cast<int>(name.size()), -1, 0) !=
          1) {
    return false;
  }
  return X509_set_issuer_name(certificate, subject) == 1;
}

std::string content(BIO* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Result<PemPair> make_self_signed(const std::vector<std::string>& names) {
  const std::string alternatives = TRY(alternative_names(names));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return openssl_failure("make a key");
  X509* raw = certificate.get();
  const bool filled = X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
                      X509_gmtime_adj(X509_getm_notBefore(raw), -3600) != nullptr &&
                      X509_gmtime_adj(X509_getm_notAfter(raw), ten_years) != nullptr &&
                      set_names(raw, names.front()) && X509_set_pubkey(raw, key.get()) == 1;
  // No authority: whoever trusts it trusts this server, and not all that its key could sign.
  const bool extended = filled && add_extension(raw, NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(raw, NID_key_usage, "critical,digitalSignature") &&
                        add_extension(raw, NID_ext_key_usage, "serverAuth") &&
                        add_extension(raw, NID_subject_key_identifier, "hash") &&
                        add_extension(raw, NID_subject_alt_name, alternatives);
  if (!extended || X509_sign(raw, key.get(), EVP_sha256()) == 0) return openssl_failure("make a certificate");

  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  if (certificate_text == nullptr || key_text == nullptr ||
      PEM_write_bio_X509(certificate_text.get(), raw) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_failure("write a certificate");
  }
  return PemPair{content(certificate_text.get()), content(key_text.get())};
}

}  // namespace posthorn::tls

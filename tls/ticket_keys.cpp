#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <cstring>

namespace posthorn::tls {
namespace {

using Shared = std::shared_ptr<TicketKeys>;

TicketKeys::Key new_key() {
  TicketKeys::Key key;
  // Tickets sealed with a key that others may guess are worse than no server.
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
    std::abort();
  }
  return key;
}

void wipe(std::optional<TicketKeys::Key>& key) {
  if (key) OPENSSL_cleanse(&*key, sizeof *key);
  key.reset();
}

void free_shared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Shared*>(shared);
}

int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_shared);
  return index;
}

bool set_mac_key(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()),
                                        key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("sha256"), 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// What OpenSSL's SSL_CTX_set_tlsext_ticket_key_evp_cb(3) asks for: 1 a key, 2 a key and a new ticket, 0 none.
int ticket_key(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int seal) {
  const auto* shared =
      static_cast<const Shared*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), keys_index()));
  if (shared == nullptr) return -1;
  TicketKeys& keys = **shared;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch());
  if (seal == 1) {
    const TicketKeys::Key& key = keys.current(now);
    std::memcpy(name, key.name.data(), key.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) != 1) return -1;
    return set_mac_key(mac, key) ? 1 : -1;
  }
  const auto found = keys.find({reinterpret_cast<const char*>(name), 16}, now);
  if (!found) return 0;
  if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key->cipher.data(), iv) != 1) return -1;
  if (!set_mac_key(mac, *found->key)) return -1;
  // Tickets of 1.3 are for one use, so that connections cannot be linked (RFC 8446 §C.4): each gets a new
  // one.
  return found->is_current && SSL_version(session) < TLS1_3_VERSION ? 1 : 2;
}

bool has_name(const std::optional<TicketKeys::Key>& key, std::string_view name) {
  return key && std::string_view(reinterpret_cast<const char*>(key->name.data()), key->name.size()) == name;
}

}  // namespace

TicketKeys::TicketKeys() = default;

TicketKeys::~TicketKeys() {
  wipe(current_);
  wipe(previous_);
}

void TicketKeys::use_in(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, keys_index(), new Shared(shared_from_this()));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

void TicketKeys::rotate(std::chrono::seconds now) {
  if (current_ && now < made_ + lifetime) return;
  const bool outlived = current_ && now >= made_ + 2 * lifetime;
  wipe(previous_);
  if (current_ && !outlived) previous_ = current_;
  wipe(current_);
  current_ = new_key();
  // A key that was due earlier, on a server without visitors, is not kept for longer because of it.
  made_ = previous_ ? made_ + lifetime : now;
}

const TicketKeys::Key& TicketKeys::current(std::chrono::seconds now) {
  rotate(now);
  return *current_;
}

std::optional<TicketKeys::Found> TicketKeys::find(std::string_view name, std::chrono::seconds now) {
  rotate(now);
  if (has_name(current_, name)) return Found{&*current_, true};
  if (has_name(previous_, name)) return Found{&*previous_, false};
  return std::nullopt;
}

}  // namespace posthorn::tls

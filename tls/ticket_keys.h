#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

struct ssl_ctx_st;

namespace posthorn::tls {

// The keys that session tickets are sealed with (RFC 5077 §4, RFC 8446 §4.6.1). Whoever gets hold of one can
// read what was said in the sessions of its time, so none is used for longer than 12 hours, and none is kept
// for longer than 24.
class TicketKeys : public std::enable_shared_from_this<TicketKeys> {
 public:
  static constexpr std::chrono::hours lifetime{12};

  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;  // AES-256-CBC
    std::array<unsigned char, 32> mac;     // HMAC-SHA-256
  };

  TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  // Lets contexts that come and go share these keys; each keeps them alive.
  void use_in(ssl_ctx_st* context);

  // The key to seal with. `now` is monotonic.
  const Key& current(std::chrono::seconds now);

  struct Found {
    const Key* key;
    bool is_current;  // otherwise the client should get a new ticket
  };
  // The key of that name, if it may still be used to open tickets.
  std::optional<Found> find(std::string_view name, std::chrono::seconds now);

 private:
  void rotate(std::chrono::seconds now);

  std::optional<Key> current_;
  std::optional<Key> previous_;
  std::chrono::seconds made_{0};  // when current_ was
};

}  // namespace posthorn::tls

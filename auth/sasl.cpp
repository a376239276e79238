#include "auth/sasl.h"

#include <sodium.h>

#include <algorithm>

namespace posthorn::auth {
namespace {

constexpr std::size_t max_message = 4096;

// RFC 4616 §2: [authzid] NUL authcid NUL passwd.
class PlainExchange final : public SaslExchange {
 public:
  bool client_first() const override { return true; }
  Result<SaslStep> step(std::string_view message) override {
    const std::size_t first = message.find('\0');
    const std::size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (message.size() > max_message || second == std::string_view::npos) return malformed("PLAIN: two NULs");
    Credentials credentials{std::string(message.substr(0, first)),
                            std::string(message.substr(first + 1, second - first - 1)),
                            std::string(message.substr(second + 1)), "PLAIN"};
    if (credentials.password.find('\0') != std::string::npos) return malformed("PLAIN: a third NUL");
    if (credentials.user.empty() || credentials.password.empty()) return malformed("PLAIN: empty");
    return SaslStep(std::move(credentials));
  }
};

// draft-murchison-sasl-login-00: the server asks for both. Clients send the name as an initial response too,
// although the draft knows none.
class LoginExchange final : public SaslExchange {
 public:
  bool client_first() const override { return false; }
  Result<SaslStep> step(std::string_view message) override {
    const bool usable = message.size() <= max_message && message.find('\0') == std::string_view::npos;
    if (!usable) return malformed("LOGIN: too long, or NUL");
    if (!std::exchange(asked_, true) && message.empty()) return SaslStep(Challenge{"Username:"});
    if (message.empty()) return malformed("LOGIN: empty");
    if (user_.empty()) {
      user_ = message;
      return SaslStep(Challenge{"Password:"});
    }
    return SaslStep(Credentials{"", user_, std::string(message), "LOGIN"});
  }

 private:
  bool asked_ = false;
  std::string user_;
};

}  // namespace

std::string_view name_of(Service service) {
  switch (service) {
    case Service::smtp: return "smtp";
    case Service::pop3: return "pop3";
    case Service::imap: return "imap";
  }
  return "unknown";
}

std::vector<std::string_view> offered_mechanisms(const Authenticator& authenticator,
                                                 const Connection& connection) {
  if (!authenticator.plaintext_allowed(connection)) return {};
  return {"PLAIN", "LOGIN"};
}

Result<std::unique_ptr<SaslExchange>> start_exchange(std::string_view mechanism) {
  // RFC 4422 §3.1: names are upper case; clients that write them otherwise mean the same.
  std::string name(mechanism.substr(0, 32));
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (name == "PLAIN") return std::make_unique<PlainExchange>();
  if (name == "LOGIN") return std::make_unique<LoginExchange>();
  return failure(Errc::unavailable, "no such mechanism");
}

Result<std::string> decode_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || end != text.data() + text.size()) return malformed("base64");
  bytes.resize(size);
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // its NUL
  return text;
}

}  // namespace posthorn::auth

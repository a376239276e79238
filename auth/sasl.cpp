#include "auth/sasl.h"

#include "auth/scram_exchange.h"
#include "base/bound_channel.h"

#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace posthorn::auth {
namespace {

constexpr std::size_t max_message = 4096;

constexpr std::string_view scram_plus = "SCRAM-SHA-256-PLUS";
constexpr std::string_view scram = "SCRAM-SHA-256";
// In the order of preference. The first needs a channel that it can be bound to.
constexpr std::string_view mechanisms[] = {scram_plus, scram, "PLAIN", "LOGIN"};

// RFC 4422 §3.1: names are upper case; clients that write them otherwise mean the same.
std::string canonical_name(std::string_view mechanism) {
  std::string name(mechanism.substr(0, 32));
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

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

// RFC 4648, table 1.
std::optional<unsigned> base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

// RFC 4422 §5, of mechanisms in which the client speaks first: an empty challenge asks for what did not come
// with the command.
Task<Result<std::string>> first_message(std::optional<std::string> initial_response, SaslChannel& channel) {
  if (initial_response) co_return *std::move(initial_response);
  co_return co_await channel.ask("");
}

// To the end of a mechanism that ends in credentials. Where the server speaks first, the exchange refuses an
// initial response, or takes it as LOGIN does: many clients send it.
Task<Result<Credentials>> run(SaslExchange& exchange, std::optional<std::string> initial_response,
                              SaslChannel& channel) {
  std::string message;
  if (initial_response || exchange.client_first()) {
    Result<std::string> first = co_await first_message(std::move(initial_response), channel);
    if (!first) co_return std::unexpected(std::move(first).error());
    message = *std::move(first);
  }
  while (true) {
    Result<SaslStep> step = exchange.step(message);
    if (!step) co_return std::unexpected(std::move(step).error());
    if (auto* done = std::get_if<Credentials>(&*step)) co_return std::move(*done);
    Result<std::string> answer = co_await channel.ask(std::move(std::get<Challenge>(*step).text));
    if (!answer) co_return std::unexpected(std::move(answer).error());
    message = *std::move(answer);
  }
}

}  // namespace

std::string_view name_of(Service service) {
  switch (service) {
    case Service::smtp: return "smtp";
    case Service::pop3: return "pop3";
    case Service::imap: return "imap";
  }
  return "unknown";
}

const BoundChannel* bound_channel(Connection& connection) {
  if (!connection.tls().active()) return nullptr;
  const auto* channel = dynamic_cast<const BoundChannel*>(&connection.stream());
  if (channel == nullptr) return nullptr;
  // TLS 1.2 without the extended master secret and a certificate whose signature has no hash have neither.
  const bool any = !channel->channel_binding("tls-exporter").empty() ||
                   !channel->channel_binding("tls-server-end-point").empty();
  return any ? channel : nullptr;
}

std::vector<std::string_view> offered_mechanisms(const Authenticator& authenticator, Connection& connection) {
  if (!authenticator.plaintext_allowed(connection)) return {};
  std::vector<std::string_view> names(std::begin(mechanisms), std::end(mechanisms));
  if (bound_channel(connection) == nullptr) names.erase(names.begin());
  return names;
}

bool is_offered(const Authenticator& authenticator, Connection& connection, std::string_view mechanism) {
  const auto offered = offered_mechanisms(authenticator, connection);
  return std::ranges::find(offered, canonical_name(mechanism)) != offered.end();
}

bool is_known_mechanism(std::string_view mechanism) {
  return std::ranges::find(mechanisms, canonical_name(mechanism)) != std::end(mechanisms);
}

Result<std::unique_ptr<SaslExchange>> start_exchange(std::string_view mechanism) {
  const std::string name = canonical_name(mechanism);
  if (name == "PLAIN") return std::make_unique<PlainExchange>();
  if (name == "LOGIN") return std::make_unique<LoginExchange>();
  return failure(Errc::unavailable, "no such mechanism");
}

Task<Result<Login>> authenticate(Authenticator& authenticator, Connection& connection, Service service,
                                 std::string mechanism, std::optional<std::string> initial_response,
                                 SaslChannel& channel) {
  const std::string name = canonical_name(mechanism);
  if (name == scram_plus || name == scram) {
    Result<std::string> message = co_await first_message(std::move(initial_response), channel);
    if (!message) co_return std::unexpected(std::move(message).error());
    const auto variant = name == scram_plus ? ScramExchange::Variant::plus : ScramExchange::Variant::plain;
    Result<ScramExchange> exchange = ScramExchange::begin(variant, *message);
    if (!exchange) co_return std::unexpected(std::move(exchange).error());
    co_return co_await authenticator.login(connection, service, *exchange, channel);
  }
  Result<std::unique_ptr<SaslExchange>> exchange = start_exchange(name);
  if (!exchange) co_return std::unexpected(std::move(exchange).error());
  Result<Credentials> credentials = co_await run(**exchange, std::move(initial_response), channel);
  if (!credentials) co_return std::unexpected(std::move(credentials).error());
  co_return co_await authenticator.login(connection, service, *std::move(credentials));
}

Result<std::string> decode_initial_response(std::string_view text) {
  return decode_base64(text == "=" ? "" : text);
}

// Not sodium_base642bin(): version 1.0.18 takes the octet 0xff for a digit.
Result<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return malformed("base64: length");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::optional<unsigned> digit = base64_digit(c);
    if (!digit) return malformed("base64: character");
    bits = bits << 6U | *digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xffU);
  }
  // RFC 4648 §3.5: bits that belong to no octet are zero, so that a value has one text only.
  if ((bits & ((1U << held) - 1U)) != 0) return malformed("base64: stray bits");
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

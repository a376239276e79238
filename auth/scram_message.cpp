#include "auth/scram_message.h"

#include "auth/sasl.h"
#include "message/charset.h"

#include <algorithm>

namespace posthorn::auth {
namespace {

constexpr std::size_t max_message = 4096;
constexpr std::size_t max_client_nonce = 512;
constexpr std::size_t max_nonce = 1024;
constexpr std::size_t proof_size = 32;  // of SHA-256

bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_binding_name_character(char c) {
  return is_alpha(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

Result<> check_octets(std::string_view message) {
  if (message.size() > max_message) return malformed("SCRAM: more than 4096 octets");
  const bool text = message.find('\0') == std::string_view::npos && message::is_valid_utf8(message);
  if (!text) return malformed("SCRAM: NUL, or no UTF-8");
  return {};
}

// Takes the front of `rest` up to the next comma, and that comma. Nothing is left behind where there is none.
std::string_view take_field(std::string_view& rest) {
  const std::size_t comma = rest.find(',');
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

// saslname, RFC 5802 §7.
Result<std::string> unquoted_name(std::string_view quoted) {
  std::string name;
  while (!quoted.empty()) {
    const std::size_t equals = quoted.find('=');
    name.append(quoted.substr(0, equals));
    if (equals == std::string_view::npos) break;
    const std::string_view code = quoted.substr(equals, 3);
    if (code != "=2C" && code != "=3D") return malformed("SCRAM: '=' in a name");
    name += code == "=2C" ? ',' : '=';
    quoted.remove_prefix(equals + 3);
  }
  if (name.empty()) return malformed("SCRAM: an empty name");
  return name;
}

Result<std::string> nonce_of(std::string_view field, std::size_t longest) {
  if (!field.starts_with("r=")) return malformed("SCRAM: nonce expected");
  const std::string_view nonce = field.substr(2);
  const bool printable = std::ranges::all_of(nonce, [](char c) { return c > 0x20 && c < 0x7f; });
  if (nonce.empty() || nonce.size() > longest || !printable) return malformed("SCRAM: nonce");
  return std::string(nonce);
}

// attr-val, any number of them, each behind a comma. Unknown ones are ignored (RFC 5802 §5.1), but for 'm'.
Result<> check_extensions(std::string_view extensions, bool expected) {
  if (!expected) return {};
  std::string_view rest = extensions;
  bool more = true;
  while (more) {
    more = rest.find(',') != std::string_view::npos;
    const std::string_view field = take_field(rest);
    if (field.size() < 3 || !is_alpha(field[0]) || field[1] != '=') return malformed("SCRAM: extension");
    if (field[0] == 'm') return malformed("SCRAM: a mandatory extension");
  }
  return {};
}

// What is behind the comma that follows `front`, and whether there is one.
struct Behind {
  std::string_view rest;
  bool comma;
};
Behind behind(std::string_view whole, std::string_view front) {
  whole.remove_prefix(front.size());
  return {whole.substr(whole.empty() ? 0 : 1), !whole.empty()};
}

// gs2-header, RFC 5802 §7: takes it off the front of `rest`.
Result<> take_gs2_header(std::string_view& rest, ScramClientFirst& first) {
  const std::string_view whole = rest;
  const std::string_view flag = take_field(rest);
  if (flag == "y") {
    first.flag = ChannelBindingFlag::not_offered;
  } else if (flag.starts_with("p=")) {
    first.flag = ChannelBindingFlag::used;
    first.binding = flag.substr(2);
    if (first.binding.empty() || !std::ranges::all_of(first.binding, is_binding_name_character)) {
      return malformed("SCRAM: the name of a channel binding");
    }
  } else if (flag != "n") {
    return malformed("SCRAM: channel binding flag");
  }
  const std::size_t comma = rest.find(',');
  if (comma == std::string_view::npos) return malformed("SCRAM: gs2-header");
  const std::string_view identity = take_field(rest);
  if (!identity.empty()) {
    if (!identity.starts_with("a=")) return malformed("SCRAM: authorisation identity expected");
    first.authorisation_identity = TRY(unquoted_name(identity.substr(2)));
  }
  first.gs2_header = whole.substr(0, whole.size() - rest.size());
  return {};
}

}  // namespace

Result<ScramClientFirst> parse_scram_client_first(std::string_view message) {
  TRY(check_octets(message));
  ScramClientFirst first;
  std::string_view rest = message;
  TRY(take_gs2_header(rest, first));
  first.bare = rest;
  const std::string_view name = take_field(rest);
  if (name.starts_with("m=")) return malformed("SCRAM: a mandatory extension");
  if (!name.starts_with("n=")) return malformed("SCRAM: user name expected");
  first.user = TRY(unquoted_name(name.substr(2)));
  const auto [extensions, some] = behind(rest, rest.substr(0, rest.find(',')));
  first.nonce = TRY(nonce_of(rest.substr(0, rest.find(',')), max_client_nonce));
  TRY(check_extensions(extensions, some));
  return first;
}

Result<ScramClientFinal> parse_scram_client_final(std::string_view message) {
  TRY(check_octets(message));
  // It is the last of all, and no value has a comma.
  const std::size_t proof = message.rfind(",p=");
  if (proof == std::string_view::npos) return malformed("SCRAM: proof expected");
  ScramClientFinal final;
  final.proof = TRY(decode_base64(message.substr(proof + 3)));
  if (final.proof.size() != proof_size) return malformed("SCRAM: the proof's length");
  std::string_view rest = message.substr(0, proof);
  final.without_proof = rest;
  const std::string_view binding = take_field(rest);
  if (!binding.starts_with("c=")) return malformed("SCRAM: channel binding expected");
  final.channel_binding = TRY(decode_base64(binding.substr(2)));
  const auto [extensions, some] = behind(rest, rest.substr(0, rest.find(',')));
  final.nonce = TRY(nonce_of(rest.substr(0, rest.find(',')), max_nonce));
  TRY(check_extensions(extensions, some));
  return final;
}

}  // namespace posthorn::auth

#include "protocols/smtp/address.h"

#include "message/charset.h"
#include "message/header.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstddef>

namespace posthorn::smtp {
namespace {

constexpr std::size_t local_part_limit = 256;
constexpr std::size_t domain_limit = 255;  // RFC 5321 §4.5.3.1.2
constexpr std::size_t label_limit = 63;    // RFC 1035 §2.3.4

bool is_digit(char octet) { return octet >= '0' && octet <= '9'; }
bool is_non_ascii(char octet) { return static_cast<unsigned char>(octet) >= 0x80; }
bool is_let_dig(char octet) {
  return is_digit(octet) || (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
}

// atext of RFC 5322 §3.2.3 and RFC 6531 §3.3.
bool is_atext(char octet) {
  return is_let_dig(octet) || is_non_ascii(octet) ||
         (octet != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(octet) != std::string_view::npos);
}

template <class Predicate>
std::string_view take_while(std::string_view& in, Predicate belongs) {
  const auto end = std::find_if_not(in.begin(), in.end(), belongs);
  const std::string_view taken = in.substr(0, static_cast<std::size_t>(end - in.begin()));
  in.remove_prefix(taken.size());
  return taken;
}

bool take(std::string_view& in, char octet) {
  if (!in.starts_with(octet)) return false;
  in.remove_prefix(1);
  return true;
}

bool is_dot_string(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char octet) { return octet == '.' || is_atext(octet); });
}

// Quoted-string, RFC 5321 §4.1.2, after its opening quote.
Result<std::string> take_quoted(std::string_view& in) {
  std::string text;
  while (!in.empty()) {
    char octet = in.front();
    in.remove_prefix(1);
    if (octet == '"') return text;
    if (octet == '\\') {
      if (in.empty() || is_non_ascii(in.front())) break;
      octet = in.front();
      in.remove_prefix(1);
    }
    if ((octet < ' ' || octet == '\x7f') && !is_non_ascii(octet)) break;
    text += octet;
  }
  return malformed("quoted local part");
}

Result<std::string> take_local_part(std::string_view& in) {
  std::string text;
  if (take(in, '"')) {
    text = TRY(take_quoted(in));
  } else {
    text = take_while(in, [](char octet) { return octet == '.' || is_atext(octet); });
    if (!is_dot_string(text)) return malformed("local part");
  }
  if (!message::is_valid_utf8(text)) return malformed("local part is not UTF-8");
  if (text.size() > local_part_limit) return too_large("local part");
  return text;
}

std::string_view take_domain_text(std::string_view& in) {
  return take_while(in, [](char octet) {
    return octet == '.' || octet == '-' || is_let_dig(octet) || is_non_ascii(octet);
  });
}

Result<std::string> take_domain_or_literal(std::string_view& in) {
  if (in.starts_with('[')) {
    const std::size_t end = in.find(']');
    const std::string_view literal = in.substr(0, end == std::string_view::npos ? end : end + 1);
    if (!is_address_literal(literal)) return malformed("address literal");
    in.remove_prefix(literal.size());
    return std::string(literal);
  }
  const std::string_view domain = take_domain_text(in);
  if (domain.size() > domain_limit) return too_large("domain");
  if (!is_domain(domain)) return malformed("domain");
  return std::string(domain);
}

Result<Mailbox> take_mailbox(std::string_view& in) {
  Mailbox mailbox;
  mailbox.local_part = TRY(take_local_part(in));
  if (!take(in, '@')) return malformed("address without a domain");
  mailbox.domain = TRY(take_domain_or_literal(in));
  return mailbox;
}

// A-d-l, RFC 5321 §4.1.2: "@a.example,@b.example:".
Result<> drop_source_route(std::string_view& in) {
  do {
    if (!take(in, '@') || !is_domain(take_domain_text(in))) return malformed("source route");
  } while (take(in, ','));
  if (!take(in, ':')) return malformed("source route");
  return {};
}

// Snum of RFC 5321 §4.1.3 may have leading zeros, which inet_pton refuses.
bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const std::string_view number = take_while(text, is_digit);
    if (number.empty() || number.size() > 3) return false;
    int value = 0;
    for (const char digit : number) value = value * 10 + (digit - '0');
    if (value > 255) return false;
    if (part < 3 && !take(text, '.')) return false;
  }
  return text.empty();
}

bool is_ipv6(std::string_view text) {
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), address.data()) == 1;
}

}  // namespace

bool Mailbox::is_ascii() const {
  return std::none_of(local_part.begin(), local_part.end(), is_non_ascii) &&
         std::none_of(domain.begin(), domain.end(), is_non_ascii);
}

std::string to_string(const Mailbox& mailbox) {
  std::string text;
  if (is_dot_string(mailbox.local_part)) {
    text = mailbox.local_part;
  } else {
    text = "\"";
    for (const char octet : mailbox.local_part) {
      if (octet == '"' || octet == '\\') text += '\\';
      text += octet;
    }
    text += '"';
  }
  if (!mailbox.domain.empty()) text += '@' + mailbox.domain;
  return text;
}

bool is_local_part(std::string_view text) { return take_local_part(text) && text.empty(); }

Result<Mailbox> parse_mailbox(std::string_view text) {
  auto mailbox = take_mailbox(text);
  if (mailbox && !text.empty()) return malformed("text after the address");
  return mailbox;
}

Result<Mailbox> take_path(std::string_view& in) {
  if (!take(in, '<')) return malformed("path without <");
  if (in.starts_with('@')) TRY(drop_source_route(in));
  auto mailbox = TRY(take_mailbox(in));
  if (!take(in, '>')) return malformed("path without >");
  return mailbox;
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > domain_limit || !message::is_valid_utf8(text)) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    const bool ascii = std::none_of(label.begin(), label.end(), is_non_ascii);
    if (label.empty() || (ascii && label.size() > label_limit)) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char octet) { return octet == '-' || is_let_dig(octet) || is_non_ascii(octet); })) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 2 || text.size() > domain_limit || text.front() != '[' || text.back() != ']')
    return false;
  const std::string_view content = text.substr(1, text.size() - 2);
  if (is_ipv4(content)) return true;
  const std::size_t colon = content.find(':');
  if (colon == std::string_view::npos || content.find('\0') != std::string_view::npos) return false;
  const std::string_view tag = content.substr(0, colon);
  const std::string_view value = content.substr(colon + 1);
  if (message::equal_ignoring_case(tag, "IPv6")) return is_ipv6(value);
  // General-address-literal: Ldh-str ":" 1*dcontent.
  if (tag.empty() || tag.back() == '-' || value.empty()) return false;
  return std::all_of(tag.begin(), tag.end(), [](char octet) { return octet == '-' || is_let_dig(octet); }) &&
         std::all_of(value.begin(), value.end(), [](char octet) {
           return octet > ' ' && octet < '\x7f' && octet != '[' && octet != '\\' && octet != ']';
         });
}

std::string address_literal(std::string_view address) {
  const bool ipv6 = address.find(':') != std::string_view::npos;
  return (ipv6 ? "[IPv6:" : "[") + std::string(address) + "]";
}

}  // namespace posthorn::smtp

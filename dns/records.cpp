#include "dns/records.h"

#include <arpa/inet.h>
#include <array>
#include <sys/socket.h>

namespace posthorn::dns {
namespace {

constexpr std::size_t longest_name = 255;  // octets on the wire (RFC 1035 §2.3.4)
constexpr std::size_t longest_label = 63;

std::uint8_t octet_at(std::string_view text, std::size_t place) {
  return static_cast<std::uint8_t>(text[place]);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Result<std::string> parse_host(std::string_view rdata) {
  if (rdata.size() > longest_name) return malformed("DNS name: length");
  std::string host;
  while (!rdata.empty()) {
    const std::size_t size = octet_at(rdata, 0);
    rdata.remove_prefix(1);
    if (size == 0) {
      if (!rdata.empty()) return malformed("DNS name: more behind it");
      return host;
    }
    if (size > longest_label || size > rdata.size()) return malformed("DNS name: label");
    if (!host.empty()) host += '.';
    for (const char c : rdata.substr(0, size)) {
      if (!is_host_character(c)) return malformed("DNS name: no host's");
      host += lower(c);
    }
    rdata.remove_prefix(size);
  }
  return malformed("DNS name: no end");
}

Result<MailExchange> parse_mx(std::string_view rdata) {
  if (rdata.size() < 3) return malformed("MX: length");
  const auto preference = static_cast<std::uint16_t>(octet_at(rdata, 0) << 8U | octet_at(rdata, 1));
  return MailExchange{preference, TRY(parse_host(rdata.substr(2)))};
}

Result<TlsAssociation> parse_tlsa(std::string_view rdata) {
  if (rdata.size() < 4) return malformed("TLSA: length");
  return TlsAssociation{octet_at(rdata, 0), octet_at(rdata, 1), octet_at(rdata, 2),
                        std::string(rdata.substr(3))};
}

Result<std::string> parse_txt(std::string_view rdata) {
  if (rdata.empty()) return malformed("TXT: length");
  std::string text;
  while (!rdata.empty()) {
    const std::size_t size = octet_at(rdata, 0);
    rdata.remove_prefix(1);
    if (size > rdata.size()) return malformed("TXT: string");
    text += rdata.substr(0, size);
    rdata.remove_prefix(size);
  }
  return text;
}

Result<std::string> parse_address(std::string_view rdata) {
  const bool is_v4 = rdata.size() == 4;
  if (!is_v4 && rdata.size() != 16) return malformed("address: length");
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(is_v4 ? AF_INET : AF_INET6, rdata.data(), text.data(), text.size()) == nullptr) {
    return system_failure("inet_ntop");
  }
  return std::string(text.data());
}

}  // namespace posthorn::dns

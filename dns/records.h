#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

// RDATA of the records that mail needs, as they come over the wire with names that are not compressed. Pure.
// Errors of all: malformed.
namespace posthorn::dns {

// RFC 1035 §3.3.9.
struct MailExchange {
  std::uint16_t preference = 0;
  std::string host;  // lower case, without the last dot; empty for the root: no mail is taken (RFC 7505 §3)
  bool operator==(const MailExchange&) const = default;
};
Result<MailExchange> parse_mx(std::string_view rdata);

// RFC 6698 §2.1.
struct TlsAssociation {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data;
  bool operator==(const TlsAssociation&) const = default;
};
Result<TlsAssociation> parse_tlsa(std::string_view rdata);

// The strings of a TXT record, one behind the other (RFC 1035 §3.3.14; RFC 8461 §3.1 joins them so).
Result<std::string> parse_txt(std::string_view rdata);

// A host's name, as of PTR and CNAME: lower case, without the last dot, of letters, digits, '-' and '_' only.
// The root is empty.
Result<std::string> parse_host(std::string_view rdata);

// "192.0.2.1" of an A, "2001:db8::1" of an AAAA record.
Result<std::string> parse_address(std::string_view rdata);

}  // namespace posthorn::dns

#include "protocols/smtp/trace.h"

#include "message/date.h"
#include "message/header.h"
#include "protocols/smtp/address.h"

#include <algorithm>

namespace posthorn::smtp {
namespace {

constexpr std::string_view received = "received:";

// Names with "_" are no domains, but so common that hiding them would help nobody.
bool can_stand_in_field(std::string_view helo) {
  if (is_address_literal(helo)) return true;
  return !helo.empty() && helo.size() <= 255 && std::all_of(helo.begin(), helo.end(), [](char octet) {
    return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= 'a' && octet <= 'z') || octet == '.' || octet == '-' || octet == '_';
  });
}

}  // namespace

std::string_view protocol_name(const Arrival& arrival) {
  // RFC 3848 has no names for the HELO of old; in the order plain, AUTH, TLS, TLS and AUTH.
  constexpr std::string_view esmtp[] = {"ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA"};
  constexpr std::string_view utf8[] = {"UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"};
  const std::size_t place = (arrival.tls->active() ? 2U : 0U) + (arrival.authenticated ? 1U : 0U);
  if (arrival.smtp_utf8) return utf8[place];
  if (arrival.esmtp) return esmtp[place];
  return "SMTP";
}

std::string received_field(const Arrival& arrival) {
  const std::string source = address_literal(arrival.peer->address);
  std::string field = "Received: from ";
  field += can_stand_in_field(arrival.helo) ? std::string(arrival.helo) : source;
  field += " (" + source + ")\r\n\tby ";
  field += arrival.hostname;
  field += " with ";
  field += protocol_name(arrival);
  if (arrival.tls->active()) field += " (" + arrival.tls->version + " " + arrival.tls->cipher + ")";
  field += "\r\n\tid ";
  field += arrival.id;
  if (!arrival.recipient.empty()) {
    field += "\r\n\tfor <";
    field += arrival.recipient;
    field += ">";
  }
  field += ";\r\n\t" + message::format_date(arrival.time) + "\r\n";
  return field;
}

std::string return_path_field(std::string_view reverse_path) {
  return "Return-Path: <" + std::string(reverse_path) + ">\r\n";
}

// White space before the colon is an obsolete form of the field (RFC 5322 §4.5.7).
void HopCounter::take_name(std::string_view part) {
  for (const char octet : part) {
    if (begin_.size() == received.size()) return;
    const bool before_colon = begin_.size() + 1 == received.size() && (octet == ' ' || octet == '\t');
    if (!before_colon) begin_ += octet;
  }
}

void HopCounter::feed(std::string_view part) {
  while (in_header_ && !part.empty()) {
    const std::size_t lf = part.find('\n');
    const std::string_view line = part.substr(0, lf);
    take_name(line);
    if (lf == std::string_view::npos) return;
    in_header_ = !begin_.empty() && begin_ != "\r";
    if (message::equal_ignoring_case(begin_, received)) ++hops_;
    begin_.clear();
    part.remove_prefix(lf + 1);
  }
}

}  // namespace posthorn::smtp

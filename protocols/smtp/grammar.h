#pragma once

#include "base/result.h"
#include "protocols/smtp/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace posthorn::smtp {

struct Ehlo {
  std::string domain;  // one word; not checked to be a domain: too many clients send something else
};
struct Helo {
  std::string domain;  // likewise
};

// BODY= of RFC 6152 §3.
enum class Body { seven_bit, eight_bit_mime };

struct Mail {
  std::optional<Mailbox> reverse_path;  // none: the null reverse-path <>
  std::optional<std::uint64_t> size;  // octets, RFC 1870 §6; what passes 64 bits becomes their highest value
  std::optional<Body> body;
  bool smtp_utf8 = false;           // RFC 6531 §3.4
  std::optional<std::string> auth;  // RFC 4954 §5, its xtext decoded: "<>" or an address, not checked
};
struct Rcpt {
  Mailbox forward_path;
};
struct Data {};
struct Rset {};
struct Noop {};
struct Quit {};
struct StartTls {};
struct Vrfy {
  std::string argument;
  bool smtp_utf8 = false;  // RFC 6531 §3.7.4.2
};
struct Expn {
  std::string argument;
  bool smtp_utf8 = false;
};
struct Help {
  std::string topic;
};
struct Auth {
  std::string mechanism;                        // as sent
  std::optional<std::string> initial_response;  // as sent: base64, or "=" for an empty one
};
// SEND, SOML, SAML and TURN: known, and refused (RFC 5321 Appendix F).
struct Obsolete {
  std::string verb;  // upper case
};

using Command =
    std::variant<Ehlo, Helo, Mail, Rcpt, Data, Rset, Noop, Quit, StartTls, Vrfy, Expn, Help, Auth, Obsolete>;

// Parses one command line, given without its CRLF.
//
// Verbs and keywords match in any case (RFC 5321 §2.4); a space after "FROM:" and "TO:" is accepted although
// §3.3 forbids it, as widespread clients send it, and so is white space at the end (§4.1.1). Addresses may
// hold UTF-8 here: whether the transaction allows it, the session decides. Pure.
//
// Errors: not_found for an unknown verb (reply 500); malformed for bad arguments (501); too_large for an
// address that is too long, or a SIZE of more than 20 digits (501); unavailable for a parameter of MAIL or
// RCPT that is not known, or cannot be provided (555, RFC 5321 §4.1.1.11).
Result<Command> parse_command(std::string_view line);

// The command as a line without CRLF, in its plainest form: parsed again, it gives the same.
std::string to_string(const Command& command);

}  // namespace posthorn::smtp

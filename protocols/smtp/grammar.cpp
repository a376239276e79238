#include "protocols/smtp/grammar.h"

#include "message/charset.h"
#include "message/header.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace posthorn::smtp {
namespace {

using message::equal_ignoring_case;

constexpr std::string_view white_space = " \t";
constexpr std::size_t size_digits = 20;  // RFC 1870 §3

bool is_control(char octet) {
  const auto value = static_cast<unsigned char>(octet);
  return (value < ' ' && value != '\t') || value == 0x7f;
}

std::string_view trim_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(white_space);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view trim_begin(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The next word of `in`, which loses it and the white space around it.
std::string_view take_word(std::string_view& in) {
  in = trim_begin(in);
  const std::string_view word = in.substr(0, in.find_first_of(white_space));
  in = trim_begin(in.substr(word.size()));
  return word;
}

// One esmtp-param, RFC 5321 §4.1.2.
struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

Result<Parameter> take_parameter(std::string_view& in) {
  const std::string_view word = take_word(in);
  const std::size_t equals = word.find('=');
  Parameter parameter{word.substr(0, equals), std::nullopt};
  const bool known_form = !parameter.keyword.empty() && parameter.keyword.front() != '-' &&
                          std::all_of(parameter.keyword.begin(), parameter.keyword.end(), [](char octet) {
                            return octet == '-' || (octet >= '0' && octet <= '9') ||
                                   (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
                          });
  if (!known_form) return malformed("parameter keyword");
  if (equals == std::string_view::npos) return parameter;
  parameter.value = word.substr(equals + 1);
  if (parameter.value->empty() || parameter.value->find('=') != std::string_view::npos) {
    return malformed("parameter value");
  }
  return parameter;
}

Result<std::uint64_t> size_value(const Parameter& parameter) {
  const std::string_view digits = parameter.value.value_or("");
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return malformed("SIZE");
  if (digits.size() > size_digits) return too_large("SIZE");
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  return parsed.ec == std::errc() ? size : std::numeric_limits<std::uint64_t>::max();
}

Result<Body> body_value(const Parameter& parameter) {
  if (!parameter.value) return malformed("BODY");
  if (equal_ignoring_case(*parameter.value, "7BIT")) return Body::seven_bit;
  if (equal_ignoring_case(*parameter.value, "8BITMIME")) return Body::eight_bit_mime;
  return failure(Errc::unavailable, "BODY of another kind");
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// xtext, RFC 3461 §4.
Result<std::string> decode_xtext(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '+') {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 3 || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) return malformed("xtext");
    decoded += static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
    text.remove_prefix(3);
  }
  return decoded;
}

std::string encode_xtext(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char octet : text) {
    const auto value = static_cast<unsigned char>(octet);
    if (value > ' ' && value < 0x7f && octet != '+' && octet != '=') {
      encoded += octet;
    } else {
      encoded += {'+', digits[value >> 4U], digits[value & 15U]};
    }
  }
  return encoded;
}

// RFC 5321 §4.1.1.2: "FROM:" or "TO:", then the path. What follows must be set off by a space.
bool take_prefix(std::string_view& in, std::string_view prefix) {
  if (!equal_ignoring_case(in.substr(0, prefix.size()), prefix)) return false;
  in = trim_begin(in.substr(prefix.size()));
  return true;
}

Result<> end_of_path(std::string_view in) {
  if (!in.empty() && white_space.find(in.front()) == std::string_view::npos)
    return malformed("text after the path");
  return {};
}

Result<> apply(const Parameter& parameter, Mail& mail) {
  const auto repeated = [&] { return malformed("repeated parameter " + std::string(parameter.keyword)); };
  if (equal_ignoring_case(parameter.keyword, "SIZE")) {
    if (mail.size) return repeated();
    mail.size = TRY(size_value(parameter));
  } else if (equal_ignoring_case(parameter.keyword, "BODY")) {
    if (mail.body) return repeated();
    mail.body = TRY(body_value(parameter));
  } else if (equal_ignoring_case(parameter.keyword, "SMTPUTF8")) {
    if (mail.smtp_utf8) return repeated();
    if (parameter.value) return malformed("SMTPUTF8 takes no value");
    mail.smtp_utf8 = true;
  } else if (equal_ignoring_case(parameter.keyword, "AUTH")) {
    if (mail.auth) return repeated();
    if (!parameter.value) return malformed("AUTH without a value");
    mail.auth = TRY(decode_xtext(*parameter.value));
  } else {
    return failure(Errc::unavailable, "MAIL parameter " + std::string(parameter.keyword));
  }
  return {};
}

// RFC 5321 §4.1.1.2.
Result<Command> parse_mail(std::string_view in) {
  if (!take_prefix(in, "FROM:")) return malformed("MAIL without FROM:");
  Mail mail;
  if (in.starts_with("<>")) {
    in.remove_prefix(2);
  } else {
    mail.reverse_path = TRY(take_path(in));
  }
  TRY(end_of_path(in));
  for (in = trim_begin(in); !in.empty();) {
    const Parameter parameter = TRY(take_parameter(in));
    TRY(apply(parameter, mail));
  }
  return mail;
}

// RFC 5321 §4.1.1.3.
Result<Command> parse_rcpt(std::string_view in) {
  constexpr std::string_view postmaster = "<postmaster>";
  if (!take_prefix(in, "TO:")) return malformed("RCPT without TO:");
  Rcpt rcpt;
  if (equal_ignoring_case(in.substr(0, postmaster.size()), postmaster)) {
    rcpt.forward_path.local_part = "Postmaster";
    in.remove_prefix(postmaster.size());
  } else {
    rcpt.forward_path = TRY(take_path(in));
  }
  TRY(end_of_path(in));
  in = trim_begin(in);
  if (in.empty()) return rcpt;
  const Parameter parameter = TRY(take_parameter(in));
  return failure(Errc::unavailable, "RCPT parameter " + std::string(parameter.keyword));
}

// RFC 5321 §4.1.1.1. Some clients add more after the name, which that section asks servers to bear.
template <class Greeting>
Result<Command> parse_greeting(std::string_view in) {
  Greeting greeting{std::string(take_word(in))};
  if (greeting.domain.empty()) return malformed("greeting without a name");
  return greeting;
}

template <class Plain>
Result<Command> parse_plain(std::string_view in) {
  if (!in.empty()) return malformed("argument where none is allowed");
  return Plain{};
}

// RFC 6531 §3.7.4.2: String [ SP "SMTPUTF8" ].
template <class Lookup>
Result<Command> parse_lookup(std::string_view in) {
  constexpr std::string_view keyword = "SMTPUTF8";
  Lookup lookup;
  const std::size_t last = in.find_last_of(white_space);
  if (last != std::string_view::npos && equal_ignoring_case(in.substr(last + 1), keyword)) {
    lookup.smtp_utf8 = true;
    in = trim_end(in.substr(0, last));
  }
  if (in.empty()) return malformed("nothing to look up");
  if (!message::is_valid_utf8(in)) return malformed("not UTF-8");
  lookup.argument = in;
  return lookup;
}

// RFC 4954 §4.
Result<Command> parse_auth(std::string_view in) {
  Auth auth;
  auth.mechanism = take_word(in);
  if (auth.mechanism.empty()) return malformed("AUTH without a mechanism");
  if (!in.empty()) auth.initial_response = std::string(take_word(in));
  if (!in.empty()) return malformed("text after the initial response");
  return auth;
}

struct Printer {
  std::string operator()(const Ehlo& ehlo) const { return "EHLO " + ehlo.domain; }
  std::string operator()(const Helo& helo) const { return "HELO " + helo.domain; }
  std::string operator()(const Mail& mail) const {
    std::string line = "MAIL FROM:<" + (mail.reverse_path ? to_string(*mail.reverse_path) : "") + ">";
    if (mail.size) line += " SIZE=" + std::to_string(*mail.size);
    if (mail.body) line += *mail.body == Body::seven_bit ? " BODY=7BIT" : " BODY=8BITMIME";
    if (mail.smtp_utf8) line += " SMTPUTF8";
    if (mail.auth) line += " AUTH=" + encode_xtext(*mail.auth);
    return line;
  }
  std::string operator()(const Rcpt& rcpt) const { return "RCPT TO:<" + to_string(rcpt.forward_path) + ">"; }
  std::string operator()(const Data&) const { return "DATA"; }
  std::string operator()(const Rset&) const { return "RSET"; }
  std::string operator()(const Noop&) const { return "NOOP"; }
  std::string operator()(const Quit&) const { return "QUIT"; }
  std::string operator()(const StartTls&) const { return "STARTTLS"; }
  std::string operator()(const Vrfy& vrfy) const { return lookup("VRFY ", vrfy.argument, vrfy.smtp_utf8); }
  std::string operator()(const Expn& expn) const { return lookup("EXPN ", expn.argument, expn.smtp_utf8); }
  std::string operator()(const Help& help) const {
    return help.topic.empty() ? "HELP" : "HELP " + help.topic;
  }
  std::string operator()(const Auth& auth) const {
    return "AUTH " + auth.mechanism + (auth.initial_response ? " " + *auth.initial_response : "");
  }
  std::string operator()(const Obsolete& obsolete) const { return obsolete.verb; }

  static std::string lookup(std::string_view verb, const std::string& argument, bool smtp_utf8) {
    return std::string(verb) + argument + (smtp_utf8 ? " SMTPUTF8" : "");
  }
};

}  // namespace

Result<Command> parse_command(std::string_view line) {
  line = trim_end(line);
  const std::string_view verb = line.substr(0, line.find_first_of(white_space));
  const std::string_view rest = trim_begin(line.substr(verb.size()));
  const auto is = [verb](std::string_view name) { return equal_ignoring_case(verb, name); };

  if (std::any_of(line.begin(), line.end(), is_control)) return malformed("control character");
  if (is("EHLO")) return parse_greeting<Ehlo>(rest);
  if (is("HELO")) return parse_greeting<Helo>(rest);
  if (is("MAIL")) return parse_mail(rest);
  if (is("RCPT")) return parse_rcpt(rest);
  if (is("DATA")) return parse_plain<Data>(rest);
  if (is("RSET")) return parse_plain<Rset>(rest);
  if (is("QUIT")) return parse_plain<Quit>(rest);
  if (is("STARTTLS")) return parse_plain<StartTls>(rest);
  if (is("NOOP")) return Noop{};
  if (is("VRFY")) return parse_lookup<Vrfy>(rest);
  if (is("EXPN")) return parse_lookup<Expn>(rest);
  if (is("HELP")) return Help{std::string(rest)};
  if (is("AUTH")) return parse_auth(rest);
  for (const std::string_view obsolete : {"SEND", "SOML", "SAML", "TURN"}) {
    if (is(obsolete)) return Obsolete{std::string(obsolete)};
  }
  return not_found("unknown command");
}

std::string to_string(const Command& command) { return std::visit(Printer{}, command); }

}  // namespace posthorn::smtp

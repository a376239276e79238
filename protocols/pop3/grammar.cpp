#include "protocols/pop3/grammar.h"

#include "message/header.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

namespace posthorn::pop3 {
namespace {

using message::equal_ignoring_case;

constexpr std::size_t most_words = 3;  // more is as wrong as one more

// The words of `text`; of too many, one more than any command has.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (found.size() <= most_words) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    found.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(found.back().size());
  }
  return found;
}

Result<Number> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return malformed("number");
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? value : std::numeric_limits<Number>::max();
}

using Words = const std::vector<std::string_view>&;

template <class Plain>
Result<Command> parse_plain(Words arguments) {
  if (!arguments.empty()) return malformed("argument where none is allowed");
  return Plain{};
}

template <class Numbered>
Result<Command> parse_numbered(Words arguments) {
  if (arguments.size() != 1) return malformed("one message-number is needed");
  return Numbered{TRY(number(arguments[0]))};
}

template <class Listing>
Result<Command> parse_listing(Words arguments) {
  if (arguments.empty()) return Listing{};
  if (arguments.size() != 1) return malformed("one message-number at most");
  return Listing{TRY(number(arguments[0]))};
}

// RFC 1939 §7.
Result<Command> parse_top(Words arguments) {
  if (arguments.size() != 2) return malformed("TOP without two numbers");
  return Top{TRY(number(arguments[0])), TRY(number(arguments[1]))};
}

// RFC 5034 §4.
Result<Command> parse_auth(Words arguments) {
  if (arguments.size() > 2) return malformed("text after the initial response");
  Auth auth;
  if (!arguments.empty()) auth.mechanism = arguments[0];
  if (arguments.size() == 2) auth.initial_response = std::string(arguments[1]);
  return auth;
}

struct Printer {
  std::string operator()(const User& user) const { return "USER " + user.name; }
  std::string operator()(const Pass& pass) const { return "PASS " + pass.password; }
  std::string operator()(const Auth& auth) const {
    if (auth.mechanism.empty()) return "AUTH";
    return "AUTH " + auth.mechanism + (auth.initial_response ? " " + *auth.initial_response : "");
  }
  std::string operator()(const Stat&) const { return "STAT"; }
  std::string operator()(const List& list) const { return listing("LIST", list.message); }
  std::string operator()(const Retr& retr) const { return "RETR " + std::to_string(retr.message); }
  std::string operator()(const Dele& dele) const { return "DELE " + std::to_string(dele.message); }
  std::string operator()(const Noop&) const { return "NOOP"; }
  std::string operator()(const Rset&) const { return "RSET"; }
  std::string operator()(const Quit&) const { return "QUIT"; }
  std::string operator()(const Top& top) const {
    return "TOP " + std::to_string(top.message) + " " + std::to_string(top.lines);
  }
  std::string operator()(const Uidl& uidl) const { return listing("UIDL", uidl.message); }
  std::string operator()(const Capa&) const { return "CAPA"; }
  std::string operator()(const Stls&) const { return "STLS"; }

  static std::string listing(const std::string& keyword, std::optional<Number> message) {
    return message ? keyword + " " + std::to_string(*message) : keyword;
  }
};

}  // namespace

Result<Command> parse_command(std::string_view line) {
  const std::string_view keyword = line.substr(0, line.find(' '));
  const bool has_argument = keyword.size() < line.size();
  const std::string_view rest = has_argument ? line.substr(keyword.size() + 1) : std::string_view();
  const auto is = [keyword](std::string_view name) { return equal_ignoring_case(keyword, name); };
  if (line.find('\0') != std::string_view::npos) return malformed("NUL");

  if (is("PASS")) {
    if (rest.empty()) return malformed("PASS without a password");
    return Pass{std::string(rest)};
  }
  const std::vector<std::string_view> arguments = words(rest);
  if (is("USER")) {
    if (arguments.size() != 1) return malformed("USER without one name");
    return User{std::string(arguments[0])};
  }
  if (is("AUTH")) return parse_auth(arguments);
  if (is("STAT")) return parse_plain<Stat>(arguments);
  if (is("LIST")) return parse_listing<List>(arguments);
  if (is("RETR")) return parse_numbered<Retr>(arguments);
  if (is("DELE")) return parse_numbered<Dele>(arguments);
  if (is("NOOP")) return parse_plain<Noop>(arguments);
  if (is("RSET")) return parse_plain<Rset>(arguments);
  if (is("QUIT")) return parse_plain<Quit>(arguments);
  if (is("TOP")) return parse_top(arguments);
  if (is("UIDL")) return parse_listing<Uidl>(arguments);
  if (is("CAPA")) return parse_plain<Capa>(arguments);
  if (is("STLS")) return parse_plain<Stls>(arguments);
  return not_found("unknown keyword");
}

std::string to_string(const Command& command) { return std::visit(Printer{}, command); }

}  // namespace posthorn::pop3

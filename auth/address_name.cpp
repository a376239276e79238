#include "auth/address_name.h"

#include "base/handle.h"

#include <idn2.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

namespace posthorn::auth {
namespace {

constexpr std::size_t max_local = 64;    // RFC 5321 §4.5.3.1.1, in octets
constexpr std::size_t max_tagged = 256;  // with its tag, as bounce addresses have long ones
constexpr std::size_t max_domain = 255;  // §4.5.3.1.2
constexpr std::size_t max_label = 63;    // RFC 1035 §2.3.4
// Before quotes and quoted-pairs are taken away: each octet may be quoted by one more.
constexpr std::size_t max_quoted = 2 * max_tagged + 2;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 5322 §3.2.3, with the UTF-8 of RFC 6531 §3.3.
bool is_atext(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

// RFC 5321 §4.1.2: Dot-string.
bool is_dot_string(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_atext(c)) return false;
    before = c;
  }
  return before != '.';
}

Result<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return malformed("local part");
  const std::string_view inner = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') return malformed("local part: a quote inside the quotes");
    if (inner[i] == '\\') ++i;
    if (i == inner.size()) return malformed("local part: the quotes do not end");
    plain += inner[i];
  }
  return plain;
}

// Controls have no place in a mailbox's name (RFC 5321 §4.1.2 allows them nowhere).
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Case-folded and NFC. Folding may undo the normal form and the normal form needs no folding after it, but
// for rare characters such as U+0345, which settle at the second round.
Result<std::string> fold(std::string_view text) {
  if (is_ascii(text)) {
    std::string folded(text);
    std::ranges::transform(folded, folded.begin(), lower);
    return folded;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return failure(Errc::io, "ICU has no NFC data");
  auto unicode =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  // What is no UTF-8 became U+FFFD.
  if (unicode.indexOf(char16_t{0xFFFD}) >= 0) return malformed("local part: not UTF-8");
  for (int round = 0; round < 3; ++round) {
    const icu::UnicodeString before = unicode;
    unicode = nfc->normalize(nfc->normalize(unicode, status).foldCase(), status);
    if (U_FAILURE(status)) return malformed("local part: no NFC form");
    if (unicode == before) break;
  }
  std::string folded;
  unicode.toUTF8String(folded);
  return folded;
}

// LDH labels (RFC 5890 §2.3.1), lower case already.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > max_domain) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    const bool ldh =
        std::ranges::all_of(label, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
    if (label.empty() || label.size() > max_label || !ldh || label.front() == '-' || label.back() == '-')
      return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// RFC 5321 §4.1.3. What is inside does not matter here: mail for it is never ours.
bool is_literal(std::string_view text) {
  return text.size() > 2 && text.size() <= max_domain && text.front() == '[' && text.back() == ']' &&
         std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
           return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '.' || c == ':' || c == '-';
         });
}

}  // namespace

Result<std::string> parse_domain(std::string_view text) {
  if (text.empty() || text.size() > max_domain) return malformed("domain: empty or too long");
  std::string name(text);
  if (!is_ascii(text)) {
    using Text = Owned<char, idn2_free>;
    if (text.find('\0') != std::string_view::npos) return malformed("domain: NUL");
    char* converted = nullptr;
    const int code = idn2_to_ascii_8z(name.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const Text owned(converted);
    if (code != IDN2_OK) return malformed(std::string("domain: ") + idn2_strerror(code));
    name = converted;
  }
  std::ranges::transform(name, name.begin(), lower);
  if (!is_host_name(name)) return malformed("domain: not a host name");
  return name;
}

Result<std::string> parse_local_part(std::string_view text) {
  if (text.empty() || text.size() > max_quoted) return malformed("local part: empty or too long");
  std::string local = is_dot_string(text) ? std::string(text) : TRY(unquote(text));
  if (has_control(local)) return malformed("local part: control character");
  local = TRY(fold(local));
  if (local.empty() || local.size() > max_tagged || without_tag(local).size() > max_local) {
    return malformed("local part: empty or too long");
  }
  return local;
}

Result<AddressName> parse_address(std::string_view text) {
  if (text.size() > max_quoted + 1 + max_domain) return malformed("address: too long");
  // A domain has no '@', a quoted local part may.
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return malformed("address: no @");
  AddressName name;
  name.local = TRY(parse_local_part(text.substr(0, at)));
  const std::string_view domain = text.substr(at + 1);
  if (is_literal(domain)) {
    name.domain = domain;
    std::ranges::transform(name.domain, name.domain.begin(), lower);
  } else {
    name.domain = TRY(parse_domain(domain));
  }
  return name;
}

std::string to_string(const AddressName& name) {
  if (is_dot_string(name.local)) return name.local + "@" + name.domain;
  std::string text = "\"";
  for (const char c : name.local) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"@" + name.domain;
}

std::string_view without_tag(std::string_view local) {
  const std::size_t plus = local.find('+');
  return plus == 0 ? local : local.substr(0, plus);
}

bool can_be_made(const AddressName& name) {
  return is_dot_string(name.local) && name.local.find('+') == std::string::npos && name.domain.front() != '[';
}

}  // namespace posthorn::auth

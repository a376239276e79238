#include "protocols/imap/catenate_url.h"

#include "protocols/imap/cursor.h"
#include "protocols/imap/grammar_parts.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/printer_parts.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// bchar of RFC 5092 §11, but for pct-encoded.
bool is_plain(char c) { return is_alphanumeric(c) || std::string_view("-._~!$'()*+,&=:@/").contains(c); }

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

Result<std::string> percent_decoded(std::string_view encoded) {
  std::string text;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (is_plain(encoded[i])) {
      text.push_back(encoded[i]);
      continue;
    }
    const bool is_triple = encoded[i] == '%' && encoded.size() - i > 2;
    const auto high = is_triple ? hex_value(encoded[i + 1]) : std::nullopt;
    const auto low = is_triple ? hex_value(encoded[i + 2]) : std::nullopt;
    if (!high || !low || *high + *low == 0) return malformed("character in a URL that has to be encoded");
    text.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return text;
}

void append_percent_encoded(std::string& out, std::string_view text, bool keeps_slashes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_plain(c) && (c != '/' || keeps_slashes)) {
      out.push_back(c);
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[octet >> 4]);
    out.push_back(digits[octet & 15]);
  }
}

// Levels that RFC 3986 §5.2.4 would take away with what they stand for.
bool has_dot_segment(std::string_view path) {
  while (true) {
    const std::size_t end = path.find('/');
    const std::string_view level = path.substr(0, end);
    if (level == "." || level == "..") return true;
    if (end == std::string_view::npos) return false;
    path.remove_prefix(end + 1);
  }
}

// A URL is taken apart at its ";NAME=", which no encoded text holds.
class UrlParser {
 public:
  explicit UrlParser(std::string_view url) : rest_(url) {}

  Result<MessageUrl> parse() {
    MessageUrl url;
    if (!rest_.starts_with('/') || rest_.starts_with("//")) return malformed("path of a mailbox expected");
    rest_.remove_prefix(1);
    const std::string_view mailbox = text();
    url.mailbox = TRY(mailbox_of(mailbox));
    if (take(";UIDVALIDITY=")) url.uid_validity = TRY(nz_number());
    if (!take("/;UID=")) return malformed("UID expected in a URL");
    url.uid = TRY(nz_number());
    if (take("/;SECTION=")) url.section = TRY(section());
    if (take("/;PARTIAL=")) url.range = TRY(range());
    if (!rest_.empty()) return malformed("unexpected text in a URL");
    return url;
  }

 private:
  bool take(std::string_view keyword) {
    if (!equal_ignoring_case(rest_.substr(0, keyword.size()), keyword)) return false;
    rest_.remove_prefix(keyword.size());
    return true;
  }

  // Encoded text: up to the ";" of the next keyword, or the "/" that goes with it.
  std::string_view text() {
    std::size_t end = std::min(rest_.find(';'), rest_.size());
    if (end != rest_.size() && end > 0 && rest_[end - 1] == '/') --end;
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return text;
  }

  static Result<std::string> mailbox_of(std::string_view encoded) {
    if (encoded.empty() || has_dot_segment(encoded)) return malformed("bad mailbox in a URL");
    std::string name = TRY(percent_decoded(encoded));
    TRY(check_utf8_mailbox_name(name));
    return canonical_mailbox_name(std::move(name));
  }

  Result<std::uint32_t> nz_number() {
    Cursor in(rest_);
    const std::uint32_t number = TRY(in.nz_number());
    rest_.remove_prefix(in.position());
    return number;
  }

  Result<Section> section() {
    const std::string_view encoded = text();
    if (encoded.empty()) return malformed("no section in a URL");
    const std::string decoded = TRY(percent_decoded(encoded)) + "]";
    Cursor in(decoded);
    Section section = TRY(parse_section(in));
    if (!in.at_end()) return malformed("bad section in a URL");
    return section;
  }

  Result<MessageUrl::Range> range() {
    Cursor in(rest_);
    MessageUrl::Range range{.first = TRY(in.number())};
    if (in.take('.')) {
      range.count = TRY(in.number());
      if (*range.count == 0) return malformed("count of a partial may not be 0");
    }
    rest_.remove_prefix(in.position());
    return range;
  }

  std::string_view rest_;
};

}  // namespace

Result<MessageUrl> parse_message_url(std::string_view url) { return UrlParser(url).parse(); }

std::string to_string(const MessageUrl& url) {
  std::string out = "/";
  // A level that looks like a dot-segment can't show its dots; a first "/" would begin a host's name.
  const bool keeps_slashes = !has_dot_segment(url.mailbox) && !url.mailbox.starts_with('/');
  std::string mailbox;
  append_percent_encoded(mailbox, url.mailbox, keeps_slashes);
  if (has_dot_segment(mailbox)) mailbox = mailbox.size() == 1 ? "%2E" : "%2E%2E";
  out += mailbox;
  if (url.uid_validity) {
    out += ";UIDVALIDITY=";
    append_number(out, *url.uid_validity);
  }
  out += "/;UID=";
  append_number(out, url.uid);
  if (url.section != Section()) {
    std::string section;
    append_section(section, url.section);
    out += "/;SECTION=";
    append_percent_encoded(out, std::string_view(section).substr(1, section.size() - 2), true);
  }
  if (url.range) {
    out += "/;PARTIAL=";
    append_number(out, url.range->first);
    if (url.range->count) append_number(out += '.', *url.range->count);
  }
  return out;
}

}  // namespace posthorn::imap

#include "message/mime_fields.h"

#include "message/header.h"

#include <algorithm>

namespace posthorn::message {
namespace {

constexpr std::size_t max_parameters = 200;
constexpr std::size_t max_languages = 100;

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; }
// RFC 2045 §5.1 without "?", "[", "]" and "@", which real mail leaves unquoted; 8-bit octets count.
bool is_token(char c) { return !is_white(c) && !std::string_view("()<>,;:\\\"/=").contains(c); }

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip() { ++at_; }

  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // White space and comments. A comment that nothing closes is none; looked for only once.
  void skip_blank() {
    while (!at_end()) {
      if (is_white(text_[at_])) {
        ++at_;
      } else if (text_[at_] != '(' || !skip_comment()) {
        return;
      }
    }
  }

  std::string take_token() {
    const auto start = at_;
    while (!at_end() && is_token(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // A quoted-string, or without closing quote all that is left.
  std::string take_quoted() {
    std::string out;
    ++at_;
    while (!at_end() && peek() != '"') {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      const char c = text_[at_++];
      if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    take('"');
    return out;
  }

  // An unquoted value: up to the next semicolon, white space inside it too, unless another parameter follows
  // that.
  std::string take_loose_value() {
    std::string out;
    while (!at_end() && text_[at_] != ';') {
      if (is_white(text_[at_])) {
        skip_blank();
        if (at_end() || text_[at_] == ';' || parameter_follows()) break;
        out += ' ';
      } else {
        out += text_[at_++];
      }
    }
    return out;
  }

 private:
  bool skip_comment() {
    if (!comments_close_) return false;
    int depth = 0;
    for (auto i = at_; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '(') {
        ++depth;
      } else if (text_[i] == ')' && --depth == 0) {
        at_ = i + 1;
        return true;
      }
    }
    comments_close_ = false;
    return false;
  }

  bool parameter_follows() const {
    auto i = at_;
    while (i < text_.size() && is_token(text_[i])) ++i;
    return i > at_ && i < text_.size() && text_[i] == '=';
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool comments_close_ = true;
};

std::vector<Parameter> take_parameters(Cursor& in) {
  std::vector<Parameter> parameters;
  while (parameters.size() < max_parameters) {
    in.skip_blank();
    if (in.at_end()) break;
    Parameter parameter{in.take_token(), {}};
    in.skip_blank();
    if (parameter.name.empty() || !in.take('=')) {
      // No parameter: a semicolon, a lone word, or a character that has no business here.
      if (parameter.name.empty()) in.skip();
      continue;
    }
    in.skip_blank();
    parameter.value = in.peek() == '"' ? in.take_quoted() : in.take_loose_value();
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::string_view default_subtype(std::string_view type) {
  if (equal_ignoring_case(type, "text")) return "plain";
  if (equal_ignoring_case(type, "multipart")) return "mixed";
  if (equal_ignoring_case(type, "message")) return "rfc822";
  if (equal_ignoring_case(type, "application")) return "octet-stream";
  return "x-unknown";
}

// The top-level media types that are registered, apart from those with a default subtype.
bool is_known_type(std::string_view type) {
  constexpr std::string_view known[] = {"audio", "image", "video", "font", "model", "haptics", "chemical"};
  return std::ranges::any_of(known, [&](std::string_view name) { return equal_ignoring_case(type, name); });
}

}  // namespace

std::optional<ContentType> parse_content_type(std::string_view value) {
  Cursor in(value);
  in.skip_blank();
  ContentType content{in.take_token(), {}, {}};
  if (content.type.empty()) return std::nullopt;
  in.skip_blank();
  if (in.take('/')) {
    in.skip_blank();
    content.subtype = in.take_token();
  } else if (in.peek() == '=') {
    return std::nullopt;  // "charset=utf-8" and no type
  }
  if (content.subtype.empty()) {
    content.subtype = default_subtype(content.type);
    // "application-x-gzip", "attachment": no type of anything.
    if (content.subtype == "x-unknown" && !is_known_type(content.type)) {
      content.type = "application";
      content.subtype = "octet-stream";
    }
  }
  content.parameters = take_parameters(in);
  return content;
}

std::optional<Disposition> parse_disposition(std::string_view value) {
  Cursor in(value);
  in.skip_blank();
  Disposition disposition{in.peek() == '"' ? in.take_quoted() : in.take_token(), {}};
  if (disposition.type.empty()) return std::nullopt;
  in.skip_blank();
  if (in.peek() == '=') {
    // "filename=x" and no type: RFC 2183 §2.8 has unknown types be attachments.
    disposition.type = "attachment";
    in = Cursor(value);
  }
  disposition.parameters = take_parameters(in);
  return disposition;
}

std::vector<std::string> parse_languages(std::string_view value) {
  std::vector<std::string> languages;
  Cursor in(value);
  while (languages.size() < max_languages) {
    in.skip_blank();
    if (in.at_end()) break;
    auto tag = in.take_token();
    if (tag.empty()) {
      in.skip();
    } else {
      languages.push_back(std::move(tag));
    }
  }
  return languages;
}

std::string parse_encoding(std::string_view value) {
  Cursor in(value);
  in.skip_blank();
  auto token = in.peek() == '"' ? in.take_quoted() : in.take_token();
  in.skip_blank();
  const bool in_two_words =
      equal_ignoring_case(token, "quoted") && equal_ignoring_case(in.take_token(), "printable");
  return in_two_words ? "quoted-printable" : token;
}

}  // namespace posthorn::message

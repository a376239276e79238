#include "message/html_text.h"

#include "message/header.h"
#include "message/html_entity.h"

#include <algorithm>
#include <array>

namespace posthorn::message {
namespace {

// What is looked at of a tag with its attributes.
constexpr std::size_t max_tag = 1024;
// CounterClockwiseContourIntegral has 31.
constexpr std::size_t max_entity = 32;

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name);
}

// What stands on lines of its own. All lists here are sorted.
constexpr auto blocks = std::to_array<std::string_view>(
    {"address",    "article", "aside",  "blockquote", "body", "br",     "caption", "center",
     "dd",         "details", "dialog", "dir",        "div",  "dl",     "dt",      "fieldset",
     "figcaption", "figure",  "footer", "form",       "h1",   "h2",     "h3",      "h4",
     "h5",         "h6",      "header", "hr",         "html", "legend", "li",      "main",
     "menu",       "nav",     "ol",     "option",     "p",    "pre",    "section", "summary",
     "table",      "tbody",   "tfoot",  "thead",      "tr",   "ul"});
static_assert(std::ranges::is_sorted(blocks));

// Beside the blocks, what shows that a head without end is over.
constexpr auto phrases = std::to_array<std::string_view>(
    {"a", "b", "em", "font", "i", "img", "small", "span", "strong", "td", "u"});
static_assert(std::ranges::is_sorted(phrases));

// Whose content nobody reads.
constexpr auto left_out = std::to_array<std::string_view>(
    {"iframe", "noembed", "noframes", "script", "style", "svg", "template", "title", "xml"});
static_assert(std::ranges::is_sorted(left_out));

// How mail programs mark the letter that is replied to or forwarded.
constexpr auto quotations = std::to_array<std::string_view>(
    {"appendonsend", "divrplyfwdmsg", "gmail_attr", "gmail_quote", "moz-cite-prefix", "moz-forward-container",
     "protonmail_quote", "yahoo_quoted", "zmail_extra"});
static_assert(std::ranges::is_sorted(quotations));

// The same whose end is not marked: all that follows is theirs.
constexpr auto open_quotations = std::to_array<std::string_view>({"appendonsend", "divrplyfwdmsg"});
static_assert(std::ranges::is_sorted(open_quotations));

constexpr auto signatures = std::to_array<std::string_view>(
    {"gmail_signature", "moz-signature", "protonmail_signature_block", "signature"});
static_assert(std::ranges::is_sorted(signatures));

// The value of the attribute `name` (in lower case, with a space before it and "=" after it), up to its end.
std::string_view attribute(std::string_view lower_tag, std::string_view name) {
  const auto at = lower_tag.find(name);
  if (at == std::string_view::npos) return {};
  auto value = lower_tag.substr(at + name.size());
  if (value.starts_with('"') || value.starts_with('\'')) {
    const char quote = value.front();
    value.remove_prefix(1);
    return value.substr(0, value.find(quote));
  }
  return value.substr(0, value.find_first_of(" \t\r\n/"));
}

// Whether one of the words of `value` is in the list.
template <std::size_t Size>
bool has_word_of(const std::array<std::string_view, Size>& sorted, std::string_view value) {
  while (!value.empty()) {
    const auto end = value.find_first_of(" \t\r\n");
    if (contains(sorted, value.substr(0, end))) return true;
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
  }
  return false;
}

}  // namespace

struct HtmlText::Tag {
  // Of the text between "<" and ">".
  explicit Tag(std::string_view text) : closing(text.starts_with('/')), all(to_lower_ascii(text)) {
    name = std::string_view(all).substr(closing ? 1 : 0);
    name = name.substr(0, std::min(name.find_first_of(" \t\r\n\f/"), name.size()));
  }
  Tag(const Tag&) = delete;
  Tag& operator=(const Tag&) = delete;

  template <std::size_t Size>
  bool is_marked(const std::array<std::string_view, Size>& sorted) const {
    return has_word_of(sorted, attribute(all, " class=")) || has_word_of(sorted, attribute(all, " id="));
  }

  bool closing;
  std::string all;  // in lower case
  std::string_view name;
};

void HtmlText::feed(std::string_view chunk, std::string& out) {
  while (!chunk.empty()) {
    if (state_ == State::raw && raw_matched_ == 0) {
      chunk.remove_prefix(std::min(chunk.find('<'), chunk.size()));
      if (chunk.empty()) return;
    }
    take(chunk.front(), out);
    chunk.remove_prefix(1);
  }
}

void HtmlText::finish(std::string& out) {
  if (state_ == State::open) put('<', out);
  if (state_ == State::entity) end_entity(false, out);
  state_ = State::text;
  held_.clear();
}

void HtmlText::take(char c, std::string& out) {
  switch (state_) {
    case State::text:
      if (c == '<') {
        state_ = State::open;
      } else if (c == '&') {
        state_ = State::entity;
      } else {
        put(c, out);
      }
      return;
    case State::entity: return take_entity(c, out);
    case State::open:
      if (is_letter(c) || c == '/') {
        state_ = State::tag;
        held_ = c;
        last_ = c;
      } else if (c == '!') {
        state_ = State::markup;
      } else if (c == '?') {
        state_ = State::bogus;
      } else {
        state_ = State::text;
        put('<', out);
        take(c, out);
      }
      return;
    case State::markup:
      held_ += c;
      if (c == '>') {
        state_ = State::text;
        held_.clear();
      } else if (held_.size() == 2) {
        state_ = held_ == "--" ? State::comment : State::bogus;
        dashes_ = 2;  // "<!-->" is a comment and its end
        held_.clear();
      }
      return;
    case State::comment:
      if (c == '>' && dashes_ >= 2) state_ = State::text;
      dashes_ = c == '-' ? std::min(dashes_ + 1, 2) : 0;
      return;
    case State::bogus:
      if (c == '>') state_ = State::text;
      return;
    case State::tag:
    case State::value: return take_tag(c, out);
    case State::raw: return take_raw(c);
  }
}

void HtmlText::take_raw(char c) {
  if (raw_matched_ == raw_end_.size()) {
    raw_matched_ = 0;
    if (is_white(c) || c == '/' || c == '>') {
      state_ = c == '>' ? State::text : State::bogus;
      return;
    }
  }
  if (lower(c) != raw_end_[raw_matched_]) raw_matched_ = 0;
  if (lower(c) == raw_end_[raw_matched_]) ++raw_matched_;
}

void HtmlText::take_entity(char c, std::string& out) {
  const bool more = is_letter(c) || is_digit(c) || (c == '#' && held_.empty());
  if (more && held_.size() < max_entity) {
    held_ += c;
    return;
  }
  end_entity(c == ';', out);
  if (c != ';') take(c, out);
}

void HtmlText::end_entity(bool with_semicolon, std::string& out) {
  state_ = State::text;
  if (const auto character = decode_html_entity(held_)) {
    put(*character, out);
  } else {
    put('&', out);
    put(held_, out);
    if (with_semicolon) put(';', out);
  }
  held_.clear();
}

void HtmlText::take_tag(char c, std::string& out) {
  if (state_ == State::value) {
    if (c == quote_) state_ = State::tag;
  } else if (c == '>') {
    return end_tag(out);
  } else if ((c == '"' || c == '\'') && last_ == '=') {
    state_ = State::value;
    quote_ = c;
  }
  if (!is_white(c)) last_ = c;
  if (held_.size() < max_tag) held_ += c;
}

void HtmlText::end_tag(std::string& out) {
  const Tag tag(held_);
  held_.clear();
  state_ = State::text;
  apply(tag, out);
}

void HtmlText::apply(const Tag& tag, std::string& out) {
  if (!tag.closing && contains(left_out, tag.name) && !tag.all.ends_with('/')) {
    state_ = State::raw;
    raw_end_ = "</" + std::string(tag.name);
    raw_matched_ = 0;
    return;
  }
  const bool block = contains(blocks, tag.name);
  if (tag.name == "head") {
    in_head_ = !tag.closing;
  } else if (tag.name != "html" && (block || contains(phrases, tag.name))) {
    in_head_ = false;
  }
  if (block) end_line(out);
  if (!tag.closing && (tag.name == "td" || tag.name == "th")) put(' ', out);
  if (tag.name == "pre") {
    if (!tag.closing) ++in_pre_;
    if (tag.closing && in_pre_ > 0) --in_pre_;
  }
  quote(tag, out);
}

void HtmlText::quote(const Tag& tag, std::string& out) {
  if (!quoting_tag_.empty()) {
    if (tag.name != quoting_tag_) return;
    if (!tag.closing) {
      ++quoting_depth_;
    } else if (quoting_depth_ > 0) {
      --quoting_depth_;
    } else {
      end_line(out);
      quoting_tag_.clear();
    }
    return;
  }
  if (tag.closing) return;
  if (tag.is_marked(signatures)) {
    end_line(out);
    put("--", out);
    end_line(out);
  } else if (tag.name == "blockquote" || tag.is_marked(quotations)) {
    end_line(out);
    // No tag has the name "*".
    quoting_tag_ = tag.is_marked(open_quotations) ? "*" : tag.name;
    quoting_depth_ = 0;
  }
}

void HtmlText::put(std::string_view text, std::string& out) {
  for (const char c : text) put(c, out);
}

void HtmlText::put(char c, std::string& out) {
  if (in_head_) return;
  if (is_white(c)) {
    if (c == '\n' && in_pre_ > 0) return end_line(out);
    if (!at_line_start_) out += ' ';
    return;
  }
  if (at_line_start_ && !quoting_tag_.empty()) out += "> ";
  at_line_start_ = false;
  out += c;
}

void HtmlText::end_line(std::string& out) {
  if (at_line_start_) return;
  out += '\n';
  at_line_start_ = true;
}

}  // namespace posthorn::message

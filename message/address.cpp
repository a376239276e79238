#include "message/address.h"

#include <utility>

namespace posthorn::message {
namespace {

enum class Kind : unsigned char { word, quoted, literal, comment, special, end };

struct Token {
  Kind kind = Kind::end;
  char special = 0;          // of Kind::special: one of <>,;:@.
  bool after_space = false;  // white space or a comment stands before it
  std::string text;          // without quotes, quoted-pairs resolved

  bool is(char c) const { return kind == Kind::special && special == c; }
  bool is_text() const { return kind == Kind::word || kind == Kind::quoted || kind == Kind::literal; }
};

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; }
bool is_special(char c) { return std::string_view("<>,;:@.").contains(c); }

// RFC 5322 §3.2 with what real mail adds. An opening quote, parenthesis or bracket that nothing closes is an
// ordinary character; it is searched for only once of each kind, so that the time stays linear.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    Token token;
    token.after_space = skip_white();
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (c == '(' && comments_close_) {
      if (auto comment = take_comment()) return finish(std::move(token), Kind::comment, std::move(*comment));
      comments_close_ = false;
    }
    if (c == '[' && literals_close_) {
      if (auto literal = take_until(']')) {
        return finish(std::move(token), Kind::literal, '[' + std::move(*literal) + ']');
      }
      literals_close_ = false;
    }
    if (c == '"') {
      if (auto quoted = take_until('"')) return finish(std::move(token), Kind::quoted, std::move(*quoted));
      quotes_close_ = false;
      token.after_space |= skip_white();
      if (at_ == text_.size()) return token;
    }
    if (is_special(text_[at_])) {
      const char special = text_[at_++];
      token.special = special;
      return finish(std::move(token), Kind::special, std::string(1, special));
    }
    return finish(std::move(token), Kind::word, take_word());
  }

 private:
  static Token finish(Token token, Kind kind, std::string text) {
    token.kind = kind;
    token.text = std::move(text);
    return token;
  }

  // Whether there was any; skips quotes too that nothing closes.
  bool skip_white() {
    bool any = false;
    for (; at_ < text_.size() && (is_white(text_[at_]) || (text_[at_] == '"' && !quotes_close_)); ++at_) {
      any |= text_[at_] != '"';
    }
    return any;
  }

  // An encoded word that stands at the cursor, as mailers leave commas and dots inside them (RFC 2047 §5
  // forbids it). Each of its three pieces ends at the next "?", so that a look in vain is short.
  std::size_t encoded_word_size() const {
    const auto rest = text_.substr(at_);
    if (!rest.starts_with("=?")) return 0;
    std::size_t end = 2;
    for (int piece = 0; piece < 3; ++piece) {
      end = rest.find_first_of(std::string_view("? \t\r\n\0", 6), end);
      if (end == std::string_view::npos || rest[end] != '?') return 0;
      ++end;
    }
    return end < rest.size() && rest[end] == '=' ? end + 1 : 0;
  }

  std::string take_word() {
    const auto start = at_;
    at_ += encoded_word_size();
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_white(c) || is_special(c) || c == '"') break;
      if (at_ > start && ((c == '(' && comments_close_) || (c == '[' && literals_close_))) break;
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  // A quoted-string or domain-literal: the text between the character at the cursor and `close`.
  std::optional<std::string> take_until(char close) {
    std::string out;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      char c = text_[i];
      if (c == close) {
        at_ = i + 1;
        return out;
      }
      if (c == '\\' && i + 1 < text_.size()) c = text_[++i];
      if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    return std::nullopt;
  }

  std::optional<std::string> take_comment() {
    std::string out;
    std::size_t depth = 0;
    for (std::size_t i = at_; i < text_.size(); ++i) {
      char c = text_[i];
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) {
        at_ = i + 1;
        return out;
      }
      if (c == '\\' && i + 1 < text_.size()) c = text_[++i];
      if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool comments_close_ = true;
  bool quotes_close_ = true;
  bool literals_close_ = true;
};

// Text that words are added to, one space between those that had white space between them.
class Phrase {
 public:
  void add(const Token& token) {
    if (token.after_space && !text_.empty()) text_ += ' ';
    text_ += token.text;
  }
  bool empty() const { return text_.empty(); }
  std::string take() { return std::exchange(text_, {}); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// local-part "@" domain as it comes in, tokens of it maybe apart by white space and comments (RFC 5322 §4.4).
class AddrSpec {
 public:
  void add_text(const Token& token) {
    const bool apart = after_text_ && token.after_space;
    if (apart) part_ += ' ';
    part_ += token.text;
    after_text_ = true;
  }
  // "." and whatever else stands where only a dot should.
  void add_mark(const Token& token) {
    part_ += token.text;
    after_text_ = false;
  }
  // The last "@" is the one that counts.
  void add_at() {
    if (has_at_) local_ += '@';
    local_ += part_;
    part_.clear();
    has_at_ = true;
    after_text_ = false;
  }

  bool has_at() const { return has_at_; }
  bool after_text() const { return after_text_; }
  bool empty() const { return !has_at_ && part_.empty(); }
  const std::string& part() const { return part_; }

  void move_to(Address& address) {
    address.mailbox = has_at_ ? std::move(local_) : std::move(part_);
    address.host = has_at_ ? std::move(part_) : std::string();
  }

 private:
  std::string local_;
  std::string part_;
  bool has_at_ = false;
  bool after_text_ = false;
};

class Parser {
 public:
  Parser(std::string_view value, std::size_t limit) : lexer_(value), limit_(limit) {}

  std::vector<Address> run() {
    while (out_.size() < limit_) {
      Token token = lexer_.next();
      if (token.kind == Kind::end) break;
      take(std::move(token));
    }
    if (out_.size() < limit_) end_element();
    if (in_group_) out_.emplace_back();
    return std::move(out_);
  }

 private:
  void take(Token token) {
    if (token.kind == Kind::comment) {
      if (!token.text.empty()) comment_ = std::move(token.text);
      after_comment_ = true;
      return;
    }
    token.after_space |= std::exchange(after_comment_, false);
    if (in_angle_) {
      take_in_angle(token);
    } else if (token.is(',')) {
      end_element();
    } else if (token.is(';')) {
      end_element();
      if (std::exchange(in_group_, false)) out_.emplace_back();
    } else if (token.is('<')) {
      begin_angle();
    } else if (token.is(':') && !in_group_ && !angle_done_) {
      begin_group();
    } else if (!token.is('>')) {
      take_outside(token);
    }
  }

  // A word, dot or "@" outside of <>: part of a display name, or of an address that stands alone.
  void take_outside(const Token& token) {
    if (angle_done_) {
      phrase_.add(token);
      return;
    }
    if (token.is('@') && tail_begun_) {
      // "a@a.example b@b.example": the comma between two addresses is missing.
      auto second = std::exchange(tail_, {});
      end_element();
      spec_ = std::move(second);
      Token word;
      word.text = spec_.part();
      phrase_.add(word);
    }
    phrase_.add(token);
    AddrSpec& spec = tail_begun_ ? tail_ : spec_;
    if (token.is('@')) {
      spec.add_at();
    } else if (!token.is_text()) {
      spec.add_mark(token);
    } else if (spec.after_text() && token.after_space) {
      begin_run(token);
    } else {
      spec.add_text(token);
    }
  }

  // A word after white space begins something new: before an "@" what stood so far was a name, after
  // it the address was complete.
  void begin_run(const Token& token) {
    if (tail_begun_ || spec_.has_at()) {
      if (tail_begun_) add_word(after_, tail_.part());
      tail_begun_ = true;
      tail_ = {};
      tail_.add_text(token);
      return;
    }
    add_word(before_, spec_.part());
    spec_ = {};
    spec_.add_text(token);
  }

  static void add_word(Phrase& phrase, const std::string& text) {
    if (text.empty()) return;
    Token word;
    word.after_space = true;
    word.text = text;
    phrase.add(word);
  }

  void begin_angle() {
    if (angle_done_) {
      // "<a@a.example> B <b@b.example>": a comma is missing; what stands between is the second one's name.
      auto name = phrase_.take();
      end_element();
      add_word(phrase_, name);
    }
    name_ = phrase_.take();
    before_ = {};
    after_ = {};
    spec_ = {};
    tail_ = {};
    tail_begun_ = false;
    in_angle_ = true;
    angle_begun_ = true;
  }

  void take_in_angle(const Token& token) {
    if (token.is('>')) {
      end_angle();
    } else if (in_route_ && token.is(':')) {
      route_ = '@' + std::exchange(route_text_, {});
      in_route_ = false;
    } else if (in_route_ && !token.is(';') && !token.is('<')) {
      route_text_ += token.text;
    } else if (token.is(',') || token.is(';')) {
      // The ">" is missing.
      end_angle();
      take(token);
    } else if (token.is('@') && spec_.empty() && !route_) {
      in_route_ = true;
    } else if (token.is('@')) {
      spec_.add_at();
    } else if (token.is_text()) {
      spec_.add_text(token);
    } else if (!token.is('<')) {
      spec_.add_mark(token);
    }
  }

  void end_angle() {
    if (std::exchange(in_route_, false)) {
      // "<@a.example>": no route, but an address without local part.
      Token host;
      host.text = std::exchange(route_text_, {});
      spec_.add_at();
      spec_.add_mark(host);
    }
    in_angle_ = false;
    angle_done_ = true;
  }

  void begin_group() {
    auto name = phrase_.take();
    reset();
    if (name.empty()) return;
    Address start;
    start.mailbox = std::move(name);
    out_.push_back(std::move(start));
    in_group_ = true;
  }

  void end_element() {
    if (in_angle_) end_angle();
    Address address;
    if (angle_begun_) {
      spec_.move_to(address);
      address.route = std::move(route_);
      address.name = !name_.empty() ? std::move(name_) : phrase_.take();
    } else if (spec_.has_at()) {
      if (tail_begun_) add_word(after_, tail_.part());
      spec_.move_to(address);
      address.name = !before_.empty() ? before_.take() : after_.take();
    } else if (phrase_.empty()) {
      reset();
      return;
    } else if (phrase_.text().contains(' ')) {
      // A name and no address at all.
      address.name = phrase_.take();
      address.mailbox.emplace();
      address.host.emplace();
    } else {
      address.mailbox = phrase_.take();
      address.host.emplace();
    }
    if (address.name->empty()) address.name = comment_;
    if (address.name && address.name->empty()) address.name.reset();
    reset();
    out_.push_back(std::move(address));
  }

  void reset() {
    phrase_ = before_ = after_ = {};
    spec_ = tail_ = {};
    name_.clear();
    route_text_.clear();
    route_.reset();
    comment_.clear();
    tail_begun_ = in_angle_ = angle_begun_ = angle_done_ = in_route_ = false;
  }

  Lexer lexer_;
  std::size_t limit_;
  std::vector<Address> out_;
  bool in_group_ = false;

  // The element that is being read.
  Phrase phrase_;     // all text outside of <> so far
  Phrase before_;     // words before the one that may be a local part
  Phrase after_;      // words after a complete address
  AddrSpec spec_;     // the address
  AddrSpec tail_;     // the word after a complete address; may be the next address
  std::string name_;  // the display name before "<"
  std::string route_text_;
  std::optional<std::string> route_;
  std::string comment_;
  bool tail_begun_ = false;
  bool in_angle_ = false;
  bool angle_begun_ = false;
  bool angle_done_ = false;
  bool in_route_ = false;
  bool after_comment_ = false;
};

}  // namespace

std::vector<Address> parse_addresses(std::string_view value, std::size_t limit) {
  return Parser(value, limit).run();
}

}  // namespace posthorn::message

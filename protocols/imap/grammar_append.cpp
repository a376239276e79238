#include "protocols/imap/grammar_append.h"

#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <utility>

namespace posthorn::imap {

namespace {

// " (\Seen) "date" " of append-message, with the space behind it.
Result<AppendMessage> parse_options(Cursor& in) {
  AppendMessage message;
  TRY(in.space("message"));
  if (in.peek() == '(') {
    message.flags = TRY(in.flag_list());
    TRY(in.space("message"));
  }
  if (in.peek() == '"') {
    message.date = TRY(in.date_time());
    TRY(in.space("message"));
  }
  return message;
}

// The messages up to the end; or as far as they go, where the command is cut off.
Result<std::vector<AppendMessage>> parse_messages(Cursor& in, std::size_t most) {
  MessageParser parser(most);
  do {
    const auto taken = TRY(parser.step(in));
    if (taken == MessageParser::Taken::awaited) return malformed("bad literal for URL");
    const bool is_announcement =
        taken == MessageParser::Taken::message || taken == MessageParser::Taken::text;
    if (is_announcement && in.at_end() && in.extent() == Cursor::Extent::cut_off) {
      return std::move(parser.messages());
    }
  } while (!parser.at_end_of_message() || !in.only_spaces_left());
  return std::move(parser.messages());
}

}  // namespace

Result<MessageParser::Taken> MessageParser::step(Cursor& in) {
  switch (place_) {
    case Place::message: return message(in);
    case Place::part: return part(in);
    case Place::end_of_utf8: break;
  }
  in.take_spaces();
  if (!in.take(')')) return malformed("')' expected behind the literal of UTF8");
  place_ = messages_.back().catenated ? Place::part : Place::message;
  return Taken::parenthesis;
}

Result<MessageParser::Taken> MessageParser::message(Cursor& in) {
  if (messages_.size() == most_) {
    if (most_ == 1) return malformed("unexpected text after the command");
    // RFC 9738 §3.1.
    return too_large("[MESSAGELIMIT " + std::to_string(most_) + "] Too many messages for one APPEND");
  }
  messages_.push_back(TRY(parse_options(in)));
  const std::string name = to_upper(in.take_word());
  if (name == "CATENATE") {
    TRY(in.space("parts of the message"));
    if (!in.take('(')) return malformed("'(' expected before part of the message");
    messages_.back().catenated = true;
    place_ = Place::part;
    return Taken::parenthesis;
  }
  if (name == "UTF8") {
    TRY(utf8(in));
  } else if (name.empty()) {
    TRY(text(in));
  } else {
    return malformed("unknown APPEND data");
  }
  return Taken::message;
}

// cat-part of RFC 4469 §5 and RFC 6855 §4.
Result<MessageParser::Taken> MessageParser::part(Cursor& in) {
  const bool is_first = messages_.back().parts.empty();
  Cursor before = in;
  const bool has_space = in.take_spaces();
  if (in.take(')')) {
    if (is_first) return malformed("no part of the message");
    place_ = Place::message;
    return Taken::parenthesis;
  }
  if (!is_first && !has_space) return malformed("space or ')' expected after part of the message");
  const std::string name = to_upper(in.take_word());
  if (name == "URL") {
    const Taken taken = TRY(url(in));
    if (taken == Taken::awaited) in = before;
    return taken;
  }
  if (name == "UTF8") {
    TRY(utf8(in));
  } else if (name == "TEXT") {
    TRY(in.space("text"));
    TRY(text(in));
  } else {
    return malformed("TEXT or URL expected");
  }
  return Taken::text;
}

Result<MessageParser::Taken> MessageParser::url(Cursor& in) {
  TRY(in.space("URL"));
  Cursor ahead = in;
  const auto announced = ahead.take_announcement();
  if (announced && announced->octets > 0 && ahead.at_end()) return Taken::awaited;
  std::string text = TRY(in.astring("URL"));
  // NO [BADURL] could not name it (url-resp-text, RFC 4469 §5).
  if (text.empty()) return malformed("URL expected");
  TRY(add(AppendUrl{std::move(text)}));
  return Taken::url;
}

// " (~{310}" and the line end.
Result<> MessageParser::utf8(Cursor& in) {
  TRY(in.space("message"));
  if (!in.take('(')) return malformed("'(' expected behind UTF8");
  in.take_spaces();
  const auto announced = in.take_announcement();
  if (!announced || !announced->is_literal8) return malformed("message as a literal8 expected");
  TRY(add(AppendLiteral{announced->octets, AppendLiteral::Form::utf8}));
  place_ = Place::end_of_utf8;
  return {};
}

// "{310}" or "~{310}" and the line end.
Result<> MessageParser::text(Cursor& in) {
  using enum AppendLiteral::Form;
  const auto announced = in.take_announcement();
  if (!announced) return malformed("message as a literal expected");
  return add(AppendLiteral{announced->octets, announced->is_literal8 ? binary : AppendLiteral::Form::text});
}

Result<> MessageParser::add(AppendPart part) {
  if (++parts_ > max_append_parts) return too_large("too many parts of messages");
  messages_.back().parts.push_back(std::move(part));
  return {};
}

// RFC 3501 §6.3.11, RFC 3502.
Result<Body> parse_append(Cursor& in) {
  Append append;
  TRY(in.space("mailbox name"));
  append.mailbox = TRY(in.mailbox());
  append.messages = TRY(parse_messages(in, max_append_messages));
  return append;
}

// RFC 8508 §5.
Result<Body> parse_replace(Cursor& in, Numbering numbering) {
  Replace replace{.numbering = numbering};
  TRY(in.space("message number"));
  replace.number = TRY(in.sequence_number());
  TRY(in.space("mailbox name"));
  replace.mailbox = TRY(in.mailbox());
  replace.message = std::move(TRY(parse_messages(in, 1)).front());
  return replace;
}

}  // namespace posthorn::imap

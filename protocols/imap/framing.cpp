#include "protocols/imap/framing.h"

#include "protocols/imap/cursor.h"
#include "protocols/imap/grammar.h"

#include <limits>

namespace posthorn::imap {

namespace {

// Whether a line, or its piece behind a literal, ends inside a quoted string; those can't go over a line end.
bool ends_in_quotes(std::string_view line) {
  bool is_inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') is_inside = !is_inside;
    if (line[i] == '\\' && is_inside) ++i;
  }
  return is_inside;
}

std::size_t saturated_sum(std::size_t position, std::uint64_t octets) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  return octets > most - position ? most : position + static_cast<std::size_t>(octets);
}

}  // namespace

Frame Framer::look(std::string_view bytes) {
  if (line_ > bytes.size()) return {.kind = Frame::Kind::more_octets, .octets = line_ - bytes.size()};
  const std::size_t line_feed = bytes.find('\n', scanned_);
  scanned_ = bytes.size();
  if (line_feed == std::string_view::npos) return {.kind = Frame::Kind::line};
  const bool has_return = line_feed > line_ && bytes[line_feed - 1] == '\r';
  return end_of_line(bytes, has_return ? line_feed - 1 : line_feed, line_feed + 1);
}

Frame Framer::end_of_line(std::string_view bytes, std::size_t line_end, std::size_t next) {
  const std::string_view line = bytes.substr(line_, line_end - line_);
  const auto announced = announcement_at_end(line);
  if (!announced || (announced->synchronising && ends_in_quotes(line))) {
    return {.kind = Frame::Kind::complete, .end = line_end, .next = next};
  }
  const Frame::Kind kind = kind_of_literal(bytes.substr(0, next));
  const bool stands_in_bytes = kind == Frame::Kind::literal;
  line_ = scanned_ = stands_in_bytes ? saturated_sum(next, announced->octets) : next;
  Frame frame{.kind = kind, .octets = announced->octets, .next = next};
  if (!announced->synchronising) {
    frame.announced = Frame::Announced::non_synchronising;
    frame.is_beyond_literal_minus = literals_ == Literals::minus && announced->octets > literal_minus_octets;
  }
  if (!stands_in_bytes) frame.form = std::get<AppendLiteral>(messages_->messages().back().parts.back()).form;
  return frame;
}

// `command` ends behind an announcement.
Frame::Kind Framer::kind_of_literal(std::string_view command) {
  using Taken = MessageParser::Taken;
  if (kind_ == Kind::unknown) find_kind(command);
  if (kind_ != Kind::append) return Frame::Kind::literal;
  Cursor in(command.substr(arguments_));
  const std::size_t begin = arguments_;
  while (!in.at_end()) {
    auto taken = messages_->step(in);
    if (!taken) {
      error_ = std::move(taken).error();
      kind_ = Kind::other;
      return Frame::Kind::literal;
    }
    arguments_ = begin + in.position();
    if (*taken == Taken::awaited) return Frame::Kind::literal;
    if (*taken == Taken::message && in.at_end()) return Frame::Kind::message;
    if (*taken == Taken::text && in.at_end()) return Frame::Kind::text;
  }
  // Not reached: nothing else there can end in an announcement.
  return Frame::Kind::literal;
}

// Parses "tag APPEND mailbox" or "tag REPLACE number mailbox". It is called at the first announcement, and
// once more where that was the mailbox, so it does not add up.
void Framer::find_kind(std::string_view command) {
  Cursor in(command);
  in.take_tag();
  in.take_spaces();
  std::string_view name = in.take_atom();
  const bool is_uid = equal_ignoring_case(name, "UID") && in.take_spaces();
  if (is_uid) name = in.take_atom();
  bool has_mailbox = false;
  if (equal_ignoring_case(name, "REPLACE")) {
    has_mailbox = in.take_spaces() && in.sequence_number() && in.take_spaces();
    messages_.emplace(1);
  } else if (equal_ignoring_case(name, "APPEND") && !is_uid) {
    has_mailbox = in.take_spaces();
    messages_.emplace(max_append_messages);
  }
  const bool mailbox_was_awaited = mailbox_awaited_;
  mailbox_awaited_ = has_mailbox && in.peek() == '{';
  if (has_mailbox && in.astring("mailbox name")) {
    kind_ = Kind::append;
    arguments_ = in.position();
  } else if (!mailbox_awaited_ || mailbox_was_awaited) {
    kind_ = Kind::other;
  }
}

}  // namespace posthorn::imap

#include "protocols/imap/framing.h"

#include "protocols/imap/cursor.h"
#include "protocols/imap/grammar_parts.h"

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
  if (!announced || ends_in_quotes(line)) {
    return {.kind = Frame::Kind::complete, .end = line_end, .next = next};
  }
  const bool is_message = announces_message(bytes.substr(0, next));
  line_ = scanned_ = is_message ? next : saturated_sum(next, announced->octets);
  return {.kind = is_message ? Frame::Kind::message : Frame::Kind::literal,
          .octets = announced->octets,
          .announced = announced->synchronising ? Frame::Announced::synchronising
                                                : Frame::Announced::non_synchronising,
          .next = next};
}

// `command` ends behind an announcement.
bool Framer::announces_message(std::string_view command) {
  if (kind_ == Kind::unknown) find_kind(command);
  if (kind_ != Kind::append) return false;
  Cursor in(command.substr(arguments_));
  if (!parse_append_message(in) || !in.at_end()) {
    kind_ = Kind::other;
    return false;
  }
  arguments_ = command.size();
  return true;
}

// Parses "tag APPEND mailbox". It is called at the first announcement, and once more where that was the
// mailbox, so it does not add up.
void Framer::find_kind(std::string_view command) {
  Cursor in(command);
  in.take_tag();
  in.take_spaces();
  const bool is_append = equal_ignoring_case(in.take_atom(), "APPEND") && in.take_spaces();
  const bool mailbox_was_awaited = mailbox_awaited_;
  mailbox_awaited_ = is_append && in.peek() == '{';
  if (is_append && in.astring("mailbox name")) {
    kind_ = Kind::append;
    arguments_ = in.position();
  } else if (!mailbox_awaited_ || mailbox_was_awaited) {
    kind_ = Kind::other;
  }
}

}  // namespace posthorn::imap

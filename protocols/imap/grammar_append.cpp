#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <utility>

namespace posthorn::imap {

// append-message of RFC 3502.
Result<AppendMessage> parse_append_message(Cursor& in) {
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
  const auto announced = in.take_announcement();
  if (!announced) return malformed("message as a literal expected");
  message.parts.emplace_back(AppendLiteral{announced->octets, AppendLiteral::Form::text});
  return message;
}

// RFC 3501 §6.3.11.
Result<Body> parse_append(Cursor& in) {
  Append append;
  TRY(in.space("mailbox name"));
  append.mailbox = TRY(in.mailbox());
  do {
    if (append.messages.size() == max_append_messages) return too_large("too many messages in one APPEND");
    append.messages.push_back(TRY(parse_append_message(in)));
  } while (!in.only_spaces_left());
  return append;
}

}  // namespace posthorn::imap

#include "protocols/imap/mailbox_name.h"

#include "message/modified_utf7.h"
#include "protocols/imap/cursor.h"

#include <algorithm>

namespace posthorn::imap {

using message::append_character;
using message::take_character;

Result<std::string> decode_mailbox_name(std::string_view wire) {
  auto name = message::decode_modified_utf7(wire);
  if (!name) return failure(Errc::not_allowed, "mailbox name is neither modified UTF-7 nor UTF-8");
  return *std::move(name);
}

std::string encode_mailbox_name(std::string_view name) { return message::encode_modified_utf7(name); }

Result<> check_utf8_mailbox_name(std::string_view name) {
  while (!name.empty()) {
    const auto c = take_character(name);
    if (!c) return failure(Errc::not_allowed, "mailbox name is not UTF-8");
    const bool is_control = *c < 0x20 || (*c >= 0x7f && *c <= 0x9f);
    const bool is_separator = *c == 0x2028 || *c == 0x2029;
    if (is_control || is_separator) {
      return failure(Errc::not_allowed, "mailbox name holds a control character");
    }
  }
  return {};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (!take_character(text)) return false;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) append_character(valid, take_character(text).value_or(U'\ufffd'));
  return valid;
}

std::string canonical_mailbox_name(std::string name) {
  constexpr std::string_view inbox = "INBOX";
  const std::size_t level = std::min(name.find('/'), name.size());
  if (equal_ignoring_case(std::string_view(name).substr(0, level), inbox))
    name.replace(0, inbox.size(), inbox);
  return name;
}

}  // namespace posthorn::imap

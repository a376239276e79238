#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace posthorn::imap {

namespace {

// The attributes of RFC 6154 §2 in its spelling; another is kept as sent, for the session to refuse by
// NO [USEATTR] (§3).
std::string special_use_named(std::string_view name) {
  static constexpr std::array<std::string_view, 7> known = {"All",  "Archive", "Drafts", "Flagged",
                                                            "Junk", "Sent",    "Trash"};
  const auto* found = std::ranges::find_if(known, [&](auto k) { return equal_ignoring_case(k, name); });
  return "\\" + std::string(found == known.end() ? name : *found);
}

// "(USE (\Drafts))", RFC 6154 §6.
Result<std::vector<std::string>> parse_create_parameters(Cursor& in) {
  std::vector<std::string> special_use;
  const auto attribute = [&]() -> Result<> {
    if (!in.take('\\')) return malformed("special-use attribute expected");
    std::string name = special_use_named(TRY(in.atom("special-use attribute")));
    if (std::ranges::find(special_use, name) != special_use.end()) return {};
    if (special_use.size() == max_special_uses) return too_large("too many special-use attributes");
    special_use.push_back(std::move(name));
    return {};
  };
  TRY(parenthesised(in, "CREATE parameter", [&]() -> Result<> {
    if (!equal_ignoring_case(in.take_atom(), "USE")) return malformed("unknown CREATE parameter");
    TRY(in.space("special-use attributes"));
    return parenthesised(in, "special-use attribute", attribute);
  }));
  return special_use;
}

}  // namespace

// RFC 3501 §6.3.3.
Result<Body> parse_create(Cursor& in) {
  TRY(in.space("mailbox name"));
  Create create{TRY(in.mailbox()), {}};
  if (create.mailbox.size() > 1 && create.mailbox.ends_with('/')) create.mailbox.pop_back();
  if (in.take_spaces() && !in.at_end()) create.special_use = TRY(parse_create_parameters(in));
  return create;
}

// RFC 3501 §6.3.5.
Result<Body> parse_rename(Cursor& in) {
  Rename rename;
  TRY(in.space("mailbox name"));
  rename.from = TRY(in.mailbox());
  TRY(in.space("new mailbox name"));
  rename.to = TRY(in.mailbox());
  return rename;
}

}  // namespace posthorn::imap

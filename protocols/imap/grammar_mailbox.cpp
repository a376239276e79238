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

Result<StatusItem> parse_status_item(Cursor& in) {
  static constexpr std::pair<std::string_view, StatusItem> items[] = {
      {"MESSAGES", StatusItem::messages}, {"RECENT", StatusItem::recent},
      {"UIDNEXT", StatusItem::uid_next},  {"UIDVALIDITY", StatusItem::uid_validity},
      {"UNSEEN", StatusItem::unseen},
  };
  const std::string_view name = in.take_atom();
  const auto* item = std::ranges::find_if(items, [&](auto& i) { return equal_ignoring_case(i.first, name); });
  if (item == std::end(items)) return malformed("unknown STATUS item");
  return item->second;
}

// The reference and pattern of LIST and LSUB.
Result<> parse_listing(Cursor& in, std::string& reference, std::string& pattern) {
  reference = TRY(in.mailbox());
  TRY(in.space("mailbox pattern"));
  pattern = TRY(in.pattern());
  return {};
}

// "(SPECIAL-USE)" or "()", the options of a LIST to select or to return by. Gives whether it was there.
Result<bool> parse_special_use_option(Cursor& in) {
  bool is_there = false;
  TRY(parenthesised(in, "LIST option", [&]() -> Result<> {
    if (!equal_ignoring_case(in.take_atom(), "SPECIAL-USE")) return malformed("unknown LIST option");
    is_there = true;
    return {};
  }));
  return is_there;
}

}  // namespace

// RFC 3501 §6.3.1, §6.3.2.
Result<Body> parse_select(Cursor& in, Select::Access access) {
  TRY(in.space("mailbox name"));
  Select select{TRY(in.mailbox()), access};
  if (in.take_spaces() && in.peek() == '(') return malformed("unknown SELECT parameter");
  return select;
}

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

// RFC 3501 §6.3.8, with the options of RFC 6154 §2 in the syntax of RFC 5258 §6.
Result<Body> parse_list(Cursor& in) {
  List list;
  TRY(in.space("reference name"));
  if (in.peek() == '(') {
    list.syntax = List::Syntax::extended;
    list.selection.special_use = TRY(parse_special_use_option(in));
    TRY(in.space("reference name"));
  }
  TRY(parse_listing(in, list.reference, list.patterns.emplace_back()));
  if (in.take_spaces() && !in.at_end()) {
    list.syntax = List::Syntax::extended;
    if (!equal_ignoring_case(in.take_atom(), "RETURN")) return malformed("RETURN expected");
    TRY(in.space("LIST options"));
    list.returned.special_use = TRY(parse_special_use_option(in));
  }
  return list;
}

Result<Body> parse_lsub(Cursor& in) {
  Lsub lsub;
  TRY(in.space("reference name"));
  TRY(parse_listing(in, lsub.reference, lsub.pattern));
  return lsub;
}

// RFC 3501 §6.3.10.
Result<Body> parse_status(Cursor& in) {
  TRY(in.space("mailbox name"));
  Status status{TRY(in.mailbox()), {}};
  TRY(in.space("STATUS items"));
  TRY(parenthesised(in, "STATUS item", [&]() -> Result<> {
    const StatusItem item = TRY(parse_status_item(in));
    const bool is_new = std::ranges::find(status.items, item) == status.items.end();
    if (is_new) status.items.push_back(item);
    return {};
  }));
  if (status.items.empty()) return malformed("no STATUS item");
  return status;
}

}  // namespace posthorn::imap

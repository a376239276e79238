#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

// LIST and its kin, and STATUS, whose items LIST can return.
namespace posthorn::imap {

namespace {

Result<StatusItem> parse_status_item(Cursor& in) {
  static constexpr std::pair<std::string_view, StatusItem> items[] = {
      {"MESSAGES", StatusItem::messages},
      {"RECENT", StatusItem::recent},
      {"UIDNEXT", StatusItem::uid_next},
      {"UIDVALIDITY", StatusItem::uid_validity},
      {"UNSEEN", StatusItem::unseen},
      {"DELETED", StatusItem::deleted},
      {"SIZE", StatusItem::size},
      {"HIGHESTMODSEQ", StatusItem::highest_mod_sequence},
      {"MAILBOXID", StatusItem::mailbox_id},
      {"APPENDLIMIT", StatusItem::append_limit},
  };
  const std::string_view name = in.take_atom();
  const auto* item = std::ranges::find_if(items, [&](auto& i) { return equal_ignoring_case(i.first, name); });
  if (item == std::end(items)) return malformed("unknown STATUS item");
  // RFC 9051 appendix E, 12.
  if (item->second == StatusItem::recent && in.dialect().rev2) return malformed("IMAP4rev2 has no RECENT");
  return item->second;
}

// status-att in parentheses, each kept once.
Result<std::vector<StatusItem>> parse_status_items(Cursor& in) {
  std::vector<StatusItem> items;
  TRY(parenthesised(in, "STATUS item", [&]() -> Result<> {
    const StatusItem item = TRY(parse_status_item(in));
    const bool is_new = std::ranges::find(items, item) == items.end();
    if (is_new) items.push_back(item);
    return {};
  }));
  if (items.empty()) return malformed("no STATUS item");
  return items;
}

Result<std::string> or_unmatchable(Result<std::string> name) {
  if (name || name.error().code != Errc::not_allowed) return name;
  return std::string(unmatchable);
}

// The reference and pattern of LSUB and XLIST.
template <class Listing>
Result<Body> parse_listing(Cursor& in) {
  Listing listing;
  TRY(in.space("reference name"));
  listing.reference = TRY(or_unmatchable(in.mailbox()));
  TRY(in.space("mailbox pattern"));
  listing.pattern = TRY(or_unmatchable(in.pattern()));
  return listing;
}

// Sets the member that has the option's name. False where none has.
template <class Options>
bool set_option(Options& options, std::string_view name,
                std::span<const std::pair<std::string_view, bool Options::*>> known) {
  const auto found =
      std::ranges::find_if(known, [&](auto& option) { return equal_ignoring_case(option.first, name); });
  if (found == known.end()) return false;
  options.*(found->second) = true;
  return true;
}

// list-select-opts of RFC 5258 §6, RFC 6154 §6. Naming an option twice is naming it once (§3).
Result<List::Selection> parse_selection(Cursor& in) {
  using Selection = List::Selection;
  static constexpr std::pair<std::string_view, bool Selection::*> known[] = {
      {"SUBSCRIBED", &Selection::subscribed},
      {"REMOTE", &Selection::remote},
      {"RECURSIVEMATCH", &Selection::recursive_match},
      {"SPECIAL-USE", &Selection::special_use},
  };
  Selection selection;
  TRY(parenthesised(in, "LIST selection option", [&]() -> Result<> {
    if (!set_option<Selection>(selection, in.take_atom(), known)) {
      return malformed("unknown LIST selection option");
    }
    return {};
  }));
  // SUBSCRIBED is the one list-select-base-opt; SPECIAL-USE stands beside REMOTE.
  if (selection.recursive_match && !selection.subscribed) return malformed("RECURSIVEMATCH needs SUBSCRIBED");
  return selection;
}

// list-return-opts of RFC 5258 §6, RFC 5819 §4, RFC 6154 §6, RFC 8440 §5, behind
// RETURN.
Result<List::Return> parse_list_return(Cursor& in) {
  using Return = List::Return;
  static constexpr std::pair<std::string_view, bool Return::*> known[] = {
      {"SUBSCRIBED", &Return::subscribed},
      {"CHILDREN", &Return::children},
      {"SPECIAL-USE", &Return::special_use},
      {"MYRIGHTS", &Return::my_rights},
  };
  Return returned;
  TRY(parenthesised(in, "LIST return option", [&]() -> Result<> {
    const std::string_view name = in.take_atom();
    if (set_option<Return>(returned, name, known)) return {};
    if (!equal_ignoring_case(name, "STATUS")) return malformed("unknown LIST return option");
    TRY(in.space("STATUS items"));
    returned.status = TRY(parse_status_items(in));
    return {};
  }));
  return returned;
}

// "(INBOX Drafts Sent/%)", patterns of RFC 5258 §6.
Result<std::vector<std::string>> parse_patterns(Cursor& in) {
  std::vector<std::string> patterns;
  TRY(parenthesised(in, "mailbox pattern", [&]() -> Result<> {
    if (patterns.size() == max_list_patterns) return too_large("too many mailbox patterns");
    patterns.push_back(TRY(or_unmatchable(in.pattern())));
    return {};
  }));
  if (patterns.empty()) return malformed("no mailbox pattern");
  return patterns;
}

}  // namespace

// RFC 3501 §6.3.8, RFC 5258 §3.
Result<Body> parse_list(Cursor& in) {
  List list;
  TRY(in.space("reference name"));
  if (in.peek() == '(') {
    list.syntax = List::Syntax::extended;
    list.selection = TRY(parse_selection(in));
    TRY(in.space("reference name"));
  }
  list.reference = TRY(or_unmatchable(in.mailbox()));
  TRY(in.space("mailbox pattern"));
  if (in.peek() == '(') {
    list.syntax = List::Syntax::extended;
    list.patterns = TRY(parse_patterns(in));
  } else {
    list.patterns.push_back(TRY(or_unmatchable(in.pattern())));
  }
  if (in.take_spaces() && !in.at_end()) {
    if (!equal_ignoring_case(in.take_atom(), "RETURN")) return malformed("RETURN expected");
    list.syntax = List::Syntax::extended;
    TRY(in.space("LIST return options"));
    list.returned = TRY(parse_list_return(in));
  }
  return list;
}

// RFC 3501 §6.3.9.
Result<Body> parse_lsub(Cursor& in) { return parse_listing<Lsub>(in); }

Result<Body> parse_xlist(Cursor& in) { return parse_listing<Xlist>(in); }

// RFC 3501 §6.3.10.
Result<Body> parse_status(Cursor& in) {
  TRY(in.space("mailbox name"));
  Status status{TRY(in.mailbox()), {}};
  TRY(in.space("STATUS items"));
  status.items = TRY(parse_status_items(in));
  return status;
}

}  // namespace posthorn::imap

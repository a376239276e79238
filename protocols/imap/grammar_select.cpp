#include "protocols/imap/grammar_parts.h"

#include <utility>

// SELECT and EXAMINE: RFC 3501 §6.3.1, §6.3.2; their parameters RFC 7162 §7.
namespace posthorn::imap {

namespace {

// How many numbers ranges stand for that ascend; nothing where they don't, or overlap.
std::optional<std::uint64_t> count_of_ascending(const SequenceSet& set) {
  std::uint64_t count = 0;
  std::uint32_t last = 0;
  for (const SequenceRange range : set.ranges) {
    if (range.first <= last || range.last < range.first) return std::nullopt;
    count += range.last - range.first + std::uint64_t{1};
    last = range.last;
  }
  return count;
}

// seq-match-data, RFC 7162 §3.2.5.2.
Result<QuickResync::Match> parse_match(Cursor& in) {
  QuickResync::Match match;
  if (!in.take('(')) return malformed("'(' expected before message sequence match data");
  in.take_spaces();
  match.numbers = TRY(in.known_set("known sequence numbers"));
  TRY(in.space("known UIDs"));
  match.uids = TRY(in.known_set("known UIDs"));
  in.take_spaces();
  if (!in.take(')')) return malformed("')' expected after known UIDs");
  const auto numbers = count_of_ascending(match.numbers);
  const auto uids = count_of_ascending(match.uids);
  if (!numbers || !uids) return malformed("message sequence match data must ascend");
  if (*numbers != *uids) return malformed("as many sequence numbers as UIDs expected");
  return match;
}

// "(67890007 20050715194045000 41,43:211 (1,3 41,43))", RFC 7162 §3.2.5.
Result<QuickResync> parse_resync(Cursor& in) {
  QuickResync known;
  if (!in.take('(')) return malformed("'(' expected before UIDVALIDITY");
  in.take_spaces();
  known.uid_validity = TRY(in.nz_number());
  TRY(in.space("mod-sequence"));
  known.mod_sequence = TRY(in.mod_sequence());
  bool has_space = in.take_spaces();
  if (has_space && in.peek() != '(' && in.peek() != ')') {
    known.known_uids = TRY(in.known_set("known UIDs"));
    has_space = in.take_spaces();
  }
  if (has_space && in.peek() == '(') {
    known.match = TRY(parse_match(in));
    in.take_spaces();
  }
  if (!in.take(')')) return malformed("')' expected after QRESYNC");
  return known;
}

Result<> parse_parameter(Cursor& in, Select& select) {
  const std::string_view name = in.take_atom();
  if (equal_ignoring_case(name, "CONDSTORE")) {
    select.condstore = true;
    return {};
  }
  if (!equal_ignoring_case(name, "QRESYNC")) return malformed("unknown SELECT parameter");
  if (select.resync) return malformed("QRESYNC stands there twice");
  TRY(in.space("arguments of QRESYNC"));
  select.resync = TRY(parse_resync(in));
  return {};
}

}  // namespace

Result<Body> parse_select(Cursor& in, Select::Access access) {
  TRY(in.space("mailbox name"));
  Select select{TRY(in.mailbox()), access};
  if (!in.take_spaces() || in.at_end()) return select;
  TRY(parenthesised(in, "SELECT parameter", [&] { return parse_parameter(in, select); }));
  if (!select.condstore && !select.resync) return malformed("no SELECT parameter");
  return select;
}

}  // namespace posthorn::imap

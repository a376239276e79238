#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace posthorn::imap {

namespace {

// search-key of RFC 3501 §9, recursively: depth and number of keys are bounded.
class SearchParser {
 public:
  explicit SearchParser(Cursor& in) : in_(in) {}

  // One key and those behind it, all of which have to match.
  Result<SearchKey> keys(std::size_t depth, char closing) {
    std::vector<SearchKey> all;
    do {
      all.push_back(TRY(key(depth)));
    } while (in_.take_spaces() && !in_.at_end() && in_.peek() != closing);
    if (all.size() == 1) return std::move(all.front());
    return SearchKey{SearchAnd{std::move(all)}};
  }

 private:
  Result<SearchKey> key(std::size_t depth) {
    if (depth > max_search_depth) return too_large("search keys are nested too deep");
    if (++count_ > max_search_keys) return too_large("too many search keys");
    if (in_.take('(')) {
      in_.take_spaces();
      SearchKey inner = TRY(keys(depth + 1, ')'));
      if (!in_.take(')')) return malformed("')' expected after search keys");
      return inner;
    }
    if (in_.peek() == '*' || in_.peek() == '$' || (in_.peek() >= '0' && in_.peek() <= '9')) {
      return SearchKey{SearchNumbers{Numbering::sequence, TRY(in_.sequence_set())}};
    }
    return named(to_upper(in_.take_word()), depth);
  }

  Result<SearchKey> named(const std::string& name, std::size_t depth) {
    if (name == "NOT") return negated(depth);
    if (name == "OR") return alternatives(depth);
    // RFC 9051 appendix E, 12.
    const bool is_about_recent = name == "NEW" || name == "OLD" || name == "RECENT";
    if (is_about_recent && in_.dialect().rev2) return malformed("IMAP4rev2 has no RECENT");
    for (const auto& plain : plain_keys) {
      if (plain.name == name) return plain.key();
    }
    for (const auto& [text_name, where] : text_keys) {
      if (text_name == name) return SearchKey{SearchText{where, TRY(argument())}};
    }
    for (const auto& [date_name, of, relation] : date_keys) {
      if (date_name == name) return on_day(of, relation);
    }
    if (name == "HEADER") {
      std::string field = TRY(argument());
      return SearchKey{SearchHeader{std::move(field), TRY(argument())}};
    }
    if (name == "KEYWORD" || name == "UNKEYWORD") {
      TRY(in_.space("keyword"));
      return SearchKey{SearchKeyword{TRY(in_.atom("keyword")), name == "KEYWORD"}};
    }
    if (name == "LARGER") return sized(SearchSize::Relation::larger);
    if (name == "SMALLER") return sized(SearchSize::Relation::smaller);
    if (name == "UID") {
      TRY(in_.space("UIDs"));
      return SearchKey{SearchNumbers{Numbering::uid, TRY(in_.sequence_set())}};
    }
    if (name == "UIDBEFORE") return bounded(SearchUidBound::Side::before);
    if (name == "UIDAFTER") return bounded(SearchUidBound::Side::after);
    if (name == "OLDER") return within(SearchWithin::Side::older);
    if (name == "YOUNGER") return within(SearchWithin::Side::younger);
    if (name == "MODSEQ") return mod_sequence();
    if (name == "EMAILID") return object_id(SearchObjectId::Of::email);
    if (name == "THREADID") return object_id(SearchObjectId::Of::thread);
    return malformed("unknown search key");
  }

  Result<SearchKey> negated(std::size_t depth) {
    TRY(in_.space("search key"));
    SearchNot result;
    result.keys.push_back(TRY(key(depth + 1)));
    return SearchKey{std::move(result)};
  }

  // OR a OR b OR c d, as clients write it who look for one of many senders: a chain that hangs on its second
  // arguments is one list of alternatives and no deeper than its first.
  Result<SearchKey> alternatives(std::size_t depth) {
    SearchOr result;
    SearchKey last;
    do {
      TRY(in_.space("search key"));
      result.keys.push_back(TRY(key(depth + 1)));
      TRY(in_.space("search key"));
    } while (take_or());
    last = TRY(key(depth + 1));
    if (auto* tail = std::get_if<SearchOr>(&last.key)) {
      std::ranges::move(tail->keys, std::back_inserter(result.keys));
    } else {
      result.keys.push_back(std::move(last));
    }
    return SearchKey{std::move(result)};
  }

  bool take_or() {
    Cursor ahead = in_;
    if (!equal_ignoring_case(ahead.take_word(), "OR")) return false;
    in_ = ahead;
    return true;
  }

  Result<SearchKey> on_day(SearchDate::Of of, SearchDate::Relation relation) {
    TRY(in_.space("date"));
    return SearchKey{SearchDate{of, relation, TRY(in_.date())}};
  }

  Result<SearchKey> sized(SearchSize::Relation relation) {
    TRY(in_.space("size"));
    return SearchKey{SearchSize{relation, TRY(in_.number())}};
  }

  Result<SearchKey> bounded(SearchUidBound::Side side) {
    TRY(in_.space("UID"));
    return SearchKey{SearchUidBound{side, TRY(in_.nz_number())}};
  }

  // RFC 5032 §3.
  Result<SearchKey> within(SearchWithin::Side side) {
    TRY(in_.space("interval"));
    return SearchKey{SearchWithin{side, TRY(in_.nz_number())}};
  }

  // search-modsequence of RFC 7162 §7.
  Result<SearchKey> mod_sequence() {
    TRY(in_.space("mod-sequence"));
    SearchModSequence key;
    if (in_.peek() == '"') {
      key.entry = TRY(entry());
      TRY(in_.space("mod-sequence"));
    }
    key.least = TRY(in_.number());
    return SearchKey{std::move(key)};
  }

  // "/flags/\\seen" all
  Result<SearchModSequence::Entry> entry() {
    using enum SearchModSequence::Entry::Of;
    SearchModSequence::Entry entry{TRY(in_.string("metadata entry"))};
    if (!names_flag(entry.name)) return malformed("unknown metadata entry");
    TRY(in_.space("type of metadata entry"));
    const std::string type = to_upper(in_.take_word());
    if (type != "PRIV" && type != "SHARED" && type != "ALL")
      return malformed("unknown type of metadata entry");
    entry.of = type == "PRIV" ? own : type == "SHARED" ? shared : all;
    return entry;
  }

  // entry-flag-name of RFC 7162 §7, without its quotes.
  static bool names_flag(std::string_view entry) {
    constexpr std::string_view prefix = "/flags/";
    if (!equal_ignoring_case(entry.substr(0, prefix.size()), prefix)) return false;
    Cursor flag(entry.substr(prefix.size()));
    const bool is_system = flag.take('\\');
    const std::string_view name = flag.take_atom();
    return !name.empty() && flag.at_end() && !(is_system && equal_ignoring_case(name, "Recent"));
  }

  // objectid of RFC 8474 §7.
  Result<SearchKey> object_id(SearchObjectId::Of of) {
    TRY(in_.space("object identifier"));
    std::string id = TRY(in_.astring("object identifier"));
    const auto is_id_char = [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
             c == '-';
    };
    if (id.empty() || id.size() > 255 || !std::ranges::all_of(id, is_id_char)) {
      return malformed("bad object identifier");
    }
    return SearchKey{SearchObjectId{of, std::move(id)}};
  }

  Result<std::string> argument() {
    TRY(in_.space("text to search for"));
    return in_.astring("text to search for");
  }

  static SearchKey flag(SystemFlag which, bool set) { return SearchKey{SearchFlag{which, set}}; }

  struct PlainKey {
    std::string_view name;
    SearchKey (*key)();
  };
  static constexpr PlainKey plain_keys[] = {
      {"ALL", [] { return SearchKey{SearchAll{}}; }},
      {"ANSWERED", [] { return flag(SystemFlag::answered, true); }},
      {"DELETED", [] { return flag(SystemFlag::deleted, true); }},
      {"DRAFT", [] { return flag(SystemFlag::draft, true); }},
      {"FLAGGED", [] { return flag(SystemFlag::flagged, true); }},
      {"NEW",
       [] { return SearchKey{SearchAnd{{flag(SystemFlag::recent, true), flag(SystemFlag::seen, false)}}}; }},
      {"OLD", [] { return flag(SystemFlag::recent, false); }},
      {"RECENT", [] { return flag(SystemFlag::recent, true); }},
      {"SAVEDATESUPPORTED", [] { return SearchKey{SearchSaveDateSupported{}}; }},
      {"SEEN", [] { return flag(SystemFlag::seen, true); }},
      {"UNANSWERED", [] { return flag(SystemFlag::answered, false); }},
      {"UNDELETED", [] { return flag(SystemFlag::deleted, false); }},
      {"UNDRAFT", [] { return flag(SystemFlag::draft, false); }},
      {"UNFLAGGED", [] { return flag(SystemFlag::flagged, false); }},
      {"UNSEEN", [] { return flag(SystemFlag::seen, false); }},
  };

  static constexpr std::pair<std::string_view, SearchText::In> text_keys[] = {
      {"BCC", SearchText::In::bcc},   {"BODY", SearchText::In::body},       {"CC", SearchText::In::cc},
      {"FROM", SearchText::In::from}, {"SUBJECT", SearchText::In::subject}, {"TEXT", SearchText::In::text},
      {"TO", SearchText::In::to},
  };

  struct DateKey {
    std::string_view name;
    SearchDate::Of of;
    SearchDate::Relation relation;
  };
  static constexpr DateKey date_keys[] = {
      {"BEFORE", SearchDate::Of::internal, SearchDate::Relation::before},
      {"ON", SearchDate::Of::internal, SearchDate::Relation::on},
      {"SINCE", SearchDate::Of::internal, SearchDate::Relation::since},
      {"SENTBEFORE", SearchDate::Of::sent, SearchDate::Relation::before},
      {"SENTON", SearchDate::Of::sent, SearchDate::Relation::on},
      {"SENTSINCE", SearchDate::Of::sent, SearchDate::Relation::since},
      {"SAVEDBEFORE", SearchDate::Of::saved, SearchDate::Relation::before},
      {"SAVEDON", SearchDate::Of::saved, SearchDate::Relation::on},
      {"SAVEDSINCE", SearchDate::Of::saved, SearchDate::Relation::since},
  };

  Cursor& in_;
  std::size_t count_ = 0;
};

Result<> parse_return_option(Cursor& in, SearchReturn& returned) {
  static constexpr std::pair<std::string_view, bool SearchReturn::*> plain[] = {
      {"MIN", &SearchReturn::min},
      {"MAX", &SearchReturn::max},
      {"COUNT", &SearchReturn::count},
      {"SAVE", &SearchReturn::save},
  };
  const std::string_view name = in.take_word();
  const auto* found =
      std::ranges::find_if(plain, [&](auto& p) { return equal_ignoring_case(p.first, name); });
  if (found != std::end(plain)) {
    returned.*found->second = true;
    return {};
  }
  const bool is_all = equal_ignoring_case(name, "ALL");
  if (!is_all && !equal_ignoring_case(name, "PARTIAL")) return malformed("unknown return option");
  if (returned.all || returned.partial) return malformed("only one ALL or PARTIAL may be asked for");
  if (is_all) {
    returned.all = true;
    return {};
  }
  TRY(in.space("partial range"));
  returned.partial = TRY(in.partial_range());
  return {};
}

}  // namespace

bool take_word(Cursor& in, std::string_view word) {
  Cursor ahead = in;
  if (!equal_ignoring_case(ahead.take_word(), word)) return false;
  in = ahead;
  return true;
}

// "(MIN COUNT)"; an empty list asks for ALL.
Result<SearchReturn> parse_search_return(Cursor& in) {
  SearchReturn returned;
  TRY(in.space("return options"));
  TRY(parenthesised(in, "return option", [&] { return parse_return_option(in, returned); }));
  if (returned == SearchReturn()) returned.all = true;
  return returned;
}

Result<SearchKey> parse_search_keys(Cursor& in) {
  TRY(in.space("search key"));
  return SearchParser(in).keys(1, '\0');
}

// RFC 3501 §6.4.4, RFC 4731 §3.1.
Result<Body> parse_search(Cursor& in, Numbering numbering) {
  Search search{.numbering = numbering};
  TRY(in.space("search key"));
  if (take_word(in, "RETURN")) {
    search.returned = TRY(parse_search_return(in));
    TRY(in.space("search key"));
  }
  if (take_word(in, "CHARSET")) {
    // RFC 6855 §3.
    if (in.dialect().utf8_accept) return malformed("no CHARSET where UTF8=ACCEPT is enabled");
    TRY(in.space("charset"));
    search.charset = to_upper(TRY(in.astring("charset")));
    TRY(in.space("search key"));
  }
  search.key = TRY(SearchParser(in).keys(1, '\0'));
  return search;
}

}  // namespace posthorn::imap

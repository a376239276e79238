#include "protocols/imap/grammar.h"
#include "protocols/imap/grammar_parts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace posthorn::imap {

namespace {

using enum FetchAttribute;

// "(From To)".
Result<std::vector<std::string>> parse_header_list(Cursor& in) {
  std::vector<std::string> fields;
  TRY(in.space("header field names"));
  TRY(parenthesised(in, "header field name", [&]() -> Result<> {
    if (fields.size() == max_header_fields) return too_large("too many header field names");
    fields.push_back(TRY(in.astring("header field name")));
    return {};
  }));
  if (fields.empty()) return malformed("no header field name");
  return fields;
}

// section-part, up to the text or the closing bracket: "4.2." or "4.2".
Result<std::vector<std::uint32_t>> parse_part(Cursor& in) {
  std::vector<std::uint32_t> part;
  while (in.peek() >= '0' && in.peek() <= '9') {
    if (part.size() == max_section_depth) return too_large("section too deep");
    part.push_back(TRY(in.nz_number()));
    if (in.peek() == ']') break;
    if (!in.take('.') || in.peek() == ']') return malformed("bad section");
  }
  return part;
}

}  // namespace

Result<Section> parse_section(Cursor& in) {
  using enum Section::Text;
  static constexpr std::pair<std::string_view, Section::Text> texts[] = {
      {"HEADER", header},
      {"HEADER.FIELDS", header_fields},
      {"HEADER.FIELDS.NOT", header_fields_not},
      {"TEXT", text},
      {"MIME", mime},
  };
  Section section{.part = TRY(parse_part(in))};
  if (in.peek() != ']') {
    const std::string_view word = in.take_word();
    const auto* found =
        std::ranges::find_if(texts, [&](auto& t) { return equal_ignoring_case(t.first, word); });
    if (found == std::end(texts)) return malformed("unknown section");
    section.text = found->second;
    if (section.text == mime && section.part.empty()) return malformed("MIME needs a part");
    if (section.text == header_fields || section.text == header_fields_not) {
      section.fields = TRY(parse_header_list(in));
    }
  }
  if (!in.take(']')) return malformed("']' expected after section");
  return section;
}

namespace {

// section-binary of RFC 3516 §7, behind its "[".
Result<std::vector<std::uint32_t>> parse_binary_section(Cursor& in) {
  std::vector<std::uint32_t> part = TRY(parse_part(in));
  if (!in.take(']')) return malformed("part numbers and ']' expected");
  return part;
}

// "<0.2048>", if it stands there.
Result<std::optional<Partial>> parse_partial(Cursor& in) {
  if (!in.take('<')) return std::nullopt;
  Partial partial;
  partial.first = TRY(in.number());
  if (!in.take('.')) return malformed("'.' expected in a partial");
  partial.count = TRY(in.number());
  if (partial.count == 0) return malformed("count of a partial may not be 0");
  if (!in.take('>')) return malformed("'>' expected after a partial");
  return partial;
}

// " (LAZY)" behind PREVIEW, RFC 8970 §6. A list of anything else may be the modifiers of the FETCH.
bool take_lazy(Cursor& in) {
  Cursor ahead = in;
  if (!ahead.take_spaces() || !ahead.take('(')) return false;
  ahead.take_spaces();
  while (equal_ignoring_case(ahead.take_word(), "LAZY")) {
    ahead.take_spaces();
    if (!ahead.take(')')) continue;
    in = ahead;
    return true;
  }
  return false;
}

// BODY[...], BINARY[...] and their kin, whose name and "[" have been taken.
Result<FetchItem> parse_item_of_section(Cursor& in, std::string_view name) {
  using enum FetchBody::Seen;
  if (name == "BODY" || name == "BODY.PEEK") {
    FetchBody item{.seen = name == "BODY" ? set : peek};
    item.section = TRY(parse_section(in));
    item.partial = TRY(parse_partial(in));
    return item;
  }
  if (name == "BINARY" || name == "BINARY.PEEK") {
    FetchBinary item{.seen = name == "BINARY" ? set : peek};
    item.part = TRY(parse_binary_section(in));
    item.partial = TRY(parse_partial(in));
    return item;
  }
  if (name == "BINARY.SIZE") return FetchBinarySize{TRY(parse_binary_section(in))};
  return malformed("unknown FETCH item");
}

// fetch-att of RFC 3501 §9, whose name has been taken.
Result<FetchItem> parse_item(Cursor& in, std::string_view name) {
  static constexpr std::pair<std::string_view, FetchAttribute> attributes[] = {
      {"BODY", body},
      {"BODYSTRUCTURE", body_structure},
      {"ENVELOPE", envelope},
      {"FLAGS", flags},
      {"INTERNALDATE", internal_date},
      {"RFC822", rfc822},
      {"RFC822.HEADER", rfc822_header},
      {"RFC822.SIZE", rfc822_size},
      {"RFC822.TEXT", rfc822_text},
      {"UID", uid},
      {"MODSEQ", mod_sequence},
      {"EMAILID", email_id},
      {"THREADID", thread_id},
      {"SAVEDATE", save_date},
      {"PREVIEW", preview},
  };
  if (in.take('[')) return parse_item_of_section(in, to_upper(name));
  const auto* found =
      std::ranges::find_if(attributes, [&](auto& a) { return equal_ignoring_case(a.first, name); });
  if (found == std::end(attributes)) return malformed("unknown FETCH item");
  if (found->second == preview && take_lazy(in)) return preview_lazy;
  return found->second;
}

Result<> parse_item_into(std::vector<FetchItem>& items, Cursor& in, std::string_view name) {
  FetchItem item = TRY(parse_item(in, name));
  if (std::ranges::find(items, item) != items.end()) return {};
  if (items.size() == max_fetch_items) return too_large("too many FETCH items");
  items.push_back(std::move(item));
  return {};
}

// What a macro of §6.4.5 stands for; nothing where it is none.
std::vector<FetchItem> macro_named(std::string_view name) {
  if (equal_ignoring_case(name, "ALL")) return {flags, internal_date, rfc822_size, envelope};
  if (equal_ignoring_case(name, "FAST")) return {flags, internal_date, rfc822_size};
  if (equal_ignoring_case(name, "FULL")) return {flags, internal_date, rfc822_size, envelope, body};
  return {};
}

Result<> parse_modifier(Cursor& in, Fetch& fetch) {
  const std::string name = to_upper(in.take_word());
  if (name == "VANISHED") {
    fetch.vanished = true;
    return {};
  }
  if (name == "CHANGEDSINCE" && !fetch.changed_since) {
    TRY(in.space("mod-sequence"));
    // 0 as well, although RFC 7162 §7 has it not: Thunderbird asks so while it knows of no MODSEQ yet.
    fetch.changed_since = TRY(in.number());
    return {};
  }
  if (name == "PARTIAL" && !fetch.partial) {
    TRY(in.space("partial range"));
    fetch.partial = TRY(in.partial_range());
    return {};
  }
  const bool is_known = name == "CHANGEDSINCE" || name == "PARTIAL";
  return malformed(is_known ? "FETCH modifier stands there twice" : "unknown FETCH modifier");
}

// fetch-modifiers of RFC 4466 §2.4: CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4.1, §3.2.6), PARTIAL (RFC 9394
// §3.3).
Result<> parse_modifiers(Cursor& in, Fetch& fetch) {
  TRY(parenthesised(in, "FETCH modifier", [&] { return parse_modifier(in, fetch); }));
  if (!fetch.vanished && !fetch.changed_since && !fetch.partial) return malformed("no FETCH modifier");
  const bool is_by_uid = fetch.numbering == Numbering::uid;
  if (fetch.vanished && !is_by_uid) return malformed("VANISHED is for UID FETCH");
  if (fetch.vanished && !fetch.changed_since) return malformed("VANISHED needs CHANGEDSINCE");
  if (fetch.partial && !is_by_uid) return malformed("PARTIAL is for UID FETCH");
  return {};
}

}  // namespace

// RFC 3501 §6.4.5.
Result<Body> parse_fetch(Cursor& in, Numbering numbering) {
  Fetch fetch{.numbering = numbering};
  TRY(in.space("message numbers"));
  fetch.messages = TRY(in.sequence_set());
  TRY(in.space("FETCH items"));
  if (in.peek() == '(') {
    TRY(parenthesised(in, "FETCH item", [&] { return parse_item_into(fetch.items, in, in.take_word()); }));
    if (fetch.items.empty()) return malformed("no FETCH item");
  } else {
    const std::string_view name = in.take_word();
    fetch.items = macro_named(name);
    if (fetch.items.empty()) TRY(parse_item_into(fetch.items, in, name));
  }
  if (in.take_spaces() && in.peek() == '(') TRY(parse_modifiers(in, fetch));
  return fetch;
}

}  // namespace posthorn::imap

#include "message/summary_codec.h"

#include <algorithm>

namespace posthorn::message {
namespace {

// Version 4. Numbers are little-endian base 128 in their shortest form. An optional text is 0, or its size
// plus 1 and its octets; a list is its size and its elements. The whole is
//   version, size of the envelope, envelope, size of the structure, structure, common fields, flags, [date],
//   [references], [preview], [edits]
// so that each of the first three can be read without the others.
constexpr char version = 4;
constexpr std::size_t max_depth = 1000;  // as the parser's
constexpr std::size_t least_part = 11;   // octets of the shortest encoded part

// Presence of what most parts lack, in the first octet of a part.
enum PartFlag : unsigned char {
  has_parameters = 1,
  has_id = 2,
  has_description = 4,
  has_disposition = 8,
  has_rare = 16,  // md5, languages, location
  has_children = 32,
  has_envelope = 64,
};
constexpr unsigned char all_part_flags = 127;

enum EnvelopeFlag : unsigned char { sender_is_from = 1, reply_to_is_from = 2 };
enum SummaryFlag : unsigned char { has_date = 1, has_references = 2, has_preview = 4, has_edits = 8 };
enum AddressFlag : unsigned char { has_name = 1, has_route = 2, has_mailbox = 4, has_host = 8 };

std::uint64_t zigzag(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

class Writer {
 public:
  void octet(unsigned char value) { out_ += static_cast<char>(value); }

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) octet(static_cast<unsigned char>(value | 0x80));
    octet(static_cast<unsigned char>(value));
  }

  void text(std::string_view text) {
    number(text.size());
    out_ += text;
  }

  void text(const std::optional<std::string>& text) {
    number(text ? text->size() + 1 : 0);
    if (text) out_ += *text;
  }

  void addresses(const std::vector<Address>& list) {
    number(list.size());
    for (const auto& a : list) {
      octet(static_cast<unsigned char>((a.name ? has_name : 0) | (a.route ? has_route : 0) |
                                       (a.mailbox ? has_mailbox : 0) | (a.host ? has_host : 0)));
      for (const auto* part : {&a.name, &a.route, &a.mailbox, &a.host}) {
        if (*part) text(std::string_view(**part));
      }
    }
  }

  void parameters(const std::vector<Parameter>& list) {
    number(list.size());
    for (const auto& parameter : list) {
      text(std::string_view(parameter.name));
      text(std::string_view(parameter.value));
    }
  }

  void envelope(const Envelope& e) {
    const bool same_sender = e.sender == e.from;
    const bool same_reply_to = e.reply_to == e.from;
    octet(static_cast<unsigned char>((same_sender ? sender_is_from : 0) |
                                     (same_reply_to ? reply_to_is_from : 0)));
    text(e.date);
    text(e.subject);
    addresses(e.from);
    if (!same_sender) addresses(e.sender);
    if (!same_reply_to) addresses(e.reply_to);
    addresses(e.to);
    addresses(e.cc);
    addresses(e.bcc);
    text(e.in_reply_to);
    text(e.message_id);
  }

  void part(const BodyPart& p) {
    const bool rare = p.md5 || !p.languages.empty() || p.location;
    octet(static_cast<unsigned char>(
        (p.parameters.empty() ? 0 : has_parameters) | (p.id ? has_id : 0) |
        (p.description ? has_description : 0) | (p.disposition ? has_disposition : 0) |
        (rare ? has_rare : 0) | (p.children.empty() ? 0 : has_children) | (p.envelope ? has_envelope : 0)));
    text(std::string_view(p.type));
    text(std::string_view(p.subtype));
    text(p.encoding);
    for (const auto value : {p.header_offset, p.header_size, p.body_size, p.header_lines, p.body_lines})
      number(value);
    if (!p.parameters.empty()) parameters(p.parameters);
    if (p.id) text(std::string_view(*p.id));
    if (p.description) text(std::string_view(*p.description));
    if (p.disposition) {
      text(std::string_view(p.disposition->type));
      parameters(p.disposition->parameters);
    }
    if (rare) {
      text(p.md5);
      text(p.location);
      number(p.languages.size());
      for (const auto& language : p.languages) text(std::string_view(language));
    }
    if (p.envelope) envelope(*p.envelope);
    if (p.children.empty()) return;
    number(p.children.size());
    for (const auto& child : p.children) part(child);
  }

  // Each place is told as the distance from the end of the edit before it.
  void edits(const std::vector<BinaryEdit>& list) {
    number(list.size());
    std::uint64_t at = 0;
    for (const auto& edit : list) {
      number(edit.offset - at);
      number(edit.size);
      text(edit.text);
      at = edit.offset + edit.size;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what Writer wrote. The first thing that cannot be makes all further ones empty, and ok() false.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }
  void fail() {
    ok_ = false;
    in_ = {};
  }

  unsigned char octet() {
    if (in_.empty()) {
      fail();
      return 0;
    }
    const auto value = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    return value;
  }

  unsigned char flags(unsigned char known) {
    const unsigned char value = octet();
    if (value & ~known) fail();
    return ok_ ? value : 0;
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned char next = octet();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next >= 0x80) continue;
      const bool longer_than_needed = next == 0 && shift > 0;
      if (longer_than_needed || (shift == 63 && next > 1)) fail();
      return ok_ ? value : 0;
    }
    fail();
    return 0;
  }

  std::string_view view() { return view(number()); }

  std::string_view view(std::uint64_t size) {
    if (size > in_.size()) {
      fail();
      return {};
    }
    const auto text = in_.substr(0, size);
    in_.remove_prefix(size);
    return text;
  }

  std::string text() { return std::string(view()); }

  std::optional<std::string_view> optional_view() {
    const auto size = number();
    if (size == 0) return std::nullopt;
    return view(size - 1);
  }

  std::optional<std::string> optional_text() {
    const auto text = optional_view();
    if (!text) return std::nullopt;
    return std::string(*text);
  }

  // The size of a list whose elements take `least` octets each or more.
  std::size_t list_size(std::size_t least) {
    const auto size = number();
    if (size > in_.size() / least) fail();
    return ok_ ? size : 0;
  }

  // Makes room for a list, but not for more than can be real before its elements are seen. Gives `size`.
  template <class T>
  static std::size_t reserve(std::vector<T>& list, std::size_t size) {
    list.reserve(std::min<std::size_t>(size, 64));
    return size;
  }

  std::vector<Address> addresses() {
    std::vector<Address> list;
    for (auto left = reserve(list, list_size(1)); left > 0; --left) {
      auto& a = list.emplace_back();
      const auto present = flags(has_name | has_route | has_mailbox | has_host);
      if (present & has_name) a.name = text();
      if (present & has_route) a.route = text();
      if (present & has_mailbox) a.mailbox = text();
      if (present & has_host) a.host = text();
      if (!ok_) return {};
    }
    return list;
  }

  std::vector<Parameter> parameters() {
    std::vector<Parameter> list;
    for (auto left = reserve(list, list_size(2)); left > 0; --left) {
      auto& parameter = list.emplace_back();
      parameter.name = text();
      parameter.value = text();
      if (!ok_) return {};
    }
    return list;
  }

  Envelope envelope() {
    Envelope e;
    const auto same = flags(sender_is_from | reply_to_is_from);
    e.date = optional_text();
    e.subject = optional_text();
    e.from = addresses();
    e.sender = same & sender_is_from ? e.from : addresses();
    e.reply_to = same & reply_to_is_from ? e.from : addresses();
    if (!(same & sender_is_from) && e.sender == e.from) fail();
    if (!(same & reply_to_is_from) && e.reply_to == e.from) fail();
    e.to = addresses();
    e.cc = addresses();
    e.bcc = addresses();
    e.in_reply_to = optional_text();
    e.message_id = optional_text();
    return e;
  }

  std::vector<BinaryEdit> edits() {
    std::vector<BinaryEdit> list;
    std::uint64_t at = 0;
    for (auto left = reserve(list, list_size(3)); left > 0 && ok_; --left) {
      auto& edit = list.emplace_back();
      const auto distance = number();
      edit.size = number();
      edit.text = optional_text();
      if (__builtin_add_overflow(at, distance, &edit.offset)) fail();
      if (__builtin_add_overflow(edit.offset, edit.size, &at)) fail();
    }
    if (list.empty()) fail();
    return list;
  }

  void part(BodyPart& p, std::size_t depth) {
    if (depth > max_depth) fail();
    const auto present = flags(all_part_flags);
    p.type = text();
    p.subtype = text();
    p.encoding = optional_text();
    p.header_offset = number();
    p.header_size = number();
    p.body_size = number();
    p.header_lines = number();
    p.body_lines = number();
    if (present & has_parameters) p.parameters = parameters();
    if (present & has_id) p.id = text();
    if (present & has_description) p.description = text();
    if (present & has_disposition) {
      p.disposition.emplace();
      p.disposition->type = text();
      p.disposition->parameters = parameters();
    }
    if (present & has_rare) rare(p);
    if (present & has_envelope) p.envelope = envelope();
    if (present & has_children) {
      for (auto left = reserve(p.children, list_size(least_part)); left > 0 && ok_; --left) {
        part(p.children.emplace_back(), depth + 1);
      }
    }
    if (ok_ && !is_sound(p, present)) fail();
  }

 private:
  void rare(BodyPart& p) {
    p.md5 = optional_text();
    p.location = optional_text();
    for (auto left = reserve(p.languages, list_size(1)); left > 0 && ok_; --left)
      p.languages.push_back(text());
    if (!p.md5 && !p.location && p.languages.empty()) fail();
  }

  // Whether the part keeps what BodyPart promises, and its offsets fit together. Sets body_offset.
  static bool is_sound(BodyPart& p, unsigned char present) {
    if (__builtin_add_overflow(p.header_offset, p.header_size, &p.body_offset)) return false;
    std::uint64_t end = 0;
    if (__builtin_add_overflow(p.body_offset, p.body_size, &end)) return false;
    if (p.type.empty() || p.subtype.empty()) return false;
    if ((present & has_parameters) && p.parameters.empty()) return false;
    if (p.disposition && p.disposition->type.empty()) return false;
    const bool is_message = p.is_message();
    if (is_message != p.envelope.has_value()) return false;
    if (is_message ? p.children.size() != 1 : p.is_multipart() == p.children.empty()) return false;
    std::uint64_t at = p.body_offset;
    for (const auto& child : p.children) {
      if (child.header_offset < at) return false;
      at = child.body_offset + child.body_size;
    }
    return at <= end;
  }

  std::string_view in_;
  bool ok_ = true;
};

std::unexpected<Error> corrupt() { return failure(Errc::corrupt, "summary of a message"); }

Result<Envelope> read_envelope(std::string_view bytes) {
  Reader in(bytes);
  auto envelope = in.envelope();
  if (!in.ok() || !in.at_end()) return corrupt();
  return envelope;
}

Result<BodyPart> read_structure(std::string_view bytes) {
  Reader in(bytes);
  Result<BodyPart> root(std::in_place);
  in.part(*root, 1);
  if (!in.ok() || !in.at_end()) return corrupt();
  return root;
}

// What stands after envelope and structure.
void read_rest(Reader& in, Summary& summary) {
  const auto present = in.flags(has_date | has_references | has_preview | has_edits);
  if (present & has_date) {
    const auto seconds = unzigzag(in.number());
    const auto zone = unzigzag(in.number());
    if (zone < -5999 || zone > 5999) in.fail();
    summary.date_sent = {seconds, static_cast<int>(zone)};
  }
  if (present & has_references) summary.references = in.text();
  if (present & has_preview) summary.preview = in.text();
  if (present & has_edits) summary.edits = in.edits();
}

// The same, with what stands before it passed over.
Result<Summary> decode_rest(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != version) return corrupt();
  in.view();
  in.view();
  in.optional_view();
  Result<Summary> rest(std::in_place);
  read_rest(in, *rest);
  if (!in.ok() || !in.at_end()) return corrupt();
  return rest;
}

}  // namespace

std::string encode(const Summary& summary) {
  Writer envelope;
  envelope.envelope(summary.envelope);
  Writer structure;
  structure.part(summary.root);
  Writer out;
  out.octet(version);
  out.text(std::string_view(envelope.take()));
  out.text(std::string_view(structure.take()));
  out.text(summary.common_fields);
  out.octet(static_cast<unsigned char>(
      (summary.date_sent ? has_date : 0) | (summary.references ? has_references : 0) |
      (summary.preview ? has_preview : 0) | (summary.edits.empty() ? 0 : has_edits)));
  if (summary.date_sent) {
    out.number(zigzag(summary.date_sent->utc_seconds));
    out.number(zigzag(summary.date_sent->zone_minutes));
  }
  if (summary.references) out.text(std::string_view(*summary.references));
  if (summary.preview) out.text(std::string_view(*summary.preview));
  if (!summary.edits.empty()) out.edits(summary.edits);
  return out.take();
}

Result<Summary> decode(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != version) return corrupt();
  const auto envelope = in.view();
  const auto structure = in.view();
  Result<Summary> summary(std::in_place);
  summary->common_fields = in.optional_text();
  read_rest(in, *summary);
  if (!in.ok() || !in.at_end()) return corrupt();
  summary->envelope = TRY(read_envelope(envelope));
  summary->root = TRY(read_structure(structure));
  return summary;
}

Result<Envelope> decode_envelope(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != version) return corrupt();
  const auto envelope = in.view();
  if (!in.ok()) return corrupt();
  return read_envelope(envelope);
}

Result<BodyPart> decode_structure(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != version) return corrupt();
  in.view();
  const auto structure = in.view();
  if (!in.ok()) return corrupt();
  return read_structure(structure);
}

Result<std::optional<std::string_view>> decode_common_fields(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != version) return corrupt();
  in.view();
  in.view();
  const auto fields = in.optional_view();
  if (!in.ok()) return corrupt();
  return fields;
}

Result<std::optional<std::string>> decode_preview(std::string_view bytes) {
  return std::move(TRY(decode_rest(bytes)).preview);
}

Result<std::vector<BinaryEdit>> decode_edits(std::string_view bytes) {
  return std::move(TRY(decode_rest(bytes)).edits);
}

bool is_current(std::string_view bytes) { return bytes.starts_with(version); }

}  // namespace posthorn::message

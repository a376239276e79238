#include "message/summary_codec.h"

#include "message/number_codec.h"
#include "message/summary_form.h"
#include "message/summary_view.h"

#include <algorithm>

namespace posthorn::message {
namespace {

class Writer {
 public:
  void octet(unsigned char value) { out_ += static_cast<char>(value); }

  void number(std::uint64_t value) { append_number(out_, value); }

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

std::unexpected<Error> corrupt() { return failure(Errc::corrupt, "summary of a message"); }

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
  return std::optional<std::string>(text);
}

std::vector<BinaryEdit> read_edits(SummaryReader& in) {
  std::vector<BinaryEdit> list;
  std::uint64_t at = 0;
  std::size_t left = in.list_size(3);
  // Not for more than can be real before they are seen.
  list.reserve(std::min<std::size_t>(left, 64));
  for (; left > 0 && in.ok(); --left) {
    auto& edit = list.emplace_back();
    const auto distance = in.number();
    edit.size = in.number();
    edit.text = owned(in.optional_text());
    if (__builtin_add_overflow(at, distance, &edit.offset)) in.fail();
    if (__builtin_add_overflow(edit.offset, edit.size, &at)) in.fail();
  }
  if (list.empty()) in.fail();
  return list;
}

// What stands after envelope and structure.
void read_rest(SummaryReader& in, Summary& summary) {
  const auto present = in.flags(has_date | has_references | has_preview | has_edits);
  if (present & has_date) {
    const auto seconds = unzigzag(in.number());
    const auto zone = unzigzag(in.number());
    if (zone < -5999 || zone > 5999) in.fail();
    summary.date_sent = {seconds, static_cast<int>(zone)};
  }
  if (present & has_references) summary.references = std::string(in.text());
  if (present & has_preview) summary.preview = std::string(in.text());
  if (present & has_edits) summary.edits = read_edits(in);
}

// The same, with what stands before it passed over.
Result<Summary> decode_rest(std::string_view bytes) {
  SummaryReader in(bytes);
  if (in.octet() != summary_version) return corrupt();
  in.text();
  in.text();
  in.optional_text();
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
  out.octet(summary_version);
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
  SummaryReader in(bytes);
  if (in.octet() != summary_version) return corrupt();
  in.text();
  in.text();
  Result<Summary> summary(std::in_place);
  summary->common_fields = owned(in.optional_text());
  read_rest(in, *summary);
  if (!in.ok() || !in.at_end()) return corrupt();
  summary->envelope = TRY(decode_envelope(bytes));
  summary->root = TRY(decode_structure(bytes));
  return summary;
}

Result<Envelope> decode_envelope(std::string_view bytes) { return to_envelope(TRY(view_envelope(bytes))); }

Result<BodyPart> decode_structure(std::string_view bytes) { return to_body_part(TRY(view_structure(bytes))); }

Result<std::optional<std::string_view>> decode_common_fields(std::string_view bytes) {
  SummaryReader in(bytes);
  if (in.octet() != summary_version) return corrupt();
  in.text();
  in.text();
  const auto fields = in.optional_text();
  if (!in.ok()) return corrupt();
  return fields;
}

Result<std::optional<std::string>> decode_preview(std::string_view bytes) {
  return std::move(TRY(decode_rest(bytes)).preview);
}

Result<std::vector<BinaryEdit>> decode_edits(std::string_view bytes) {
  return std::move(TRY(decode_rest(bytes)).edits);
}

bool is_current(std::string_view bytes) { return bytes.starts_with(summary_version); }

}  // namespace posthorn::message

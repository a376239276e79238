#include "message/summary_view.h"

#include "message/header.h"
#include "message/summary_form.h"

#include <algorithm>
#include <string>

namespace posthorn::message {
namespace {

constexpr std::size_t max_depth = 1000;  // as the parser's
constexpr std::size_t least_part = 11;   // octets of the shortest encoded part

void read(SummaryReader& in, AddressView& address) {
  const auto present = in.flags(all_address_flags);
  address = {};
  if (present & has_name) address.name = in.text();
  if (present & has_route) address.route = in.text();
  if (present & has_mailbox) address.mailbox = in.text();
  if (present & has_host) address.host = in.text();
}

void read(SummaryReader& in, ParameterView& parameter) {
  parameter.name = in.text();
  parameter.value = in.text();
}

void read(SummaryReader& in, std::string_view& text) { text = in.text(); }

// A list whose elements take `least` octets each or more; all of them are looked at.
template <class Element>
EncodedList<Element> read_list(SummaryReader& in, std::size_t least) {
  const std::size_t size = in.list_size(least);
  const std::string_view octets = in.rest();
  Element element;
  for (std::size_t left = size; left > 0 && in.ok(); --left) read(in, element);
  if (!in.ok()) return {};
  return {size, octets.substr(0, octets.size() - in.rest().size())};
}

EncodedList<AddressView> read_addresses(SummaryReader& in) { return read_list<AddressView>(in, 1); }
EncodedList<ParameterView> read_parameters(SummaryReader& in) { return read_list<ParameterView>(in, 2); }

void read(SummaryReader& in, EnvelopeView& e) {
  const auto same = in.flags(sender_is_from | reply_to_is_from);
  e.date = in.optional_text();
  e.subject = in.optional_text();
  e.from = read_addresses(in);
  e.sender = same & sender_is_from ? e.from : read_addresses(in);
  e.reply_to = same & reply_to_is_from ? e.from : read_addresses(in);
  if (!(same & sender_is_from) && e.sender == e.from) in.fail();
  if (!(same & reply_to_is_from) && e.reply_to == e.from) in.fail();
  e.to = read_addresses(in);
  e.cc = read_addresses(in);
  e.bcc = read_addresses(in);
  e.in_reply_to = in.optional_text();
  e.message_id = in.optional_text();
}

void read_rare(SummaryReader& in, BodyPartView& p) {
  p.md5 = in.optional_text();
  p.location = in.optional_text();
  p.languages = read_list<std::string_view>(in, 1);
  if (!p.md5 && !p.location && p.languages.empty()) in.fail();
}

// Whether the part keeps what BodyPart promises, and its offsets fit together. Sets body_offset.
bool is_sound(BodyPartView& p, unsigned char present) {
  if (__builtin_add_overflow(p.header_offset, p.header_size, &p.body_offset)) return false;
  std::uint64_t end = 0;
  if (__builtin_add_overflow(p.body_offset, p.body_size, &end)) return false;
  if (p.type.empty() || p.subtype.empty()) return false;
  if ((present & has_parameters) && p.parameters.empty()) return false;
  if (p.disposition && p.disposition->type.empty()) return false;
  const bool is_message = p.is_message();
  if (is_message != (p.envelope != nullptr)) return false;
  if (is_message ? p.children.size() != 1 : p.is_multipart() == p.children.empty()) return false;
  std::uint64_t at = p.body_offset;
  for (const auto& child : p.children) {
    if (child.header_offset < at) return false;
    at = child.body_offset + child.body_size;
  }
  return at <= end;
}

void read(SummaryReader& in, BodyPartView& p, std::size_t depth) {
  if (depth > max_depth) in.fail();
  const auto present = in.flags(all_part_flags);
  p.type = in.text();
  p.subtype = in.text();
  p.encoding = in.optional_text();
  p.header_offset = in.number();
  p.header_size = in.number();
  p.body_size = in.number();
  p.header_lines = in.number();
  p.body_lines = in.number();
  if (present & has_parameters) p.parameters = read_parameters(in);
  if (present & has_id) p.id = in.text();
  if (present & has_description) p.description = in.text();
  if (present & has_disposition) {
    auto& disposition = p.disposition.emplace();
    disposition.type = in.text();
    disposition.parameters = read_parameters(in);
  }
  if (present & has_rare) read_rare(in, p);
  if (present & has_envelope) {
    p.envelope = std::make_unique<EnvelopeView>();
    read(in, *p.envelope);
  }
  if (present & has_children) {
    std::size_t left = in.list_size(least_part);
    // Not for more than can be real before they are seen.
    p.children.reserve(std::min<std::size_t>(left, 64));
    for (; left > 0 && in.ok(); --left) read(in, p.children.emplace_back(), depth + 1);
  }
  if (in.ok() && !is_sound(p, present)) in.fail();
}

std::unexpected<Error> corrupt() { return failure(Errc::corrupt, "summary of a message"); }

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
  return std::optional<std::string>(text);
}

std::vector<Address> owned(const EncodedList<AddressView>& list) {
  std::vector<Address> addresses;
  addresses.reserve(list.size());
  for (const AddressView& a : list) {
    addresses.push_back({owned(a.name), owned(a.route), owned(a.mailbox), owned(a.host)});
  }
  return addresses;
}

std::vector<Parameter> owned(const EncodedList<ParameterView>& list) {
  std::vector<Parameter> parameters;
  parameters.reserve(list.size());
  for (const auto& each : list) parameters.push_back({std::string(each.name), std::string(each.value)});
  return parameters;
}

}  // namespace

template <class Element>
void EncodedList<Element>::Iterator::read() {
  if (left_ == 0) return;
  SummaryReader in(rest_);
  message::read(in, element_);
  rest_ = in.rest();
}
template class EncodedList<AddressView>;
template class EncodedList<ParameterView>;
template class EncodedList<std::string_view>;

bool BodyPartView::is(std::string_view lower_type, std::string_view lower_subtype) const {
  return equal_ignoring_case(type, lower_type) && equal_ignoring_case(subtype, lower_subtype);
}

bool BodyPartView::is_multipart() const { return equal_ignoring_case(type, "multipart"); }

bool BodyPartView::is_message() const { return is("message", "rfc822") || is("message", "global"); }

Result<EnvelopeView> view_envelope(std::string_view encoded) {
  SummaryReader whole(encoded);
  if (whole.octet() != summary_version) return corrupt();
  SummaryReader in(whole.text());
  Result<EnvelopeView> envelope(std::in_place);
  read(in, *envelope);
  if (!whole.ok() || !in.ok() || !in.at_end()) return corrupt();
  return envelope;
}

Result<BodyPartView> view_structure(std::string_view encoded) {
  SummaryReader whole(encoded);
  if (whole.octet() != summary_version) return corrupt();
  whole.text();
  SummaryReader in(whole.text());
  Result<BodyPartView> root(std::in_place);
  read(in, *root, 1);
  if (!whole.ok() || !in.ok() || !in.at_end()) return corrupt();
  return root;
}

Envelope to_envelope(const EnvelopeView& view) {
  return {.date = owned(view.date),
          .subject = owned(view.subject),
          .from = owned(view.from),
          .sender = owned(view.sender),
          .reply_to = owned(view.reply_to),
          .to = owned(view.to),
          .cc = owned(view.cc),
          .bcc = owned(view.bcc),
          .in_reply_to = owned(view.in_reply_to),
          .message_id = owned(view.message_id)};
}

BodyPart to_body_part(const BodyPartView& view) {
  BodyPart part{.type = std::string(view.type),
                .subtype = std::string(view.subtype),
                .parameters = owned(view.parameters),
                .id = owned(view.id),
                .description = owned(view.description),
                .encoding = owned(view.encoding),
                .md5 = owned(view.md5),
                .location = owned(view.location),
                .header_offset = view.header_offset,
                .header_size = view.header_size,
                .body_offset = view.body_offset,
                .body_size = view.body_size,
                .header_lines = view.header_lines,
                .body_lines = view.body_lines};
  if (view.disposition) {
    part.disposition = {.type = std::string(view.disposition->type),
                        .parameters = owned(view.disposition->parameters)};
  }
  for (const std::string_view language : view.languages) part.languages.emplace_back(language);
  part.children.reserve(view.children.size());
  for (const BodyPartView& child : view.children) part.children.push_back(to_body_part(child));
  if (view.envelope) part.envelope = to_envelope(*view.envelope);
  return part;
}

}  // namespace posthorn::message

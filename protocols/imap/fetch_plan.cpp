#include "protocols/imap/fetch_plan.h"

#include "message/summary_codec.h"
#include "protocols/imap/fetch_octets.h"
#include "protocols/imap/printed_forms.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/section.h"

#include <algorithm>
#include <span>
#include <utility>

namespace posthorn::imap {
namespace {

bool is_of_header(const Section& section) {
  return section.part.empty() && (section.text == Section::Text::header || is_filtered(section));
}

bool is(const FetchItem& item, FetchAttribute attribute) {
  const auto* own = std::get_if<FetchAttribute>(&item);
  return own != nullptr && *own == attribute;
}

// The fields that each item of octets asks for, if all of these are header fields that are kept.
std::vector<message::CommonFieldSet> kept_fields(std::span<const FetchItem> items) {
  std::vector<message::CommonFieldSet> sets;
  for (const FetchItem& item : items) {
    if (!is_of_octets(item)) continue;
    const auto* body = std::get_if<FetchBody>(&item);
    const bool is_fields =
        body != nullptr && body->section.part.empty() && body->section.text == Section::Text::header_fields;
    const auto set = is_fields ? message::common_field_set(body->section.fields) : std::nullopt;
    if (!set) return {};
    sets.push_back(*set);
  }
  return sets;
}

// What is kept of the message's fields, where all that are wanted are among them.
Result<std::optional<std::string_view>> fields_from(std::string_view encoded, const FetchPlan& plan) {
  const auto kept = TRY(message::decode_common_fields(encoded));
  const auto has = [&](const message::CommonFieldSet& wanted) {
    return message::common_fields_size(*kept, wanted).has_value();
  };
  return kept && std::ranges::all_of(plan.fields, has) ? kept : std::nullopt;
}

}  // namespace

FetchPlan::FetchPlan(const Fetch& fetch, const Enabled& enabled) : items(fetch.items) {
  // RFC 3501 §6.4.8; a UIDFETCH response has it as its number (RFC 9586 §3.3).
  const bool adds_uid = fetch.numbering == Numbering::uid && !enabled.uid_only;
  if (adds_uid && !asks(FetchAttribute::uid)) items.insert(items.begin(), FetchAttribute::uid);
  // RFC 7162 §3.1.4.1.
  if (fetch.changed_since && !asks(FetchAttribute::mod_sequence)) {
    items.emplace_back(FetchAttribute::mod_sequence);
  }
  flags = asks(FetchAttribute::flags);
  modseq = asks(FetchAttribute::mod_sequence);
  uid = asks(FetchAttribute::uid);
  email_id = asks(FetchAttribute::email_id);
  envelope = asks(FetchAttribute::envelope);
  preview = asks(FetchAttribute::preview) || asks(FetchAttribute::preview_lazy);
  origin = asks(FetchAttribute::save_date) || asks(FetchAttribute::thread_id);
  structure = asks(FetchAttribute::body) || asks(FetchAttribute::body_structure);
  for (const FetchItem& item : items) {
    if (binary_part_of(item) != nullptr) octets = parts = binary = true;
    const auto* content = std::get_if<FetchBinary>(&item);
    if (content != nullptr && content->seen == FetchBody::Seen::set) sets_seen = true;
    const auto body = body_of(item);
    if (!body) continue;
    octets = true;
    if (body->seen == FetchBody::Seen::set) sets_seen = true;
    if (needs_structure(body->section)) parts = true;
  }
  fields = kept_fields(items);
  const bool one_item = envelope != structure && !parts && !preview && fields.empty();
  if (one_item && envelope) form = storage::Form::envelope;
  if (one_item && structure && !asks(FetchAttribute::body)) form = storage::Form::structure;
  for (const FetchItem& item : items) {
    append_response_name(names.emplace_back(), item);
    names.back() += ' ';
  }
}

bool FetchPlan::asks(FetchAttribute attribute) const {
  return std::ranges::any_of(items, [&](const FetchItem& item) { return is(item, attribute); });
}

bool FetchPlan::header_only() const {
  return std::ranges::all_of(items, [](const FetchItem& item) {
    const auto body = body_of(item);
    return body ? is_of_header(body->section) : binary_part_of(item) == nullptr;
  });
}

// RFC 8970 §4.1: a preview that is asked for LAZY is not worth opening a file.
storage::Effort FetchPlan::effort() const {
  const bool lazy = !envelope && !structure && !parts && fields.empty() && !asks(FetchAttribute::preview);
  return lazy ? storage::Effort::look_up : storage::Effort::full;
}

Result<KnownMessage> known_from(std::string_view encoded, const FetchPlan& plan, Dialect dialect) {
  Result<KnownMessage> known(std::in_place);
  if (plan.form != storage::Form::summary) {
    known->printed = TRY(printed(encoded, dialect));
    return known;
  }
  if (!plan.fields.empty()) known->fields = TRY(fields_from(encoded, plan));
  if (plan.envelope) known->envelope = TRY(message::view_envelope(encoded));
  if (plan.structure) known->structure = TRY(message::view_structure(encoded));
  // Fields that are kept need no look at the message, nor at where its parts are.
  if (plan.parts && !known->fields) known->parts = TRY(message::decode_structure(encoded));
  if (plan.binary) known->edits = TRY(message::decode_edits(encoded));
  if (plan.preview) known->preview = TRY(message::decode_preview(encoded));
  return known;
}

std::vector<Places> pieces_to_mark(const Places& places, Order order, const storage::Snapshot& messages) {
  constexpr std::uint32_t most_messages = 16;
  constexpr std::uint64_t most_octets = 1U << 20U;
  std::vector<Places> pieces;
  std::vector<Places::Range> piece;
  std::uint64_t octets = 0;
  places.each([&](std::uint32_t place) {
    const std::uint64_t size = messages.at(place).size;
    if (piece.size() == most_messages || (!piece.empty() && octets + size > most_octets)) {
      pieces.emplace_back(std::exchange(piece, {}));
      octets = 0;
    }
    piece.push_back({place, place + 1});
    octets += size;
  });
  pieces.emplace_back(std::move(piece));
  if (order == Order::descending) std::ranges::reverse(pieces);
  return pieces;
}

}  // namespace posthorn::imap

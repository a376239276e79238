#include "storage/message_texts.h"

#include "message/charset.h"
#include "message/header.h"
#include "message/search_fields.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t read_size = 65'536;
// So much of a message is read at once, if texts go as far.
constexpr std::uint64_t most_held = 262'144;

void show(TextVisitor& visitor, std::string_view readable) {
  visitor.text(TextVisitor::Place::fields, message::fold_for_search(readable));
  visitor.end(TextVisitor::Place::fields);
}

void show_envelope(const message::Envelope& envelope, TextVisitor& visitor) {
  for (std::size_t i = 0; i < message::OfEnvelopeFields<int>().size(); ++i) {
    const auto field = static_cast<message::EnvelopeField>(i);
    if (const auto* addresses = message::addresses_of(field, envelope)) {
      for (const message::Address& address : *addresses) show(visitor, message::readable(address));
    } else if (const std::string* value = message::value_of(field, envelope)) {
      show(visitor, message::readable_value(*value));
    }
  }
}

}  // namespace

Result<bool> MessageTexts::visit(const message::Summary& summary, StoredFile& file, TextVisitor& visitor,
                                 const Limits& limits) {
  const auto ranges = message::text_ranges(summary, message::TextScope::message);
  std::uint64_t octets = 0;
  std::uint64_t end = summary.root.header_size;
  for (const message::TextRange& range : ranges) {
    octets += range.size;
    end = std::max(end, range.offset + range.size);
  }
  if (octets > limits.text || summary.root.header_size > limits.header) return false;
  held_ = TRY(file.head(static_cast<std::size_t>(std::min({end, most_held, file.size()}))));
  show_envelope(summary.envelope, visitor);
  TRY(visit_fields(summary, file, visitor));
  for (const message::TextRange& range : ranges) {
    if (visitor.satisfied()) break;
    const bool is_own_header = range.kind == message::TextRange::Kind::header && range.part == &summary.root;
    TRY(visit_range(range, is_own_header ? TextVisitor::Place::header : TextVisitor::Place::body, file,
                    visitor));
  }
  return true;
}

// At most 256 KiB.
Result<std::string> MessageTexts::octets_at(StoredFile& file, std::uint64_t offset, std::size_t count) const {
  if (offset + count <= held_.size()) return held_.substr(static_cast<std::size_t>(offset), count);
  return file.read(offset, count);
}

// The values of the fields by themselves, as HEADER looks into them.
Result<> MessageTexts::visit_fields(const message::Summary& summary, StoredFile& file,
                                    TextVisitor& visitor) const {
  const auto size = static_cast<std::size_t>(summary.root.header_size);
  const std::string block = TRY(octets_at(file, 0, size));
  const std::string fields = message::filter_fields(block, {}, message::FieldFilter::except);
  message::HeaderReader reader(fields);
  while (const auto field = reader.next()) show(visitor, message::readable_field_value(field->value));
  return {};
}

Result<> MessageTexts::visit_range(const message::TextRange& range, TextVisitor::Place place,
                                   StoredFile& file, TextVisitor& visitor) const {
  message::TextExtractor extractor(range);
  std::string folded;
  for (std::uint64_t done = 0; done < range.size && !visitor.satisfied();) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(range.size - done, read_size));
    const std::string octets = TRY(octets_at(file, range.offset + done, wanted));
    if (octets.empty()) break;
    extractor.feed(octets, folded);
    visitor.text(place, folded);
    folded.clear();
    done += octets.size();
  }
  extractor.finish(folded);
  visitor.text(place, folded);
  visitor.end(place);
  return {};
}

}  // namespace posthorn::storage

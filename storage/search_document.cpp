#include "storage/search_document.h"

#include "message/charset.h"
#include "message/header.h"
#include "message/search_fields.h"
#include "message/text.h"
#include "storage/token_list.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr char header_mark = 'h';
constexpr char body_mark = 'b';

// Of a message with longer texts, no trigrams are kept: each search reads it.
constexpr std::uint64_t longest_text = 4U << 20U;
constexpr std::uint64_t longest_header = 256U << 10U;
constexpr std::size_t read_size = 65'536;
// A message of that size or a smaller one is read at once.
constexpr std::size_t small_message = 262'144;
// Of a longer pattern, these many trigrams are asked for.
constexpr std::size_t most_phrases = 32;

std::string marked(char mark, std::string_view trigram) { return mark + std::string(trigram); }

std::string phrases(const std::vector<std::string>& trigrams, char mark) {
  std::string query;
  const std::size_t count = std::min(trigrams.size(), most_phrases);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) query += " AND ";
    // Spread over all of it.
    append_phrase(marked(mark, trigrams[i * trigrams.size() / count]), query);
  }
  return query;
}

}  // namespace

Result<> SearchDocument::read(const message::Summary& summary, StoredFile& file) {
  header_.clear();
  body_.clear();
  octets_ = 0;
  complete_ = false;
  const auto ranges = message::text_ranges(summary, message::TextScope::message);
  std::uint64_t octets = 0;
  for (const message::TextRange& range : ranges) octets += range.size;
  if (octets > longest_text || summary.root.header_size > longest_header) return {};
  held_.clear();
  if (file.size() <= small_message) held_ = TRY(file.head(static_cast<std::size_t>(file.size())));
  add_envelope(summary.envelope);
  TRY(read_header(summary, file));
  for (const message::TextRange& range : ranges) {
    const bool is_own_header = range.kind == message::TextRange::Kind::header && range.part == &summary.root;
    TRY(read_range(range, file, is_own_header ? header_ : body_));
    if (header_.overflowed() || body_.overflowed()) return {};
  }
  complete_ = true;
  return {};
}

Result<std::string> SearchDocument::octets_at(StoredFile& file, std::uint64_t offset,
                                              std::size_t count) const {
  if (file.size() > small_message) return file.read(offset, count);
  if (offset >= held_.size()) return std::string();
  return held_.substr(static_cast<std::size_t>(offset), count);
}

void SearchDocument::add_to_header(std::string_view readable) {
  header_.feed(message::fold_for_search(readable));
  header_.next_range();
}

void SearchDocument::add_envelope(const message::Envelope& envelope) {
  for (std::size_t i = 0; i < message::OfEnvelopeFields<int>().size(); ++i) {
    const auto field = static_cast<message::EnvelopeField>(i);
    if (const auto* addresses = message::addresses_of(field, envelope)) {
      for (const message::Address& address : *addresses) add_to_header(message::readable(address));
    } else if (const std::string* value = message::value_of(field, envelope)) {
      add_to_header(message::readable_value(*value));
    }
  }
}

// The values of the fields by themselves, as HEADER looks into them.
Result<> SearchDocument::read_header(const message::Summary& summary, StoredFile& file) {
  const auto size = static_cast<std::size_t>(summary.root.header_size);
  const std::string block = TRY(octets_at(file, 0, size));
  const std::string fields = message::filter_fields(block, {}, message::FieldFilter::except);
  message::HeaderReader reader(fields);
  while (const auto field = reader.next()) add_to_header(message::readable_field_value(field->value));
  return {};
}

Result<> SearchDocument::read_range(const message::TextRange& range, StoredFile& file,
                                    message::Trigrams& trigrams) {
  message::TextExtractor extractor(range);
  std::string folded;
  for (std::uint64_t done = 0; done < range.size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(range.size - done, read_size));
    const std::string octets = TRY(octets_at(file, range.offset + done, wanted));
    if (octets.empty()) break;
    extractor.feed(octets, folded);
    trigrams.feed(folded);
    folded.clear();
    done += octets.size();
    octets_ += octets.size();
  }
  extractor.finish(folded);
  trigrams.feed(folded);
  trigrams.next_range();
  return {};
}

std::string SearchDocument::tokens() const {
  std::string list;
  if (!complete_) return list;
  list.reserve(6 * (header_.count() + body_.count()));
  header_.each([&](std::string_view trigram) { append_token(marked(header_mark, trigram), list); });
  body_.each([&](std::string_view trigram) { append_token(marked(body_mark, trigram), list); });
  return list;
}

std::string query_for(const TextPattern& pattern) {
  std::vector<std::string> trigrams = message::trigrams_of(pattern.folded);
  // A query ends at a NUL.
  std::erase_if(trigrams, [](const std::string& trigram) { return trigram.contains('\0'); });
  if (trigrams.empty()) return {};
  switch (pattern.in) {
    case TextPattern::In::header: return phrases(trigrams, header_mark);
    case TextPattern::In::body: return phrases(trigrams, body_mark);
    case TextPattern::In::anywhere: break;
  }
  return "(" + phrases(trigrams, header_mark) + ") OR (" + phrases(trigrams, body_mark) + ")";
}

}  // namespace posthorn::storage

#include "storage/search_document.h"

#include "storage/token_list.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr char header_mark = 'h';
constexpr char body_mark = 'b';

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
  const bool all = TRY(reader_.visit(summary, file, *this, {}));
  complete_ = all && !satisfied();
  return {};
}

void SearchDocument::text(Place place, std::string_view folded) {
  octets_ += folded.size();
  (place == Place::body ? body_ : header_).feed(folded);
}

void SearchDocument::end(Place place) { (place == Place::body ? body_ : header_).next_range(); }

std::string SearchDocument::tokens() const {
  std::string list;
  if (!complete_) return list;
  list.reserve(6 * (header_.count() + body_.count()));
  header_.each([&](std::string_view trigram) { append_token(marked(header_mark, trigram), list); });
  body_.each([&](std::string_view trigram) { append_token(marked(body_mark, trigram), list); });
  return list;
}

std::string query_for(const TextPattern& pattern) {
  const std::vector<std::string> trigrams = message::trigrams_of(pattern.folded);
  if (trigrams.empty()) return {};
  switch (pattern.in) {
    case TextPattern::In::header: return phrases(trigrams, header_mark);
    case TextPattern::In::body: return phrases(trigrams, body_mark);
    case TextPattern::In::anywhere: break;
  }
  return "(" + phrases(trigrams, header_mark) + ") OR (" + phrases(trigrams, body_mark) + ")";
}

}  // namespace posthorn::storage

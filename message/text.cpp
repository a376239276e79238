#include "message/text.h"

#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/mime_fields.h"

#include <algorithm>
#include <cassert>

namespace posthorn::message {
namespace {

constexpr std::size_t max_field = 64 << 10;
constexpr std::size_t max_chunk = 64 << 10;

bool is_text(const BodyPart& part) {
  if (part.is_message()) return false;
  return equal_ignoring_case(part.type, "text") || equal_ignoring_case(part.type, "message");
}

void add_ranges(const BodyPart& part, std::vector<TextRange>& ranges) {
  if (part.header_size > 0) {
    ranges.push_back({TextRange::Kind::header, part.header_offset, part.header_size, &part});
  }
  if (is_text(part) && part.body_size > 0) {
    ranges.push_back({TextRange::Kind::body, part.body_offset, part.body_size, &part});
  }
  for (const auto& child : part.children) add_ranges(child, ranges);
}

Utf8Converter converter_for(const BodyPart& part) {
  const auto charset = parameter_value(part.parameters, "charset");
  if (auto converter = Utf8Converter::open(charset.value_or("us-ascii"))) return *std::move(converter);
  return *Utf8Converter::open("us-ascii");
}

// A field as a person reads it; what stands percent-encoded in parameters follows it in plain (RFC 2231).
std::string readable_field(std::string_view raw) {
  std::string text = decode_encoded_words(unfold(raw));
  HeaderReader reader(raw);
  const auto field = reader.next();
  if (!field) return text;
  std::vector<Parameter> parameters;
  if (equal_ignoring_case(field->name, "content-type")) {
    if (auto content = parse_content_type(field->value)) parameters = std::move(content->parameters);
  } else if (equal_ignoring_case(field->name, "content-disposition")) {
    if (auto disposition = parse_disposition(field->value)) parameters = std::move(disposition->parameters);
  }
  const bool encoded =
      std::ranges::any_of(parameters, [](const Parameter& p) { return p.name.contains('*'); });
  if (!encoded) return text;
  for (const auto& parameter : decode_parameters(parameters)) text += ' ' + parameter.value;
  return text;
}

}  // namespace

std::vector<TextRange> text_ranges(const Summary& summary, TextScope scope) {
  std::vector<TextRange> ranges;
  add_ranges(summary.root, ranges);
  const bool has_header = summary.root.header_size > 0;
  if (scope == TextScope::body && has_header) ranges.erase(ranges.begin());
  return ranges;
}

class TextExtractor::Impl {
 public:
  explicit Impl(const TextRange& range)
      : kind_(range.kind),
        transfer_(transfer_encoding_of(range.part->encoding)),
        converter_(converter_for(*range.part)) {}

  void feed(std::string_view chunk, std::string& out) {
    if (kind_ == TextRange::Kind::header) return feed_header(chunk, out);
    for (; !chunk.empty(); chunk.remove_prefix(std::min(max_chunk, chunk.size()))) {
      std::string decoded;
      transfer_.feed(chunk.substr(0, max_chunk), decoded);
      convert(decoded, out);
    }
  }

  void finish(std::string& out) {
    if (kind_ == TextRange::Kind::header) {
      end_field(out);
    } else {
      std::string decoded;
      transfer_.finish(decoded);
      convert(decoded, out);
      std::string rest;
      converter_.finish(rest);
      folder_.feed(rest, out);
    }
    folder_.finish(out);
  }

 private:
  void convert(std::string_view decoded, std::string& out) {
    std::string utf8;
    converter_.feed(decoded, utf8);
    folder_.feed(utf8, out);
  }

  // A field ends where a line begins that does not continue it.
  void feed_header(std::string_view chunk, std::string& out) {
    while (!chunk.empty()) {
      if (at_line_start_ && chunk.front() != ' ' && chunk.front() != '\t') end_field(out);
      const auto end = chunk.find('\n');
      const auto size = end == std::string_view::npos ? chunk.size() : end + 1;
      field_ += chunk.substr(0, std::min(size, max_field - field_.size()));
      at_line_start_ = end != std::string_view::npos;
      chunk.remove_prefix(size);
    }
  }

  void end_field(std::string& out) {
    if (field_.empty()) return;
    folder_.feed(readable_field(field_), out);
    folder_.feed("\n", out);
    field_.clear();
  }

  TextRange::Kind kind_;
  TransferDecoder transfer_;
  Utf8Converter converter_;
  SearchFolder folder_;
  std::string field_;
  bool at_line_start_ = false;
};

TextExtractor::TextExtractor(const TextRange& range) : impl_(std::make_unique<Impl>(range)) {}
TextExtractor::TextExtractor(TextExtractor&&) noexcept = default;
TextExtractor& TextExtractor::operator=(TextExtractor&&) noexcept = default;
TextExtractor::~TextExtractor() = default;

void TextExtractor::feed(std::string_view chunk, std::string& out) { impl_->feed(chunk, out); }
void TextExtractor::finish(std::string& out) { impl_->finish(out); }

TextSearch::TextSearch(std::span<const std::string> keys) {
  for (const auto& given : keys) {
    Key key;
    key.text = fold_for_search(given);
    key.found = key.text.empty();
    key.fallback.assign(key.text.size(), 0);
    for (std::size_t i = 1, matched = 0; i < key.text.size(); ++i) {
      while (matched > 0 && key.text[i] != key.text[matched]) matched = key.fallback[matched - 1];
      if (key.text[i] == key.text[matched]) ++matched;
      key.fallback[i] = static_cast<std::uint32_t>(matched);
    }
    if (!key.found) ++missing_;
    keys_.push_back(std::move(key));
  }
}

void TextSearch::feed(std::string_view folded) {
  for (auto& key : keys_) {
    for (std::size_t i = 0; i < folded.size() && !key.found; ++i) {
      if (key.matched == 0) {
        i = folded.find(key.text.front(), i);
        if (i == std::string_view::npos) break;
      }
      while (key.matched > 0 && folded[i] != key.text[key.matched])
        key.matched = key.fallback[key.matched - 1];
      if (folded[i] == key.text[key.matched]) ++key.matched;
      if (key.matched == key.text.size()) {
        key.found = true;
        --missing_;
      }
    }
  }
}

void TextSearch::next_range() {
  for (auto& key : keys_) key.matched = 0;
}

std::vector<bool> search_text(const Summary& summary, std::string_view wire_bytes, TextScope scope,
                              std::span<const std::string> keys) {
  TextSearch search(keys);
  for (const auto& range : text_ranges(summary, scope)) {
    if (search.found_all()) break;
    assert(range.offset + range.size <= wire_bytes.size());
    TextExtractor extractor(range);
    std::string folded;
    extractor.feed(wire_bytes.substr(range.offset, range.size), folded);
    extractor.finish(folded);
    search.feed(folded);
    search.next_range();
  }
  std::vector<bool> found;
  found.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) found.push_back(search.found(i));
  return found;
}

}  // namespace posthorn::message

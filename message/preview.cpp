#include "message/preview.h"

#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/html_text.h"
#include "message/preview_text.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <utility>

namespace posthorn::message {
namespace {

constexpr std::size_t max_ranges = 4;
constexpr std::uint64_t max_range_size = 128 << 10;
constexpr std::size_t step = 4096;
// HTML: a document names its charset within its first octets.
constexpr std::size_t max_declaration = 1024;

using Parts = std::vector<const BodyPart*>;

bool is_html(const BodyPart& part) { return part.is("text", "html"); }

// What it holds can't be read, or would be shown without the check that it asks for.
bool is_sealed(const BodyPart& part) {
  return part.is("multipart", "encrypted") || part.is("multipart", "signed") ||
         part.is("application", "pkcs7-mime") || part.is("application", "x-pkcs7-mime") ||
         part.is("application", "pgp-encrypted");
}

bool is_own_text(const BodyPart& part) {
  const bool is_attachment = part.disposition && equal_ignoring_case(part.disposition->type, "attachment");
  return !is_attachment && part.body_size > 0 && (part.is("text", "plain") || is_html(part));
}

// RFC 2387 §3.2: the root is the first part unless `start` names another.
const BodyPart* root_of_related(const BodyPart& part) {
  const auto start = parameter_value(part.parameters, "start");
  const auto root = std::ranges::find_if(
      part.children, [&](const BodyPart& child) { return start && child.id && child.id->contains(*start); });
  return root != part.children.end() ? &*root : &part.children.front();
}

// Appends the texts in `part`. False from where it is sealed.
bool add_texts(const BodyPart& part, Parts& texts) {
  if (is_sealed(part)) return false;
  if (!part.is_multipart()) {
    if (is_own_text(part)) texts.push_back(&part);
    return true;
  }
  const auto first = texts.size();
  const BodyPart* root = part.is("multipart", "related") ? root_of_related(part) : nullptr;
  bool open = root == nullptr || add_texts(*root, texts);
  for (const auto& child : part.children) {
    if (!open) break;
    if (&child != root) open = add_texts(child, texts);
  }
  if (part.is("multipart", "alternative")) {
    const Parts inside(texts.begin() + static_cast<std::ptrdiff_t>(first), texts.end());
    texts.resize(first);
    std::ranges::copy_if(inside, std::back_inserter(texts), [](auto* each) { return !is_html(*each); });
    std::ranges::copy_if(inside, std::back_inserter(texts), [](auto* each) { return is_html(*each); });
  }
  return open;
}

// The charset in <meta charset="..."> or <meta ... content="text/html; charset=...">.
std::string declared_charset(std::string_view html) {
  constexpr std::string_view mark = "charset=";
  const auto beginning = to_lower_ascii(html.substr(0, max_declaration));
  auto at = beginning.find("<meta");
  if (at != std::string::npos) at = beginning.find(mark, at);
  if (at == std::string::npos) return {};
  auto name = std::string_view(beginning).substr(at + mark.size());
  if (name.starts_with('"') || name.starts_with('\'')) name.remove_prefix(1);
  return std::string(name.substr(0, name.find_first_of("\"' \t\r\n;/>")));
}

Utf8Converter converter_for(const BodyPart& part, std::string_view beginning) {
  auto charset = parameter_value(part.parameters, "charset");
  if (!charset && is_html(part)) {
    charset = declared_charset(beginning);
    // One that can be read as ASCII is not in 16-bit units, whatever it says.
    if (to_lower_ascii(*charset).starts_with("utf-16")) charset.reset();
  }
  if (auto converter = Utf8Converter::open(charset.value_or("us-ascii"))) return *std::move(converter);
  return *Utf8Converter::open("us-ascii");
}

}  // namespace

std::vector<TextRange> preview_ranges(const Summary& summary) {
  Parts texts;
  add_texts(summary.root, texts);
  texts.resize(std::min(texts.size(), max_ranges));
  std::vector<TextRange> ranges;
  for (const BodyPart* part : texts) {
    ranges.push_back(
        {TextRange::Kind::body, part->body_offset, std::min(part->body_size, max_range_size), part});
  }
  return ranges;
}

std::string preview_of(const TextRange& range, std::string_view wire_bytes) {
  const BodyPart& part = *range.part;
  TransferDecoder transfer(transfer_encoding_of(part.encoding));
  std::optional<Utf8Converter> converter;
  HtmlText html;
  PreviewText preview;
  std::string decoded;
  std::string utf8;
  std::string text;
  bool more = true;
  while (more && !preview.full()) {
    more = !wire_bytes.empty();
    decoded.clear();
    transfer.feed(wire_bytes.substr(0, step), decoded);
    wire_bytes.remove_prefix(std::min(step, wire_bytes.size()));
    if (!more) transfer.finish(decoded);
    if (!converter) converter.emplace(converter_for(part, decoded));
    utf8.clear();
    converter->feed(decoded, utf8);
    if (!more) converter->finish(utf8);
    if (!is_html(part)) {
      preview.feed(utf8);
      continue;
    }
    text.clear();
    html.feed(utf8, text);
    if (!more) html.finish(text);
    preview.feed(text);
  }
  return preview.finish();
}

std::string preview_of(const Summary& summary, std::string_view wire_bytes) {
  for (const auto& range : preview_ranges(summary)) {
    assert(range.offset + range.size <= wire_bytes.size());
    auto preview = preview_of(range, wire_bytes.substr(range.offset, range.size));
    if (!preview.empty()) return preview;
  }
  return {};
}

}  // namespace posthorn::message

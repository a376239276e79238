#include "protocols/imap/section.h"

#include "message/header.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

Extent header_of(const message::BodyPart& part) { return {part.header_offset, part.header_size}; }
Extent body_of(const message::BodyPart& part) { return {part.body_offset, part.body_size}; }

}  // namespace

bool needs_structure(const Section& section) {
  return !section.part.empty() || section.text != Section::Text::all;
}

std::optional<Extent> extent_of(const Section& section, const message::BodyPart& root) {
  const message::BodyPart* part = message::find_part(root, section.part);
  if (part == nullptr) return std::nullopt;
  const bool is_whole = section.part.empty();
  switch (section.text) {
    case Section::Text::all: return is_whole ? Extent{0, root.header_size + root.body_size} : body_of(*part);
    case Section::Text::mime: return header_of(*part);
    case Section::Text::header:
    case Section::Text::header_fields:
    case Section::Text::header_fields_not:
    case Section::Text::text: break;
  }
  // Of a part, these are the embedded message's.
  if (!is_whole) {
    if (!part->is_message() || part->children.empty()) return std::nullopt;
    part = &part->children.front();
  }
  return section.text == Section::Text::text ? body_of(*part) : header_of(*part);
}

bool is_filtered(const Section& section) {
  return section.text == Section::Text::header_fields || section.text == Section::Text::header_fields_not;
}

Extent within(Extent extent, std::uint64_t size) {
  const std::uint64_t offset = std::min(extent.offset, size);
  return {offset, std::min(extent.size, size - offset)};
}

Extent cut(Extent whole, const std::optional<Partial>& partial) {
  if (!partial) return whole;
  const std::uint64_t first = std::min(partial->first, whole.size);
  return {whole.offset + first, std::min(partial->count, whole.size - first)};
}

Task<Result<std::string>> read_header(Extent header, MessageSource& source) {
  std::string block;
  const std::uint64_t end = std::min<std::uint64_t>(header.size, longest_header);
  while (block.size() < end) {
    const std::size_t missing = static_cast<std::size_t>(end) - block.size();
    auto piece =
        co_await source.read(header.offset + block.size(), std::min(missing, MessageSource::longest_read));
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (piece->empty()) break;
    block += *piece;
  }
  co_return block;
}

std::string fields_of(const Section& section, std::string_view header) {
  const auto filter = section.text == Section::Text::header_fields ? message::FieldFilter::only
                                                                   : message::FieldFilter::except;
  return message::filter_fields(header, section.fields, filter);
}

Task<Result<std::string>> header_fields(const Section& section, Extent header, MessageSource& source) {
  const auto block = co_await read_header(header, source);
  if (!block) co_return std::unexpected(block.error());
  co_return fields_of(section, *block);
}

}  // namespace posthorn::imap

#include "protocols/imap/fetch_octets.h"

#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

#include <algorithm>
#include <utility>

namespace posthorn::imap {
namespace {

// No literal has a NUL (RFC 3501 §9, CHAR8); a file that another program made may.
void replace_nul(std::string& octets) {
  if (octets.contains('\0')) std::ranges::replace(octets, '\0', '\x80');
}

}  // namespace

std::optional<FetchBody> body_of(const FetchItem& item) {
  if (const auto* body = std::get_if<FetchBody>(&item)) return *body;
  const auto* attribute = std::get_if<FetchAttribute>(&item);
  if (attribute == nullptr) return std::nullopt;
  switch (*attribute) {
    case FetchAttribute::rfc822: return FetchBody{};
    case FetchAttribute::rfc822_text: return FetchBody{.section = {.part = {}, .text = Section::Text::text}};
    case FetchAttribute::rfc822_header:
      return FetchBody{.section = {.part = {}, .text = Section::Text::header}, .seen = FetchBody::Seen::peek};
    default: return std::nullopt;
  }
}

const std::vector<std::uint32_t>* binary_part_of(const FetchItem& item) {
  if (const auto* binary = std::get_if<FetchBinary>(&item)) return &binary->part;
  const auto* size = std::get_if<FetchBinarySize>(&item);
  return size == nullptr ? nullptr : &size->part;
}

bool is_of_octets(const FetchItem& item) { return binary_part_of(item) != nullptr || body_of(item); }

bool has_unknown_encoding(std::span<const FetchItem> items, const message::BodyPart& structure) {
  return std::ranges::any_of(items, [&](const FetchItem& item) {
    const auto* part = binary_part_of(item);
    return part != nullptr && !encoded_section(*part, structure);
  });
}

std::uint64_t FetchOctets::last_octet_needed(std::span<const FetchItem> items) const {
  std::uint64_t end = 0;
  const auto add = [&](Extent extent) { end = std::max(end, extent.offset + extent.size); };
  for (const FetchItem& item : items) {
    if (const auto* part = binary_part_of(item)) {
      const auto section = encoded_section(*part, *structure_);
      if (section && *section) add((*section)->extent);
    }
    const auto body = body_of(item);
    if (!body) continue;
    Extent whole{0, seen_.size()};
    if (needs_structure(body->section)) {
      whole = extent_of(body->section, *structure_).value_or(Extent{});
    }
    add(is_filtered(body->section) ? whole : cut(whole, body->partial));
  }
  return end;
}

Task<Result<>> FetchOctets::prepare(std::span<const FetchItem> items, storage::ReadAhead& ahead,
                                    const storage::UidSet& next) {
  const auto opened = co_await seen_.open(last_octet_needed(items), ahead, next);
  if (!opened) co_return opened;
  for (const FetchItem& item : items) {
    if (!is_of_octets(item)) continue;
    auto piece = co_await piece_of(item);
    if (!piece) co_return std::unexpected(std::move(piece).error());
    pieces_.push_back(*std::move(piece));
  }
  co_return Result<>();
}

Task<Result<FetchOctets::Piece>> FetchOctets::piece_of(const FetchItem& item) {
  if (const auto* binary = std::get_if<FetchBinary>(&item)) co_return co_await piece_of(*binary);
  if (const auto* size = std::get_if<FetchBinarySize>(&item)) co_return co_await piece_of(*size);
  const auto body = body_of(item);
  co_return co_await piece_of(*body);
}

Task<Result<FetchOctets::Piece>> FetchOctets::piece_of(const FetchBody& body) {
  std::optional<Extent> whole = Extent{0, seen_.size()};
  if (needs_structure(body.section)) whole = extent_of(body.section, *structure_);
  if (!whole) co_return Piece{};
  // Of a file that another program made shorter, what is not there is not announced.
  whole = within(*whole, seen_.size());
  if (!is_filtered(body.section)) co_return Piece{.extent = cut(*whole, body.partial)};

  const auto there = co_await read(*whole);
  if (!there) co_return std::unexpected(there.error());
  co_return Piece{.fields = Fields{.section = body.section, .partial = body.partial, .header = *whole}};
}

Task<Result<>> FetchOctets::read(Extent header) {
  if (header_ && header_->extent == header) co_return Result<>();
  auto octets = co_await read_header(header, seen_);
  if (!octets) co_return std::unexpected(std::move(octets).error());
  header_ = {.extent = header, .octets = *std::move(octets)};
  co_return Result<>();
}

// A message with binary parts, or a multipart of one, is given as it is stored.
Task<Result<std::optional<FetchOctets::Decoded>>> FetchOctets::find_section(
    const std::vector<std::uint32_t>& part) {
  const auto section = encoded_section(part, *structure_);
  if (!section) co_return std::unexpected(section.error());
  if (!*section) co_return std::nullopt;
  Decoded found{.section = **section, .partial = {}, .content = {}, .source = &seen_};
  const bool is_plain = found.section.encoding == message::TransferEncoding::identity;
  if (found.section.is_composite && is_plain && !edits_.empty()) {
    if (!stored_) {
      stored_.emplace(seen_.twin(storage::Octets::stored));
      const auto opened = co_await stored_->open(0);
      if (!opened) co_return std::unexpected(opened.error());
    }
    found.source = &*stored_;
    found.section = stored_section(found.section, edits_, stored_->size());
  }
  found.section.extent = within(found.section.extent, found.source->size());
  co_return found;
}

Task<Result<FetchOctets::Piece>> FetchOctets::piece_of(const FetchBinary& binary) {
  auto found = co_await find_section(binary.part);
  if (!found) co_return std::unexpected(std::move(found).error());
  if (!*found) co_return Piece{};
  Decoded decoded = **std::move(found);
  decoded.partial = binary.partial;
  auto content =
      co_await examine(connection_, ContentReader(*decoded.source, decoded.section, decoded.partial), room_);
  if (!content) co_return std::unexpected(std::move(content).error());
  if (content->octets) room_ -= content->octets->size();
  decoded.content = *std::move(content);
  co_return Piece{.decoded = std::move(decoded)};
}

// Of a part that is not there, NIL has no size.
Task<Result<FetchOctets::Piece>> FetchOctets::piece_of(const FetchBinarySize& size) {
  const auto found = co_await find_section(size.part);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return Piece{.size = 0};
  const EncodedSection& section = (*found)->section;
  if (section.encoding == message::TransferEncoding::identity) co_return Piece{.size = section.extent.size};
  const auto content =
      co_await examine(connection_, ContentReader(*(*found)->source, section, std::nullopt), 0);
  if (!content) co_return std::unexpected(content.error());
  co_return Piece{.size = content->size};
}

Task<void> FetchOctets::append_next() {
  const Piece& piece = pieces_.at(next_++);
  std::string& out = connection_.output();
  if (piece.extent) {
    append_literal_header(out, piece.extent->size);
    co_await send(*piece.extent);
  } else if (piece.fields) {
    co_await send(*piece.fields);
  } else if (piece.decoded) {
    // A string where that can hold it (RFC 3516 §4.3).
    if (piece.decoded->content.has_nul) out += '~';
    append_literal_header(out, piece.decoded->content.size);
    co_await send(*piece.decoded);
  } else if (piece.size) {
    append_number(out, *piece.size);
  } else {
    out += "NIL";
  }
}

Task<void> FetchOctets::send(const Fields& fields) {
  const auto there = co_await read(fields.header);
  if (!there) give_up(there.error().detail);
  std::string text = fields_of(fields.section, header_->octets);
  replace_nul(text);
  const Extent part = cut({0, text.size()}, fields.partial);
  append_literal_header(connection_.output(), part.size);
  connection_.queue(std::string_view(text).substr(static_cast<std::size_t>(part.offset),
                                                  static_cast<std::size_t>(part.size)));
  co_await connection_.flush_if_large();
  co_await slice_;
}

// The octets that were announced, exactly.
Task<void> FetchOctets::send(Extent extent) {
  while (extent.size > 0) {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(extent.size, MessageSource::longest_read));
    const auto held = seen_.held(extent.offset, extent.size);
    if (held && !held->contains('\0')) {
      connection_.queue(*held);
      co_return co_await connection_.flush_if_large();
    }
    auto octets = co_await seen_.read(extent.offset, count);
    if (!octets) give_up(octets.error().detail);
    if (octets->size() != count) give_up("shorter than it was");
    replace_nul(*octets);
    connection_.queue(*octets);
    co_await connection_.flush_if_large();
    extent.offset += count;
    extent.size -= count;
  }
}

Task<void> FetchOctets::send(const Decoded& decoded) {
  if (decoded.content.octets) {
    connection_.queue(*decoded.content.octets);
    co_await connection_.flush_if_large();
    co_return;
  }
  ContentReader reader(*decoded.source, decoded.section, decoded.partial);
  std::uint64_t left = decoded.content.size;
  while (left > 0) {
    co_await slice_;
    const auto octets = co_await reader.next();
    if (!octets) give_up(octets.error().detail);
    if (octets->empty() || octets->size() > left) give_up("another than it was");
    connection_.queue(*octets);
    left -= octets->size();
    co_await connection_.flush_if_large();
  }
}

void FetchOctets::give_up(std::string_view cause) {
  connection_.log(LogLevel::error, "imap.message_unreadable", {{"cause", cause}});
  connection_.close(CloseReason::local);
  throw ConnectionClosed(CloseReason::local);
}

}  // namespace posthorn::imap

#include "message/binary_view.h"

#include "message/preview.h"
#include "message/transfer_encoding.h"

#include <algorithm>
#include <utility>

namespace posthorn::message {
namespace {

constexpr std::size_t chunk_size = 256 << 10;

// Lines of base64 (RFC 2045 §6.8), each of them whole octets.
constexpr std::uint64_t line_octets = 57;
constexpr std::uint64_t line_size = 78;  // with its CRLF

std::uint64_t base64_size(std::uint64_t octets) {
  const std::uint64_t rest = octets % line_octets;
  return octets / line_octets * line_size + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

Result<std::string> read_all(const ReadStored& read, std::uint64_t offset, std::size_t size) {
  std::string octets = TRY(read(offset, size));
  if (octets.size() < size) return failure(Errc::corrupt, "a message is shorter than it was");
  return octets;
}

// The stretch [from, to) of what `octets` are in base64.
Result<std::string> read_base64(std::uint64_t offset, std::uint64_t size, std::uint64_t from,
                                std::size_t count, const ReadStored& read) {
  const std::uint64_t first = from / line_size * line_octets;
  const std::uint64_t last = std::min(size, ((from + count - 1) / line_size + 1) * line_octets);
  Base64Encoder encoder;
  std::string encoded;
  encoder.feed(TRY(read_all(read, offset + first, static_cast<std::size_t>(last - first))), encoded);
  encoder.finish(encoded);
  return encoded.substr(static_cast<std::size_t>(from % line_size), count);
}

}  // namespace

BinaryView::BinaryView(std::vector<BinaryEdit> edits, std::uint64_t stored_size) : stored_size_(stored_size) {
  std::uint64_t at = 0;
  const auto copy_up_to = [&](std::uint64_t end) {
    add({Kind::same, size_, at, end - at, {}});
    at = end;
  };
  for (BinaryEdit& edit : edits) {
    if (edit.offset < at || edit.offset > stored_size || edit.size > stored_size - edit.offset) continue;
    copy_up_to(edit.offset);
    add({edit.text ? Kind::text : Kind::base64, size_, at, edit.size, std::move(edit.text).value_or("")});
    at += edit.size;
  }
  copy_up_to(stored_size);
}

void BinaryView::add(Stretch stretch) {
  const std::uint64_t size = stretch.kind == Kind::same   ? stretch.stored_size
                             : stretch.kind == Kind::text ? stretch.text.size()
                                                          : base64_size(stretch.stored_size);
  if (size == 0) return;
  size_ += size;
  stretches_.push_back(std::move(stretch));
}

// `offset` lies below size().
const BinaryView::Stretch& BinaryView::stretch_at(std::uint64_t offset) const {
  return *std::prev(std::ranges::upper_bound(stretches_, offset, {}, &Stretch::seen_offset));
}

std::uint64_t BinaryView::stored_offset(std::uint64_t offset) const {
  if (offset >= size_) return stored_size_;
  const Stretch& stretch = stretch_at(offset);
  const std::uint64_t inside = stretch.kind == Kind::same ? offset - stretch.seen_offset : 0;
  return stretch.stored_offset + inside;
}

Result<std::string> BinaryView::read(std::uint64_t offset, std::size_t count, const ReadStored& read) const {
  if (offset >= size_) return std::string();
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  std::string octets;
  for (const Stretch* stretch = &stretch_at(offset); octets.size() < count; ++stretch) {
    const std::uint64_t end = stretch == &stretches_.back() ? size_ : (stretch + 1)->seen_offset;
    const std::uint64_t inside = offset + octets.size() - stretch->seen_offset;
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(count - octets.size(), end - stretch->seen_offset - inside));
    switch (stretch->kind) {
      case Kind::same: octets += TRY(read_all(read, stretch->stored_offset + inside, wanted)); break;
      case Kind::text: octets.append(stretch->text, static_cast<std::size_t>(inside), wanted); break;
      case Kind::base64:
        octets += TRY(read_base64(stretch->stored_offset, stretch->stored_size, inside, wanted, read));
        break;
    }
  }
  return octets;
}

Result<Summary> summarise(const BinaryView& view, std::vector<BinaryEdit> edits, const ReadStored& read) {
  SummaryParser parser;
  for (std::uint64_t at = 0; at < view.size(); at += chunk_size) {
    parser.feed(TRY(view.read(at, chunk_size, read)));
  }
  Summary summary = parser.finish();
  summary.preview.emplace();
  for (const TextRange& range : preview_ranges(summary)) {
    summary.preview =
        preview_of(range, TRY(view.read(range.offset, static_cast<std::size_t>(range.size), read)));
    if (!summary.preview->empty()) break;
  }
  summary.edits = std::move(edits);
  return summary;
}

Result<LineEndGain> line_end_gain(const BinaryView& view, const ReadStored& read) {
  LineEndGain gain;
  for (std::uint64_t at = 0; at < view.size(); at += chunk_size) {
    gain.feed(TRY(view.read(at, chunk_size, read)));
  }
  return gain;
}

}  // namespace posthorn::message

#include "storage/preview_file.h"

#include "message/preview.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t chunk_size = 256 << 10;

// Of a file of bare LFs, octets as on the wire.
Result<std::string> read_wire(FileSystem& files, const File& file, std::uint64_t offset, std::size_t size) {
  message::WireForm form(message::LineEnds::lf);
  std::string found;
  std::string wire;
  std::uint64_t stored = 0;
  for (std::uint64_t at = 0; found.size() < size; at += wire.size()) {
    const std::string chunk = TRY(files.read(file, stored, chunk_size));
    if (chunk.empty()) break;
    stored += chunk.size();
    wire.clear();
    form.feed(chunk, wire);
    if (at + wire.size() <= offset) continue;
    const std::size_t begin = static_cast<std::size_t>(std::max(at, offset) - at);
    found.append(wire, begin, size - found.size());
  }
  return found;
}

}  // namespace

Result<std::string> read_preview(FileSystem& files, const File& file, message::LineEnds ends,
                                 const message::Summary& summary) {
  for (const message::TextRange& range : message::preview_ranges(summary)) {
    const auto size = static_cast<std::size_t>(range.size);
    const std::string octets = ends == message::LineEnds::crlf
                                   ? TRY(files.read(file, range.offset, size))
                                   : TRY(read_wire(files, file, range.offset, size));
    std::string preview = message::preview_of(range, octets);
    if (!preview.empty()) return preview;
  }
  return std::string();
}

}  // namespace posthorn::storage

#include "storage/message_bytes.h"

#include "message/line_ends.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t read_limit = 256 << 10;
constexpr std::size_t chunk_size = 64 << 10;

}  // namespace

Task<Result<std::string>> StoredBytes::read(std::uint64_t offset, std::size_t size) {
  auto job = [this, offset, size] { return file_.read(offset, size); };
  co_return co_await Offload(disk_, job);
}

Result<std::string> StoredFile::read(std::uint64_t offset, std::size_t size) {
  if (offset >= wire_size_) return std::string();
  const std::uint64_t there = wire_size_ - offset;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>({size, read_limit, there}));
  std::string bytes = TRY(read_now(offset, wanted));
  if (bytes.size() < wanted) return failure(Errc::corrupt, "a message's file is shorter than the index says");
  return bytes;
}

Result<std::string> StoredFile::read_now(std::uint64_t offset, std::size_t size) {
  if (as_stored_) return files_->read(file_, offset, size);
  if (!view_) return convert(offset, size);
  return view_->read(offset, size,
                     [this](std::uint64_t at, std::size_t count) { return files_->read(file_, at, count); });
}

Result<std::string> StoredFile::head(std::size_t limit) {
  std::string head = TRY(read(0, limit));
  while (head.size() < limit && head.size() < wire_size_) head += TRY(read(head.size(), limit - head.size()));
  return head;
}

Result<std::string> StoredFile::convert(std::uint64_t offset, std::size_t size) {
  auto after = std::ranges::upper_bound(marks_, offset, {}, &Mark::wire);
  Mark mark = *std::prev(after);
  std::string result;
  std::string wire;
  while (result.size() < size) {
    const std::string chunk = TRY(files_->read(file_, mark.stored, chunk_size));
    if (chunk.empty()) break;
    message::WireForm form(message::LineEnds::lf);
    wire.clear();
    if (mark.after_cr) form.feed("\r", wire);
    wire.clear();
    form.feed(chunk, wire);
    if (mark.wire + wire.size() > offset) {
      const std::uint64_t skip = offset > mark.wire ? offset - mark.wire : 0;
      result.append(wire, static_cast<std::size_t>(skip), size - result.size());
    }
    mark = {mark.wire + wire.size(), mark.stored + chunk.size(), chunk.back() == '\r'};
    if (mark.wire > marks_.back().wire) marks_.push_back(mark);
  }
  return result;
}

}  // namespace posthorn::storage

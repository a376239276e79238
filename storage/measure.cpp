#include "storage/measure.h"

#include "message/binary_view.h"
#include "message/structure.h"
#include "message/summary_codec.h"
#include "storage/preview_file.h"
#include "storage/threads.h"

namespace posthorn::storage {
namespace {

constexpr std::size_t chunk_size = 256 << 10;

message::LineEnds guess_line_ends(std::string_view beginning) {
  const std::size_t end = beginning.find('\n');
  const bool bare = end != std::string_view::npos && (end == 0 || beginning[end - 1] != '\r');
  return bare ? message::LineEnds::lf : message::LineEnds::crlf;
}

// What is seen of a file that has binary parts, if it can be shown so.
Result<> encode_binary(FileSystem& files, const File& file, Measured& measured, message::Summary& summary) {
  const message::ReadStored read = [&](std::uint64_t offset, std::size_t size) {
    return files.read(file, offset, size);
  };
  auto edits = message::find_binary_edits(summary.root, measured.stored_size, read);
  if (!edits && edits.error().code != Errc::not_allowed) return std::unexpected(edits.error());
  const message::BinaryView view(edits.value_or(std::vector<message::BinaryEdit>()), measured.stored_size);
  measured.encoded_size = view.size();
  measured.gain = TRY(message::line_end_gain(view, read)).octets();
  if (edits && !edits->empty()) summary = TRY(message::summarise(view, *std::move(edits), read));
  return {};
}

}  // namespace

Result<File> open_message_file(FileSystem& files, const std::string& path) {
  return files.open(path, FileSystem::Open::read_regular);
}

Result<Measured> measure(FileSystem& files, const std::string& path, StoredForm stored) {
  Measured measured;
  const File file = TRY(open_message_file(files, path));
  std::string chunk = TRY(files.read(file, 0, chunk_size));
  if (chunk.empty()) {
    message::Summary empty = message::SummaryParser().finish();
    empty.preview = "";
    measured.summary = message::encode(empty);
    return measured;
  }
  const message::LineEnds ends = stored.line_ends.value_or(guess_line_ends(chunk));
  message::WireForm form(ends);
  message::SummaryParser parser(ends);
  message::LineEndGain gain;
  std::string wire;
  while (!chunk.empty()) {
    measured.stored_size += chunk.size();
    parser.feed(chunk);
    wire.clear();
    form.feed(chunk, wire);
    measured.wire_size += wire.size();
    gain.feed(wire);
    chunk = TRY(files.read(file, measured.stored_size, chunk_size));
  }
  measured.gain = gain.octets();
  message::Summary summary = parser.finish();
  summary.preview = TRY(read_preview(files, file, ends, summary));
  if (stored.binary && ends == message::LineEnds::crlf) {
    TRY(encode_binary(files, file, measured, summary));
  }
  measured.thread_keys = thread_keys(summary);
  measured.summary = message::encode(summary);
  return measured;
}

Result<std::vector<std::int64_t>> measure_thread(FileSystem& files, const std::string& path,
                                                 message::LineEnds ends) {
  const File file = TRY(open_message_file(files, path));
  const std::string beginning = TRY(files.read(file, 0, chunk_size));
  if (beginning.empty()) return std::vector<std::int64_t>();
  return thread_keys(message::parse_summary(beginning, ends));
}

std::uint64_t gain_of_end(std::string_view end, message::LineEnds ends) {
  if (end.empty()) return 0;
  if (end.back() != '\n') return 2;
  return ends == message::LineEnds::lf || end.ends_with("\r\n") ? 0 : 1;
}

}  // namespace posthorn::storage

#include "storage/file_spool.h"

#include "message/binary_view.h"
#include "message/preview.h"
#include "message/summary_codec.h"
#include "storage/measure.h"
#include "storage/preview_file.h"
#include "storage/threads.h"

namespace posthorn::storage {

FileSpool::FileSpool(Lane& disk, FileSystem& files, std::string path, std::string unique, std::size_t memory,
                     std::uint64_t limit)
    : disk_(disk),
      files_(files),
      path_(std::move(path)),
      unique_(std::move(unique)),
      memory_(memory),
      limit_(limit) {
  parser_.emplace();
}

// One short call on the loop thread; what it leaves at a failure goes at the next start.
FileSpool::~FileSpool() {
  if (output_ || file_) static_cast<void>(files_.unlink(path_));
}

Error FileSpool::fail(Error error) {
  error_ = error;
  buffer_ = {};
  return error;
}

Task<Result<>> FileSpool::write(std::string_view bytes) {
  if (error_) co_return std::unexpected(*error_);
  if (bytes.size() > limit_ - size_) {
    co_return std::unexpected(
        fail({Errc::too_large, "message of more than " + std::to_string(limit_) + " octets"}));
  }
  size_ += bytes.size();
  if (accepts_binary_ && bytes.contains('\0')) is_binary_ = true;
  gain_.feed(bytes);
  buffer_.append(bytes);
  if (buffer_.size() <= memory_) co_return Result<>();
  auto flush = [this] { return this->flush(); };
  auto flushed = co_await Offload(disk_, flush);
  if (!flushed) co_return std::unexpected(fail(std::move(flushed).error()));
  co_return Result<>();
}

Task<Result<>> FileSpool::close() {
  if (error_) co_return std::unexpected(*error_);
  if (output_) {
    auto finish = [this] { return finish_file(); };
    auto finished = co_await Offload(disk_, finish);
    if (!finished) co_return std::unexpected(fail(std::move(finished).error()));
  }
  if (is_binary_) {
    auto encode = [this] { return encode_binary(); };
    auto encoded = co_await Offload(disk_, encode);
    if (!encoded) co_return std::unexpected(fail(std::move(encoded).error()));
  }
  closed_ = true;
  co_return Result<>();
}

Result<> FileSpool::flush() {
  if (!output_) output_ = TRY(files_.open(path_, FileSystem::Open::create_new));
  parser_->feed(buffer_);
  TRY(files_.write(output_, buffer_));
  buffer_.clear();
  return {};
}

Result<> FileSpool::finish_file() {
  TRY(flush());
  TRY(files_.sync(output_));
  output_ = {};
  file_ = path_;
  buffer_ = {};
  return {};
}

Task<Result<>> FileSpool::put_aside() {
  auto drop = [this] { return this->drop(); };
  auto dropped = co_await Offload(disk_, drop);
  if (!dropped) co_return std::unexpected(fail(std::move(dropped).error()));
  co_return Result<>();
}

Result<> FileSpool::drop() {
  if (!file_) TRY(write_file());
  is_aside_ = true;
  buffer_ = {};
  parser_.reset();
  done();
  return {};
}

Result<> FileSpool::share() {
  if (file_) return {};
  TRY(work_out());
  return write_file();
}

Result<> FileSpool::write_file() {
  output_ = TRY(files_.open(path_, FileSystem::Open::create_new));
  TRY(files_.write(output_, buffer_));
  TRY(files_.sync(output_));
  output_ = {};
  file_ = path_;
  return {};
}

Result<> FileSpool::work_out() {
  if (summary_) return {};
  if (is_aside_) {
    auto measured =
        TRY(measure(files_, *file_, {.line_ends = message::LineEnds::crlf, .binary = is_binary_}));
    summary_ = std::move(measured.summary);
    thread_keys_ = std::move(measured.thread_keys);
    return {};
  }
  if (!file_) parser_->feed(buffer_);
  message::Summary summary = parser_->finish();
  parser_.reset();
  // What was written just now can be read, or nothing else will go well either.
  summary.preview = preview(summary).value_or("");
  keep(summary);
  return {};
}

void FileSpool::done() {
  if (!is_aside_) return;
  summary_.reset();
  thread_keys_ = {};
}

void FileSpool::keep(const message::Summary& summary) {
  thread_keys_ = storage::thread_keys(summary);
  summary_ = message::encode(summary);
}

Result<> FileSpool::encode_binary() {
  if (!file_) parser_->feed(buffer_);
  const message::Summary stored = parser_->finish();
  parser_.reset();
  File file;
  if (file_) file = TRY(files_.open(*file_, FileSystem::Open::read));
  const message::ReadStored read = [&](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    if (file) return files_.read(file, offset, size);
    return buffer_.substr(static_cast<std::size_t>(offset), size);
  };
  auto edits = TRY(message::find_binary_edits(stored.root, size_, read));
  const message::BinaryView view(edits, size_);
  keep(TRY(message::summarise(view, std::move(edits), read)));
  encoded_size_ = view.size();
  gain_ = TRY(message::line_end_gain(view, read));
  return {};
}

Result<std::string> FileSpool::preview(const message::Summary& summary) {
  if (!file_) return message::preview_of(summary, buffer_);
  const File file = TRY(files_.open(*file_, FileSystem::Open::read));
  return read_preview(files_, file, message::LineEnds::crlf, summary);
}

}  // namespace posthorn::storage

#pragma once

#include "base/file_system.h"
#include "base/offload.h"
#include "message/line_ends.h"
#include "message/structure.h"
#include "storage/spool.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace posthorn::storage {

// The Spool that storage hands out, and takes messages from.
class FileSpool final : public Spool {
 public:
  // `unique` is the message's own part of its file names; `path` is where it goes when it is large.
  FileSpool(Lane& disk, FileSystem& files, std::string path, std::string unique, std::size_t memory,
            std::uint64_t limit);
  ~FileSpool() override;

  Task<Result<>> write(std::string_view bytes) override;
  void accept_binary() override { accepts_binary_ = true; }
  Task<Result<>> close() override;
  Task<Result<>> put_aside() override;
  std::uint64_t size() const override { return size_; }

  const std::string& unique() const { return unique_; }
  // Octets that it gains, as clients see it, where each line ends in CR LF; once it is closed.
  std::uint64_t gain() const { return gain_.octets(); }
  bool closed() const { return closed_; }

  // The rest blocks; on the pool, once it is closed, one thread at a time.
  // The message as a file that is synced, when it was too large for memory or share() has been called.
  const std::optional<std::string>& file() const { return file_; }
  // The message, while it is in memory.
  const std::string& bytes() const { return buffer_; }
  // Puts it into a file, so that it can be linked to several places.
  Result<> share();
  // Works out what follows. Errors: those of reading a file.
  Result<> work_out();
  // The message's summary, encoded, with its preview, and the keys of its thread.
  const std::string& summary() const { return *summary_; }
  const std::vector<std::int64_t>& thread_keys() const { return thread_keys_; }
  // What was worked out is not needed any more: one that was put aside drops it.
  void done();
  // The size that clients see, if that is another than the stored one as there are binary parts.
  std::optional<std::uint64_t> encoded_size() const { return encoded_size_; }

 private:
  Result<> flush();
  Result<> finish_file();
  Result<> write_file();
  Result<> drop();
  void keep(const message::Summary& summary);
  Result<> encode_binary();
  Result<std::string> preview(const message::Summary& summary);
  Error fail(Error error);

  Lane& disk_;
  FileSystem& files_;
  std::string path_;
  std::string unique_;
  std::size_t memory_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
  message::LineEndGain gain_;
  std::string buffer_;
  File output_;
  std::optional<std::string> file_;
  std::optional<message::SummaryParser> parser_;
  bool accepts_binary_ = false;
  bool is_binary_ = false;
  bool is_aside_ = false;
  std::optional<std::uint64_t> encoded_size_;
  std::optional<std::string> summary_;
  std::vector<std::int64_t> thread_keys_;
  std::optional<Error> error_;
  bool closed_ = false;
};

}  // namespace posthorn::storage

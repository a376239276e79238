#pragma once

#include "base/file_system.h"
#include "message/line_ends.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::storage {

// What a message's file says of itself.
struct Measured {
  std::uint64_t stored_size = 0;
  std::uint64_t wire_size = 0;
  std::optional<std::uint64_t> encoded_size;  // as clients see it, where `form.binary`
  std::uint64_t gain = 0;  // octets more where each line that they see ends in CR LF (message::LineEndGain)
  std::string summary;     // encoded, with its preview
  std::vector<std::int64_t> thread_keys;
};

// What is known of a file before it is read.
struct StoredForm {
  // None: LF alone at the end of its first line means LF throughout (design, decision 8); otherwise the bytes
  // are as on the wire.
  std::optional<message::LineEnds> line_ends{};
  // Parts with NULs are shown in base64 (message/binary_view.h); only of a file of CRLF. Where that can't be,
  // it is shown as it is.
  bool binary = false;
};

// Reads a message's file through.
//
// Errors: io; not_allowed for what is no regular file of `path` itself (a symbolic link).
Result<Measured> measure(FileSystem& files, const std::string& path, StoredForm form);

// The keys of its thread, for which its header is enough. Errors as of measure().
Result<std::vector<std::int64_t>> measure_thread(FileSystem& files, const std::string& path,
                                                 message::LineEnds ends);

// What the last two octets of a message, or all of a shorter one, say of its gain: right where only the last
// line may lack its end, as in all files but those that have bare LFs among CR LFs.
std::uint64_t gain_of_end(std::string_view end, message::LineEnds ends);

// Opens the regular file at `path` for reading. Errors: as of FileSystem; not_allowed for what is none.
Result<File> open_message_file(FileSystem& files, const std::string& path);

}  // namespace posthorn::storage

#pragma once

#include "base/file_system.h"
#include "message/line_ends.h"
#include "message/structure.h"

#include <string>

namespace posthorn::storage {

// The preview (RFC 8970) of a message in a file that ends its lines so. It reads at most what
// message::preview_ranges() names, and, where lines end in LF, what stands before. Errors: io.
Result<std::string> read_preview(FileSystem& files, const File& file, message::LineEnds ends,
                                 const message::Summary& summary);

}  // namespace posthorn::storage

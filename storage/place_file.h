#pragma once

#include "base/file_system.h"

#include <string>
#include <string_view>

namespace posthorn::storage {

// Writes a new file, synced: through `tmp`, so that `path` has all of it or is not there. The directories are
// left to be synced. Nothing stays behind after an error.
Result<> write_file(FileSystem& files, const std::string& path, const std::string& tmp,
                    std::string_view bytes);

// Makes `path` another link of `existing`, which is synced; a synced copy where the file system allows no
// link (EMLINK, EXDEV, EPERM).
Result<> link_file(FileSystem& files, const std::string& existing, const std::string& path,
                   const std::string& tmp);

// Unlinks a directory and all below it. Symbolic links are unlinked, not followed.
Result<> remove_tree(FileSystem& files, const std::string& path);

}  // namespace posthorn::storage

#pragma once

#include "base/file_system.h"

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::storage {

// A new file that is written under `tmp`, and neither synced nor at `path` yet.
struct WrittenFile {
  File file;
  std::string tmp;
  std::string path;
};

// Writes it. Nothing stays behind after an error.
Result<WrittenFile> write_aside(FileSystem& files, std::string path, std::string tmp, std::string_view bytes);

// Syncs all of them, then renames each to where it belongs. The directories are left to be synced. After an
// error some may be in place; nothing is to be tried again, as a second sync can pass over what the first
// lost.
Result<> put_in_place(FileSystem& files, const std::vector<WrittenFile>& written);

// Makes `path` another link of `existing`, which is as durable as that one is (a message taken in from
// another program was never synced here); a synced copy where the file system allows no link (EMLINK, EXDEV,
// EPERM).
Result<> link_file(FileSystem& files, const std::string& existing, const std::string& path,
                   const std::string& tmp);

// Unlinks a directory and all below it. Symbolic links are unlinked, not followed.
Result<> remove_tree(FileSystem& files, const std::string& path);

}  // namespace posthorn::storage

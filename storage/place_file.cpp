#include "storage/place_file.h"

namespace posthorn::storage {
namespace {

constexpr std::size_t chunk_size = 256 << 10;

Result<> fill(FileSystem& files, const std::string& tmp, const File& source) {
  const File target = TRY(files.open(tmp, FileSystem::Open::create_new));
  std::uint64_t offset = 0;
  while (true) {
    const std::string chunk = TRY(files.read(source, offset, chunk_size));
    if (chunk.empty()) break;
    TRY(files.write(target, chunk));
    offset += chunk.size();
  }
  return files.sync(target);
}

Result<> finish(FileSystem& files, Result<> filled, const std::string& tmp, const std::string& path) {
  if (filled) filled = files.rename(tmp, path);
  if (!filled) static_cast<void>(files.unlink(tmp));
  return filled;
}

}  // namespace

Result<WrittenFile> write_aside(FileSystem& files, std::string path, std::string tmp,
                                std::string_view bytes) {
  File target = TRY(files.open(tmp, FileSystem::Open::create_new));
  const auto filled = files.write(target, bytes);
  if (filled) return WrittenFile{std::move(target), std::move(tmp), std::move(path)};
  static_cast<void>(files.unlink(tmp));
  return std::unexpected(filled.error());
}

Result<> put_in_place(FileSystem& files, const std::vector<WrittenFile>& written) {
  if (written.size() > 1) {
    for (const WrittenFile& each : written) files.start_sync(each.file);
  }
  for (const WrittenFile& each : written) TRY(files.sync(each.file));
  for (const WrittenFile& each : written) TRY(files.rename(each.tmp, each.path));
  return {};
}

Result<> link_file(FileSystem& files, const std::string& existing, const std::string& path,
                   const std::string& tmp) {
  auto linked = files.link(existing, path);
  if (linked || linked.error().code != Errc::io) return linked;
  const File source = TRY(files.open(existing, FileSystem::Open::read_regular));
  return finish(files, fill(files, tmp, source), tmp, path);
}

Result<> remove_tree(FileSystem& files, const std::string& path) {
  const FileStatus status = TRY(files.status(path));
  if (!status.directory) return files.unlink(path);
  for (const std::string& name : TRY(files.list(path))) {
    std::string below = path;
    below.append("/").append(name);
    TRY(remove_tree(files, below));
  }
  return files.remove_directory(path);
}

}  // namespace posthorn::storage

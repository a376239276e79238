// Mailbox names and directories stand for each other one to one, and no directory leads out of the Maildir.
#include "storage/account_path.h"
#include "storage/folder_name.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

bool is_safe(std::string_view directory) {
  if (directory.find('/') != std::string_view::npos || directory.find('\0') != std::string_view::npos)
    return false;
  return directory.size() <= 240 && directory != "." && directory != "..";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::storage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = canonical_mailbox_name(text)) {
    const std::string directory = folder_directory(*name);
    if (!is_safe(directory)) std::abort();
    if (canonical_mailbox_name(*name) != *name) std::abort();
    if (!directory.empty() && mailbox_of_directory(directory) != *name) std::abort();
    if (directory.empty() != (*name == "INBOX")) std::abort();
  }
  if (const auto name = mailbox_of_directory(text)) {
    if (folder_directory(*name) != text) std::abort();
  }
  if (const auto path = account_path(text)) {
    const std::size_t slash = path->find('/');
    if (slash == std::string::npos || slash == 0 || path->find('/', slash + 1) != std::string::npos)
      std::abort();
    if (path->front() == '.' || (*path)[slash + 1] == '.') std::abort();
  }
  return 0;
}

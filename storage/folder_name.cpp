#include "storage/folder_name.h"

#include "message/modified_utf7.h"

namespace posthorn::storage {
namespace {

constexpr std::size_t directory_limit = 240;
// What stands encoded in a directory's name although it could stand for itself.
constexpr std::string_view encoded_too = "./~:";

bool may_stand_in_name(char32_t character) {
  const bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
  return !control && character != 0x2028 && character != 0x2029;
}

bool is_inbox(std::string_view level) {
  if (level.size() != 5) return false;
  for (std::size_t index = 0; index < level.size(); ++index) {
    if ((level[index] & ~0x20) != "INBOX"[index]) return false;
  }
  return true;
}

Result<> check_level(std::string_view level) {
  if (level.empty()) return failure(Errc::not_allowed, "mailbox name with an empty level");
  if (level == "." || level == "..") return failure(Errc::not_allowed, "mailbox name with a level . or ..");
  while (!level.empty()) {
    const auto character = message::take_character(level);
    if (!character) return failure(Errc::not_allowed, "mailbox name is not UTF-8");
    if (!may_stand_in_name(*character))
      return failure(Errc::not_allowed, "mailbox name with a control character");
  }
  return {};
}

}  // namespace

Result<std::string> canonical_mailbox_name(std::string_view name) {
  // The directory's name has at least 8 octets for 9 of UTF-8: none this long could fit.
  if (name.size() > 2 * directory_limit) return too_large("mailbox name");
  std::size_t begin = 0;
  while (true) {
    const std::size_t slash = name.find('/', begin);
    TRY(check_level(name.substr(begin, slash - begin)));
    if (slash == std::string_view::npos) break;
    begin = slash + 1;
  }
  std::string canonical(name);
  if (is_inbox(name.substr(0, name.find('/')))) canonical.replace(0, 5, "INBOX");
  if (folder_directory(canonical).size() > directory_limit) return too_large("mailbox name");
  return canonical;
}

std::string folder_directory(std::string_view canonical) {
  if (canonical == "INBOX") return {};
  std::string directory;
  while (true) {
    const std::size_t slash = canonical.find('/');
    directory += '.';
    directory += message::encode_modified_utf7(canonical.substr(0, slash), encoded_too);
    if (slash == std::string_view::npos) return directory;
    canonical.remove_prefix(slash + 1);
  }
}

std::optional<std::string> mailbox_of_directory(std::string_view directory) {
  if (!directory.starts_with('.')) return std::nullopt;
  std::string name;
  std::string_view rest = directory.substr(1);
  while (true) {
    const std::size_t dot = rest.find('.');
    const auto level = message::decode_modified_utf7(rest.substr(0, dot), encoded_too);
    if (!level) return std::nullopt;
    name += *level;
    if (dot == std::string_view::npos) break;
    name += '/';
    rest.remove_prefix(dot + 1);
  }
  auto canonical = canonical_mailbox_name(name);
  // Two directories must never be one mailbox: only the one that we would make counts.
  if (!canonical || folder_directory(*canonical) != directory) return std::nullopt;
  return *std::move(canonical);
}

}  // namespace posthorn::storage

#include "storage/share_folder.h"

#include "storage/account_path.h"
#include "storage/acl.h"
#include "storage/folders.h"
#include "storage/shares.h"

#include <algorithm>

namespace posthorn::storage {
namespace {

constexpr std::size_t acl_file_limit = 1U << 20U;

// So that the lists in its folders are read when it is opened.
Result<> say_that_it_shares(AccountDisk& disk) {
  if (disk.state().shared) return {};
  disk.state().shared = true;
  auto written = disk.write_state();
  if (!written) disk.state().shared = false;
  return written;
}

Result<> write_acl(Work& work, Folder& folder, Acl acl) {
  TRY(work.files.replace(acl_file(folder.path), to_string(acl)));
  work.change(folder).acl = acl.entries().empty() ? nullptr : std::make_shared<const Acl>(std::move(acl));
  work.outcome.infos[folder.row.id] = folder.info();
  work.outcome.list_changed = true;
  return {};
}

// Says whom the account's lists name. Should it fail, more is said than they do, which does no harm.
void settle_shares(AccountDisk& disk, const std::string& account) {
  if (disk.context().shares == nullptr) return;
  std::vector<std::string> identifiers;
  for (const auto& [id, folder] : disk.folders()) {
    if (!folder.acl) continue;
    for (const Acl::Entry& entry : folder.acl->entries()) identifiers.push_back(entry.identifier);
  }
  std::ranges::sort(identifiers);
  const auto twice = std::ranges::unique(identifiers);
  identifiers.erase(twice.begin(), twice.end());
  static_cast<void>(disk.context().shares->set(account, identifiers));
}

}  // namespace

std::string acl_file(const std::string& path) { return path + "/posthorn-acl"; }

std::shared_ptr<const Acl> read_acl(AccountDisk& disk, const std::string& path) {
  if (!disk.state().shared) return nullptr;
  const auto text = disk.files().read_whole(acl_file(path), acl_file_limit);
  if (!text && text.error().code == Errc::not_found) return nullptr;
  auto acl = text ? parse_acl(*text) : Result<Acl>(std::unexpected(text.error()));
  if (!acl) {
    disk.context().log.warning(
        "storage.acl_damaged",
        {{"account", disk.address()}, {"file", acl_file(path)}, {"error", acl.error().detail}});
    return nullptr;
  }
  if (acl->entries().empty()) return nullptr;
  return std::make_shared<const Acl>(*std::move(acl));
}

Result<> ShareFolder::run(Work& work) {
  TRY(sync_folders(work));
  Folder* folder = work.disk.find_folder(name_);
  if (folder == nullptr || (only_ != 0 && folder->row.id != only_)) {
    return not_found("no mailbox of that name");
  }
  Acl acl = folder->acl ? *folder->acl : Acl();
  TRY(acl.change(identifier_, change_, work.disk.context().settings.acl_entries));
  if (folder->acl ? acl == *folder->acl : acl.entries().empty()) return {};
  const std::string account = TRY(canonical_address(work.disk.address()));
  work.layout_changing = true;
  const bool names_it = !acl.granted(identifier_).empty();
  if (names_it) TRY(say_that_it_shares(work.disk));
  if (names_it && work.disk.context().shares != nullptr) {
    TRY(work.disk.context().shares->add(account, identifier_));
  }
  TRY(write_acl(work, *folder, std::move(acl)));
  if (!names_it) settle_shares(work.disk, account);
  return {};
}

Result<> UnshareFolders::run(Work& work) {
  work.layout_changing = true;
  const std::string account = TRY(canonical_address(work.disk.address()));
  const std::size_t most = work.disk.context().settings.acl_entries;
  for (auto& [id, folder] : work.disk.folders()) {
    if (!folder.acl) continue;
    Acl acl = *folder.acl;
    for (const std::string& identifier : identifiers_) TRY(acl.change(identifier, {}, most));
    if (acl != *folder.acl) TRY(write_acl(work, folder, std::move(acl)));
  }
  settle_shares(work.disk, account);
  return {};
}

}  // namespace posthorn::storage

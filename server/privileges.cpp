#include "server/privileges.h"

#include "base/file_system.h"
#include "base/handle.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace posthorn::server {
namespace {

std::optional<unsigned> number_of(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// Others may pass through the folders above the data, whatever the umask says.
Result<> make_open_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    const mode_t umask_before = umask(022);
    const bool made = mkdir(above.c_str(), 0755) == 0;
    const int refused = errno;
    umask(umask_before);
    if (made) continue;
    struct stat found{};
    if (stat(above.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) continue;
    errno = refused;
    return system_failure("mkdir " + above);
  }
  return {};
}

using Directory = Owned<DIR, closedir>;

// Calls `each` with the name of every entry but "." and "..", as long as it gives true.
template <class Function>
Result<> for_each_entry(const File& directory, const std::string& path, Function each) {
  // A descriptor of its own: closedir() closes it.
  const int again = openat(directory.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return system_failure("open " + path);
  const Directory stream(fdopendir(again));
  if (!stream) {
    close(again);
    return system_failure("opendir " + path);
  }
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !each(entry->d_name)) return {};
    errno = 0;
  }
  if (errno != 0) return system_failure("readdir " + path);
  return {};
}

// Whether a directory is a data directory, or nothing yet.
Result<bool> is_ours(const File& directory, const std::string& path) {
  for (const char* mark : {"version", "lock", "accounts.sqlite"}) {
    struct stat found{};
    if (fstatat(directory.descriptor(), mark, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode)) {
      return true;
    }
  }
  bool empty = true;
  TRY(for_each_entry(directory, path, [&](const char* name) {
    // The root of a file system of its own has this one.
    empty = std::string_view(name) == "lost+found";
    return empty;
  }));
  return empty;
}

Result<> give_entry(const File& directory, const std::string& path, const char* name, const Identity& owner,
                    dev_t device);

// What is in a directory and then itself: the tree is closed to all but root meanwhile, and its top goes over
// last, so nobody can put a link in the way. Other file systems that are mounted there stay as they are.
Result<> give_tree(const File& directory, const std::string& path, const Identity& owner, dev_t device) {
  Result<> given;
  TRY(for_each_entry(directory, path, [&](const char* name) {
    given = give_entry(directory, path, name, owner, device);
    return given.has_value();
  }));
  if (!given) return given;
  if (fchown(directory.descriptor(), owner.uid, owner.gid) != 0) return system_failure("chown " + path);
  return {};
}

Result<> give_entry(const File& directory, const std::string& path, const char* name, const Identity& owner,
                    dev_t device) {
  const std::string full = path + "/" + name;
  struct stat found{};
  if (fstatat(directory.descriptor(), name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure("stat " + full);
  }
  if (found.st_dev != device) return {};
  if (!S_ISDIR(found.st_mode)) {
    if (fchownat(directory.descriptor(), name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) == 0) return {};
    return system_failure("chown " + full);
  }
  const File inner(openat(directory.descriptor(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner) return system_failure("open " + full);
  return give_tree(inner, full, owner, device);
}

Result<File> open_existing(const std::string& path) {
  File directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory) return directory;
  if (errno == ENOTDIR || errno == ELOOP) {
    return failure(Errc::io, path + " is not a directory, or a symbolic link to one");
  }
  return system_failure("open " + path);
}

// Makes the directory where it is missing, and opens it.
Result<File> open_directory(const std::string& path) {
  TRY(make_open_directories(path));
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return system_failure("mkdir " + path);
  return open_existing(path);
}

std::unexpected<Error> belongs_to_third(const std::string& path) {
  const auto third = owner_of(path);
  return failure(Errc::denied, path + " belongs to " + (third ? third->user : "root"));
}

std::unexpected<Error> holds_other_files(const std::string& path) {
  return failure(Errc::not_allowed,
                 path + " holds other files: a data directory is empty at first, and then Posthorn's alone");
}

Result<> make_private(const File& directory, const std::string& path, mode_t mode) {
  if ((mode & 07777) == S_IRWXU || fchmod(directory.descriptor(), S_IRWXU) == 0) return {};
  return system_failure("chmod " + path);
}

// Whether the group root is among those that the machine lists for the user.
Result<bool> is_in_root_group(const Identity& identity) {
  constexpr std::size_t limit = 65'536;  // of the kernel
  std::vector<gid_t> groups(limit);
  int count = static_cast<int>(limit);
  if (getgrouplist(identity.user.c_str(), identity.gid, groups.data(), &count) < 0) {
    return failure(Errc::io, "the groups of the user " + identity.user + " are too many");
  }
  groups.resize(static_cast<std::size_t>(count));
  return std::ranges::find(groups, gid_t{0}) != groups.end();
}

std::unexpected<Error> is_root_group_member(const Identity& identity) {
  return failure(Errc::not_allowed, "the user " + identity.user + " is a member of the group root (0)");
}

// Whether one of the process's supplementary groups is root's.
Result<bool> in_root_group() {
  const int count = getgroups(0, nullptr);
  if (count < 0) return system_failure("getgroups");
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (count > 0 && getgroups(count, groups.data()) < 0) return system_failure("getgroups");
  return std::ranges::find(groups, gid_t{0}) != groups.end();
}

}  // namespace

bool is_root() { return geteuid() == 0; }

Result<Identity> find_identity(const std::string& user, const std::string& group) {
  const passwd* found = getpwnam(user.c_str());
  if (const auto number = number_of(user); found == nullptr && number) found = getpwuid(*number);
  if (found == nullptr) return not_found("no user is called " + user);
  Identity identity{found->pw_name, found->pw_uid, found->pw_gid};
  if (!group.empty()) {
    const struct group* entry = getgrnam(group.c_str());
    if (const auto number = number_of(group); entry == nullptr && number) entry = getgrgid(*number);
    if (entry == nullptr) return not_found("no group is called " + group);
    identity.gid = entry->gr_gid;
  }
  if (identity.uid == 0) return failure(Errc::not_allowed, "mail is not to be served as root");
  if (identity.gid == 0) {
    return failure(Errc::not_allowed, "mail is not to be served with the group root (0)" +
                                          std::string(group.empty() ? ", which is that of " + user : ""));
  }
  if (TRY(is_in_root_group(identity))) return is_root_group_member(identity);
  return identity;
}

std::optional<Identity> owner_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 || found.st_uid == 0) return {};
  const passwd* entry = getpwuid(found.st_uid);
  if (entry == nullptr) return Identity{std::to_string(found.st_uid), found.st_uid, found.st_gid};
  return Identity{entry->pw_name, found.st_uid, found.st_gid == 0 ? entry->pw_gid : found.st_gid};
}

Result<> become(const Identity& identity) {
  // Also what initgroups() below would make every user a member of.
  if (identity.gid == 0) {
    return failure(Errc::not_allowed, "the user " + identity.user + " would have the group root (0)");
  }
  if (initgroups(identity.user.c_str(), identity.gid) != 0)
    return system_failure("initgroups " + identity.user);
  if (TRY(in_root_group())) return is_root_group_member(identity);
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return system_failure("setresgid");
  if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return system_failure("setresuid");
  if (setuid(0) == 0 || geteuid() != identity.uid || getegid() != identity.gid) {
    return failure(Errc::io, "root was not given up");
  }
#if __has_feature(address_sanitizer)
  // The leak check attaches to the process, which a change of user forbids.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
  return {};
}

void forbid_new_privileges() { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

Result<> make_private_directory(const std::string& path) {
  const File directory = TRY(open_directory(path));
  struct stat found{};
  if (fstat(directory.descriptor(), &found) != 0) return system_failure("stat " + path);
  return make_private(directory, path, found.st_mode);
}

Result<> prepare_data_directory(const std::string& path, const std::optional<Identity>& owner) {
  const File directory = TRY(open_directory(path));
  struct stat found{};
  if (fstat(directory.descriptor(), &found) != 0) return system_failure("stat " + path);
  const bool ours = found.st_uid == geteuid();
  if (!ours && !(owner && found.st_uid == owner->uid)) {
    return belongs_to_third(path);
  }
  if (!TRY(is_ours(directory, path))) return holds_other_files(path);
  TRY(make_private(directory, path, found.st_mode));
  if (owner && ours && owner->uid != geteuid()) return give_tree(directory, path, *owner, found.st_dev);
  return {};
}

Result<> examine_data_directory(const std::string& path, const std::vector<uid_t>& owners) {
  struct stat found{};
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (stat(above.c_str(), &found) != 0) return {};
    if (!S_ISDIR(found.st_mode)) return failure(Errc::io, above + " is not a directory");
  }
  if (lstat(path.c_str(), &found) != 0) return {};
  const auto directory = open_existing(path);
  if (!directory && errno == EACCES) return {};
  if (!directory) return std::unexpected(directory.error());
  if (fstat(directory->descriptor(), &found) != 0) return system_failure("stat " + path);
  if (std::ranges::find(owners, found.st_uid) == owners.end()) return belongs_to_third(path);
  if (!TRY(is_ours(*directory, path))) return holds_other_files(path);
  return {};
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  // Above this the kernel's own ceiling (fs.nr_open) refuses, whoever asks.
  constexpr rlim_t wanted = 1U << 20U;
  const rlimit former = limit;
  limit.rlim_max = std::max(limit.rlim_max, is_root() ? wanted : rlim_t{0});
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return limit.rlim_cur;
  limit = former;
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return limit.rlim_cur;
  return former.rlim_cur;
}

}  // namespace posthorn::server

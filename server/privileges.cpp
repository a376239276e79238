#include "server/privileges.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <ftw.h>
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

// nftw has no argument for its callback.
thread_local Identity tree_owner;

// The tree is closed to all but root meanwhile, and its top goes over last: nobody can put a link in the way.
Result<> give_tree(const std::string& path, const Identity& owner) {
  tree_owner = owner;
  const int failed = nftw(
      path.c_str(),
      [](const char* entry, const struct stat*, int, FTW*) {
        return lchown(entry, tree_owner.uid, tree_owner.gid);
      },
      32, FTW_PHYS | FTW_DEPTH | FTW_MOUNT);
  if (failed != 0) return system_failure("give " + path + " to " + owner.user);
  return {};
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
  return identity;
}

std::optional<Identity> owner_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 || found.st_uid == 0) return {};
  const passwd* entry = getpwuid(found.st_uid);
  return Identity{entry != nullptr ? entry->pw_name : std::to_string(found.st_uid), found.st_uid,
                  found.st_gid};
}

Result<> become(const Identity& identity) {
  if (initgroups(identity.user.c_str(), identity.gid) != 0)
    return system_failure("initgroups " + identity.user);
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

Result<> prepare_data_directory(const std::string& path, const std::optional<Identity>& owner) {
  TRY(make_open_directories(path));
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return system_failure("mkdir " + path);
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return system_failure("stat " + path);
  if (!S_ISDIR(found.st_mode)) return failure(Errc::io, path + " is not a directory");
  const bool ours = found.st_uid == geteuid();
  if (!ours && !(owner && found.st_uid == owner->uid)) {
    const auto third = owner_of(path);
    return failure(Errc::denied, path + " belongs to " + (third ? third->user : "root"));
  }
  if ((found.st_mode & 07777) != S_IRWXU && chmod(path.c_str(), S_IRWXU) != 0) {
    return system_failure("chmod " + path);
  }
  if (owner && ours && owner->uid != geteuid()) return give_tree(path, *owner);
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

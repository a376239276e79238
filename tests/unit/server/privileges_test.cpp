#include "server/privileges.h"

#include "temporary_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::TemporaryFolder;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat found{};
  return lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

uid_t user_of(const std::string& path) {
  struct stat found{};
  return lstat(path.c_str(), &found) == 0 ? found.st_uid : 0;
}

}  // namespace

TEST_CASE("privileges: a data directory is made 0700, and folders above it can be passed through") {
  const TemporaryFolder folder;
  const mode_t before = umask(077);
  CHECK(prepare_data_directory(folder / "a/b/data", {}));
  umask(before);
  CHECK(mode_of(folder / "a") == 0755);
  CHECK(mode_of(folder / "a/b") == 0755);
  CHECK(mode_of(folder / "a/b/data") == 0700);
}

TEST_CASE("privileges: a data directory that stands open is closed; a file is refused") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "data");
  chmod((folder / "data").c_str(), 0755);
  CHECK(prepare_data_directory(folder / "data", {}));
  CHECK(mode_of(folder / "data") == 0700);
  std::ofstream(folder / "file") << "x";
  CHECK_FALSE(prepare_data_directory(folder / "file", {}));
}

TEST_CASE("privileges: a directory that holds other files is no data directory, and stays as it is") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "var/mail");
  chmod((folder / "var").c_str(), 0755);
  std::optional<Identity> nobody;
  if (is_root()) nobody = find_identity("nobody", "").value();
  const auto refused = prepare_data_directory(folder / "var", nobody);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_allowed);
  CHECK(refused.error().detail.find("holds other files") != std::string::npos);
  CHECK(mode_of(folder / "var") == 0755);
  CHECK(user_of(folder / "var/mail") == geteuid());
  for (const char* mark : {"version", "lock", "accounts.sqlite"}) {
    CAPTURE(mark);
    std::ofstream(folder / "var/" + mark) << "x";
    CHECK(prepare_data_directory(folder / "var", {}));
    std::filesystem::remove(folder / "var/" + mark);
    CHECK_FALSE(prepare_data_directory(folder / "var", {}));
  }
  std::filesystem::create_directory(folder / "disk");
  std::filesystem::create_directory(folder / "disk/lost+found");
  CHECK(prepare_data_directory(folder / "disk", {}));
}

TEST_CASE("privileges: a symbolic link is no data directory") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "elsewhere");
  chmod((folder / "elsewhere").c_str(), 0755);
  std::filesystem::create_directory_symlink(folder / "elsewhere", folder / "data");
  CHECK_FALSE(prepare_data_directory(folder / "data", {}));
  CHECK(mode_of(folder / "elsewhere") == 0755);
}

TEST_CASE("privileges: users are found by name and number, root is never one to serve") {
  CHECK(find_identity("nobody", "")->uid == 65534);
  CHECK(find_identity("65534", "")->user == "nobody");
  CHECK(find_identity("nobody", "daemon")->gid == 1);
  CHECK(find_identity("nobody", "root").error().code == Errc::not_allowed);
  CHECK(find_identity("nobody", "0").error().code == Errc::not_allowed);
  CHECK(find_identity("no such user", "").error().code == Errc::not_found);
  CHECK(find_identity("nobody", "no such group").error().code == Errc::not_found);
  CHECK(find_identity("root", "").error().code == Errc::not_allowed);
}

TEST_CASE("privileges: root hands its data directory over with all in it, but not what links lead to") {
  if (!is_root()) return;
  const TemporaryFolder folder;
  const Identity nobody = find_identity("nobody", "").value();
  std::filesystem::create_directories(folder / "data/mail");
  std::ofstream(folder / "data/mail/letter") << "x";
  std::ofstream(folder / "data/version") << "x";
  std::ofstream(folder / "outside") << "x";
  std::filesystem::create_symlink(folder / "outside", folder / "data/link");
  CHECK(prepare_data_directory(folder / "data", nobody));
  CHECK(user_of(folder / "data") == nobody.uid);
  CHECK(user_of(folder / "data/mail/letter") == nobody.uid);
  CHECK(user_of(folder / "outside") == 0);
  CHECK(owner_of(folder / "data")->user == "nobody");
  CHECK_FALSE(owner_of(folder / "outside"));
  // A second time, and for a third user.
  CHECK(prepare_data_directory(folder / "data", nobody));
  const Identity third{"daemon", 1, 1};
  CHECK(prepare_data_directory(folder / "data", third).error().code == Errc::denied);
}

TEST_CASE("privileges: data that was given to a user but not to a group is that user's own group's") {
  if (!is_root()) return;
  const TemporaryFolder folder;
  const Identity nobody = find_identity("nobody", "").value();
  std::filesystem::create_directories(folder / "data");
  REQUIRE(chown((folder / "data").c_str(), nobody.uid, 0) == 0);
  CHECK(owner_of(folder / "data")->gid == nobody.gid);
  REQUIRE(chown((folder / "data").c_str(), nobody.uid, 1) == 0);
  CHECK(owner_of(folder / "data")->gid == 1);
  // Of whom the machine knows no group.
  constexpr uid_t unknown = 2'000'000'001;
  REQUIRE(chown((folder / "data").c_str(), unknown, 0) == 0);
  const Identity owner = owner_of(folder / "data").value();
  CHECK(owner.gid == 0);
  const auto became = become(owner);
  CHECK(became.error().code == Errc::not_allowed);
  CHECK(became.error().detail.ends_with("would have the group root (0)"));
  CHECK(is_root());
}

TEST_CASE("privileges: root is given up for good") {
  if (!is_root()) return;
  const pid_t child = fork();
  if (child == 0) {
    const auto became = become(find_identity("nobody", "").value());
    forbid_new_privileges();
    const bool lost = became && getuid() == 65534 && geteuid() == 65534 && setuid(0) != 0 && seteuid(0) != 0;
    gid_t groups[64];
    const int count = getgroups(64, groups);
    bool root_group = getegid() == 0;
    for (int index = 0; index < count; ++index) root_group = root_group || groups[index] == 0;
    _exit(lost && !root_group ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("privileges: the limit of open files is raised as far as it may be") {
  CHECK(raise_descriptor_limit() >= 1024);
}

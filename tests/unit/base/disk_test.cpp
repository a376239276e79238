#include "base/file_system.h"
#include "base/sqlite.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <stdlib.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace posthorn;

namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/posthorn-base-XXXXXX";
    if (mkdtemp(name) == nullptr) std::abort();
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("a file is written, read in parts, and replaced as one") {
  const Folder folder;
  SystemFileSystem files;
  const std::string path = folder.path + "/a";
  {
    const File file = files.open(path, FileSystem::Open::create_new).value();
    REQUIRE(files.write(file, "0123456789"));
    REQUIRE(files.sync(file));
  }
  CHECK(files.open(path, FileSystem::Open::create_new).error().code == Errc::already_exists);
  CHECK(files.open(folder.path + "/b", FileSystem::Open::read).error().code == Errc::not_found);
  const File file = files.open(path, FileSystem::Open::read).value();
  CHECK(files.read(file, 3, 4) == "3456");
  CHECK(files.read(file, 8, 100) == "89");
  CHECK(files.read(file, 50, 4) == "");
  REQUIRE(files.replace(path, "new"));
  CHECK(files.read_whole(path, 3) == "new");
  CHECK(files.read_whole(path, 2).error().code == Errc::too_large);
  CHECK(files.list(folder.path)->size() == 1);
  CHECK(files.status(path)->size == 3);
}

TEST_CASE("what is no regular file is neither opened as one nor waited for") {
  const Folder folder;
  SystemFileSystem files;
  REQUIRE(files.replace(folder.path + "/file", "x"));
  std::filesystem::create_symlink(folder.path + "/file", folder.path + "/link");
  REQUIRE(mkfifo((folder.path + "/pipe").c_str(), 0600) == 0);
  const auto how = FileSystem::Open::read_regular;
  CHECK(files.read(files.open(folder.path + "/file", how).value(), 0, 2) == "x");
  for (const std::string& path : {folder.path, folder.path + "/link", folder.path + "/pipe"}) {
    CAPTURE(path);
    CHECK(files.open(path, how).error().code == Errc::not_allowed);
  }
}

TEST_CASE("directories are made with all that is missing above them") {
  const Folder folder;
  SystemFileSystem files;
  REQUIRE(files.make_directories(folder.path + "/x/y/z"));
  REQUIRE(files.make_directories(folder.path + "/x/y/z"));
  CHECK(files.status(folder.path + "/x/y/z")->directory);
  CHECK(files.remove_directory(folder.path + "/x").error().code == Errc::io);
}

TEST_CASE("a database binds, steps and tells what failed") {
  const Folder folder;
  auto database = Database::open(folder.path + "/a.sqlite", Database::Mode::create).value();
  REQUIRE(database.run("CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT UNIQUE, data BLOB)"));
  const std::string zero("a\0b", 3);
  CHECK(database.execute("INSERT INTO word (text, data) VALUES (?1, ?2)", "one", Blob{zero}) == 1);
  CHECK(database.execute("INSERT INTO word (text, data) VALUES (?1, ?2)", std::optional<std::string>(),
                         Blob{""}) == 1);
  CHECK(database.execute("INSERT INTO word (text) VALUES (?1)", "one").error().code == Errc::already_exists);
  auto statement = database.query("SELECT text, data FROM word WHERE id >= ?1 ORDER BY id", 1).value();
  auto row = statement.step().value();
  REQUIRE(row);
  CHECK(row->text(0) == "one");
  CHECK(row->text(1) == zero);
  row = statement.step().value();
  REQUIRE(row);
  CHECK(row->is_null(0));
  CHECK_FALSE(row->is_null(1));
  CHECK_FALSE(statement.step().value());
  CHECK(database.integer("SELECT count(*) FROM word") == 2);
  CHECK(database.integer("SELECT id FROM word WHERE text = ?1", "none").error().code == Errc::not_found);
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  const Folder folder;
  auto database = Database::open(folder.path + "/a.sqlite", Database::Mode::create).value();
  REQUIRE(database.run("CREATE TABLE word (text TEXT)"));
  {
    const auto dropped = Transaction::begin(database).value();
    REQUIRE(database.execute("INSERT INTO word VALUES ('x')"));
  }
  CHECK(database.integer("SELECT count(*) FROM word") == 0);
  auto kept = Transaction::begin(database).value();
  REQUIRE(database.execute("INSERT INTO word VALUES ('y')"));
  REQUIRE(std::move(kept).commit());
  CHECK(database.integer("SELECT count(*) FROM word") == 1);
}

TEST_CASE("rubbish is told from a database") {
  const Folder folder;
  SystemFileSystem files;
  const std::string path = folder.path + "/a.sqlite";
  REQUIRE(files.replace(path, std::string(5000, 'x')));
  CHECK(Database::open(path, Database::Mode::read_write).error().code == Errc::corrupt);
  CHECK(Database::open(folder.path + "/none", Database::Mode::read_write).error().code == Errc::not_found);
}

TEST_CASE("a database that can't be opened for want of descriptors is not taken for a missing one") {
  const Folder folder;
  const std::string path = folder.path + "/a.sqlite";
  REQUIRE(Database::open(path, Database::Mode::create));
  rlimit former{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &former) == 0);
  const int next_free = dup(STDERR_FILENO);
  close(next_free);
  const rlimit none_left{static_cast<rlim_t>(next_free), former.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none_left) == 0);
  const auto opened = Database::open(path, Database::Mode::read_write);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &former) == 0);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::io);
}

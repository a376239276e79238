#include "server/examine.h"

#include "server/privileges.h"
#include "temporary_folder.h"
#include "tls/self_signed.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::TemporaryFolder;

namespace {

struct Site {
  Site() {
    const auto pair = tls::make_self_signed({"mail.example.org"}).value();
    std::ofstream(folder / "c.pem") << pair.certificate;
    std::ofstream(folder / "k.pem") << pair.key;
    std::ofstream(folder / "other.pem") << tls::make_self_signed({"x.example.org"}).value().key;
    std::ofstream(folder / "file") << "x";
  }
  // With what every configuration has to say, where `content` does not.
  Loaded examine(std::string content, Occasion occasion = Occasion::start) const {
    if (content.find("[server]") == std::string::npos) content += "[server]\nuser = \"nobody\"\n";
    if (content.find("[listen]") == std::string::npos) content += "[listen]\nsmtp = [\"127.0.0.1:25\"]\n";
    return examine_as_it_is(content, occasion);
  }
  Loaded examine_as_it_is(const std::string& content, Occasion occasion = Occasion::start) const {
    std::ofstream(folder / "f.toml") << content;
    return server::examine(folder / "f.toml", occasion);
  }
  TemporaryFolder folder;
};

constexpr std::string_view tls_keys = "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";

}  // namespace

TEST_CASE("check: a sound configuration has no problems, with a data directory that is still to be made") {
  const Site site;
  const Loaded loaded = site.examine(
      std::string(tls_keys) +
      "[server]\nuser = \"nobody\"\ndata = \"not/yet\"\n[listen]\nimaps = [\"127.0.0.1:993\"]\n");
  CHECK(loaded.problems.empty());
}

TEST_CASE("check: what the configuration names is looked at, and told with line and key") {
  const Site site;
  struct Case {
    std::string content;
    std::string_view problem;
  };
  for (const Case& c : std::vector<Case>{
           {"[tls]\ncertificate = \"c.pem\"\n",
            "[tls] key: expected a path, as [tls] certificate has one, got \"\""},
           {"[tls]\nkey = \"k.pem\"\n", "[tls] certificate: expected a path, as [tls] key has one"},
           {"[tls]\nmore = [[\"c.pem\", \"k.pem\"]]\n",
            "[tls] certificate: expected a path, as [tls] more has some"},
           {"[tls]\ncertificate = \"missing.pem\"\nkey = \"k.pem\"\n",
            "f.toml:2: [tls] certificate: expected a certificate and its key, got: "},
           {"[tls]\ncertificate = \"c.pem\"\nkey = \"other.pem\"\n",
            "f.toml:3: [tls] key: expected a certificate and its key, got: "},
           {std::string(tls_keys) + "more = [[\"file\", \"k.pem\"]]\n",
            "f.toml:4: [tls] more: expected a certificate and its key, got: "},
           {"[listen]\nimaps = [\"127.0.0.1:993\"]\n",
            "f.toml:2: [listen] imaps: expected an empty list, as [tls] certificate is not set"},
           {"[listen]\nsmtp = [\"127.0.0.1:25\"]\nimap = [\"127.0.0.1:25\"]\n",
            "f.toml:3: [listen] imap: expected an address of its own, got 127.0.0.1:25, which is also that "
            "of smtp"},
           {"[server]\nuser = \"no-such-user\"\n",
            "f.toml:2: [server] user: expected a user and group of this machine, got: no user is called "
            "no-such-user"},
           {"[server]\nuser = \"root\"\n",
            "[server] user: expected a user and group of this machine, got: mail is not to be served as "
            "root"},
           {"[server]\nuser = \"nobody\"\ngroup = \"root\"\n",
            "[server] user: expected a user and group of this machine, got: mail is not to be served with "
            "the group root (0)"},
           {"[server]\nuser = \"nobody\"\ndata = \"\"\n", "f.toml:3: [server] data: expected a path"},
           {"[listen]\nsmtp = [\"0.0.0.0:25\"]\nimap = [\"127.0.0.1:25\"]\n",
            "f.toml:3: [listen] imap: expected an address of its own, got 127.0.0.1:25, which is also that "
            "of 0.0.0.0:25 of smtp"},
           {"[listen]\nsmtp = [\"[::1]:25\", \"[::]:25\"]\n",
            "f.toml:2: [listen] smtp: expected an address of its own, got [::]:25, which is also that of "
            "[::1]:25 of smtp"},
           {"[listen]\nsmtp = []\n",
            "f.toml:2: [listen] smtp: expected an address here or at another key of [listen], got none"},
       }) {
    CAPTURE(c.content);
    // It is root alone who becomes somebody else.
    if (!is_root() && c.problem.find("[server] user") != std::string_view::npos) continue;
    const Loaded loaded = site.examine(c.content);
    REQUIRE(loaded.problems.size() == 1);
    CAPTURE(loaded.problems.front());
    CHECK(loaded.problems.front().find(c.problem) != std::string::npos);
  }
}

TEST_CASE("check: what the server would not take for its data directory is told") {
  const Site site;
  std::filesystem::create_directory(site.folder / "other");
  std::ofstream(site.folder / "other/letter") << "x";
  std::filesystem::create_directory(site.folder / "empty");
  std::filesystem::create_symlink("empty", site.folder / "link");
  for (const auto& [data, problem] : std::vector<std::pair<std::string, std::string>>{
           {"file", "/file is not a directory"},
           {"file/below/data", "/file is not a directory"},
           {"link", "/link is not a directory, or a symbolic link to one"},
           {"other", "/other holds other files"},
           {"empty", ""},
           {"missing/data", ""}}) {
    CAPTURE(data);
    const Loaded loaded =
        site.examine("[server]\ndata = \"" + data + "\"\n" + (is_root() ? "user = \"nobody\"\n" : ""));
    CHECK(loaded.problems.size() == (problem.empty() ? 0 : 1));
    if (problem.empty() || loaded.problems.empty()) continue;
    CAPTURE(loaded.problems.front());
    CHECK(loaded.problems.front().find(
              "f.toml:2: [server] data: expected a directory that is Posthorn's or empty, got: ") !=
          std::string::npos);
    CHECK(loaded.problems.front().find(problem) != std::string::npos);
  }
  CHECK(std::filesystem::is_empty(site.folder / "empty"));
  CHECK_FALSE(std::filesystem::exists(site.folder / "missing"));
}

TEST_CASE("check: an empty file is no configuration to serve with; root needs a user to become") {
  const Site site;
  const Loaded loaded = site.examine_as_it_is("");
  REQUIRE(loaded.problems.size() == (is_root() ? 2 : 1));
  CHECK(loaded.problems.back().find("[listen] smtp: expected an address") != std::string::npos);
  if (!is_root()) return;
  CHECK(loaded.problems.front().find("[server] user: expected a user to become, as root starts the server") !=
        std::string::npos);
  // What systemd hands over is no part of the file, nor of a reload.
  CHECK(site.examine_as_it_is("", Occasion::reload).problems.empty());
  const Loaded group = site.examine_as_it_is("[server]\ngroup = \"daemon\"\n", Occasion::reload);
  REQUIRE(group.problems.size() == 1);
  CHECK(group.problems.front().find("[server] group: expected it together with user") != std::string::npos);
}

TEST_CASE("check: at a reload the certificates are read elsewhere, as root may be needed for them") {
  const Site site;
  const std::string content = "[tls]\ncertificate = \"missing.pem\"\nkey = \"k.pem\"\n";
  CHECK(site.examine(content, Occasion::reload).problems.empty());
}

TEST_CASE("check: two ports that the system is to choose are not the same") {
  const Site site;
  CHECK(site.examine("[listen]\nsmtp = [\"127.0.0.1:0\"]\nimap = [\"127.0.0.1:0\"]\n").problems.empty());
}

#include "server/examine.h"

#include "temporary_folder.h"
#include "tls/self_signed.h"

#include <doctest/doctest.h>

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
  Loaded examine(const std::string& content, Certificates certificates = Certificates::examined) const {
    std::ofstream(folder / "f.toml") << content;
    return server::examine(folder / "f.toml", certificates);
  }
  TemporaryFolder folder;
};

constexpr std::string_view tls_keys = "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";

}  // namespace

TEST_CASE("check: a sound configuration has no problems, with a data directory that is still to be made") {
  const Site site;
  const Loaded loaded = site.examine(std::string(tls_keys) +
                                     "[server]\ndata = \"not/yet\"\n[listen]\nimaps = [\"127.0.0.1:993\"]\n");
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
            "f.toml:2: [tls] certificate: expected a certificate and its key, got: "},
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
           {"[server]\ngroup = \"daemon\"\n", "[server] group: expected it together with user"},
           {"[server]\ndata = \"file\"\n", "f.toml:2: [server] data: expected a directory, got a file"},
           {"[server]\ndata = \"\"\n", "f.toml:2: [server] data: expected a path"},
       }) {
    CAPTURE(c.content);
    const Loaded loaded = site.examine(c.content);
    REQUIRE(loaded.problems.size() == 1);
    CAPTURE(loaded.problems.front());
    CHECK(loaded.problems.front().find(c.problem) != std::string::npos);
  }
}

TEST_CASE("check: at a reload the certificates are read elsewhere, as root may be needed for them") {
  const Site site;
  const std::string content = "[tls]\ncertificate = \"missing.pem\"\nkey = \"k.pem\"\n";
  CHECK(site.examine(content, Certificates::elsewhere).problems.empty());
}

TEST_CASE("check: two ports that the system is to choose are not the same") {
  const Site site;
  CHECK(site.examine("[listen]\nsmtp = [\"127.0.0.1:0\"]\nimap = [\"127.0.0.1:0\"]\n").problems.empty());
}

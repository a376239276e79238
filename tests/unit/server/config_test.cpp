#include "server/config.h"

#include "base/file_system.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace posthorn;
using namespace posthorn::server;

TEST_CASE("config: each mistake is told with file, line, key and what was expected") {
  struct Case {
    std::string_view content;
    std::string_view problem;
  };
  for (const Case& c : {
           Case{"[server]\nhostnam = \"x\"\n",
                "f.toml:2: [server] hostnam: unknown key; expected one of hostname, data"},
           Case{"[server]\nsmtp = []\n", "f.toml:2: [server] smtp: unknown key; it belongs in [listen]"},
           Case{"\n[sever]\n", "f.toml:2: [sever]: unknown section; expected one of [server] [listen]"},
           Case{"hostname = \"x\"\n", "f.toml:1: hostname: expected a key inside a [section]"},
           Case{"[server]\nhostname = 5\n", "f.toml:2: [server] hostname: expected a string, got 5"},
           Case{"[server]\nhostname = \"-x\"\n",
                "f.toml:2: [server] hostname: expected a host's name such as \"mail.example.org\", got "
                "\"-x\""},
           Case{"[server]\nhostname = \"a..b\"\n", "got \"a..b\""},
           Case{"[server]\nhostname = \"a_b\"\n", "got \"a_b\""},
           Case{"[server]\ngrace_seconds = \"10\"\n",
                "f.toml:2: [server] grace_seconds: expected a whole number from 0 to 3600 (seconds), got "
                "\"10\""},
           Case{"[server]\ngrace_seconds = 3601\n",
                "expected a whole number from 0 to 3600 (seconds), got 3601"},
           Case{"[server]\ngrace_seconds = -1\n", "got -1"},
           Case{"[server]\ngrace_seconds = 1.5\n", "got a fraction"},
           Case{"[server]\ngrace_seconds = true\n", "got true"},
           Case{"[server]\ngrace_seconds = 2020-01-01\n", "got a date or time"},
           Case{"[server.hostname]\n", "[server] hostname: expected a string, got a table"},
           Case{"[listen]\nsmtp = \"0.0.0.0:25\"\n",
                "f.toml:2: [listen] smtp: expected a list of \"ADDRESS:PORT\", \"[IPV6]:PORT\" or "
                "\"unix:/PATH\", got "
                "\"0.0.0.0:25\""},
           Case{"[listen]\nimap = [\n  \"0.0.0.0:143\",\n  \"::1:143\",\n]\n",
                "f.toml:4: [listen] imap: expected \"ADDRESS:PORT\", \"[IPV6]:PORT\" or \"unix:/PATH\", got "
                "\"::1:143\""},
           Case{"[listen]\nimap = [143]\n", "got 143"},
           Case{"[limits]\ntrusted = [\"10.0.0.1/8\"]\n",
                "f.toml:2: [limits] trusted: expected \"ADDRESS\" or \"ADDRESS/BITS\", got \"10.0.0.1/8\""},
           Case{"[limits]\nconnections = 0\n", "[limits] connections: expected a whole number from 1"},
           Case{"[auth]\nallow_plaintext = \"yes\"\n",
                "f.toml:2: [auth] allow_plaintext: expected one of \"never\", \"loopback\", \"always\", got "
                "\"yes\""},
           Case{"[log]\nlevel = \"loud\"\n",
                "f.toml:2: [log] level: expected one of \"error\", \"warning\", \"info\", \"debug\", "
                "\"trace\", got \"loud\""},
           Case{"[log]\nformat = []\n",
                "[log] format: expected one of \"text\", \"json\", got an empty list"},
           Case{"[tls]\nmore = [[\"a\"]]\n",
                "f.toml:2: [tls] more: expected [\"CERTIFICATE\", \"KEY\"], got a list"},
           Case{"[tls]\nmore = [\"a\", \"b\"]\n",
                "[tls] more: expected [\"CERTIFICATE\", \"KEY\"], got \"a\""},
           Case{"[server]\ndata = \"a\\u0000b\"\n", "[server] data: expected a string without NUL"},
           Case{"[server]\nhostname = \n", "f.toml:2: "},
           Case{"[server]\ndata = \"a\"\ndata = \"b\"\n", "f.toml:3: [server] data: "},
           Case{"[server]\n grace_seconds = 99999999999999999999 # x\n",
                "f.toml:2: [server] grace_seconds: "},
           Case{"[server]\n\"a\\nb\" = 1\n", "f.toml:2: [server] \"a\\u000ab\": unknown key"},
           Case{"[\"a\\nb\"]\n", "f.toml:1: [\"a\\u000ab\"]: unknown section"},
           Case{"[auth]\nhash_ops = 0\n",
                "f.toml:2: [auth] hash_ops: expected a whole number from 1 to 1000 (passes), got 0"},
           Case{"[auth]\nhash_ops = 1001\n", "got 1001"},
           Case{"[server\n", "f.toml:1: "},
           Case{"\xff\xfe", "f.toml:1: "},
       }) {
    CAPTURE(c.content);
    const Loaded loaded = parse_settings(c.content, "f.toml");
    REQUIRE(loaded.problems.size() == 1);
    CAPTURE(loaded.problems.front());
    CHECK(loaded.problems.front().starts_with("f.toml:"));
    CHECK(loaded.problems.front().find(c.problem) != std::string::npos);
  }
}

TEST_CASE("config: all problems are told at once, in the order of their lines") {
  const Loaded loaded =
      parse_settings("[log]\nlevel = 1\nloud = 2\n[auth]\nhash_ops = 0\n[server]\nhostname = \"!\"\n", "f");
  REQUIRE(loaded.problems.size() == 4);
  CHECK(loaded.problems[0].starts_with("f:2: "));
  CHECK(loaded.problems[1].starts_with("f:3: "));
  CHECK(loaded.problems[2].starts_with("f:5: "));
  CHECK(loaded.problems[3].starts_with("f:7: "));
}

TEST_CASE("config: good values are taken, in all their forms") {
  const Loaded loaded = parse_settings(
      "[server]\nhostname = \"mail.example.org\"\ndata = \"data\"\n"
      "[listen]\nsmtp = [\"0.0.0.0:25\", \"[::]:25\"]\nimap = [\"unix:/run/imap\"]\npop3 = []\n"
      "[limits]\ntrusted = [\"127.0.0.0/8\", \"::1\"]\n"
      "[auth]\nallow_plaintext = \"never\"\nhash_ops = 1\nhash_memory_kib = 8\n"
      "[tls]\nmore = [[\"c.pem\", \"k.pem\"]]\n"
      "[log]\nlevel = \"debug\"\nformat = \"json\"\n",
      "/etc/posthorn/posthorn.toml");
  CHECK(loaded.problems.empty());
  const Settings& settings = *loaded.settings;
  CHECK(settings.hostname() == "mail.example.org");
  CHECK(settings.resolved(settings.server.data.value) == "/etc/posthorn/data");
  CHECK(settings.resolved("/srv") == "/srv");
  REQUIRE(settings.listen.smtp.value.size() == 2);
  CHECK(settings.listen.smtp.value[1].text() == "[::]:25");
  CHECK(settings.listen.imap.value.at(0).path == "/run/imap");
  CHECK(settings.limits.trusted.value.size() == 2);
  CHECK(settings.auth.allow_plaintext.value == auth::AllowPlaintext::never);
  CHECK(settings.tls.more.value.at(0).key == "k.pem");
  CHECK(settings.log.level.value == LogLevel::debug);
  CHECK(settings.log.format.value == LogFormat::json);
}

TEST_CASE("config: an empty file gives the defaults, and nothing listens") {
  const Loaded loaded = parse_settings("", "f");
  CHECK(loaded.problems.empty());
  for (const Key* key : loaded.settings->keys().all()) {
    if (key->section() == "listen") CHECK(key->toml() == "[]");
  }
  CHECK(loaded.settings->hostname() != "");
}

TEST_CASE("config: a file that is not there, or is a folder, is a problem with its name") {
  for (const std::string file : {"/nonexistent/posthorn.toml", "/tmp"}) {
    const Loaded loaded = load_settings(file);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems.front().starts_with(file + ": cannot be read"));
  }
}

TEST_CASE("config: etc/posthorn.toml lists exactly the declared keys with their defaults") {
  SystemFileSystem files;
  const auto sample = files.read_whole("etc/posthorn.toml", 1U << 20U);
  REQUIRE(sample);
  CHECK(*sample == print_settings(Settings("posthorn.toml")));
  const Loaded loaded = parse_settings(*sample, "etc/posthorn.toml");
  CHECK(loaded.problems.empty());
  CHECK(std::ranges::all_of(loaded.settings->keys().all(), [](const Key* key) { return key->line() != 0; }));
}

TEST_CASE("config: what is printed reads back to the same, odd strings too") {
  Settings settings("/x/f.toml");
  settings.server.hostname.value = "mail.example.org";
  settings.server.data.value = "/srv/\"quoted\"\\ \t\x7f µ";
  settings.listen.imaps.value = {ListenAddress::parse("[::1]:993").value()};
  settings.tls.more.value = {{"a b.pem", "k\"ey.pem"}};
  settings.log.format.value = LogFormat::json;
  const std::string printed = print_settings(settings);
  const Loaded loaded = parse_settings(printed, "/x/f.toml");
  CHECK(loaded.problems.empty());
  CHECK(loaded.settings->server.data.value == settings.server.data.value);
  CHECK(loaded.settings->tls.more.value.at(0).key == "k\"ey.pem");
  CHECK(print_settings(*loaded.settings) == printed);
}

TEST_CASE("config: no key stands twice in a section, and each says what it is") {
  const Settings settings("f");
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Key* key : settings.keys().all()) {
    CAPTURE(key->name());
    CHECK(seen.emplace(key->section(), key->name()).second);
    CHECK(key->text().size() > 10);
  }
}

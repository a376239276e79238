#include "server/command_line.h"

#include <doctest/doctest.h>

#include <vector>

using namespace posthorn;
using namespace posthorn::server;

namespace {

std::expected<CommandLine, EarlyEnd> parse(std::vector<const char*> arguments) {
  return parse_command_line(arguments);
}

const control::Request& request_of(const std::expected<CommandLine, EarlyEnd>& line) {
  return std::get<AdminCommand>(line.value().command).request;
}

}  // namespace

TEST_CASE("command line: --config stands before or after the command's name, at any level") {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--config", "f", "serve"},
           {"serve", "--config", "f"},
           {"serve", "--config=f"},
           {"check", "--config", "f"},
           {"--config", "f", "account", "add", "ann@example.org"},
           {"account", "--config", "f", "add", "ann@example.org"},
           {"account", "add", "--config", "f", "ann@example.org"},
           {"account", "add", "ann@example.org", "--config", "f"},
           {"alias", "list", "--config", "f"},
           {"init", "dir", "--config", "f"},
       }) {
    const auto line = parse(arguments);
    REQUIRE(line);
    CHECK(line->config == "f");
  }
  CHECK(parse({"serve", "--config", "f", "--config", "g"})->config == "g");
  CHECK(parse({"serve"})->config == "/etc/posthorn/posthorn.toml");
}

TEST_CASE("command line: commands on accounts, domains and aliases become requests") {
  using Arguments = std::map<std::string, std::string>;
  struct Case {
    std::vector<const char*> arguments;
    std::string command;
    Arguments request;
  };
  for (const Case& c : std::vector<Case>{
           {{"domain", "add", "example.org"}, "domain.add", {{"domain", "example.org"}}},
           {{"domain", "remove", "example.org"}, "domain.remove", {{"domain", "example.org"}}},
           {{"domain", "remove", "example.org", "--with-accounts"},
            "domain.remove",
            {{"domain", "example.org"}, {"with_accounts", "yes"}}},
           {{"domain", "list"}, "domain.list", {}},
           {{"account", "add", "a@b.c"}, "account.add", {{"address", "a@b.c"}}},
           {{"account", "add", "a@b.c", "--adopt-mail"},
            "account.add",
            {{"address", "a@b.c"}, {"adopt_mail", "yes"}}},
           {{"account", "remove", "a@b.c"}, "account.remove", {{"address", "a@b.c"}}},
           {{"account", "list"}, "account.list", {}},
           {{"account", "list", "b.c"}, "account.list", {{"domain", "b.c"}}},
           {{"account", "search-index", "a@b.c", "off"},
            "account.search-index",
            {{"address", "a@b.c"}, {"on", "off"}}},
           {{"account", "password", "a@b.c"}, "account.password", {{"address", "a@b.c"}}},
           {{"alias", "add", "x@b.c", "a@b.c"}, "alias.add", {{"alias", "x@b.c"}, {"target", "a@b.c"}}},
           {{"alias", "remove", "x@b.c"}, "alias.remove", {{"alias", "x@b.c"}}},
           {{"alias", "remove", "x@b.c", "a@b.c"}, "alias.remove", {{"alias", "x@b.c"}, {"target", "a@b.c"}}},
           {{"alias", "list"}, "alias.list", {}},
           {{"mailbox", "list", "b.c"}, "mailbox.list", {{"owner", "b.c"}}},
           {{"mailbox", "add", "b.c", "News"}, "mailbox.add", {{"owner", "b.c"}, {"mailbox", "News"}}},
           {{"mailbox", "remove", "a@b.c", "x"}, "mailbox.remove", {{"owner", "a@b.c"}, {"mailbox", "x"}}},
           {{"mailbox", "rights", "b.c", "x"}, "mailbox.rights", {{"owner", "b.c"}, {"mailbox", "x"}}},
           {{"mailbox", "share", "b.c", "x", "--", "d@b.c", "-lr"},
            "mailbox.share",
            {{"owner", "b.c"}, {"mailbox", "x"}, {"who", "d@b.c"}, {"rights", "-lr"}}},
       }) {
    CAPTURE(c.command);
    const auto line = parse(c.arguments);
    REQUIRE(line);
    CHECK(request_of(line).command == c.command);
    CHECK(request_of(line).arguments == c.request);
  }
}

TEST_CASE("command line: only what sets a password asks for one") {
  const auto needs = [](std::vector<const char*> arguments) {
    return std::get<AdminCommand>(parse(std::move(arguments)).value().command).needs_password;
  };
  CHECK(needs({"account", "add", "a@b.c"}));
  CHECK(needs({"account", "password", "a@b.c"}));
  CHECK_FALSE(needs({"account", "remove", "a@b.c"}));
  CHECK_FALSE(needs({"account", "list"}));
  const auto line = parse({"account", "add", "--password-stdin", "a@b.c"});
  CHECK(std::get<AdminCommand>(line.value().command).password_from_stdin);
}

TEST_CASE("command line: init takes its options") {
  const auto line = parse({"init", "dir", "--domain", "example.org", "--hostname", "mx.example.org",
                           "--loopback", "--data", "/srv", "--user", "nobody"});
  const auto& init = std::get<InitCommand>(line.value().command);
  CHECK(init.folder == "dir");
  CHECK(init.domain == "example.org");
  CHECK(init.hostname == "mx.example.org");
  CHECK(init.data == "/srv");
  CHECK(init.user == "nobody");
  CHECK(init.loopback);
}

TEST_CASE("command line: mistakes end with status 2 and words") {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {},
           {"frobnicate"},
           {"serve", "--bogus"},
           {"serve", "surplus"},
           {"init"},
           {"account"},
           {"account", "add"},
           {"account", "list", "--password-stdin"},
           {"alias", "add", "x@b.c"},
           {"serve", "--config"},
           {"init", ""},
           {"init", "dir", "--data", ""},
           {"serve", "--config", ""},
           {"alias", "remove", "x@b.c", ""},
           {"account", "list", ""},
           {"account", "add", ""},
       }) {
    const auto line = parse(arguments);
    REQUIRE_FALSE(line);
    CHECK(line.error().status == 2);
    CHECK(line.error().text.size() > 10);
  }
}

TEST_CASE("command line: what is not understood is named") {
  struct Case {
    std::vector<const char*> arguments;
    std::string_view words;
  };
  for (const Case& c : std::vector<Case>{
           {{"foo"}, "unknown command \"foo\"\n`posthorn --help`"},
           {{"domain", "foo"}, "unknown command \"foo\"\n`posthorn domain --help`"},
           {{"domain", "add", "-a.b"}, "unknown option \"-a.b\""},
           {{"serve", "surplus"}, "one argument too many: \"surplus\""},
           {{"serve", "--bogus"}, "unknown option \"--bogus\""},
           {{"alias", "remove", "x@b.c", ""}, "TARGET"},
           {{"init", ""}, "DIR"},
       }) {
    const auto line = parse(c.arguments);
    REQUIRE_FALSE(line);
    CAPTURE(line.error().text);
    CHECK(line.error().text.find(c.words) != std::string::npos);
  }
  CHECK(request_of(parse({"domain", "add", "--", "-a.b"})).argument("domain") == "-a.b");
}

TEST_CASE("command line: init takes another place for its configuration") {
  CHECK(std::get<InitCommand>(parse({"init", "dir", "--config", "f"}).value().command).config == "f");
  CHECK(std::get<InitCommand>(parse({"--config", "f", "init", "dir"}).value().command).config == "f");
  CHECK(std::get<InitCommand>(parse({"init", "dir"}).value().command).config.empty());
}

TEST_CASE("command line: help and version are no mistakes") {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--help"}, {"-h"}, {"serve", "--help"}, {"account", "--help"}, {"account", "add", "--help"}}) {
    const auto line = parse(arguments);
    REQUIRE_FALSE(line);
    CHECK(line.error().status == 0);
    CHECK(line.error().text.find("--config") != std::string::npos);
  }
  CHECK(parse({"--help"}).error().text.find("posthorn account add ann@example.org") != std::string::npos);
  CHECK(parse({"--version"}).error().text == "posthorn " POSTHORN_VERSION "\n");
}

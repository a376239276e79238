#include "server/control.h"

#include "server/control_server.h"
#include "temporary_folder.h"
#include "tests/support/memory_stream.h"

#include <doctest/doctest.h>

#include <fstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::MemoryLog;
using posthorn::testing::run_until;
using posthorn::testing::TemporaryFolder;

namespace {

Task<control::Reply> echo(control::Request request) {
  if (request.command == "throw") throw std::runtime_error("a bug");
  if (request.command == "fail") co_return control::Reply::failed("it failed");
  co_return control::Reply{true, {}, {request.command, request.argument("a")}};
}

// A control server on a folder, while clients run on threads of their own.
struct Fixture {
  explicit Fixture(const std::string& data) {
    auto opened = ControlServer::open(loop, log, data, echo);
    REQUIRE(opened);
    server = *std::move(opened);
  }
  ~Fixture() {
    server->stop();
    server->close_all();
    bool empty = false;
    server->when_empty([&] { empty = true; });
    CHECK(run_until(loop, [&] { return empty; }));
  }
  template <class Function>
  auto during(Function function) {
    std::optional<decltype(function())> result;
    std::atomic<bool> ended = false;
    std::thread client([&] {
      result.emplace(function());
      ended = true;
    });
    CHECK(run_until(loop, [&] { return ended.load(); }));
    client.join();
    return *std::move(result);
  }

  Loop loop;
  MemoryLog log;
  std::unique_ptr<ControlServer> server;
};

// Sends raw octets to the socket; what comes back until its end.
std::string send_raw(const std::string& path, const std::string& octets) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const File socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return "refused";
  for (std::size_t sent = 0; sent < octets.size();) {
    const ssize_t count = send(socket.descriptor(), octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  std::string reply;
  char octet = 0;
  while (!reply.ends_with('\n') && recv(socket.descriptor(), &octet, 1, 0) == 1) reply += octet;
  return reply;
}

}  // namespace

TEST_CASE("control: requests and replies are one line each and read back to the same") {
  const control::Request request{"account.add", {{"address", "a@b.c"}, {"password", "p\"\n\\ \xc3\xa4"}}};
  CHECK(control::print(request).find('\n') == std::string::npos);
  CHECK(control::parse_request(control::print(request)).value() == request);
  CHECK(request.given("password"));
  CHECK_FALSE(request.given("domain"));
  const control::Reply reply{true, {}, {"one", "two\nlines"}, {"beware"}};
  CHECK(control::print(reply).find('\n') == std::string::npos);
  CHECK(control::parse_reply(control::print(reply)).value() == reply);
  const auto failed = control::Reply::failed("no such account");
  CHECK(control::parse_reply(control::print(failed)).value() == failed);
}

TEST_CASE("control: what is no request of this version is refused") {
  struct Case {
    std::string_view line;
    Errc code;
  };
  for (const Case& c : {
           Case{"", Errc::malformed},
           Case{"x", Errc::malformed},
           Case{"[]", Errc::malformed},
           Case{"{}", Errc::malformed},
           Case{R"({"version":2,"command":"x"})", Errc::unavailable},
           Case{R"({"version":"1","command":"x"})", Errc::malformed},
           Case{R"({"version":1})", Errc::malformed},
           Case{R"({"version":1,"command":7})", Errc::malformed},
           Case{R"({"version":1,"command":"x","arguments":[]})", Errc::malformed},
           Case{R"({"version":1,"command":"x","arguments":{"a":1}})", Errc::malformed},
           Case{R"({"version":1,"command":"x"} y)", Errc::malformed},
       }) {
    CAPTURE(c.line);
    const auto request = control::parse_request(c.line);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == c.code);
  }
}

TEST_CASE("control: a command asks the server and gets its answer; the socket is the owner's alone") {
  const TemporaryFolder folder;
  Fixture fixture(folder.path());
  struct stat found{};
  REQUIRE(stat((folder / "control.sock").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  const auto reply = fixture.during([&] { return control::ask(folder.path(), {"x", {{"a", "1"}}}); });
  REQUIRE(reply);
  CHECK(reply->lines == std::vector<std::string>{"x", "1"});
  const auto failed = fixture.during([&] { return control::ask(folder.path(), {"fail", {}}); });
  REQUIRE(failed);
  CHECK_FALSE(failed->ok);
  CHECK(failed->error == "it failed");
}

TEST_CASE("control: an exception in a command is an answer in words and a line in the log, not the end") {
  const TemporaryFolder folder;
  Fixture fixture(folder.path());
  const auto thrown = fixture.during([&] { return control::ask(folder.path(), {"throw", {}}); });
  REQUIRE(thrown);
  CHECK_FALSE(thrown->ok);
  CHECK(thrown->error == "the server made a mistake: a bug");
  CHECK(fixture.log.contains("bug where=control reason=\"a bug\""));
  CHECK(fixture.during([&] { return control::ask(folder.path(), {"x", {}}); }));
}

TEST_CASE("control: a folder with a path too long for a socket works too") {
  const TemporaryFolder folder;
  const std::string deep = folder / std::string(120, 'd');
  std::filesystem::create_directory(deep);
  Fixture fixture(deep);
  const auto reply = fixture.during([&] { return control::ask(deep, {"x", {}}); });
  REQUIRE(reply);
  CHECK(reply->ok);
}

TEST_CASE("control: a socket that a crash left behind is replaced; without a server nobody answers") {
  const TemporaryFolder folder;
  CHECK(control::ask(folder.path(), {"x", {}}).error().code == Errc::not_found);
  CHECK_FALSE(control::answers(folder.path()));
  std::ofstream(folder / "control.sock") << "left over";
  {
    Fixture fixture(folder.path());
    CHECK(fixture.during([&] { return control::answers(folder.path()); }));
    CHECK(fixture.during([&] { return control::ask(folder.path(), {"x", {}}); }));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "control.sock"));
}

TEST_CASE("control: nonsense and over-long requests get an answer in words, and nothing else breaks") {
  const TemporaryFolder folder;
  Fixture fixture(folder.path());
  const std::string path = folder / "control.sock";
  const std::string nonsense = fixture.during([&] { return send_raw(path, "hello\n"); });
  CHECK(nonsense.find("\"ok\":false") != std::string::npos);
  const std::string too_long =
      fixture.during([&] { return send_raw(path, std::string(control::request_limit + 10, 'x') + "\n"); });
  CHECK(too_long.find("too long") != std::string::npos);
  CHECK(fixture.during([&] { return control::ask(folder.path(), {"x", {}}); }));
}

TEST_CASE("control: more commands at once than are answered at once wait for their turn") {
  const TemporaryFolder folder;
  Fixture fixture(folder.path());
  const std::string path = folder / "control.sock";
  // They say nothing yet.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  std::vector<File> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(connect(silent.back().descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }
  for (int i = 0; i < 50; ++i) fixture.loop.run_once();
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 60; ++i) {
    clients.emplace_back([&] { answered += control::ask(folder.path(), {"x", {}}) ? 1 : 0; });
  }
  for (int i = 0; i < 50; ++i) fixture.loop.run_once();
  CHECK(answered == 0);
  silent.clear();
  CHECK(run_until(fixture.loop, [&] { return answered == 60; }));
  for (std::thread& client : clients) client.join();
}

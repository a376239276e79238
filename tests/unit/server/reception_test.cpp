#include "server/reception.h"

#include "temporary_folder.h"
#include "tests/support/memory_stream.h"
#include "tls/self_signed.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace posthorn;
using namespace posthorn::server;
using posthorn::testing::MemoryLog;
using posthorn::testing::run_until;
using posthorn::testing::TemporaryFolder;

namespace {

// Greets, sends lines back, and ends at QUIT or, between lines, at stop().
class Echo final : public Dialogue {
 public:
  explicit Echo(Connection& connection) : connection_(connection) {}
  Task<void> run() override {
    connection_.queue("hello " + connection_.id() + "\n");
    while (!stopping_) {
      if (!co_await connection_.wait_for_input()) continue;
      const auto line = co_await connection_.read_line(100);
      if (line.text == "THROW") throw std::runtime_error("a bug");
      connection_.queue(line.text + "\n");
      if (line.text == "QUIT") break;
    }
    co_await connection_.finish();
  }
  void stop() override {
    stopping_ = true;
    connection_.wake();
  }

 private:
  Connection& connection_;
  bool stopping_ = false;
};

class Client {
 public:
  Client(Loop& loop, const ListenAddress& address)
      : loop_(loop),
        socket_(::socket(address.path.empty() ? (address.address.v6 ? AF_INET6 : AF_INET) : AF_UNIX,
                         SOCK_STREAM, 0)) {
    const auto where = SocketAddress::of(address);
    REQUIRE(connect(socket_.descriptor(), where.raw(), where.size) == 0);
    fcntl(socket_.descriptor(), F_SETFL, O_NONBLOCK);
  }
  void send(std::string_view text) const {
    ::send(socket_.descriptor(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  // All until a line end; "" at the end of the stream.
  std::string line() {
    std::string text;
    run_until(loop_, [&] {
      char octet = 0;
      const ssize_t got = recv(socket_.descriptor(), &octet, 1, 0);
      if (got == 1) text += octet;
      return got == 0 || (got < 0 && errno != EAGAIN) || text.ends_with('\n');
    });
    return text;
  }
  // Whether nothing has come by now.
  bool silent() {
    run_until(loop_, [] { return false; }, Milliseconds(150));
    pollfd ready{socket_.descriptor(), POLLIN, 0};
    return poll(&ready, 1, 0) == 0;
  }

 private:
  Loop& loop_;
  File socket_;
};

struct Fixture {
  explicit Fixture(Reception::Settings settings, Service service = Service::imap,
                   const std::string& address = "127.0.0.1:0", tls::Context* tls = nullptr)
      : reception(
            loop, log, random, std::move(settings),
            [](Connection& connection, const Endpoint&) { return std::make_unique<Echo>(connection); },
            [tls] { return tls; }) {
    auto socket = listen_on(ListenAddress::parse(address).value());
    REQUIRE(socket);
    where = bound_address(*socket);
    std::vector<ListeningSocket> sockets;
    sockets.push_back({&endpoint_of(service), *std::move(socket), where});
    reception.listen(std::move(sockets));
  }
  ~Fixture() {
    reception.stop();
    reception.close_all();
    bool empty = false;
    reception.when_empty([&] { empty = true; });
    CHECK(run_until(loop, [&] { return empty; }));
  }
  Client client() { return Client(loop, where); }

  Loop loop;
  MemoryLog log;
  SystemRandom random;
  Reception reception;
  ListenAddress where;
};

Reception::Settings wide() {
  Reception::Settings settings;
  settings.limits = {100, 100, {}};
  settings.ceiling = 100;
  settings.hostname = "mail.example.org";
  return settings;
}

}  // namespace

TEST_CASE(
    "reception: a dialogue runs on each connection; ids differ; open and close are logged with octets") {
  Fixture fixture(wide());
  Client one = fixture.client();
  Client two = fixture.client();
  const std::string first = one.line();
  CHECK(first.starts_with("hello "));
  CHECK(first != two.line());
  one.send("QUIT\n");
  CHECK(one.line() == "QUIT\n");
  CHECK(one.line().empty());
  CHECK(run_until(fixture.loop, [&] {
    return fixture.reception.connections() == 1 || fixture.log.contains("connection.closed");
  }));
  CHECK(fixture.log.contains("connection.opened session="));
  CHECK(fixture.log.contains("service=imap address=127.0.0.1 port="));
}

TEST_CASE("reception: connections beyond the limit of an address are turned away in the protocol's words") {
  struct Case {
    Service service;
    std::string_view words;
  };
  for (const Case& c : {Case{Service::smtp, "421 mail.example.org Too many connections, try again later\r\n"},
                        Case{Service::submission, "421 mail.example.org Too many connections"},
                        Case{Service::pop3, "-ERR [SYS/TEMP] Too many connections"},
                        Case{Service::imap, "* BYE [UNAVAILABLE] Too many connections"}}) {
    auto settings = wide();
    settings.limits.connections_per_address = 1;
    Fixture fixture(settings, c.service);
    CAPTURE(c.words);
    Client first = fixture.client();
    Client second = fixture.client();
    CHECK(second.line().starts_with(c.words));
    CHECK(second.line().empty());
    CHECK(fixture.log.contains("connection.refused"));
  }
}

TEST_CASE("reception: a place is free again when its connection has gone") {
  auto settings = wide();
  settings.limits.connections = 1;
  Fixture fixture(settings);
  {
    Client first = fixture.client();
    CHECK(first.line().starts_with("hello"));
    CHECK(fixture.client().line().starts_with("* BYE"));
  }
  CHECK(run_until(fixture.loop, [&] { return fixture.reception.connections() == 0; }));
  CHECK(fixture.client().line().starts_with("hello"));
}

TEST_CASE("reception: trusted networks are not limited, and new limits hold for new connections") {
  auto settings = wide();
  settings.limits = {1, 1, {Network::parse("127.0.0.0/8").value()}};
  Fixture fixture(settings);
  Client one = fixture.client();
  Client two = fixture.client();
  CHECK(one.line().starts_with("hello"));
  CHECK(two.line().starts_with("hello"));
  settings.limits = {0, 1, {}};
  fixture.reception.configure(settings);
  CHECK(fixture.client().line().starts_with("* BYE"));
  one.send("still here\n");
  CHECK(one.line() == "still here\n");
}

TEST_CASE("reception: where descriptors are short, newcomers wait instead of being lost") {
  auto settings = wide();
  settings.ceiling = 1;
  Fixture fixture(settings);
  Client first = fixture.client();
  CHECK(first.line().starts_with("hello"));
  Client second = fixture.client();
  CHECK(second.silent());
  first.send("QUIT\n");
  CHECK(first.line() == "QUIT\n");
  CHECK(second.line().starts_with("hello"));
}

TEST_CASE("reception: accept pauses on EMFILE, and goes on when there are descriptors again") {
  Fixture fixture(wide());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  Client client = fixture.client();
  // One more than the highest in use: nothing can be opened any more.
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const bool silent = client.silent();
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(silent);
  CHECK(fixture.log.contains("listener.paused"));
  CHECK(client.line().starts_with("hello"));
}

TEST_CASE("reception: stop takes no one new and lets dialogues take their leave") {
  Fixture fixture(wide());
  Client client = fixture.client();
  CHECK(client.line().starts_with("hello"));
  fixture.reception.stop();
  CHECK(client.line().empty());
  bool empty = false;
  fixture.reception.when_empty([&] { empty = true; });
  CHECK(run_until(fixture.loop, [&] { return empty; }));
  const File late(socket(AF_INET, SOCK_STREAM, 0));
  const auto where = SocketAddress::of(fixture.where);
  CHECK(connect(late.descriptor(), where.raw(), where.size) != 0);
}

TEST_CASE("reception: a bug in one dialogue is logged and takes nobody else down") {
  Fixture fixture(wide());
  Client one = fixture.client();
  Client two = fixture.client();
  CHECK(one.line().starts_with("hello"));
  CHECK(two.line().starts_with("hello"));
  one.send("THROW\n");
  CHECK(one.line().empty());
  CHECK(fixture.log.contains("session.failed reason=\"a bug\""));
  two.send("x\n");
  CHECK(two.line() == "x\n");
}

TEST_CASE("reception: without a certificate a port with TLS from the start closes at once") {
  Fixture fixture(wide(), Service::imaps);
  CHECK(fixture.client().line().empty());
}

TEST_CASE("reception: a TLS handshake that does not come ends in time") {
  const TemporaryFolder folder;
  const auto pair = tls::make_self_signed({"mail.example.org"}).value();
  std::ofstream(folder / "c.pem") << pair.certificate;
  std::ofstream(folder / "k.pem") << pair.key;
  const auto context = tls::Context::load({{folder / "c.pem", folder / "k.pem"}});
  REQUIRE(context);
  auto settings = wide();
  settings.handshake_time = Milliseconds(500);
  settings.limits.connections_per_address = 1;
  Fixture fixture(settings, Service::imaps, "127.0.0.1:0", context->get());
  Client client = fixture.client();
  // Nothing can be said to one too many before its handshake.
  CHECK(fixture.client().line().empty());
  CHECK(fixture.log.contains("connection.refused"));
  CHECK(client.line().empty());
  CHECK(run_until(fixture.loop, [&] { return fixture.log.contains("connection.closed"); }));
  CHECK(fixture.log.contains("reason=timeout"));
}

TEST_CASE("reception: Unix sockets and IPv6 are served like others") {
  const TemporaryFolder folder;
  {
    Fixture fixture(wide(), Service::imap, "unix:" + (folder / "imap"));
    CHECK(fixture.client().line().starts_with("hello"));
    // Somebody answers there, so it is not taken away; behind a crash it is.
    CHECK(listen_on(fixture.where).error().code == Errc::in_use);
  }
  Fixture again(wide(), Service::imap, "unix:" + (folder / "imap"));
  CHECK(again.client().line().starts_with("hello"));
  if (auto socket = listen_on(ListenAddress::parse("[::1]:0").value())) {
    Fixture fixture(wide(), Service::imap, "[::1]:0");
    CHECK(fixture.client().line().starts_with("hello"));
    CHECK(fixture.log.contains("address=::1"));
  }
}

TEST_CASE("reception: a port that another program has is told in words") {
  auto first = listen_on(ListenAddress::parse("127.0.0.1:0").value());
  REQUIRE(first);
  const ListenAddress taken = bound_address(*first);
  const auto second = listen_on(taken);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::in_use);
  CHECK(second.error().detail == "cannot listen on " + taken.text() + ": another program already does");
}

TEST_CASE("reception: [::] is IPv6 alone, and accepted connections send without delay") {
  auto six = listen_on(ListenAddress::parse("[::]:0").value());
  if (!six) return;  // a machine without IPv6
  ListenAddress four = bound_address(*six);
  four.address = IpAddress::parse("0.0.0.0").value();
  CHECK(listen_on(four));
  auto socket = listen_on(ListenAddress::parse("127.0.0.1:0").value());
  Loop loop;
  const Client client(loop, bound_address(*socket));
  const File accepted(accept(socket->descriptor(), nullptr, nullptr));
  int on = 0;
  socklen_t size = sizeof(on);
  getsockopt(accepted.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
  CHECK(on != 0);
}

TEST_CASE("reception: a Unix socket has the mode that is asked for, whatever the umask") {
  const TemporaryFolder folder;
  const mode_t before = umask(0);
  ListenAddress address;
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    umask(mask);
    for (const mode_t mode : {mode_t{0666}, mode_t{0600}}) {
      address.path = folder / std::to_string(mask) + "-" + std::to_string(mode);
      CHECK(listen_on(address, mode));
      struct stat found{};
      CHECK(lstat(address.path.c_str(), &found) == 0);
      CHECK((found.st_mode & 0777) == mode);
    }
    CHECK(umask(0) == mask);
  }
  umask(before);
}

TEST_CASE("reception: a listening socket that is broken is left alone for a while and named in the log") {
  Loop loop;
  MemoryLog log;
  // It does not listen: each accept() fails, and poll says each time that there is something.
  File socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  int accepted = 0;
  const Listener listener(loop, log, std::move(socket), [&](Listener::Accepted) { ++accepted; });
  // Each turn waits for something to happen: a loop that spins makes thousands of them.
  int turns = 0;
  bool over = false;
  Timer end(loop, [&] { over = true; });
  end.start(Milliseconds(250));
  while (!over) {
    uv_run(loop.raw(), UV_RUN_ONCE);
    ++turns;
  }
  CHECK(log.contains("listener.paused reason=\"Invalid argument\""));
  CHECK(turns < 20);
  CHECK(accepted == 0);
}

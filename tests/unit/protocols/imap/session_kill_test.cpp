#include "tests/unit/protocols/imap/session_harness.h"

#include <doctest/doctest.h>

// A connection that dies at any await leaves nothing behind; the address sanitizer watches.
namespace posthorn::imap {
namespace {

// Each command, so that each of their awaits comes up.
const std::string every_command =
    "a AUTHENTICATE PLAIN\r\nAGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n"
    "b CREATE x/y\r\nc LIST \"\" *\r\nd SUBSCRIBE x\r\ne LSUB \"\" *\r\nf STATUS INBOX (MESSAGES)\r\n"
    "g APPEND INBOX (\\Seen $k) {20}\r\nSubject: x\r\n\r\ntext\r\n {20+}\r\nSubject: x\r\n\r\ntext\r\n\r\n"
    "h APPEND nowhere {5+}\r\nabcde\r\n"
    "i SELECT INBOX\r\nj FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY[] BODY.PEEK[HEADER.FIELDS "
    "(SUBJECT)])\r\n"
    "k SEARCH SUBJECT x TEXT text HEADER X-Y z\r\nl STORE 1 +FLAGS (\\Deleted)\r\nm COPY 1 x\r\nn MOVE 2 "
    "x/y\r\n"
    "o IDLE\r\nDONE\r\np EXPUNGE\r\nq CHECK\r\nr RENAME x z\r\ns DELETE z/y\r\nt LOGIN {3}\r\nabc "
    "{1}\r\nd\r\n"
    "u CLOSE\r\nv EXAMINE INBOX\r\nw UNSELECT\r\nx NOOP\r\ny LOGOUT\r\n";

void prepare(Server& server) {
  server.count_hops = true;
  server.store.summary_octets = 1;  // one message is a batch
  server.inbox().put(simple_message("one", "text"));
  server.inbox().put("Subject: large\r\n\r\n" + std::string(150'000, 'x'));
}

}  // namespace

TEST_CASE("imap: a connection that dies at any await ends its session cleanly") {
  std::size_t awaits = 0;
  {
    Server server;
    prepare(server);
    Client client(server, {.input = every_command, .chunk = 4'096});
    REQUIRE(testing::run_until(server.loop, [&] { return client.ended(); }));
    REQUIRE(client.peer().output().ends_with("y OK LOGOUT completed\r\n"));
    awaits = client.peer().awaits();
  }
  REQUIRE(awaits > 40);
  for (std::size_t at = 1; at <= awaits; ++at) {
    CAPTURE(at);
    Server server;
    prepare(server);
    {
      Client client(server, {.input = every_command, .chunk = 4'096, .kill_at = at});
      REQUIRE(testing::run_until(server.loop, [&] { return client.ended(); }));
    }
    CHECK(server.inbox().listeners() == 0);
    CHECK(server.store.live_spools == 0);
    CHECK(server.group.size() == 0);
  }
}

TEST_CASE("imap: close() from outside at any turn of the loop ends the session cleanly") {
  for (int turns = 0; turns < 150; turns += 2) {
    CAPTURE(turns);
    Server server;
    prepare(server);
    {
      Client client(server, {.input = every_command, .chunk = 4'096, .hold_open = true});
      for (int i = 0; i < turns; ++i) server.loop.run_once();
      client.connection().close(CloseReason::shutdown);
      REQUIRE(testing::run_until(server.loop, [&] { return client.ended(); }));
    }
    CHECK(server.inbox().listeners() == 0);
    CHECK(server.store.live_spools == 0);
  }
}

}  // namespace posthorn::imap
